"""Slices as values: slice(a, b), np.s_[a:b], and those that were made outside of the function."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

import numpy as np

from srcgrad.core import ir
from srcgrad.core.ir import Const
from srcgrad.frontend.lowering import values
from srcgrad.frontend.lowering.paths import Lowering
from srcgrad.frontend.lowering.values import Known, Struct, Value

PARTS = ("start", "stop", "step")
NOTHING = Known(None)


def made(low: Lowering, args: Sequence[Value], named: Mapping[str, Value]) -> Value | None:
    """slice(stop), slice(start, stop), slice(start, stop, step)"""
    if named or not 1 <= len(args) <= 3:
        low.refuse("slice takes one to three arguments", "write slice(start, stop)")
    given = [NOTHING, *args] if len(args) == 1 else list(args)
    return _slice(*given)


def _slice(start: Value = NOTHING, stop: Value = NOTHING, step: Value = NOTHING) -> Struct:
    return Struct(slice, PARTS, (start, stop, step))


def bounds(value: Value) -> list[Value | None] | None:
    """Start, stop and step of a slice; None if this is none."""
    if isinstance(value, Known) and isinstance(value.value, slice):
        given = value.value
        return [None if p is None else Const(int(p), ir.I8) for p in (given.start, given.stop, given.step)]
    if isinstance(value, Struct) and value.kind is slice:
        return [None if isinstance(p, Known) and p.value is None else p for p in value.items]
    return None


def written(low: Lowering, maker: object, node: ast.expr) -> Value:
    """np.s_[...] and np.index_exp[...], the latter always a tuple."""
    if isinstance(node, ast.Tuple):
        return values.struct([_part(low, part) for part in node.elts])
    return values.struct([_part(low, node)]) if maker is np.index_exp else _part(low, node)


def _part(low: Lowering, node: ast.expr) -> Value:
    if not isinstance(node, ast.Slice):
        return low.ex(node)
    return _slice(*(NOTHING if p is None else low.ex(p) for p in (node.lower, node.upper, node.step)))
