"""Elements at the places that an array of integers names along one axis, and the transpose: adding into them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.rules.language import loop_text
from srcgrad.rules.language.declare import At, Rule, linear, zero
from srcgrad.rules.language.values import Val
from srcgrad.rules.shapes.broadcast import Dims, Params, Types, extent

matrix = np.array([[0.3, -1.2, 2.0], [1.5, 0.7, -0.4]])
line = matrix[0].copy()
places = np.array([[1, 0, 2], [2, 2, -1]])
high = np.stack([matrix, -2.0 * matrix])

_places = [{"axis": 0}, {"axis": 1}]


def _take(x: Any, at: Any, axis: int) -> Any:
    return np.take_along_axis(x, at, axis)


def _add(g: Any, at: Any, like: Any, axis: int) -> Any:
    out = np.zeros(like.shape, g.dtype)
    grid = list(np.indices(at.shape))
    grid[axis] = at
    np.add.at(out, tuple(grid), g)
    return out


def _here(rank: int, axis: int) -> tuple[str, str]:
    """The element of a loop nest, and the one that the places name."""
    index = list(loop_text.LETTERS[:rank])
    here = ", ".join(index)
    index[axis] = f"at[{here}]"
    return here, ", ".join(index)


def _others(rank: int, axis: int) -> list[str]:
    """What refuses places whose other axes are not those of what they are taken from."""
    lengths = [k for k in range(rank) if k != axis]
    if not lengths:
        return []
    differ = " or ".join(f"at.shape[{k}] != x.shape[{k}]" for k in lengths)
    return [f"    if {differ}:", '        raise ValueError("the places have another shape than the array")']


def _take_template(types: Types, params: Params) -> Any:
    rank, axis = types[0].rank, params["axis"]
    if rank == 1:
        return "_0[_1]"
    name = f"take_along_{rank}_axis_{axis}"
    here, there = _here(rank, axis)
    lines = [*_others(rank, axis), "    out = np.empty(at.shape, x.dtype)"]
    lines += loop_text.nest("at", rank, [f"out[{here}] = x[{there}]"])
    return f"{name}(_0, _1)", {name: loop_text.function(name, "x, at", [*lines, "    return out"])}


def _add_template(types: Types, params: Params) -> Any:
    rank, axis = types[0].rank, params["axis"]
    name = f"add_along_{rank}_axis_{axis}"
    here, there = _here(rank, axis)
    lines = ["    out = np.zeros(like.shape, g.dtype)", *loop_text.nest("at", rank, [f"out[{there}] += g[{here}]"])]
    return f"{name}(_0, _1, _2)", {name: loop_text.function(name, "g, at, like", [*lines, "    return out"])}


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
    evaluate=_add,
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
    name = f"argsort_{rank}_along_{axis}"
    lines, index = ["    out = np.empty(x.shape, np.int64)"], list(loop_text.LETTERS[:rank])
    index[axis] = ":"
    for depth, k in enumerate([k for k in range(rank) if k != axis]):
        lines.append(f"{'    ' * (depth + 1)}for {loop_text.LETTERS[k]} in range(x.shape[{k}]):")
    row = ", ".join(index)
    lines += [f"{'    ' * rank}out[{row}] = np.argsort(x[{row}], kind='mergesort')", "    return out"]
    return f"{name}(_0)", {name: loop_text.function(name, "x", lines)}


argsort = zero(
    "argsort",
    (),
    fresh=True,
    infer=lambda types, params: (ir.Type("i8", types[0].rank),),
    template=_order_template,
    evaluate=lambda x, axis: np.argsort(x, axis, kind="stable"),
    dims=lambda dims, params: dims[0],
    samples=[(np.array([[0.7, -1.3, 0.7], [2.0, np.nan, 1.0]]),), At(line, axis=0), At(high, axis=1)],
    params=_places,
    elementwise=False,
)


def ordered(x: Val, order: Val, axis: int) -> Val:
    """x in this order along an axis."""
    return take_along(x, order, axis=axis)
