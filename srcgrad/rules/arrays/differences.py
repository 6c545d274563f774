"""Differences of neighbours along an axis, and the trapezoidal rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.core.shapes import Shorter
from srcgrad.errors import UnsupportedError
from srcgrad.numeric import rearrangements
from srcgrad.rules.language import arguments, registry
from srcgrad.rules.language.declare import At, Rule, as_value, cast, linear
from srcgrad.rules.language.over_elements import written_out
from srcgrad.rules.language.values import Val, contents, emit
from srcgrad.rules.reductions.sums import matrix, row, sum_, tower
from srcgrad.rules.shapes.broadcast import Dims, Params, Types, extent, unsqueeze
from srcgrad.rules.shapes.shape import reshaped

block = np.linspace(-1.0, 2.0, 24).reshape(3, 2, 4)
EITHER = [{"axis": 0, "sign": -1}, {"axis": 0, "sign": 1}]


def _shorter(dims: Sequence[Dims], params: Params) -> Dims:
    axis = params["axis"]
    return tuple(_one_less(d) if k == axis else d for k, d in enumerate(dims[0]))


def _one_less(dim: Any) -> Any:
    return Shorter(dim.dim, dim.cut + 1) if isinstance(dim, Shorter) else Shorter(dim, 1)


def _cut(rank: int, axis: int, part: str) -> str:
    return ", ".join(part if k == axis else ":" for k in range(rank))


def _template(types: Types, params: Params) -> str:
    rank, axis = types[0].rank, params["axis"]
    sign = "-" if params["sign"] < 0 else "+"
    return f"_0[{_cut(rank, axis, '1:')}] {sign} _0[{_cut(rank, axis, ':-1')}]"


def _evaluate(x: Any, axis: int, sign: int) -> Any:
    after, before = (np.take(x, part, axis) for part in (range(1, x.shape[axis]), range(x.shape[axis] - 1)))
    return after + sign * before


def _back_template(types: Types, params: Params) -> Any:
    name = f"{'diff' if params['sign'] < 0 else 'sums'}_back_{types[0].rank}_along_{params['axis']}"
    return written_out(rearrangements.neighbours_back, types, name, **params)


neighbours: Rule = linear(
    "neighbours",
    (),
    transpose=lambda g, x, **how: to_neighbours(g, extent(x), **how),
    evaluate=_evaluate,
    infer=lambda types, params: (types[0],),
    template=_template,
    dims=_shorter,
    samples=[(row,), (matrix,), At(tower, axis=1, sign=-1), At(tower, axis=2, sign=1)],
    params=EITHER,
)
to_neighbours: Rule = linear(
    "to_neighbours",
    (),
    transpose=lambda g, x, like, **how: neighbours(g, **how),
    evaluate=rearrangements.neighbours_back,
    infer=lambda types, params: (ir.Type(types[0].dtype, types[1].rank),),
    template=_back_template,
    dims=lambda dims, params: dims[1],
    params=EITHER,
    samples=[
        (row[:1].copy(), row[1:].copy()),
        (matrix[:1].copy(), matrix),
        At(block[:, :1].copy(), block, axis=1, sign=-1),
    ],
)


def _number(builder: Builder, x: Any, name: str) -> Val:
    value = arguments.array_value(builder, x, name)
    if value.type.dtype == "b1":
        raise UnsupportedError(f"{name} of booleans is not supported; use .astype(np.int64)")
    return value


@registry.adaptor(np.diff)
def _diff(builder: Builder, x: Any, n: Any = 1, axis: Any = -1, **options: Any) -> Val:
    arguments.no_options(options, "np.diff")
    value = _number(builder, x, "np.diff")
    along = arguments.one_axis(axis, value.type.rank)
    times = arguments.integer(n, "n")
    if times < 0:
        raise UnsupportedError("np.diff takes an order n of 0 or more")
    if times == 0:
        return arguments.as_array(builder, x)
    for _ in range(times):
        value = emit(neighbours, value, axis=along, sign=-1)
    return value


@registry.adaptor(np.ediff1d)
def _ediff1d(builder: Builder, x: Any, to_end: Any = None, to_begin: Any = None) -> Val:
    arguments.no_options({"to_end": to_end, "to_begin": to_begin}, "np.ediff1d")
    value = _number(builder, x, "np.ediff1d")
    flat = value if value.type.rank == 1 else contents(reshaped(value, -1))
    return emit(neighbours, flat, axis=0, sign=-1)


@registry.adaptor(*(getattr(np, name) for name in ("trapezoid", "trapz") if hasattr(np, name)))
def _trapezoid(builder: Builder, y: Any, x: Any = None, dx: Any = 1.0, axis: Any = -1) -> Val:
    value = _number(builder, y, "np.trapezoid")
    value = value if value.type.is_float else cast(value, "f8")
    rank = value.type.rank
    along = arguments.one_axis(axis, rank)
    pairs = emit(neighbours, value, axis=along, sign=1)
    if x is None:
        steps = contents(as_value(builder, dx))
        if steps.type.rank:
            raise UnsupportedError("np.trapezoid takes a number as dx; give the places as x")
        return emit(sum_, pairs, axes=(along,), keepdims=False) * (0.5 * steps)
    places = _number(builder, x, "np.trapezoid")
    if places.type.rank not in (1, rank):
        raise UnsupportedError("np.trapezoid takes x of one axis, or of y's shape")
    steps = emit(neighbours, places, axis=along if places.type.rank == rank else 0, sign=-1)
    if steps.type.rank < rank and along < rank - 1:
        steps = emit(unsqueeze, steps, axes=tuple(range(1, rank - along)))
    return 0.5 * emit(sum_, steps * pairs, axes=(along,), keepdims=False)
