"""Medians and quantiles, and the range: elements that tie with the one that is chosen share its derivative equally."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.errors import UnsupportedError
from srcgrad.rules import arguments, helpers, registry
from srcgrad.rules.broadcast import Dims, Params
from srcgrad.rules.compare import greater_equal, less_equal, where
from srcgrad.rules.declare import Duals, Rule, as_value, cast, general
from srcgrad.rules.lines import each_line, kept, lines
from srcgrad.rules.peaks import at_ties, to_ties
from srcgrad.rules.reduce import matrix, reduced_type, row, tower
from srcgrad.rules.rounding import floor
from srcgrad.rules.shape import length
from srcgrad.rules.values import Val, contents, emit

# ---- the k-th smallest along the last axis


def _over(x: Val) -> dict[str, Any]:
    return {"axes": (x.type.rank - 1,), "keepdims": False}


def _jvp(dots: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    dot, x = dots[0], args[0]
    return [None if dot is None else emit(at_ties, dot, x, outs[0], **_over(x))]


def _vjp(bars: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (g,), x = bars, args[0]
    carries = g is not None and x.type.dtype[0] == "f"
    return [emit(to_ties, g, x, outs[0], **_over(x)) if g is not None and carries else None, None]


def _smallest(x: Any, k: int) -> Any:
    if x.shape[-1] == 0:
        return np.full(x.shape[:-1], np.nan, x.dtype)[()]
    found = np.sort(x, -1)[..., k]
    return np.where(np.isnan(x).any(-1), np.nan, found).astype(x.dtype)[()]


def _dims(dims: Sequence[Dims], params: Params) -> Dims:
    return dims[0][:-1]


smallest: Rule = general(
    "kth_smallest", (), jvp=_jvp, vjp=_vjp, evaluate=_smallest, dims=_dims,
    infer=lambda types, params: (reduced_type(types[0].rank, types[0].dtype, {"axes": (0,), "keepdims": False}),),
    template=each_line(helpers.kth_smallest, extra=("k",)), samples=[(row, 1), (matrix, 0), (matrix, 2), (tower, 1)],
    ties="shared equally", finite_partials=True,
)  # fmt: skip


# ---- the user's functions


def _operand(builder: Builder, x: Any, axis: Any, keepdims: Any, name: str) -> tuple[Val, Any]:
    """The elements to choose from along the last axis, and what gives the result its shape."""
    value = arguments.array_value(builder, x, name)
    value = value if value.type.is_float else cast(value, "f8")
    rank = value.type.rank
    axes, keep = arguments.all_axes(axis, rank), arguments.flag(keepdims, "keepdims")
    return lines(value, axes, keep), lambda y: kept(y, rank, axes, keep)


def _input_stays(rest: dict[str, Any], name: str) -> None:
    if arguments.flag(rest.pop("overwrite_input", False), "overwrite_input"):
        raise UnsupportedError(f"{name} is differentiated with overwrite_input=False only", hint="leave it out")
    arguments.no_options(rest, name)


@registry.adaptor(np.median)
def _median(builder: Builder, x: Any, axis: Any = None, keepdims: Any = False, **rest: Any) -> Val:
    _input_stays(rest, "np.median")
    given, shaped = _operand(builder, x, axis, keepdims, "np.median")
    n = length(given, given.type.rank - 1)
    half = registry.FUNCTIONS[np.floor_divide]
    low, high = smallest(given, half(builder, n - 1, 2)), smallest(given, half(builder, n, 2))
    return shaped(0.5 * (low + high))  # type: ignore[no-any-return]


def _fraction(builder: Builder, q: Any, scale: float, name: str) -> Val:
    """q as a share of 1, checked when the program runs."""
    value = contents(as_value(builder, q))
    if value.type.rank:
        raise UnsupportedError(f"{name} takes one q here; call it once for each")
    value = value if value.type.is_float else _as_float(value)
    share = value if scale == 1 else value / scale
    inside = emit(greater_equal, share, share.lift(0.0)), emit(less_equal, share, share.lift(1.0))
    code = f"assert _0 and _1, {f'q of {name} must be from 0 to {scale:g}'!r}"
    builder.put(ir.Effect(code, tuple(v.atom for v in inside), span=builder.span))
    return share


def _as_float(value: Val) -> Val:
    known = getattr(value.atom, "value", None)
    return value.lift(float(known)) if known is not None else cast(value, "f8")


def _quantile(builder: Builder, x: Any, q: Any, axis: Any, keepdims: Any, rest: dict[str, Any], of: Any) -> Val:
    """The value at q * (n - 1) of the sorted elements, linearly between two of them."""
    name, scale = of
    if rest.pop("method", "linear") != "linear":
        raise UnsupportedError(f"{name} is differentiated with method='linear' only")
    _input_stays(rest, name)
    given, shaped = _operand(builder, x, axis, keepdims, name)
    share = _fraction(builder, q, scale, name)
    n = length(given, given.type.rank - 1)
    place = share * (n - 1)
    k = cast(emit(floor, place), "i8")
    part = place - k
    after = where(k < n - 1, k + 1, k)
    low, high = smallest(given, k), smallest(given, after)
    return shaped(low * (1.0 - part) + high * part)  # type: ignore[no-any-return]


@registry.adaptor(np.quantile)
def _np_quantile(builder: Builder, x: Any, q: Any, axis: Any = None, keepdims: Any = False, **rest: Any) -> Val:
    return _quantile(builder, x, q, axis, keepdims, rest, ("np.quantile", 1))


@registry.adaptor(np.percentile)
def _percentile(builder: Builder, x: Any, q: Any, axis: Any = None, keepdims: Any = False, **rest: Any) -> Val:
    return _quantile(builder, x, q, axis, keepdims, rest, ("np.percentile", 100.0))


@registry.adaptor(np.ptp)
def _ptp(builder: Builder, x: Any, axis: Any = None, out: Any = None, keepdims: Any = False) -> Val:
    arguments.no_options({"out": out}, "np.ptp")
    value = arguments.array_value(builder, x, "np.ptp")
    high, low = (registry.FUNCTIONS[f](builder, value, axis=axis, keepdims=keepdims) for f in (np.max, np.min))
    return high - low  # type: ignore[no-any-return]
