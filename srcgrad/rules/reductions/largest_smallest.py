"""The largest and the smallest element over axes: those that tie share the derivative equally."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.errors import UnsupportedError
from srcgrad.numeric import reductions
from srcgrad.rules.language import arguments, registry
from srcgrad.rules.language.declare import At, Duals, Edge, Rule, general, linear
from srcgrad.rules.language.over_elements import evaluated, suffix, written_out
from srcgrad.rules.language.values import Val, contents, emit
from srcgrad.rules.reductions.sums import (
    chosen,
    first_axis,
    matrix,
    reduced_dims,
    reduced_type,
    row,
    several,
    to_scalar,
    tower,
)
from srcgrad.rules.shapes.broadcast import Params, Types

every = [{"axes": (0,), "keepdims": False}, {"axes": (0,), "keepdims": True}]


# ---- what the tying elements give and get: the two are transposes of one another


def _ties(x: Any, y: Any, axes: tuple[int, ...], keepdims: bool) -> tuple[Any, Any]:
    """Which elements of x are those that y was reduced to, and how many there are of each."""
    level = np.asarray(y) if keepdims else np.expand_dims(np.asarray(y), axes)
    hits = (x == level) | ((x != x) & (level != level))
    return hits, hits.sum(axis=axes, keepdims=True)


def _ties_template(start: str, function: Any) -> Any:
    def template(types: Types, params: Params) -> Any:
        over, single = suffix(params["axes"], params["keepdims"]), types[0].dtype == "f4"
        kind = {"kind": np.float32 if single else np.float64} if function is reductions.to_ties else {}
        name = f"{start}_{types[1].rank}_over{over}{'_f4' if single else ''}"
        return written_out(function, types, name, **params, **kind)

    return template


def _scatter(g: Any, x: Any, y: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    g = np.asarray(g)
    return reductions.to_ties(g, x, np.asarray(y), axes, keepdims, g.dtype.type)


level = np.array([0.7, 1.2, 1.2])
_highest = np.max(tower, (0, 2), keepdims=True)
_samples_at = [
    (-matrix, matrix, np.max(matrix, 0)),
    At(-matrix, matrix, np.max(matrix), axes=(0, 1), keepdims=False),
    At(row, level, 1.2, axes=(0,), keepdims=False),
    At(-tower, tower, _highest, axes=(0, 2), keepdims=True),
]
_samples_to = [
    (np.array([1.3, -0.7, 0.2]), matrix, np.max(matrix, 0)),
    At(1.3, matrix, np.max(matrix), axes=(0, 1), keepdims=False),
    At(1.3, level, 1.2, axes=(0,), keepdims=False),
    At(-_highest, tower, _highest, axes=(0, 2), keepdims=True),
]

at_ties: Rule = linear(
    "at_ties",
    (),
    transpose=lambda g, v, x, y, **params: to_ties(g, x, y, **params),
    evaluate=evaluated(reductions.at_ties),
    infer=lambda types, params: (reduced_type(types[0].rank, types[0].dtype, params),),
    dims=reduced_dims,
    template=_ties_template("at_ties", reductions.at_ties),
    samples=_samples_at,
    params=every[:1],
    takes_complex=False,
)
to_ties: Rule = linear(
    "to_ties",
    (),
    transpose=lambda g, v, x, y, **params: at_ties(g, x, y, **params),
    evaluate=_scatter,
    infer=lambda types, params: (ir.Type(types[0].dtype, types[1].rank),),
    dims=lambda dims, params: dims[1],
    template=_ties_template("to_ties", reductions.to_ties),
    samples=_samples_to,
    params=every[:1],
    takes_complex=False,
)


# ---- the reductions


def _jvp(dots: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (dot,) = dots
    return [None if dot is None else emit(at_ties, dot, args[0], outs[0], **params)]


def _vjp(bars: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (g,) = bars
    carries = g is not None and args[0].type.dtype[0] == "f"
    return [emit(to_ties, g, args[0], outs[0], **params) if g is not None and carries else None]


def _peak(
    name: str, function: Any, sign: str, word: str, tied: Any, *, methods: tuple[str, ...] = (), ignore: bool = False
) -> Rule:
    """ignore: whether NaN counts only where there is nothing else."""

    def infer(types: Types, params: Params) -> tuple[ir.Type, ...]:
        return (reduced_type(types[0].rank, types[0].dtype, params),)

    def template(types: Types, params: Params) -> Any:
        if to_scalar(types[0].rank, params):
            return f"np.{name}(_0)"
        helper = f"{name}_{types[0].rank}_over{suffix(params['axes'], params['keepdims'])}"
        message = f"zero-size array to reduction operation {word} which has no identity"
        known = {**params, "largest": sign == ">", "ignore": ignore, "message": message}
        return written_out(reductions.extremes, types, helper, **known)

    rule = general(
        name, (), jvp=_jvp, vjp=_vjp, infer=infer, template=template, dims=reduced_dims, samples=several,
        evaluate=lambda x, axes, keepdims: function(x, axis=axes, keepdims=keepdims), params=every,
        ties="shared equally", edges=[Edge((tied,), (np.array([0.0, 0.5, 0.5]),))],
        selects=True, fresh=True, keeps_dtype=not ignore,
        may_raise=lambda types, params: not to_scalar(types[0].rank, params),
    )  # fmt: skip

    registry.adaptor(function, methods=methods)(_peak_adaptor(name, rule, sign))
    return rule


def _peak_adaptor(name: str, rule: Rule, sign: str) -> Callable[..., Val]:
    lowest = -np.inf if sign == ">" else np.inf
    pair = np.maximum if sign == ">" else np.minimum

    def call(
        builder: Builder,
        x: Any,
        axis: Any = None,
        out: Any = None,
        keepdims: Any = False,
        initial: Any = None,
        where: Any = None,
    ) -> Val:
        arguments.no_options({"out": out}, f"np.{name}")
        value = contents(arguments.as_array(builder, x))
        if value.type.rank == 0:
            return value
        if value.type.dtype == "b1":
            raise UnsupportedError(f"np.{name} of booleans is not supported; use .any() or .all()")
        if where is not None and (value.type.dtype[0] != "f" or initial is None):
            raise UnsupportedError(f"np.{name} takes where= for floats, with initial=; write np.where before it")
        value = chosen(value, where, lowest)
        axes = arguments.all_axes(axis, value.type.rank)
        keep = arguments.flag(keepdims, "keepdims")
        got = emit(rule, value, axes=axes, keepdims=keep) if axes else value
        return got if initial is None else registry.FUNCTIONS[pair](builder, got, initial)

    return call


largest = _peak("max", np.max, ">", "maximum", level, methods=("max",))
smallest = _peak("min", np.min, "<", "minimum", -level, methods=("min",))
registry.adaptor(np.amax)(registry.FUNCTIONS[np.max])
registry.adaptor(np.amin)(registry.FUNCTIONS[np.min])
registry.adaptor(np.maximum.reduce)(first_axis(np.max))
registry.adaptor(np.minimum.reduce)(first_axis(np.min))
nan_largest = _peak("nanmax", np.nanmax, ">", "fmax", level, ignore=True)
nan_smallest = _peak("nanmin", np.nanmin, "<", "fmin", -level, ignore=True)
