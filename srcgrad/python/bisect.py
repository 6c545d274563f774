"""Functions of Python's `bisect`, of lists and of arrays: places, which have no derivative."""

from __future__ import annotations

from typing import Any

__all__ = ["bisect_left", "bisect_right"]


def bisect_left(a: Any, x: Any, lo: int = 0, hi: Any = None) -> int:
    low, high = lo, len(a) if hi is None else hi
    while low < high:
        middle = (low + high) // 2
        if a[middle] < x:
            low = middle + 1
        else:
            high = middle
    return low


def bisect_right(a: Any, x: Any, lo: int = 0, hi: Any = None) -> int:
    low, high = lo, len(a) if hi is None else hi
    while low < high:
        middle = (low + high) // 2
        if x < a[middle]:
            high = middle
        else:
            low = middle + 1
    return low
