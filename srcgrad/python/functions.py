"""Builtin functions, and those of functools, over arrays and over items one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def reduce(function: Callable[[Any, Any], Any], iterable: Any) -> Any:
    total = iterable[0]
    for k in range(1, len(iterable)):
        total = function(total, iterable[k])
    return total


def reduce_from(function: Callable[[Any, Any], Any], iterable: Any, initial: Any) -> Any:
    total = initial
    for k in range(len(iterable)):
        total = function(total, iterable[k])
    return total


def largest_by(iterable: Any, key: Callable[[Any], Any]) -> Any:
    best, found = iterable[0], key(iterable[0])
    for k in range(1, len(iterable)):
        score = key(iterable[k])
        if score > found:
            best, found = iterable[k], score
    return best


def smallest_by(iterable: Any, key: Callable[[Any], Any]) -> Any:
    best, found = iterable[0], key(iterable[0])
    for k in range(1, len(iterable)):
        score = key(iterable[k])
        if score < found:
            best, found = iterable[k], score
    return best


def larger(best: Any, found: Any, item: Any, score: Any) -> tuple[Any, Any]:
    if score > found:
        return item, score
    return best, found


def smaller(best: Any, found: Any, item: Any, score: Any) -> tuple[Any, Any]:
    if score < found:
        return item, score
    return best, found


def ordered(values: Any, reverse: bool) -> Any:
    up = np.sort(values)
    return up[::-1] if reverse else up
