"""A line for whoever waits: a compilation that takes longer than a second says so.

It is written where a person looks on, to a terminal or into a notebook, while the compilation goes on. The environment
variable SRCGRAD_QUIET hides it.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

SECONDS = 1.0
QUIET = "SRCGRAD_QUIET"
_waiting: list[str] = []  # what is being compiled: kernels are compiled inside of what calls them


def watched(stream: TextIO | None) -> bool:
    """Whether a person looks on."""
    if stream is None or os.environ.get(QUIET):
        return False
    notebook = type(stream).__module__.partition(".")[0] == "ipykernel"
    return notebook or stream.isatty()


@contextmanager
def announced(name: str) -> Iterator[None]:
    """Say that `name` is being compiled, once a second has passed. Nothing is said of what is compiled inside it."""
    stream = sys.stderr
    if _waiting or not watched(stream):
        yield
        return
    line = f"srcgrad: compiling {name}, once for these types ({QUIET}=1 hides this line)\n"
    timer = threading.Timer(SECONDS, _say, (stream, line))
    timer.daemon = True
    _waiting.append(name)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        _waiting.remove(name)


def _say(stream: TextIO, line: str) -> None:
    stream.write(line)
    stream.flush()
