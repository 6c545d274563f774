"""A stretch of an array along an axis, and arrays joined along one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.traits import always
from srcgrad.numeric import rearrangements
from srcgrad.rules.language.declare import Duals, Rule, cast, general, linear
from srcgrad.rules.language.over_elements import written_out
from srcgrad.rules.language.values import Val
from srcgrad.rules.shapes.broadcast import Dims, Params, Types, broadcast_like, extent
from srcgrad.rules.shapes.shape import length

matrix = np.array([[0.3, -1.2, 2.0], [1.5, 0.7, -0.4]])
line, tower = matrix[0].copy(), np.stack([matrix, -2.0 * matrix])

# ---- as long as another array, from a place on


def _along(rank: int, axis: int, item: str) -> str:
    return ", ".join([*(":",) * axis, item, *(":",) * (rank - axis - 1)][: axis + 1])


def _stretch(start: Any, n: str) -> str:
    return f"{start}:{start} + {n}" if start else f":{n}"


def _part(x: Any, like: Any, start: Any = 0, *, axis: int) -> Any:
    return np.ascontiguousarray(x[(slice(None),) * axis + (slice(start, start + like.shape[axis]),)])


def _part_template(types: Types, params: Params) -> str:
    axis = params["axis"]
    where = _stretch("_2" if len(types) == 3 else "", f"_1.shape[{axis}]")
    return f"_0[{_along(types[0].rank, axis, where)}]"


def _within_template(types: Types, params: Params) -> Any:
    axis, rank, later = params["axis"], types[0].rank, len(types) == 3
    name = f"within_{rank}_along_{axis}{'_from' if later else ''}"
    start = {} if later else {"start": 0}
    return written_out(rearrangements.within, types, name, **start, axis=axis, later=later)


def _within(g: Any, like: Any, start: Any = 0, *, axis: int) -> Any:
    return rearrangements.within(g, like, start, axis, True)


def _first_type(types: Types, params: Params) -> tuple[ir.Type, ...]:
    return (types[0],)


def _like_dims(dims: Sequence[Dims], params: Params) -> Dims:
    return dims[1]


part: Rule = linear(
    "part",
    (),
    moves=True,
    leaves_out=True,
    transpose=lambda g, x, like, *start, axis: within(g, extent(x), *start, axis=axis),
    infer=_first_type,
    evaluate=_part,
    template=_part_template,
    dims=_like_dims,
    params=[{"axis": 0}],
    samples=[(line, line[:2], 1), (line, line[:1]), (matrix, matrix[:1], 1), (tower, tower[:1], 1)],
)
within: Rule = linear(
    "within",
    (),
    may_raise=always,
    transpose=lambda g, x, like, *start, axis: part(g, extent(x), *start, axis=axis),
    infer=_first_type,
    evaluate=_within,
    template=_within_template,
    dims=_like_dims,
    params=[{"axis": 0}],
    samples=[(line[:2], line, 1), (line[:1], line), (matrix[:1], matrix, 1), (tower[:1], tower)],
)


# ---- joined


def none_of(model: Val) -> Val:
    """Zeros of model's shape."""
    zero = model.lift(0.0)
    return broadcast_like(cast(zero, model.type.dtype) if model.type.is_complex else zero, extent(model))


def _joined_jvp(dots: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    if all(d is None for d in dots):
        return [None]
    return [concatenate(*(none_of(a) if d is None else d for d, a in zip(dots, args, strict=True)), **params)]


def _joined_vjp(bars: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (g,), axis = bars, params["axis"]
    if g is None or not args[0].type.is_float:
        return [None] * len(args)
    got: list[Val | None] = [part(g, extent(args[0]), axis=axis)]
    start = length(args[0], axis)
    for k, arg in enumerate(args[1:], 1):
        got.append(part(g, extent(arg), start, axis=axis))
        if k + 1 < len(args):
            start = start + length(arg, axis)
    return got


def _joined_dims(dims: Sequence[Dims], params: Params) -> tuple[Any, ...]:
    return tuple(None if k == params["axis"] else d for k, d in enumerate(dims[0]))


def _joined_demands(dims: Sequence[Dims], params: Params) -> list[tuple[Any, Any]]:
    return [
        (a, b) for other in dims[1:] for k, (a, b) in enumerate(zip(dims[0], other, strict=True)) if k != params["axis"]
    ]


def _joined_template(types: Types, params: Params) -> str:
    places = ", ".join(f"_{k}" for k in range(len(types)))
    axis = f", axis={params['axis']}" if params["axis"] else ""
    return f"np.concatenate(({places},){axis})" if len(types) == 1 else f"np.concatenate(({places}){axis})"


concatenate: Rule = general(
    "concatenate",
    (),
    moves=True,
    fresh=True,
    takes_complex=True,
    jvp=_joined_jvp,
    vjp=_joined_vjp,
    infer=_first_type,
    template=_joined_template,
    evaluate=lambda *parts, axis: np.concatenate(parts, axis),
    dims=_joined_dims,
    demands=_joined_demands,
    samples=[(line, -line[:2]), (matrix, matrix[:1], -matrix), (line[:0], line), (tower,)],
    params=[{"axis": 0}],
)
