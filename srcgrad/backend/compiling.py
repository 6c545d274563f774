"""What goes on round Numba's compilation: Ctrl-C ends it, the log tells of it, and its cache heals itself.

All that we touch of Numba's cache is in this file.
"""

from __future__ import annotations

import gc
import logging
import pickle
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import FunctionCache, IndexDataCacheFile
from numba.core.compiler_lock import global_compiler_lock

from srcgrad.backend import blas_later, cache
from srcgrad.backend.announce import announced
from srcgrad.backend.called_kernels import call_only
from srcgrad.backend.numba_pipeline import compile_so

LOG = logging.getLogger("srcgrad")
LENGTH = 20  # bytes of the digest that stands before what is kept


@contextmanager
def uncollected() -> Iterator[None]:
    """No search for garbage while programs are made and compiled, of whose objects nearly all are in use: it took a
    tenth of the time."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


@contextmanager
def interruptible() -> Iterator[None]:
    """Ctrl-C ends what is done inside, even where a callback of the compiler's swallows the exception."""
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    hits: list[int] = []

    def handler(number: int, frame: Any) -> None:
        hits.append(number)
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, handler)
    try:
        yield
    except Exception as error:
        if hits:
            raise KeyboardInterrupt from error
        raise
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if hits:
        raise KeyboardInterrupt


@contextmanager
def deferred() -> Iterator[None]:
    """Ctrl-C waits for the end of what is done inside: modules that are half imported cannot be imported again."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    hits: list[tuple[int, Any]] = []
    signal.signal(signal.SIGINT, lambda number, frame: hits.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if hits:
            before(*hits[0])


def interruption(error: BaseException) -> BaseException:
    """What a signal's handler (Ctrl-C's) raised while compiled code gave its result back: CPython complains of both by
    a SystemError. The error itself, if it is another one."""
    while isinstance(error, SystemError) and error.__cause__ is not None:
        error = error.__cause__
    return error


def logged(dispatcher: Any, compile: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """Compile, or load from Numba's cache, for these arguments."""
    name = f"{dispatcher.__name__} for ({', '.join(_short(numba.typeof(a)) for a in args)})"
    LOG.debug("compiling %s", name)
    with global_compiler_lock, deferred(), blas_later.ours():  # Numba imports what it knows when it first compiles
        blas_later.import_arrays()
        dispatcher.typingctx.refresh()
        dispatcher.targetctx.refresh()
    found, start = _hits(dispatcher), time.perf_counter()
    with interruptible(), uncollected(), announced(dispatcher.__name__), blas_later.ours():
        out = compile(*args)
    expect_blas(dispatcher.overloads.values())
    seconds = time.perf_counter() - start
    if _hits(dispatcher) > found:
        LOG.debug("loaded %s, %.2f s", name, seconds)
    else:
        LOG.info("compiled %s, %.1f s", name, seconds)
    return out


def expect_blas(made: Iterable[Any]) -> None:
    with deferred():
        for one in made:
            blas_later.before_running(one.library)


def _hits(dispatcher: Any) -> int:
    return sum(dispatcher.stats.cache_hits.values())


def _short(kind: Any) -> str:
    """A type as Numba's signatures have it: `float64[:]`."""
    if isinstance(kind, numba.types.Array):
        return f"{kind.dtype}[{', '.join(':' * kind.ndim)}]"
    return str(kind)


class CheckedFile(IndexDataCacheFile):  # type: ignore[misc]
    """Numba's files of one function, each with a digest in front: what is damaged counts as missing."""

    def _load_index(self) -> dict[Any, Any]:
        data = self._checked(self._index_path)
        if data is None:
            return {}
        version, stamp, overloads = pickle.loads(data)
        return dict(overloads) if (version, stamp) == (self._version, self._source_stamp) else {}

    def _save_index(self, overloads: dict[Any, Any]) -> None:
        self._write(self._index_path, self._dump((self._version, self._source_stamp, overloads)))

    def _load_data(self, name: str) -> Any:
        data = self._checked(self._data_path(name))
        if data is None:
            raise OSError(f"{name} is damaged or gone")  # for which Numba compiles again
        return pickle.loads(data)

    def _save_data(self, name: str, data: Any) -> None:
        self._write(self._data_path(name), self._dump(data))

    def _checked(self, path: str) -> bytes | None:
        data = cache.read(Path(path))
        if data is None:
            return None
        if data[:LENGTH] == cache.digest(data[LENGTH:]):
            return data[LENGTH:]
        LOG.info("%s is damaged, and is made again", path)
        return None

    def _write(self, path: str, data: bytes) -> None:
        cache.write(Path(path), cache.digest(data) + data)


class HealingCache:
    """Numba's cache of one function: what cannot be read is compiled again, what cannot be written is done without."""

    def __init__(self, inner: Any, folder: Path, kernel: str = "") -> None:
        """kernel: the module of a kernel, which is called, not linked in."""
        self._inner, self._folder, self._kernel = inner, folder, kernel
        inner._cache_file.__class__ = CheckedFile

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def load_overload(self, signature: Any, context: Any) -> Any:
        try:
            made = self._inner.load_overload(signature, context)
            if made is not None and self._kernel:
                self._call_only(made)
            return made
        except Exception as error:  # what an unpickled object raises, there is no telling
            LOG.info("%s cannot be read, and is compiled again: %s", self._inner._name, error)
            return None

    def save_overload(self, signature: Any, data: Any) -> None:
        try:
            cache.make(self._folder)
            self._inner.save_overload(signature, data)
        except OSError as error:
            LOG.info("%s cannot be kept: %s", self._inner._name, error)
        if self._kernel:
            self._call_only(data)

    def _call_only(self, made: Any) -> None:
        expect_blas([made])
        call_only(made, self._kernel)


def heal(namespace: dict[str, Any], folder: Path) -> None:
    """Let the caches of all functions of a generated module, which lies in this folder, heal themselves, and let the
    functions be compiled by our compiler."""
    compile_so(namespace.values())
    kernel = namespace["__name__"] if cache.KERNEL in namespace["__name__"] else ""
    for value in namespace.values():
        if isinstance(getattr(value, "_cache", None), FunctionCache):
            value._cache = HealingCache(value._cache, folder, kernel)
