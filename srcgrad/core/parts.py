"""What stands for the length of a part of an axis."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NamedTuple, TypeGuard

from srcgrad.core import ir
from srcgrad.core.ir import Const

Dim = Hashable
ONE = Const(1, ir.I8)
REVERSED = ir.Slice(None, None, Const(-1, ir.I8))


class Shorter(NamedTuple):
    """The length max(n - cut, 0) where n is that of dim."""

    dim: Dim
    cut: int


def is_part(dim: Dim) -> TypeGuard[tuple[Any, ...]]:
    """Whether the token is that of a slice."""
    return isinstance(dim, Shorter) or (isinstance(dim, tuple) and len(dim) == 4)


def trimmed(dim: Dim, item: ir.Slice) -> Dim:
    """The token of a slice. What cuts k elements off the ends, wherever, leaves max(n - k, 0)."""
    if item == REVERSED:
        return dim
    start, stop = item.start or Const(0, ir.I8), item.stop or Const(0, ir.I8)
    if item.step not in (None, ONE) or not isinstance(start, Const) or not isinstance(stop, Const):
        return (dim, item.start, item.stop, item.step)
    if start.value.real < 0 or stop.value.real > 0 or (item.stop is not None and stop.value.real == 0):
        return (dim, item.start, item.stop, item.step)
    cut = int(start.value.real - stop.value.real)
    return shorter(dim, cut)


def shorter(dim: Dim, cut: int) -> Dim:
    """The token of max(n - cut, 0) where n is that of dim."""
    if not cut:
        return dim
    return Shorter(dim.dim, dim.cut + cut) if isinstance(dim, Shorter) else Shorter(dim, cut)
