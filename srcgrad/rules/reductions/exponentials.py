"""logsumexp, softmax and log_softmax over axes: without overflow, and at infinities the limit instead of NaN."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.numeric import reductions
from srcgrad.rules.language import arguments, of_scipy, registry
from srcgrad.rules.language.declare import At, Duals, Rule, cast, expand_to, general, settle
from srcgrad.rules.language.over_elements import suffix, written_out
from srcgrad.rules.language.values import Val, contents, emit, value_of
from srcgrad.rules.reductions.sums import (
    matrix,
    reduced_dims,
    reduced_type,
    row,
    several,
    sum_,
    tower,
)
from srcgrad.rules.scalar.compare import equal, isfinite, where
from srcgrad.rules.shapes.broadcast import Params, Types, spread_back
from srcgrad.rules.stop_gradient import stopped

over_lines = [{"axes": (0,)}]


def _template(wanted: str) -> Any:
    def template(types: Types, params: Params) -> Any:
        what = "shares" if params.get("limits") else wanted
        over = {"axes": params["axes"], "keepdims": params.get("keepdims", False)}
        name = f"{what}_{types[0].rank}_over{suffix(over['axes'], over['keepdims'])}"
        return written_out(reductions.exponentials, types, name, **over, wanted=what)

    return template


def _evaluate(wanted: str) -> Any:
    def evaluate(x: Any, axes: tuple[int, ...], limits: bool = False, keepdims: bool = False) -> Any:
        with np.errstate(all="ignore"):
            return reductions.exponentials(x, axes, keepdims, "shares" if limits else wanted)[()]

    return evaluate


# ---- softmax


def _centred(v: Val, y: Val, axes: tuple[int, ...]) -> Val:
    """y * (v - the mean of v with weights y)"""
    mean = sum_(y * v, axes=axes, keepdims=len(axes) < y.type.rank)
    return y * (v - mean)


def _softmax_jvp(dots: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    return [None if dots[0] is None else _centred(dots[0], outs[0], params["axes"])]


softmax: Rule = general(
    "softmax",
    (),
    jvp=_softmax_jvp,
    vjp=_softmax_jvp,
    infer=lambda types, params: (types[0],),
    evaluate=_evaluate("softmax"),
    template=_template("softmax"),
    dims=lambda dims, params: dims[0],
    samples=[(row,), (matrix,), At(tower, axes=(1,), limits=False), At(tower, axes=(0, 2), limits=True)],
    params=[{"axes": (0,), "limits": False}, {"axes": (0,), "limits": True}],
)


def shares(x: Val, axes: tuple[int, ...]) -> Val:
    """softmax; of several infinities, or where all is -inf, those that tie share equally."""
    return softmax(x, axes=axes, limits=True)


# ---- its logarithm


def _log_softmax_jvp(dots: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (dx,), (x,), axes = dots, args, params["axes"]
    if dx is None:
        return [None]
    return [dx - sum_(shares(x, axes) * dx, axes=axes, keepdims=len(axes) < x.type.rank)]


def _log_softmax_vjp(bars: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (g,), (x,), axes = bars, args, params["axes"]
    if g is None:
        return [None]
    return [g - shares(x, axes) * sum_(g, axes=axes, keepdims=len(axes) < x.type.rank)]


log_softmax: Rule = general(
    "log_softmax",
    (),
    jvp=_log_softmax_jvp,
    vjp=_log_softmax_vjp,
    infer=lambda types, params: (types[0],),
    evaluate=_evaluate("log_softmax"),
    template=_template("log_softmax"),
    dims=lambda dims, params: dims[0],
    samples=[(row,), (matrix,), At(tower, axes=(0, 2))],
    params=over_lines,
)


# ---- the logarithm of the sum of exponentials


def _logsumexp_jvp(dots: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (dx,), (x,) = dots, args
    return [None if dx is None else sum_(shares(x, params["axes"]) * dx, **params)]


def _logsumexp_vjp(bars: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (g,), (x,) = bars, args
    if g is None:
        return [None]
    if g.type.rank:
        g = spread_back(g, x, params["axes"], params["keepdims"])
    return [g * shares(x, params["axes"])]


logsumexp: Rule = general(
    "logsumexp",
    (),
    jvp=_logsumexp_jvp,
    vjp=_logsumexp_vjp,
    evaluate=_evaluate("logsumexp"),
    template=_template("logsumexp"),
    infer=lambda types, params: (reduced_type(types[0].rank, types[0].dtype, params),),
    dims=reduced_dims,
    samples=several,
    params=[{"axes": (0,), "keepdims": False}, {"axes": (0,), "keepdims": True}],
    ties="infinities share equally",
)


def _operand(builder: Builder, x: Any, axis: Any, name: str) -> tuple[Val, tuple[int, ...]]:
    value = arguments.array_value(builder, x, name)
    value = value if value.type.is_float else cast(value, "f8")
    return value, arguments.all_axes(axis, value.type.rank)


@registry.adaptor(of_scipy.special.softmax)
def _scipy_softmax(builder: Builder, x: Any, axis: Any = None) -> Val:
    value, axes = _operand(builder, x, axis, "softmax")
    return emit(softmax, value, axes=axes, limits=False)


@registry.adaptor(of_scipy.special.log_softmax)
def _scipy_log_softmax(builder: Builder, x: Any, axis: Any = None) -> Val:
    value, axes = _operand(builder, x, axis, "log_softmax")
    return emit(log_softmax, value, axes=axes)


@registry.adaptor(of_scipy.special.logsumexp)
def _scipy_logsumexp(builder: Builder, a: Any, axis: Any = None, b: Any = None, keepdims: Any = False) -> Val:
    value, axes = _operand(builder, a, axis, "logsumexp")
    if b is not None:
        return _weighted(builder, value, b, axis, keepdims)
    return emit(logsumexp, value, axes=axes, keepdims=arguments.flag(keepdims, "keepdims"))


def _weighted(builder: Builder, value: Val, b: Any, axis: Any, keepdims: Any) -> Val:
    """log(sum(b * exp(a))), by the largest a whose weight is not 0; the others are small enough not to overflow."""
    value, weight = settle([value, contents(arguments.as_array(builder, b))])
    known = weight.atom.value.real if isinstance(weight.atom, ir.Const) else None
    weight = cast(weight, value.type.dtype) if known is None else value.lift(float(known))
    value, weight = (expand_to(v, value * weight) for v in (value, weight))
    axes = arguments.all_axes(axis, value.type.rank)
    counted = where(emit(equal, weight, weight.lift(0.0)), value.lift(-np.inf), value)
    top = value_of(np.max, builder, counted, axis=axes, keepdims=True)
    top = emit(stopped, where(emit(isfinite, top), top, top.lift(0.0)))
    most = 700.0 if value.type.dtype == "f8" else 80.0
    apart = value - top
    parts = weight * value_of(np.exp, builder, where(apart > most, apart.lift(most), apart))
    total = value_of(np.log, builder, emit(sum_, parts, axes=axes, keepdims=True)) + top
    if arguments.flag(keepdims, "keepdims"):
        return total
    return emit(sum_, total, axes=axes, keepdims=False)
