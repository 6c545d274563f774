"""Medians and quantiles, and the range: elements that tie with the one that is chosen share its derivative equally."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import Builder, const
from srcgrad.errors import UnsupportedError
from srcgrad.numeric import sequences
from srcgrad.rules.language import arguments, registry
from srcgrad.rules.language.declare import Duals, Rule, as_value, cast, general, only_ranks
from srcgrad.rules.language.values import Val, contents, emit, value_of
from srcgrad.rules.reductions.largest_smallest import at_ties, to_ties
from srcgrad.rules.reductions.norms_and_variances import no_booleans
from srcgrad.rules.reductions.sums import matrix, reduced_type, row, sum_, tower
from srcgrad.rules.scalar.compare import greater_equal, isnan, less_equal, logical_not, where
from srcgrad.rules.scalar.rounding import floor
from srcgrad.rules.shapes.axes import memory_of
from srcgrad.rules.shapes.broadcast import Dims, Params, Types
from srcgrad.rules.shapes.last_axis import each_line, kept, lines
from srcgrad.rules.shapes.shape import length

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
    "kth_smallest",
    (),
    jvp=_jvp,
    vjp=_vjp,
    evaluate=_smallest,
    dims=_dims,
    infer=lambda types, params: (reduced_type(types[0].rank, types[0].dtype, {"axes": (0,), "keepdims": False}),),
    template=each_line(sequences.kth_smallest, alike="k"),
    samples=[(row, 1), (matrix, 0), (matrix, 2), (tower, 1)],
    ties="shared equally",
    selects=True,
)


def _each_template(types: Types, params: Params) -> Any:
    return each_line(sequences.kth_smallest, each="k")(types, params)


def _smallest_of_each(x: Any, k: Any) -> Any:
    if x.shape[-1] == 0:
        return np.full(x.shape[:-1], np.nan, x.dtype)
    found = np.take_along_axis(np.sort(x, -1), k[..., None], -1)[..., 0]
    return np.where(np.isnan(x).any(-1), np.nan, found).astype(x.dtype)


smallest_of_each: Rule = general(
    "kth_smallest_of_each",
    (),
    jvp=_jvp,
    vjp=_vjp,
    evaluate=_smallest_of_each,
    dims=_dims,
    infer=lambda types, params: (reduced_type(types[0].rank, types[0].dtype, {"axes": (0,), "keepdims": False}),),
    template=_each_template,
    samples=[(matrix, np.array([0, 2])), (tower, np.array([[1, 0], [2, 2]]))],
    ties="shared equally",
    selects=True,
    without=only_ranks(2, 3),
)


def kth(x: Val, k: Val) -> Val:
    """The k-th smallest of each line; k may be another for each."""
    return (smallest_of_each if k.type.rank else smallest)(x, k)


# ---- the user's functions

Pick = Callable[[Val, Any], Val]  # (lines, of how large a share) -> the numbers


def _operand(builder: Builder, x: Any, axis: Any, keepdims: Any, name: str) -> tuple[Val, Callable[[Val], Val]]:
    """The elements to choose from along the last axis, and what gives the result its shape."""
    value = arguments.array_value(builder, x, name)
    value = value if value.type.is_float else cast(value, "f8")
    rank = value.type.rank
    axes, keep = arguments.all_axes(axis, rank), arguments.flag(keepdims, "keepdims")
    return lines(value, axes, keep), lambda y: kept(y, rank, axes, keep)


def _middle(given: Val, n: Val) -> Val:
    half = registry.FUNCTIONS[np.floor_divide]
    return 0.5 * (kth(given, half(given.builder, n - 1, 2)) + kth(given, half(given.builder, n, 2)))


def _input_stays(rest: dict[str, Any], name: str) -> None:
    if arguments.flag(rest.pop("overwrite_input", False), "overwrite_input"):
        raise UnsupportedError(f"{name} is differentiated with overwrite_input=False only", hint="leave it out")
    arguments.no_options(rest, name)


@registry.adaptor(np.median)
def _median(builder: Builder, x: Any, axis: Any = None, keepdims: Any = False, **rest: Any) -> Val:
    _input_stays(rest, "np.median")
    given, shaped = _operand(builder, x, axis, keepdims, "np.median")
    return shaped(_middle(given, length(given, given.type.rank - 1)))


def _share(builder: Builder, q: Any, scale: float, name: str) -> Val:
    """q as a share of 1, checked when the program runs."""
    value = contents(as_value(builder, q))
    value = value if value.type.is_float else _as_float(value)
    share = value if scale == 1 else value / scale
    inside = emit(greater_equal, share, share.lift(0.0)), emit(less_equal, share, share.lift(1.0))
    code = f"assert _0 and _1, {f'q of {name} must be from 0 to {scale:g}'!r}"
    builder.put(ir.Effect(code, tuple(v.atom for v in inside), span=builder.span))
    return share


def _as_float(value: Val) -> Val:
    known = getattr(value.atom, "value", None)
    return value.lift(float(known)) if known is not None else cast(value, "f8")


def _between(given: Val, share: Val, n: Val) -> Val:
    """The value at share * (n - 1) of the sorted elements, linearly between two of them."""
    last = n - 1
    place = share * (last if last.type.rank == 0 else cast(last, "f8"))
    k = cast(emit(floor, place), "i8")
    part = cast(place - k, given.type.dtype) if k.type.rank else place - k
    low, high = kth(given, k), kth(given, where(k < last, k + 1, k))
    return low * (1.0 - part) + high * part


def _quantiles(
    builder: Builder, x: Any, q: Any, axis: Any, keepdims: Any, rest: Params, name: str, scale: float, pick: Pick
) -> Val:
    """For one q, or for each of several in a new leading axis."""
    if rest.pop("method", "linear") != "linear":
        raise UnsupportedError(f"{name} is differentiated with method='linear' only")
    _input_stays(rest, name)
    no_booleans(builder, x, name)
    memory = memory_of(builder, x, name)
    rank, axes = memory.type.rank, arguments.all_axes(axis, memory.type.rank)

    def one(share: Any) -> Val:
        given, shaped = _operand(builder, memory, axis, keepdims, name)
        return shaped(pick(given, _share(builder, share, scale, name)))

    if isinstance(q, (tuple, list)):
        got = [one(v) for v in q]
        return value_of(np.stack if got and got[0].type.rank else np.array, builder, got)
    value = as_value(builder, q)
    if value.type.rank == 0:
        return one(value)
    if value.type.rank > 1:
        raise UnsupportedError(f"the q of {name} have one axis; give them in a row, and reshape the result")
    ones = arguments.flag(keepdims, "keepdims")
    shape = [as_value(builder, 1) if k in axes else length(memory, k) for k in range(rank) if ones or k not in axes]
    kind = memory.type.dtype if memory.type.is_float else "f8"
    return _in_turn(builder, memory_of(builder, value, name), shape, kind, one)


def _in_turn(builder: Builder, q: Val, shape: Sequence[Val], dtype: str, one: Callable[[Any], Val]) -> Val:
    n, at = length(q, 0), ir.Var("k", ir.I8)
    out = builder.alloc(dtype, [n.atom, *(m.atom for m in shape)], "empty", "quantiles")
    assert isinstance(q.atom, ir.Var)
    with builder.block() as body:
        got = contents(one(Val(builder, builder.load(q.atom, (at,), "q"))))
        builder.store(out, (at, *(ir.Slice(),) * len(shape)), got.atom)
    builder.put(ir.For(at, const(0), n.atom, const(1), (), tuple(body), span=builder.span))
    return Val(builder, out)


def _quantile_like(function: Any, scale: float, pick: Pick) -> None:
    name = f"np.{function.__name__}"

    @registry.adaptor(function)
    def call(builder: Builder, x: Any, q: Any, axis: Any = None, keepdims: Any = False, **rest: Any) -> Val:
        return _quantiles(builder, x, q, axis, keepdims, rest, name, scale, pick)


def _plainly(given: Val, share: Val) -> Val:
    return _between(given, share, length(given, given.type.rank - 1))


_quantile_like(np.quantile, 1, _plainly)
_quantile_like(np.percentile, 100.0, _plainly)


# ---- of what is not NaN


def _present(given: Val) -> tuple[Val, Val]:
    """The lines with infinity in the place of NaN, and how many of each are not NaN."""
    missing = emit(isnan, given)
    number = emit(sum_, emit(logical_not, missing), axes=(given.type.rank - 1,), keepdims=False)
    return where(missing, given.lift(np.inf), given), number


def _if_any(number: Val, got: Val) -> Val:
    return where(number > 0, got, got.lift(np.nan))


def _at_least_one(number: Val) -> Val:
    return where(number > 0, number, number.lift(1))


@registry.adaptor(np.nanmedian)
def _nanmedian(builder: Builder, x: Any, axis: Any = None, keepdims: Any = False, **rest: Any) -> Val:
    _input_stays(rest, "np.nanmedian")
    given, shaped = _operand(builder, x, axis, keepdims, "np.nanmedian")
    there, number = _present(given)
    return shaped(_if_any(number, _middle(there, _at_least_one(number))))


def _without_nan(given: Val, share: Val) -> Val:
    there, number = _present(given)
    return _if_any(number, _between(there, share, _at_least_one(number)))


_quantile_like(np.nanquantile, 1, _without_nan)
_quantile_like(np.nanpercentile, 100.0, _without_nan)


@registry.adaptor(np.ptp)
def _ptp(builder: Builder, x: Any, axis: Any = None, out: Any = None, keepdims: Any = False) -> Val:
    arguments.no_options({"out": out}, "np.ptp")
    value = arguments.array_value(builder, x, "np.ptp")
    high, low = (value_of(f, builder, value, axis=axis, keepdims=keepdims) for f in (np.max, np.min))
    return high - low
