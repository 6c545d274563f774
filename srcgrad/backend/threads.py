"""Compiled code that runs threads of its own, called from Python.

Numba's simplest threading layer (workqueue) ends the process when two threads call parallel code at once, and GNU's
OpenMP ends a process that was forked from one which has used it. So calls wait for one another under the first, and a
forked process runs the serial code under the second. Which layer is there is known after the first call.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any

import numba


class _State:
    """free: parallel code may be called as it is.   forked: it must not be called."""

    free = False
    forked = False
    lock = threading.RLock()


def layer() -> str | None:
    """The threading layer that Numba runs on; None before it has started threads."""
    try:
        return str(numba.threading_layer())
    except ValueError:
        return None


def after_fork() -> None:
    """In a process that has just been forked."""
    _State.forked = layer() == "omp"
    _State.free = False
    _State.lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=after_fork)


def runs_threads(function: Any) -> bool:
    """Whether a compiled function has loops that run in parallel."""
    return getattr(function, "targetoptions", {}).get("parallel", False) is not False


def guarded(function: Callable[..., Any], serial: Callable[[], Callable[..., Any]]) -> Callable[..., Any]:
    """A parallel function as it can be called from Python; serial gives the same function with plain loops."""

    def call(*args: Any) -> Any:
        if _State.free:
            return function(*args)
        if _State.forked:
            return serial()(*args)
        with _State.lock:
            try:
                return function(*args)
            finally:
                _State.free = layer() not in (None, "workqueue")

    return call
