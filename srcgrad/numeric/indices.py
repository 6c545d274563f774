"""Indices of elements as tuples: of what is reduced, broadcast, or taken along an axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Index = tuple[Any, ...]


def kept(items: Sequence[Any], axes: Sequence[int], keepdims: bool, instead: int) -> Index:
    # of the indices or lengths of all axes those of a result that is reduced over `axes`
    return tuple(instead if k in axes else item for k, item in enumerate(items) if keepdims or k not in axes)


def repeats(shape: Sequence[int]) -> Index:
    # what an index is multiplied by where an array of this shape is broadcast
    return tuple(0 if n == 1 else 1 for n in shape)


def broadcast(at: Sequence[int], step: Sequence[int]) -> Index:
    # the index in an array of the element that is broadcast to `at`
    return tuple(i * step[k] for k, i in enumerate(at[len(at) - len(step) :]))


def without(items: Sequence[Any], axis: int) -> Index:
    return tuple(item for k, item in enumerate(items) if k != axis)


def along(at: Sequence[int], axis: int, index: Any) -> Index:
    # the index with another one along this axis
    return tuple(index if k == axis else i for k, i in enumerate(at))


def inserted(rest: Sequence[Any], axis: int, index: Any) -> Index:
    # the index with one more at this axis
    return (*rest[:axis], index, *rest[axis:])


def of_diagonal(rest: Sequence[Any], axes: tuple[int, int], row: Any, column: Any) -> Index:
    # the index of an element whose row and column are those along these axes
    return tuple(
        row if k == axes[0] else column if k == axes[1] else rest[k - (k > axes[0]) - (k > axes[1])]
        for k in range(len(rest) + 2)
    )


def tied(a: Any, b: Any) -> Any:
    # whether two numbers are equal, or both NaN
    return a == b or (a != a and b != b)
