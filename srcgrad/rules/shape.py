"""Shapes: the length of an axis, of memory or of an array value."""
from __future__ import annotations

from typing import Any

from srcgrad.core import ir
from srcgrad.rules.declare import zero


def _length(array: Any, axis: int) -> int:
    return int(array.shape[axis])


def _int(types: tuple[ir.Type, ...], params: dict[str, Any]) -> tuple[ir.Type, ...]:
    return (ir.I8,)


dim = zero("shape", (_length,), infer=_int, evaluate=_length, template="_0.shape[axis]", elementwise=False)
