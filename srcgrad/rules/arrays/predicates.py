"""Questions about numbers and arrays (are they close, equal, real?), and places counted out of shapes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.errors import UnsupportedError
from srcgrad.rules.arrays.writes import unravelled
from srcgrad.rules.language import arguments, registry
from srcgrad.rules.language.declare import as_value, cast, settle
from srcgrad.rules.language.values import Val, contents, emit, value_of
from srcgrad.rules.scalar.compare import equal, isfinite, isnan, less, less_equal, logical_and, logical_or, where
from srcgrad.rules.shapes.axes import memory_of
from srcgrad.rules.shapes.shape import dims, length

# ---- close, equal


def _close(builder: Builder, a: Any, b: Any, rtol: Any, atol: Any, equal_nan: Any) -> Val:
    one, other = settle([arguments.as_array(builder, v) for v in (a, b)])
    one, other = (v if v.type.is_float else _as_float(v) for v in (one, other))
    away, scale = (registry.FUNCTIONS[np.abs](builder, v) for v in (one - other, other))
    bound = as_value(builder, atol) + as_value(builder, rtol) * scale
    near = emit(logical_and, emit(less_equal, away, bound), emit(isfinite, other))
    near = emit(logical_or, near, emit(equal, one, other))
    if arguments.flag(equal_nan, "equal_nan"):
        near = emit(logical_or, near, emit(logical_and, emit(isnan, one), emit(isnan, other)))
    return near


def _as_float(value: Val) -> Val:
    known = getattr(value.atom, "value", None)
    return value.lift(float(known)) if known is not None else cast(value, "f8")


@registry.adaptor(np.isclose)
def _isclose(builder: Builder, a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: Any = False) -> Val:
    return _close(builder, a, b, rtol, atol, equal_nan)


@registry.adaptor(math.isclose)
def _math_isclose(builder: Builder, a: Any, b: Any, rel_tol: Any = 1e-09, abs_tol: Any = 0.0) -> Val:
    one, other = (_as_float(v) if not v.type.is_float else v for v in settle([as_value(builder, v) for v in (a, b)]))
    size = registry.FUNCTIONS[np.maximum](builder, *(registry.FUNCTIONS[np.abs](builder, v) for v in (one, other)))
    bound = registry.FUNCTIONS[np.maximum](builder, as_value(builder, rel_tol) * size, as_value(builder, abs_tol))
    near = emit(less_equal, registry.FUNCTIONS[np.abs](builder, one - other), bound)
    near = emit(logical_and, near, emit(isfinite, size))
    return emit(logical_or, near, emit(equal, one, other))


@registry.adaptor(np.allclose)
def _allclose(builder: Builder, a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: Any = False) -> Val:
    near = _close(builder, a, b, rtol, atol, equal_nan)
    return registry.FUNCTIONS[np.all](builder, near) if near.type.rank else near


@registry.adaptor(np.array_equal)
def _array_equal(builder: Builder, a1: Any, a2: Any, equal_nan: Any = False) -> Val:
    """Arrays of other shapes are not equal: their elements are compared where the shapes are the same."""
    one, other = (arguments.as_array(builder, v) for v in (a1, a2))
    nan = arguments.flag(equal_nan, "equal_nan")
    if one.type.rank != other.type.rank:
        return as_value(builder, False)
    if one.type.rank == 0:
        return _alike(builder, one, other, nan)
    one, other = memory_of(builder, one, ""), memory_of(builder, other, "")
    same = as_value(builder, True)
    for a, b in zip(dims(one), dims(other), strict=True):
        if not builder.shapes.same_length(a.atom, b.atom):
            same = emit(logical_and, same, emit(equal, a, b)) if isinstance(same.atom, ir.Var) else emit(equal, a, b)
    if not isinstance(same.atom, ir.Var):
        return value_of(np.all, builder, _alike(builder, one, other, nan))
    with builder.block() as then:
        alike = registry.FUNCTIONS[np.all](builder, _alike(builder, one, other, nan))
    out = ir.Var("same", ir.B1)
    builder.put(
        ir.If(same.atom, tuple(then), (), (ir.Out(out, alike.atom, ir.Const(False, ir.B1)),), span=builder.span)
    )
    return Val(builder, out)


def _alike(builder: Builder, one: Val, other: Val, nan: bool) -> Val:
    a, b = contents(one), contents(other)
    same = emit(equal, a, b)
    if nan and a.type.is_float and b.type.is_float:
        same = emit(logical_or, same, emit(logical_and, emit(isnan, a), emit(isnan, b)))
    return same


# ---- of one number


def _infinite(function: Any, sign: float) -> None:
    @registry.adaptor(function)
    def call(builder: Builder, x: Any) -> Val:
        (value,) = settle([arguments.as_array(builder, x)])
        value = value if value.type.is_float else cast(value, "f8")
        return emit(equal, value, value.lift(sign * math.inf))


_infinite(np.isposinf, 1.0)
_infinite(np.isneginf, -1.0)


def _real(function: Any, answer: bool) -> None:
    @registry.adaptor(function)
    def call(builder: Builder, x: Any) -> Val:
        value = contents(arguments.as_array(builder, x))
        if value.type.is_complex:
            zero = registry.FUNCTIONS[np.imag](builder, value)
            compare = np.equal if answer else np.not_equal
            return value_of(compare, builder, zero, zero.lift(0.0))
        if not value.type.rank:
            return as_value(builder, answer)
        return value_of(np.full, builder, dims(value), as_value(builder, answer))


_real(np.isreal, True)
_real(np.iscomplex, False)


def _known(function: Any, answer: Callable[[ir.Type], bool]) -> None:
    """A question that the type answers."""

    @registry.adaptor(function)
    def call(builder: Builder, x: Any) -> Val:
        sequence = isinstance(x, (tuple, list))
        return as_value(builder, not sequence and answer(as_value(builder, x).type))


_known(np.isscalar, lambda kind: kind.is_scalar)
_known(np.iscomplexobj, lambda kind: kind.is_complex)


@registry.adaptor(np.isrealobj)
def _isrealobj(builder: Builder, x: Any) -> Val:
    return as_value(builder, not arguments.as_array(builder, x).type.is_complex)


@registry.adaptor(np.asarray_chkfinite)
def _asarray_chkfinite(builder: Builder, a: Any) -> Val:
    given = arguments.as_array(builder, a)
    finite = registry.FUNCTIONS[np.all](builder, emit(isfinite, contents(given)))
    raising = ir.Effect("raise ValueError('array must not contain infs or NaNs')", span=builder.span)
    wrong = registry.FUNCTIONS[np.logical_not](builder, finite)
    builder.put(ir.If(wrong.atom, (raising,), (), span=builder.span))
    return given


# ---- where the extremes are among what is not NaN


def _extreme(function: Any, plain: Any, instead: float) -> None:
    name = f"np.{function.__name__}"

    @registry.adaptor(function)
    def call(builder: Builder, x: Any, axis: Any = None, **options: Any) -> Val:
        arguments.no_options({k: v for k, v in options.items() if (k, v) != ("keepdims", False)}, name)
        value = arguments.array_value(builder, x, name)
        if not value.type.is_float:
            return value_of(plain, builder, value, axis)
        missing = emit(isnan, value)
        none = (
            registry.FUNCTIONS[np.any](builder, registry.FUNCTIONS[np.all](builder, missing, axis))
            if axis is not None and value.type.rank > 1
            else registry.FUNCTIONS[np.all](builder, missing)
        )
        raising = ir.Effect("raise ValueError('All-NaN slice encountered')", span=builder.span)
        builder.put(ir.If(none.atom, (raising,), (), span=builder.span))
        return value_of(plain, builder, emit(where, missing, value.lift(instead), value), axis)


_extreme(np.nanargmax, np.argmax, -math.inf)
_extreme(np.nanargmin, np.argmin, math.inf)


# ---- places


def _of_matrix(function: Any, plain: Any) -> None:
    @registry.adaptor(function)
    def call(builder: Builder, arr: Any, k: Any = 0) -> Any:
        value = arguments.as_array(builder, arr)
        if value.type.rank != 2:
            raise UnsupportedError(f"np.{function.__name__} takes a matrix")
        return registry.FUNCTIONS[plain](builder, length(value, 0), k, length(value, 1))


_of_matrix(np.tril_indices_from, np.tril_indices)
_of_matrix(np.triu_indices_from, np.triu_indices)


@registry.adaptor(np.diag_indices)
def _diag_indices(builder: Builder, n: Any, ndim: Any = 2) -> tuple[Val, ...]:
    (count,) = arguments.lengths(builder, n)
    return tuple(registry.FUNCTIONS[np.arange](builder, count) for _ in range(arguments.integer(ndim, "ndim")))


@registry.adaptor(np.diag_indices_from)
def _diag_indices_from(builder: Builder, arr: Any) -> tuple[Val, ...]:
    value = arguments.as_array(builder, arr)
    if value.type.rank < 2:
        raise UnsupportedError("np.diag_indices_from takes arrays of two axes or more")
    return _diag_indices(builder, length(value, 0), value.type.rank)


def _integers(builder: Builder, given: Any, name: str) -> Val:
    value = contents(arguments.as_array(builder, given))
    if value.type.dtype[0] not in "iu":
        raise UnsupportedError(f"the places of {name} must be integers")
    return value


@registry.adaptor(np.unravel_index)
def _unravel_index(builder: Builder, indices: Any, shape: Any) -> tuple[Val, ...]:
    places, lengths = _integers(builder, indices, "np.unravel_index"), arguments.lengths(builder, shape)
    size = lengths[0]
    for n in lengths[1:]:
        size = size * n
    outside = emit(logical_or, emit(less, places, as_value(builder, 0)), emit(less_equal, size, places))
    _none(builder, outside, "an index of np.unravel_index is out of bounds")
    return tuple(unravelled(places, lengths))


@registry.adaptor(np.ravel_multi_index)
def _ravel_multi_index(builder: Builder, multi_index: Any, dims: Any) -> Val:
    if not isinstance(multi_index, (tuple, list)):
        raise UnsupportedError("np.ravel_multi_index takes a tuple of places, one for each axis")
    lengths = arguments.lengths(builder, dims)
    places = [_integers(builder, p, "np.ravel_multi_index") for p in multi_index]
    if len(places) != len(lengths):
        raise UnsupportedError("np.ravel_multi_index takes as many places as lengths")
    out = None
    for place, n in zip(places, lengths, strict=True):
        outside = emit(logical_or, emit(less, place, as_value(builder, 0)), emit(less_equal, n, place))
        _none(builder, outside, "an index of np.ravel_multi_index is out of bounds")
        out = place if out is None else out * n + place
    assert out is not None
    return out


def _none(builder: Builder, wrong: Val, message: str) -> None:
    """Raise ValueError where any is true."""
    any_ = registry.FUNCTIONS[np.any](builder, wrong) if wrong.type.rank else wrong
    raising = ir.Effect(f"raise ValueError({message!r})", span=builder.span)
    builder.put(ir.If(any_.atom, (raising,), (), span=builder.span))
