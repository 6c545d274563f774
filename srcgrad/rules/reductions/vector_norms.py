"""Norms of vectors and matrices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from srcgrad.core.build import Builder
from srcgrad.errors import UnsupportedError
from srcgrad.rules.language import arguments, registry
from srcgrad.rules.language.declare import cast
from srcgrad.rules.language.values import Val, contents, emit
from srcgrad.rules.reductions.largest_smallest import largest, smallest
from srcgrad.rules.reductions.norms_and_variances import float_array, norm
from srcgrad.rules.reductions.sums import sum_
from srcgrad.rules.scalar.compare import equal, not_equal, where
from srcgrad.rules.scalar.elementwise import absolute
from srcgrad.rules.shapes.broadcast import squeeze
from srcgrad.rules.shapes.shape import length


def _of_lines(value: Val, order: float, axes: tuple[int, ...], keepdims: bool) -> Val:
    """The norm of this order of the elements along these axes."""
    over: dict[str, Any] = {"axes": axes, "keepdims": keepdims}
    if order == 2:
        return emit(norm, value, **over)
    if order == 0:
        return cast(emit(sum_, emit(not_equal, value, value.lift(0.0)), **over), value.type.dtype)
    size = emit(absolute, value)
    if math.isinf(order):
        return emit(largest if order > 0 else smallest, size, **over)
    if order == 1:
        return emit(sum_, size, **over)
    powers = size**order if order > 1 else _of_nonzero(size, order)
    return _root(emit(sum_, powers, **over), order)


def _of_nonzero(size: Val, order: float) -> Val:
    """size to the power of an order below 1, with derivative 0 at 0."""
    none = equal(size, size.lift(0.0))
    safe = where(none, size.lift(1.0), size)
    return where(none, size.lift(0.0 if order > 0 else math.inf), safe**order)


def _root(total: Val, order: float) -> Val:
    """total to the power of 1 / order, with derivative 0 at 0."""
    none = equal(total, total.lift(0.0))
    safe = where(none, total.lift(1.0), total)
    return where(none, total.lift(0.0 if order > 0 else math.inf), safe ** (1.0 / order))


def _of_singular_values(value: Val, order: float | str, axes: tuple[int, int], keepdims: bool) -> Val:
    """The largest (order 2) or smallest (-2) of them, or their sum ('nuc')."""
    builder, rank = value.builder, value.type.rank
    if rank > 2:
        value = registry.FUNCTIONS[np.moveaxis](builder, value, axes, (-2, -1))
    found = contents(registry.FUNCTIONS[np.linalg.svdvals](builder, value))
    over: dict[str, Any] = {"axes": (rank - 2,), "keepdims": False}
    if order == "nuc":
        got = emit(sum_, _unless_rounding(found), **over)
    else:
        got = emit(largest if order == 2 else smallest, found, **over)
    return registry.FUNCTIONS[np.expand_dims](builder, got, tuple(sorted(axes))) if keepdims else got


def _unless_rounding(s: Val) -> Val:
    """The singular values, 0 in place of those that are: their derivative is 0, as that of abs at 0."""
    last = s.type.rank - 1
    top = emit(largest, s, axes=(last,), keepdims=last > 0)
    eps = 8.0 * float(np.finfo(s.type.dtype).eps)
    return where(s > top * eps * length(s, last), s, s.lift(0.0))


def _of_matrices(value: Val, order: float | str, axes: tuple[int, int], keepdims: bool) -> Val:
    """The largest sum of a column's sizes (order 1) or of a row's (infinity); the smallest for -1 and -infinity."""
    if order in (2, -2, "nuc"):
        return _of_singular_values(value, order, axes, keepdims)
    if isinstance(order, str) or order not in (1, -1, math.inf, -math.inf):
        raise UnsupportedError(f"there is no norm of matrices of order {order!r}")
    added, compared = axes if abs(order) == 1 else axes[::-1]
    sums = emit(sum_, emit(absolute, value), axes=(added,), keepdims=True)
    got = emit(largest if order > 0 else smallest, sums, axes=(compared,), keepdims=True)
    return got if keepdims else _without(got, axes)


def _without(value: Val, axes: tuple[int, int]) -> Val:
    if value.type.rank == 2:
        return emit(sum_, value, axes=(0, 1), keepdims=False)
    return emit(squeeze, value, axes=tuple(sorted(axes)))


def _order(ord: Any, axes: int) -> float | str | None:
    """The order as a number; None for the Euclidean norm of whatever shape."""
    if isinstance(ord, str):
        if ord == "fro" and axes == 2:
            return None
        if ord == "nuc" and axes == 2:
            return "nuc"
        raise UnsupportedError(f"the norm {ord!r} is not supported; 'fro' and 'nuc' of a matrix are")
    if ord is None:
        return None
    order = float(arguments.number(ord, "ord"))
    return None if order == 2 and axes == 1 else order


@registry.adaptor(np.linalg.norm)
def _np_norm(builder: Builder, x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Val:
    value = float_array(builder, x, "np.linalg.norm")
    rank = value.type.rank
    keep = arguments.flag(keepdims, "keepdims")
    given = axis if isinstance(axis, (tuple, list)) else range(rank) if axis is None else (axis,)
    axes = tuple(arguments.one_axis(k, rank) for k in given)
    order = _order(ord, len(axes))
    if len(axes) > 2 and (axis is not None or ord is not None):
        raise UnsupportedError("np.linalg.norm takes one or two axes; name them with axis=")
    if order is None:
        return emit(norm, value, axes=tuple(sorted(axes)), keepdims=keep)
    if len(axes) == 1 and not isinstance(order, str):
        return _of_lines(value, order, axes, keep)
    return _of_matrices(value, order, (axes[0], axes[1]), keep)


@registry.adaptor(np.linalg.vector_norm)
def _vector_norm(builder: Builder, x: Any, axis: Any = None, keepdims: Any = False, ord: Any = 2) -> Val:
    value = float_array(builder, x, "np.linalg.vector_norm")
    axes = arguments.all_axes(axis, value.type.rank)
    return _of_lines(value, float(arguments.number(ord, "ord")), axes, arguments.flag(keepdims, "keepdims"))


@registry.adaptor(np.linalg.matrix_norm)
def _matrix_norm(builder: Builder, x: Any, keepdims: Any = False, ord: Any = "fro") -> Val:
    rank = arguments.array_value(builder, x, "np.linalg.matrix_norm").type.rank
    return _np_norm(builder, x, ord, (rank - 2, rank - 1), keepdims)
