"""Deep expressions: what Python's recursion limit stops is done once more in a thread with a large stack."""

from __future__ import annotations

import contextvars
import ctypes
import functools
import sys
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from srcgrad.errors import UnsupportedError

STACK, LIMIT = 1 << 29, 100_000  # bytes (only what is touched is taken), and calls

Made = TypeVar("Made", bound=Callable[..., Any])
_ALONE = threading.Lock()  # the size of stacks and the limit are the process's
_LARGE: contextvars.ContextVar[bool] = contextvars.ContextVar("large", default=False)


def deep(call: Made) -> Made:
    """Decorator: the call again, on a large stack, where it was too deep for the caller's."""

    @functools.wraps(call)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return call(*args, **kwargs)
        except RecursionError:
            if _LARGE.get():
                raise
        try:
            return _on_large_stack(functools.partial(call, *args, **kwargs))
        except RecursionError:
            hint = "split expressions into several statements, and nested branches into functions"
            raise UnsupportedError("the function is nested too deeply", hint=hint) from None

    return wrapped  # type: ignore[return-value]


def _on_large_stack(call: Callable[[], Any]) -> Any:
    """What the call gives or raises. Ctrl-C goes on to the thread that runs it."""
    out: list[Any] = []
    errors: list[BaseException] = []

    def run() -> None:
        _LARGE.set(True)
        try:
            out.append(call())
        except BaseException as error:
            errors.append(error)

    with _ALONE:
        limit, size = sys.getrecursionlimit(), threading.stack_size(STACK)
        thread = threading.Thread(target=contextvars.copy_context().run, args=(run,), daemon=True)
        try:
            sys.setrecursionlimit(max(limit, LIMIT))
            thread.start()
            threading.stack_size(size)
            _wait(thread)
        finally:
            threading.stack_size(size)
            sys.setrecursionlimit(limit)
    if errors:
        raise errors[0]
    return out[0]


def _wait(thread: threading.Thread) -> None:
    try:
        thread.join()
    except KeyboardInterrupt:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident or 0), ctypes.py_object(KeyboardInterrupt)
        )
        thread.join()
