"""Euclidean norms, variances and standard deviations: 0 has derivative 0, not NaN."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from srcgrad.core.build import Builder
from srcgrad.errors import UnsupportedError
from srcgrad.numeric import reductions
from srcgrad.rules.language import arguments, registry
from srcgrad.rules.language.declare import At, Duals, Edge, Rule, as_value, cast, general, static
from srcgrad.rules.language.over_elements import suffix, written_out
from srcgrad.rules.language.values import Val, contents, emit, value_of
from srcgrad.rules.reductions.sums import (
    every,
    reduced_dims,
    reduced_type,
    several,
    sum_,
)
from srcgrad.rules.scalar.compare import equal, where
from srcgrad.rules.shapes.broadcast import Params, Types, spread_back
from srcgrad.rules.shapes.shape import count


def _norm_jvp(dots: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (dx,), (x,), (y,) = dots, args, outs
    if dx is None:
        return [None]
    along = sum_(_over(x, y, params) * dx, **params)
    return [where(equal(y, 0.0), y.lift(0.0), along)]


def _norm_vjp(bars: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (g,), (x,), (y,) = bars, args, outs
    if g is None:
        return [None]
    return [_spread(where(equal(y, 0.0), y.lift(0.0), g), x, params) * _over(x, y, params)]


def _over(x: Val, y: Val, params: Params) -> Val:
    """x / y, without products that leave the range of floats; x where y is 0."""
    return x / _spread(where(equal(y, 0.0), y.lift(1.0), y), x, params)


def _spread(value: Val, x: Val, params: Params) -> Val:
    return spread_back(value, x, params["axes"], params["keepdims"]) if value.type.rank else value


LEAST = {"f4": 1e-31, "f8": 1e-292}  # where the sum of squares keeps its accuracy


def _norm_template(types: Types, params: Params) -> Any:
    rank, kind = types[0].rank, types[0].dtype
    name = f"norm_{rank}_over{suffix(params['axes'], params['keepdims'])}{'_f4' if kind == 'f4' else ''}"
    return written_out(reductions.norms, types, name, **params, least=LEAST[kind])


def _params(sample: Any) -> Sequence[Params]:
    return [sample.params] if isinstance(sample, At) else every


def _at_zero(x: Any, params: Params) -> Edge:
    return Edge((0.0 * x,), (0.0 * x,), (0.0 * x,), params)


norm: Rule = general(
    "norm",
    (),
    jvp=_norm_jvp,
    vjp=_norm_vjp,
    evaluate=lambda x, axes, keepdims: reductions.norms(x, axes, keepdims, LEAST[x.dtype.str[1:]])[()],
    template=_norm_template,
    dims=reduced_dims,
    infer=lambda types, params: (reduced_type(types[0].rank, types[0].dtype, params),),
    samples=several,
    params=every,
    edges=[_at_zero(sample[0], params) for sample in several for params in _params(sample)],
)


def float_array(builder: Builder, x: Any, name: str) -> Val:
    value = arguments.array_value(builder, x, name)
    return value if value.type.is_float else cast(value, "f8")


def no_booleans(builder: Builder, x: Any, name: str) -> None:
    """Of what takes differences, which NumPy has none of."""
    if arguments.as_array(builder, x).type.dtype == "b1":
        raise UnsupportedError(f"{name} of booleans is not supported; use .astype(float) before")


def _free(builder: Builder, number: Val, ddof: Any, rest: dict[str, Any]) -> Val:
    """How many of so many elements count: less ddof, which NumPy also calls correction, and not below 0."""
    lost = contents(as_value(builder, rest.pop("correction", None) or ddof))
    known = static(lost)
    if known == 0:
        return number
    free = number - lost
    return free if known == 1 else registry.FUNCTIONS[np.maximum](builder, free, 0)


def _deviations(
    builder: Builder, x: Any, axis: Any, ddof: Any, keepdims: Any, rest: dict[str, Any], name: str
) -> tuple[Val, Val, dict[str, Any]]:
    """x less its mean, how many elements count, and over which axes."""
    value = float_array(builder, x, name)
    axes = arguments.all_axes(axis, value.type.rank)
    number = count(value, axes)
    free = _free(builder, number, ddof, rest)
    arguments.no_options(rest, name)
    mean = emit(sum_, value, axes=axes, keepdims=True) / number
    return value - mean, free, {"axes": axes, "keepdims": arguments.flag(keepdims, "keepdims")}


@registry.adaptor(np.var, methods=("var",))
def _var(builder: Builder, x: Any, axis: Any = None, ddof: Any = 0, keepdims: Any = False, **rest: Any) -> Val:
    apart, free, over = _deviations(builder, x, axis, ddof, keepdims, rest, "np.var")
    return emit(sum_, _squares(apart), **over) / free


def _squares(x: Val) -> Val:
    """The squares of numbers, or of the sizes of complex ones."""
    if not x.type.is_complex:
        return x * x
    real, imaginary = (value_of(part, x.builder, x) for part in (np.real, np.imag))
    return real * real + imaginary * imaginary


@registry.adaptor(np.std, methods=("std",))
def _std(builder: Builder, x: Any, axis: Any = None, ddof: Any = 0, keepdims: Any = False, **rest: Any) -> Val:
    apart, free, over = _deviations(builder, x, axis, ddof, keepdims, rest, "np.std")
    root = value_of(np.sqrt, builder, cast(free, apart.type.dtype))
    return emit(norm, apart, **over) / root
