"""Repeating values along axes, and its transpose: what undoes broadcasting in every rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.shapes import ONE, Dim
from srcgrad.numeric import broadcasting
from srcgrad.rules.language.declare import At, Rule, linear
from srcgrad.rules.language.over_elements import evaluated, written_out
from srcgrad.rules.language.values import Val

Types = Sequence[ir.Type]
Params = dict[str, Any]
Dims = tuple[Dim, ...]


def extent(model: Val) -> Val:
    """Something with model's shape that is cheap to have: memory, if it is known to have that shape."""
    dims = model.builder.dims(model.atom)
    owners = {d[0] if isinstance(d, tuple) and len(d) == 2 else None for d in dims}
    if len(owners) == 1:
        (owner,) = owners
        if isinstance(owner, ir.Var) and owner.type.ref and dims == model.builder.dims(owner):
            return Val(model.builder, owner)
    return model


# ---- the shape of another array


def _like_infer(types: Types, params: Params) -> tuple[ir.Type, ...]:
    return (ir.Type(types[0].dtype, types[1].rank),)


def _like_dims(dims: Sequence[Dims], params: Params) -> Dims:
    return dims[1]


def _spread(value: Any, like: Any) -> Any:
    return np.array(np.broadcast_to(value, np.shape(like)))


def _spread_template(types: Types, params: Params) -> Any:
    low, high = types[0].rank, types[1].rank
    if high == 0:
        return "_0"
    if low == 0:
        return "np.full(_1.shape, _0)"
    return written_out(broadcasting.spread, types, f"broadcast_{low}_{high}")


def _gather_template(types: Types, params: Params) -> Any:
    high, low = types[0].rank, types[1].rank
    if high == 0:
        return "_0"
    if low == 0:
        return "np.sum(_0)"
    return written_out(broadcasting.gathered, types, f"unbroadcast_{high}_{low}")


_matrix = np.array([[0.3, -1.2, 2.0], [1.5, 0.7, -0.4]])
_row, _line, _tower = _matrix[:1].copy(), _matrix[0].copy(), np.stack([_matrix, -2.0 * _matrix])

broadcast_like: Rule = linear(
    "broadcast_like",
    (),
    straight=True,
    transpose=lambda g, value, like: unbroadcast(g, extent(value)),
    infer=_like_infer,
    evaluate=_spread,
    template=_spread_template,
    dims=_like_dims,
    samples=[(0.7, _line), (_line, _matrix), (_row, _matrix), (_line, _tower), (_matrix, _tower), (0.7, _tower)],
)
unbroadcast: Rule = linear(
    "unbroadcast",
    (),
    fresh=True,
    transpose=lambda g, value, like: broadcast_like(g, extent(value)),
    infer=_like_infer,
    evaluate=evaluated(broadcasting.gathered),
    template=_gather_template,
    dims=_like_dims,
    samples=[(_line, 0.7), (_matrix, _line), (_matrix, _row), (_tower, _line), (_tower, _matrix), (_tower, 0.7)],
)


# ---- axes of length 1


def _within(rank: int, axes: Sequence[int], new: str) -> str:
    return f"_0[{', '.join(new if k in axes else ':' for k in range(rank))}]"


def _unsqueezed_dims(dims: Sequence[Dims], params: Params) -> Dims:
    old = iter(dims[0])
    rank = len(dims[0]) + len(params["axes"])
    return tuple(ONE if k in params["axes"] else next(old) for k in range(rank))


def _squeezed_dims(dims: Sequence[Dims], params: Params) -> Dims:
    return tuple(d for k, d in enumerate(dims[0]) if k not in params["axes"])


unsqueeze: Rule = linear(
    "unsqueeze",
    (),
    moves=True,
    transpose=lambda g, x, axes: squeeze(g, axes=axes),
    infer=lambda types, params: (ir.Type(types[0].dtype, types[0].rank + len(params["axes"])),),
    evaluate=lambda x, axes: np.expand_dims(x, axes),
    dims=_unsqueezed_dims,
    template=lambda types, params: _within(types[0].rank + len(params["axes"]), params["axes"], "None"),
    samples=[(_line,), (_matrix,), (_tower,)],
    params=[{"axes": (0,)}, {"axes": (1,)}, {"axes": (0, 2)}],
)
squeeze: Rule = linear(
    "squeeze",
    (),
    moves=True,
    transpose=lambda g, x, axes: unsqueeze(g, axes=axes),
    infer=lambda types, params: (ir.Type(types[0].dtype, types[0].rank - len(params["axes"])),),
    evaluate=lambda x, axes: np.squeeze(x, axes),
    dims=_squeezed_dims,
    template=lambda types, params: _within(types[0].rank, params["axes"], "0"),
    samples=[(_row,), (_row[None],), At(_row[:, None], axes=(0, 1))],
    params=[{"axes": (0,)}],
    without={"1-D": "an array of one axis would leave a scalar, which is read by its index"},
)


def spread_back(g: Val, model: Val, axes: tuple[int, ...], keepdims: bool) -> Val:
    """g, reduced over these axes of something with model's shape, repeated along them."""
    leading = axes == tuple(range(len(axes)))
    if not keepdims and not leading:
        g = unsqueeze(g, axes=axes)
    return broadcast_like(g, extent(model))
