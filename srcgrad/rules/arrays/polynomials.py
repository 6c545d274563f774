"""Polynomials by their coefficients, the highest power first."""

from __future__ import annotations

from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import Builder, const, whole
from srcgrad.errors import UnsupportedError
from srcgrad.rules.arrays.evenly_spaced import spaced
from srcgrad.rules.language import arguments, registry
from srcgrad.rules.language.declare import as_value, cast, settle
from srcgrad.rules.language.values import Val, contents, emit, value_of
from srcgrad.rules.reductions.sums import sum_
from srcgrad.rules.shapes.axes import memory_of
from srcgrad.rules.shapes.pieces import concatenate
from srcgrad.rules.shapes.shape import dims, length


def _row(builder: Builder, given: Any, name: str) -> Val:
    value = contents(arguments.as_array(builder, given))
    if value.type.rank != 1:
        raise UnsupportedError(f"{name} takes the coefficients in an array of one axis")
    return value if value.type.is_float or value.type.is_complex else cast(value, "f8")


def _ref(value: Val) -> ir.Var:
    assert isinstance(value.atom, ir.Var)
    return value.atom


@registry.adaptor(np.polyval)
def _polyval(builder: Builder, p: Any, x: Any) -> Val:
    """Horner's rule."""
    value = contents(arguments.as_array(builder, x))
    if isinstance(p, (tuple, list)):
        (value, *given) = settle([value, *(as_value(builder, c) for c in p)])
        out = value * 0.0
        for k, one in enumerate(given):
            out = out * value + one if k else out + one
        return out
    row, value = settle([_row(builder, p, "np.polyval"), value])
    dtype = arguments.result_type([row.type.dtype, value.type.dtype])
    value = cast(value, dtype)
    given_ = memory_of(builder, cast(row, dtype), "")
    n, at = length(given_, 0), ir.Var("k", ir.I8)
    if value.type.rank:
        return _of_array(builder, given_, value, n, at)
    inner, after = ir.Var("y", value.type), ir.Var("y", value.type)
    with builder.block() as body:
        out = Val(builder, inner) * value + Val(builder, builder.load(_ref(given_), (at,)))
    zero = ir.Const(0.0, value.type)
    carry = ir.Carry(inner, zero, out.atom, after)
    builder.put(ir.For(at, const(0), n.atom, const(1), (carry,), tuple(body), span=builder.span))
    return Val(builder, after)


def _of_array(builder: Builder, given: Val, value: Val, n: Val, at: ir.Var) -> Val:
    places = memory_of(builder, value, "")
    y = builder.alloc(value.type.dtype, [m.atom for m in dims(places)], "zeros", "y")
    with builder.block() as body:
        x = contents(places)
        here = Val(builder, builder.load(y)) * x + Val(builder, builder.load(_ref(given), (at,)))
        builder.store(y, whole(y), here.atom)
    builder.put(ir.For(at, const(0), n.atom, const(1), (), tuple(body), span=builder.span))
    return Val(builder, y)


def _sum_of(function: Any, sign: float) -> None:
    name = f"np.{function.__name__}"

    @registry.adaptor(function)
    def call(builder: Builder, a1: Any, a2: Any) -> Val:
        rows = settle([_row(builder, a, name) for a in (a1, a2)])
        dtype = arguments.result_type([r.type.dtype for r in rows])
        n = registry.FUNCTIONS[max](builder, *(length(r, 0) for r in rows))
        out = builder.alloc(dtype, [n.atom], "zeros", "p")
        for row, factor in zip(rows, (1.0, sign), strict=True):
            start = n - length(row, 0)
            value = cast(row, dtype) if factor == 1.0 else -cast(row, dtype)
            builder.accumulate(out, (ir.Slice(start.atom),), value.atom)
        return Val(builder, out)


_sum_of(np.polyadd, 1.0)
_sum_of(np.polysub, -1.0)


@registry.adaptor(np.polymul)
def _polymul(builder: Builder, a1: Any, a2: Any) -> Val:
    return value_of(np.convolve, builder, *(_row(builder, a, "np.polymul") for a in (a1, a2)))


@registry.adaptor(np.polyder)
def _polyder(builder: Builder, p: Any, m: Any = 1) -> Val:
    row = _row(builder, p, "np.polyder")
    for _ in range(arguments.integer(m, "m")):
        memory = memory_of(builder, row, "")
        head = Val(builder, builder.load(_ref(memory), (ir.Slice(None, const(-1)),)))
        n = length(memory, 0)
        row = head * cast(spaced(n - 1, as_value(builder, 0), as_value(builder, -1)), row.type.dtype)
    return row


@registry.adaptor(np.polyint)
def _polyint(builder: Builder, p: Any, m: Any = 1, k: Any = None) -> Val:
    if arguments.integer(m, "m") != 1:
        raise UnsupportedError("np.polyint integrates once here; call it again for more")
    row = _row(builder, p, "np.polyint")
    n = length(row, 0)
    out = row / cast(spaced(n, as_value(builder, 0), as_value(builder, -1)), row.type.dtype)
    last = registry.FUNCTIONS[np.array](builder, [as_value(builder, 0.0 if k is None else k)], row.type.dtype)
    return emit(concatenate, out, contents(last), axis=0)


@registry.adaptor(np.polyfit)
def _polyfit(builder: Builder, x: Any, y: Any, deg: Any, **options: Any) -> Val:
    """Least squares with the powers of x scaled to one size, as NumPy does it."""
    arguments.no_options(
        {k: v for k, v in options.items() if (k, v) not in (("full", False), ("cov", False))}, "np.polyfit"
    )
    places, values = settle([_row(builder, v, "np.polyfit") for v in (x, y)])
    (degree,) = arguments.lengths(builder, deg)
    powers = contents(registry.FUNCTIONS[np.vander](builder, places, degree + 1))
    scale = value_of(np.sqrt, builder, emit(sum_, powers * powers, axes=(0,), keepdims=False))
    found = registry.FUNCTIONS[np.linalg.lstsq](builder, powers / scale, values)
    return contents(found[0]) / scale
