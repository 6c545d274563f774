"""Weighted averages, and reductions that leave NaN out: what is NaN has derivative 0."""

from __future__ import annotations

from typing import Any

import numpy as np

from srcgrad.core.build import Builder
from srcgrad.errors import UnsupportedError
from srcgrad.rules.language import arguments, registry
from srcgrad.rules.language.declare import as_value, cast
from srcgrad.rules.language.values import Val, contents, emit, value_of
from srcgrad.rules.reductions.norms_and_variances import float_array, norm
from srcgrad.rules.reductions.sums import sum_
from srcgrad.rules.scalar.compare import greater, isnan, logical_not, where
from srcgrad.rules.shapes.broadcast import unsqueeze

# ---- with weights


@registry.adaptor(np.average)
def _average(
    builder: Builder, a: Any, axis: Any = None, weights: Any = None, returned: Any = False, keepdims: Any = False
) -> Any:
    value = float_array(builder, a, "np.average")
    rank = value.type.rank
    keep, both = arguments.flag(keepdims, "keepdims"), arguments.flag(returned, "returned")
    if weights is None:
        if both:
            raise UnsupportedError("np.average with returned=True needs weights")
        return registry.FUNCTIONS[np.mean](builder, value, axis=axis, keepdims=keepdims)
    axes = arguments.all_axes(axis, rank)
    weight = arguments.array_value(builder, weights, "np.average")
    weight = weight if weight.type.is_float else cast(weight, value.type.dtype)
    if weight.type.rank == rank:
        over = emit(sum_, weight, axes=axes, keepdims=keep)
    elif weight.type.rank == 1 and len(axes) == 1:
        over = emit(sum_, weight, axes=(0,), keepdims=False)
        if axes[0] < rank - 1:
            weight = emit(unsqueeze, weight, axes=tuple(range(1, rank - axes[0])))
    else:
        raise UnsupportedError("np.average takes weights of the array's shape, or of one axis with that axis named")
    mean = emit(sum_, value * weight, axes=axes, keepdims=keep) / over
    if both and mean.type.rank != over.type.rank:
        raise UnsupportedError("np.average gives the sum of the weights only for weights of the array's shape")
    return (mean, over) if both else mean


# ---- without NaN


def _without_nan(builder: Builder, x: Any, name: str, fill: float) -> Val:
    value = arguments.array_value(builder, x, name)
    if value.type.dtype[0] != "f":
        return value
    return where(isnan(value), value.lift(fill), value)


def _leaving_out(function: Any, plain: Any, fill: float) -> None:
    """nansum and its like: those of the array with what is NaN replaced."""
    name = f"np.{function.__name__}"

    def call(builder: Builder, x: Any, *args: Any, **options: Any) -> Val:
        return value_of(plain, builder, _without_nan(builder, x, name, fill), *args, **options)

    registry.adaptor(function)(call)


_leaving_out(np.nansum, np.sum, 0.0)
_leaving_out(np.nanprod, np.prod, 1.0)
_leaving_out(np.nancumsum, np.cumsum, 0.0)
_leaving_out(np.nancumprod, np.cumprod, 1.0)


def _mean(builder: Builder, value: Val, axes: tuple[int, ...], keepdims: bool) -> tuple[Val, Val]:
    """The mean of what is not NaN, and how many that are."""
    there = emit(logical_not, emit(isnan, value))
    number = cast(emit(sum_, there, axes=axes, keepdims=keepdims), value.type.dtype)
    sums = emit(sum_, _without_nan(builder, value, "", 0.0), axes=axes, keepdims=keepdims)
    return sums / number, number


@registry.adaptor(np.nanmean)
def _nanmean(builder: Builder, x: Any, axis: Any = None, keepdims: Any = False, **rest: Any) -> Val:
    arguments.no_options(rest, "np.nanmean")
    value = float_array(builder, x, "np.nanmean")
    axes = arguments.all_axes(axis, value.type.rank)
    return _mean(builder, value, axes, arguments.flag(keepdims, "keepdims"))[0]


def _spread(
    builder: Builder, x: Any, axis: Any, ddof: Any, keepdims: Any, rest: Any, name: str
) -> tuple[Val, Val, dict[str, Any]]:
    arguments.no_options(rest, name)
    value = float_array(builder, x, name)
    axes, keep = arguments.all_axes(axis, value.type.rank), arguments.flag(keepdims, "keepdims")
    mean, number = _mean(builder, value, axes, True)
    apart = where(isnan(value), value.lift(0.0), value - mean)
    if not keep:
        number = emit(sum_, number, axes=axes, keepdims=False)
    free = number - cast(contents(as_value(builder, ddof)), value.type.dtype)
    free = where(emit(greater, free, free.lift(0.0)), free, free.lift(float("nan")))
    return apart, free, {"axes": axes, "keepdims": keep}


@registry.adaptor(np.nanvar)
def _nanvar(builder: Builder, x: Any, axis: Any = None, ddof: Any = 0, keepdims: Any = False, **rest: Any) -> Val:
    apart, free, over = _spread(builder, x, axis, ddof, keepdims, rest, "np.nanvar")
    return emit(sum_, apart * apart, **over) / free


@registry.adaptor(np.nanstd)
def _nanstd(builder: Builder, x: Any, axis: Any = None, ddof: Any = 0, keepdims: Any = False, **rest: Any) -> Val:
    apart, free, over = _spread(builder, x, axis, ddof, keepdims, rest, "np.nanstd")
    return emit(norm, apart, **over) / value_of(np.sqrt, builder, free)
