"""Elements at the places that an array of integers names along one axis, and the transpose: adding into them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.numeric import rearrangements
from srcgrad.rules.language.declare import At, Rule, linear, zero
from srcgrad.rules.language.over_elements import written_out
from srcgrad.rules.language.values import Val
from srcgrad.rules.shapes.broadcast import Dims, Params, Types, extent

matrix = np.array([[0.3, -1.2, 2.0], [1.5, 0.7, -0.4]])
line = matrix[0].copy()
places = np.array([[1, 0, 2], [2, 2, -1]])
high = np.stack([matrix, -2.0 * matrix])

_places = [{"axis": 0}, {"axis": 1}]


def _take(x: Any, at: Any, axis: int) -> Any:
    return np.take_along_axis(x, at, axis)


def _take_template(types: Types, params: Params) -> Any:
    rank, axis = types[0].rank, params["axis"]
    return (
        "_0[_1]"
        if rank == 1
        else written_out(rearrangements.take_along, types, f"take_along_{rank}_axis_{axis}", axis=axis)
    )


def _add_template(types: Types, params: Params) -> Any:
    return written_out(rearrangements.add_along, types, f"add_along_{types[0].rank}_axis_{params['axis']}", **params)


def _type(types: Types, params: Params) -> tuple[ir.Type, ...]:
    return (types[0],)


def _take_dims(dims: Sequence[Dims], params: Params) -> Dims:
    return dims[1]


take_along: Rule = linear(
    "take_along",
    (),
    moves=True,
    leaves_out=True,
    fresh=True,
    may_raise=lambda types, params: types[0].rank > 1,
    transpose=lambda g, x, at, axis: add_along(g, at, extent(x), axis=axis),
    infer=_type,
    evaluate=_take,
    template=_take_template,
    dims=_take_dims,
    params=_places,
    samples=[(matrix, places % 2), At(line, places[0], axis=0), At(high, np.stack([places] * 2), axis=2)],
)
add_along: Rule = linear(
    "add_along",
    (),
    fresh=True,
    transpose=lambda g, y, at, like, axis: take_along(g, at, axis=axis),
    infer=_type,
    evaluate=rearrangements.add_along,
    template=_add_template,
    dims=lambda dims, params: dims[2],
    params=_places,
    samples=[
        (-matrix, places % 2, matrix),
        At(-line, places[1], line, axis=0),
        At(high, np.stack([places] * 2), high, axis=2),
    ],
)


# ---- the order of the elements, equal ones staying as they are


def _order_template(types: Types, params: Params) -> Any:
    rank, axis = types[0].rank, params["axis"]
    if rank == 1:
        return "np.argsort(_0, kind='mergesort')"
    return written_out(rearrangements.order, types, f"argsort_{rank}_along_{axis}", axis=axis)


argsort = zero(
    "argsort",
    (),
    fresh=True,
    infer=lambda types, params: (ir.Type("i8", types[0].rank),),
    template=_order_template,
    kernel=lambda types, params: "argsort" if types[0].rank == 1 else "",
    evaluate=lambda x, axis: np.argsort(x, axis, kind="stable"),
    dims=lambda dims, params: dims[0],
    samples=[(np.array([[0.7, -1.3, 0.7], [2.0, np.nan, 1.0]]),), At(line, axis=0), At(high, axis=1)],
    params=_places,
    elementwise=False,
)


def ordered(x: Val, order: Val, axis: int) -> Val:
    """x in this order along an axis."""
    return take_along(x, order, axis=axis)
