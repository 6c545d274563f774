"""Covariances, slopes of sampled functions, angles without jumps."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import Builder, const
from srcgrad.errors import UnsupportedError
from srcgrad.rules.language import arguments, registry
from srcgrad.rules.language.declare import as_value, cast, settle, static
from srcgrad.rules.language.values import Val, contents, emit, value_of
from srcgrad.rules.reductions.norms_and_variances import float_array, no_booleans
from srcgrad.rules.scalar.compare import equal, greater, less, logical_and, where
from srcgrad.rules.shapes.axes import along, expect_equal, memory_of
from srcgrad.rules.shapes.broadcast import unsqueeze
from srcgrad.rules.shapes.pieces import concatenate
from srcgrad.rules.shapes.shape import length, reshape, transpose
from srcgrad.rules.stop_gradient import stopped

# ---- covariances


def _rows(builder: Builder, x: Any, rowvar: bool, name: str) -> Val:
    """A variable a row."""
    value = float_array(builder, x, name)
    if value.type.is_complex:
        raise UnsupportedError(f"{name} of complex numbers is not supported; take real and imaginary parts")
    if value.type.rank > 2:
        raise UnsupportedError(f"{name} takes arrays of one or two axes")
    if value.type.rank == 1:
        return reshape(value, as_value(builder, 1), length(value, 0))
    return value if rowvar else transpose(value, axes=(1, 0))


def _covariance(builder: Builder, m: Any, y: Any, rowvar: bool, free: int, name: str) -> Val:
    rows = [_rows(builder, v, rowvar, name) for v in (m, y) if v is not None]
    rows = settle(rows)
    if len(rows) == 2:
        message = "the variables must have as many observations each"
        expect_equal(builder, length(rows[0], 1), length(rows[1], 1), message)
    both = rows[0] if len(rows) == 1 else emit(concatenate, *(cast(r, rows[0].type.dtype) for r in rows), axis=0)
    n = length(both, 1)
    apart = both - registry.FUNCTIONS[np.mean](builder, both, axis=1, keepdims=True)
    count = cast(registry.FUNCTIONS[max](builder, n - free, as_value(builder, 0)), both.type.dtype)
    return value_of(np.dot, builder, apart, transpose(apart, axes=(1, 0))) / count


def _alone(builder: Builder, m: Any, y: Any) -> bool:
    """One variable: its covariance is a number."""
    return y is None and arguments.as_array(builder, m).type.rank == 1


@registry.adaptor(np.cov)
def _cov(
    builder: Builder, m: Any, y: Any = None, rowvar: Any = True, bias: Any = False, ddof: Any = None, **options: Any
) -> Val:
    arguments.no_options(options, "np.cov")
    free = arguments.integer(ddof, "ddof") if ddof is not None else 0 if arguments.flag(bias, "bias") else 1
    matrix = _covariance(builder, m, y, arguments.flag(rowvar, "rowvar"), free, "np.cov")
    return _corner(builder, matrix) if _alone(builder, m, y) else matrix


def _corner(builder: Builder, matrix: Val) -> Val:
    memory = memory_of(builder, matrix, "")
    assert isinstance(memory.atom, ir.Var)
    return Val(builder, builder.load(memory.atom, (const(0), const(0))))


@registry.adaptor(np.corrcoef)
def _corrcoef(builder: Builder, x: Any, y: Any = None, rowvar: Any = True, **options: Any) -> Val:
    arguments.no_options(options, "np.corrcoef")
    matrix = _covariance(builder, x, y, arguments.flag(rowvar, "rowvar"), 1, "np.corrcoef")
    size = registry.FUNCTIONS[np.sqrt](builder, registry.FUNCTIONS[np.diag](builder, matrix))
    size = contents(size)
    out = matrix / emit(unsqueeze, size, axes=(1,)) / size
    for sign, beyond in ((1.0, greater), (-1.0, less)):  # by rounding
        out = emit(where, emit(beyond, out, out.lift(sign)), out.lift(sign), out)
    return _corner(builder, out) if _alone(builder, x, y) else out


# ---- slopes


def _part(memory: Val, axis: int, start: int | None, stop: int | None) -> Val:
    assert isinstance(memory.atom, ir.Var)
    item = ir.Slice(*(None if k is None else const(k) for k in (start, stop)))
    return Val(memory.builder, memory.builder.load(memory.atom, along(axis, memory.type.rank, item)))


def _standing(row: Val, axis: int, rank: int) -> Val:
    """A row along this axis: axes of length 1 behind it."""
    return emit(unsqueeze, row, axes=tuple(range(1, rank - axis))) if axis < rank - 1 else row


def _even(memory: Val, axis: int, step: Val, order: int) -> list[Val]:
    """The slopes at the start, inside and at the end."""

    def at(k: int) -> Val:
        return _part(memory, axis, k, k + 1 if k != -1 else None)

    inside = (_part(memory, axis, 2, None) - _part(memory, axis, None, -2)) / (2.0 * step)
    if order == 1:
        return [(at(1) - at(0)) / step, inside, (at(-1) - at(-2)) / step]
    first = (at(1) * 2.0 - at(0) * 1.5 - at(2) * 0.5) / step
    return [first, inside, (at(-1) * 1.5 - at(-2) * 2.0 + at(-3) * 0.5) / step]


def _uneven(memory: Val, axis: int, places: Val, order: int) -> list[Val]:
    builder, rank = memory.builder, memory.type.rank
    steps = memory_of(builder, registry.FUNCTIONS[np.diff](builder, places), "")

    def at(k: int) -> Val:
        return _part(memory, axis, k, k + 1 if k != -1 else None)

    def step(start: int | None, stop: int | None) -> Val:
        return _standing(_part(steps, 0, start, stop), axis, rank)

    a, b = step(None, -1), step(1, None)
    before, here, after = (_part(memory, axis, *ends) for ends in ((None, -2), (1, -1), (2, None)))
    inside = after * (a / (b * (a + b))) + here * ((b - a) / (a * b)) - before * (b / (a * (a + b)))
    if order == 1:
        return [(at(1) - at(0)) / step(0, 1), inside, (at(-1) - at(-2)) / step(-1, None)]
    a, b = step(0, 1), step(1, 2)
    first = at(1) * ((a + b) / (a * b)) - at(0) * ((2.0 * a + b) / (a * (a + b))) - at(2) * (a / (b * (a + b)))
    a, b = step(-2, -1), step(-1, None)
    last = at(-3) * (b / (a * (a + b))) - at(-2) * ((a + b) / (a * b)) + at(-1) * ((2.0 * b + a) / (b * (a + b)))
    return [first, inside, last]


def _slope(memory: Val, axis: int, spacing: Val, order: int) -> Val:
    builder, n = memory.builder, length(memory, axis)
    raising = ir.Effect(f"raise ValueError('np.gradient needs at least {order + 1} elements')", span=builder.span)
    builder.put(ir.If((n < order + 1).atom, (raising,), (), span=builder.span))
    spacing = contents(spacing)
    if spacing.type.rank > 1:
        raise UnsupportedError("np.gradient takes numbers or arrays of one axis as its spacings")
    if spacing.type.rank:
        expect_equal(builder, length(spacing, 0), n, "np.gradient needs as many places as elements")
        parts = _uneven(memory, axis, cast(spacing, memory.type.dtype), order)
    else:
        known = static(spacing)
        step = spacing if known is None else Val(builder, ir.Const(float(known.real), ir.Type(memory.type.dtype)))
        parts = _even(memory, axis, cast(step, memory.type.dtype), order)
    return emit(concatenate, *parts, axis=axis)


@registry.adaptor(np.gradient)
def _gradient(builder: Builder, f: Any, *varargs: Any, axis: Any = None, edge_order: Any = 1) -> Any:
    no_booleans(builder, f, "np.gradient")
    memory = memory_of(builder, float_array(builder, f, "np.gradient"), "np.gradient")
    order = arguments.integer(edge_order, "edge_order")
    axes = (
        arguments.all_axes(axis, memory.type.rank)
        if not isinstance(axis, (tuple, list))
        else tuple(arguments.one_axis(k, memory.type.rank) for k in axis)
    )
    given = [arguments.as_array(builder, v) for v in varargs] or [as_value(builder, 1.0)]
    if order not in (1, 2) or len(given) not in (1, len(axes)) or (len(given) < len(axes) and given[0].type.rank):
        raise UnsupportedError("np.gradient takes one spacing, or one an axis, and an edge_order of 1 or 2")
    spacings = given * len(axes) if len(given) < len(axes) else given
    out = tuple(_slope(memory, k, h, order) for k, h in zip(axes, spacings, strict=True))
    return out[0] if len(out) == 1 else out


# ---- angles


@registry.adaptor(np.unwrap)
def _unwrap(builder: Builder, p: Any, discont: Any = None, axis: Any = -1, *, period: Any = 2 * math.pi) -> Val:
    """The array with whole periods added, as many as take the jumps out: how many does not change with it."""
    value = float_array(builder, p, "np.unwrap")
    kind, over = value.type.dtype, arguments.one_axis(axis, value.type.rank)
    whole = cast(_number(builder, period, kind), kind)
    limit = None if discont is None else cast(_number(builder, discont, kind), kind)
    memory = memory_of(builder, value, "")
    jump = _part(memory, over, 1, None) - _part(memory, over, None, -1)
    half = whole * 0.5
    rest = registry.FUNCTIONS[np.mod](builder, jump + half, whole) - half
    rest = emit(where, emit(logical_and, emit(equal, rest, -half), jump > 0.0), half, rest)
    small = emit(less, registry.FUNCTIONS[np.abs](builder, jump), half if limit is None else limit)
    turns = emit(where, small, jump.lift(0.0), registry.FUNCTIONS[np.round](builder, (rest - jump) / whole))
    added = registry.FUNCTIONS[np.cumsum](builder, emit(stopped, turns), axis=over) * whole
    later = _part(memory, over, 1, None) + added
    return emit(concatenate, _part(memory, over, None, 1), later, axis=over)


def _number(builder: Builder, given: Any, dtype: str) -> Val:
    value = as_value(builder, given)
    known = static(value)
    return value if known is None else Val(builder, ir.Const(float(known.real), ir.Type(dtype)))
