"""A warning where a derivative keeps more than half of the machine's memory."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from srcgrad.backend.machine import memory

PACKAGE = str(Path(__file__).parents[1])
MANY = 10**8  # elements that so much memory is not kept for unless lengths and counts multiply to more


class Kept:
    """Tells it once. text: a function `kept_bytes` of what the derivative takes, if it is known beforehand."""

    def __init__(self, text: str, name: str) -> None:
        self._text, self._name = text, name
        self._count: Callable[..., Any] | None = None

    def few(self, leaves: Sequence[str], arrays: Sequence[bool]) -> Iterator[str]:
        """The condition, in names of the arguments, under which a call surely keeps little; where it does not hold,
        bytes are to be counted."""
        head, _, body = self._text.partition("def kept_bytes(")[2].partition("):\n")
        names = head.split(", ") if head else []
        used = set(re.findall(r"\w+", body))
        parts = [
            f"{leaf}.size" if array else f"abs({leaf})"
            for name, leaf, array in zip(names, leaves, arrays, strict=False)
            if name in used
        ]
        if parts:
            yield f"{' * '.join(parts)} <= {MANY}"

    def _bytes(self, items: Sequence[Any]) -> int:
        """How many bytes a call with these keeps; 0 where that is not known, or has been told."""
        if not self._text:
            return 0
        if self._count is None:
            namespace: dict[str, Any] = {}
            exec(compile(self._text, "<kept bytes>", "exec"), namespace)
            self._count = namespace["kept_bytes"]
        return int(self._count(*items))

    def little(self, *items: Any) -> bool:
        """Whether nothing is to be told of a call with these."""
        return self._bytes(items) <= memory() // 2

    def look(self, items: Sequence[Any]) -> None:
        """Warn if a call with these takes so much."""
        size = self._bytes(items)
        if size > memory() // 2:
            self._text = ""
            message = (
                f"the derivative of {self._name} keeps {size:,} bytes for its reverse sweep, and this machine has "
                f'{memory():,}; checkpoint="auto" keeps half of that at most, and runs loops again'
            )
            warnings.warn(message, RuntimeWarning, stacklevel=_outside(sys._getframe(1)))


def _outside(frame: FrameType | None) -> int:
    """How many frames above the caller the user's code stands."""
    level = 2
    while frame is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame, level = frame.f_back, level + 1
    return level
