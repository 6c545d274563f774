"""Pseudo-inverses and least squares.

The derivative of the pseudo-inverse is that of Golub and Pereyra, "The differentiation of pseudo-inverses and nonlinear
least squares problems whose variables separate" (1973); it holds where the rank does not change.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from srcgrad.core.traits import always
from srcgrad.rules.language.declare import Duals, Rule, general, only_ranks
from srcgrad.rules.language.values import Val
from srcgrad.rules.linalg.matmul import dot, matrix, outer, pair, square
from srcgrad.rules.shapes.broadcast import Params, Types


def cutoff(a: Any) -> float:
    """Beside the largest, what counts as a singular value of 0."""
    return float(max(a.shape) * np.finfo(a.dtype).eps)


def _cutoff_template(types: Types, params: Params) -> str:
    if params["rcond"] is not None:
        return "rcond"
    return f"max(_0.shape[0], _0.shape[1]) * {np.finfo(types[0].dtype).eps!s}"


def _given(a: Any, rcond: float | None) -> float:
    return cutoff(a) if rcond is None else rcond


def _pinv_jvp(dots: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (da,), (a,), (p,) = dots, args, outs
    if da is None:
        return [None]
    through = dot(da, p)
    left = dot(dot(p, p, tb=True), da, tb=True)  # what turns the columns' space, and what turns the rows'
    right = dot(dot(da, p, ta=True, tb=True), p)
    return [left - dot(dot(left, a), p) + (right - dot(p, dot(a, right))) - dot(p, through)]


def _pinv_vjp(bars: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (g,), (a,), (p,) = bars, args, outs
    if g is None:
        return [None]
    through = dot(dot(p, g, ta=True), p, tb=True)
    left = dot(g, dot(p, p, tb=True), ta=True)
    right = dot(dot(p, p, ta=True), g, tb=True)
    return [left - dot(a, dot(p, left)) + (right - dot(dot(right, p), a)) - through]


pinv: Rule = general(
    "pinv",
    (),
    fresh=True,
    may_raise=always,
    jvp=_pinv_jvp,
    vjp=_pinv_vjp,
    infer=lambda types, params: (types[0],),
    evaluate=lambda a, rcond: np.ascontiguousarray(np.linalg.pinv(a, _given(a, rcond))),
    template=lambda types, params: f"np.linalg.pinv(_0, {_cutoff_template(types, params)})",
    kernel=lambda types, params: "pinv" if params["rcond"] is None else "pinv_within",
    dims=lambda dims, params: dims[0][::-1],
    samples=[(square,), (matrix,), (matrix.T.copy(),)],
    params=[{"rcond": None}, {"rcond": 1e-9}],
    without=only_ranks(2),
)


def _lstsq_jvp(dots: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (da, db), (a, b), (x,) = dots, args, outs
    if da is None and db is None:
        return [None]
    p = pinv(a, **params)
    if da is None:
        return [None if db is None else dot(p, db)]
    moved = dot(da, x)
    left = dot(p, dot(p, dot(da, b - dot(a, x), ta=True), ta=True))
    right = dot(da, dot(p, x, ta=True), ta=True)
    own = left + right - dot(p, dot(a, right))
    return [own + dot(p, -moved if db is None else db - moved)]


def _lstsq_vjp(bars: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (g,), (a, b), (x,) = bars, args, outs
    if g is None:
        return [None, None]
    p = pinv(a, **params)
    z = dot(p, g, ta=True)
    rest = g - dot(p, dot(a, g))
    of_a = _outer(b - dot(a, x), dot(p, z)) + _outer(dot(p, x, ta=True), rest) - _outer(z, x)
    return [of_a, z]


def _outer(u: Val, v: Val) -> Val:
    return outer(u, v) if u.type.rank == 1 else dot(u, v, tb=True)


lstsq: Rule = general(
    "lstsq",
    (),
    fresh=True,
    may_raise=always,
    jvp=_lstsq_jvp,
    vjp=_lstsq_vjp,
    infer=lambda types, params: (types[1],),
    evaluate=lambda a, b, rcond: np.ascontiguousarray(np.linalg.lstsq(a, b, _given(a, rcond))[0]),
    template=lambda types, params: f"np.linalg.lstsq(_0, _1, {_cutoff_template(types, params)})[0]",
    kernel=lambda types, params: "lstsq" if params["rcond"] is None else "lstsq_within",
    without=only_ranks(2),
    samples=[
        (matrix, pair),
        (matrix.T.copy(), square[0].copy()),
        (matrix.T.copy(), square),
        (matrix, square[:2].copy()),
    ],
    params=[{"rcond": None}],
)
