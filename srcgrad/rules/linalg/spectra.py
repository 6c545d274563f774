"""Eigenvalues and singular values, with their vectors.

The derivatives are those of Giles, "Collected matrix derivative results for forward and reverse mode algorithmic
differentiation" (2008), and Townsend, "Differentiating the singular value decomposition" (2016). Where eigenvalues are
equal, see `gaps`: functions that do not tell their vectors apart have their derivatives, others have NaN. A function of
the vectors alone does not tell them apart if it does not change as they turn among themselves. One of the values too
may be like f(A), of which the values and vectors do not tell the derivative: NaN unless the vectors do not matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.shapes import LengthOf
from srcgrad.core.traits import always, named
from srcgrad.numeric import spectra
from srcgrad.rules.arrays.diagonals import diagonal, on_diagonal
from srcgrad.rules.language.declare import Duals, Rule, general, only_ranks, zero
from srcgrad.rules.language.runtime_text import sources
from srcgrad.rules.language.values import Val
from srcgrad.rules.linalg.close_eigenvalues import over_columns, over_gaps, over_sums, size_of, vector_type
from srcgrad.rules.linalg.matmul import dot, matrix, square
from srcgrad.rules.linalg.systems import solve
from srcgrad.rules.linalg.triangular import definite, symmetric, turned
from srcgrad.rules.reductions.sums import sum_
from srcgrad.rules.shapes.broadcast import Dims, Params, Types

real = np.array([[1.2, 0.7, -0.3], [0.1, -0.5, 0.4], [0.3, 0.2, 2.5]])


def _diagonal(x: Val) -> Val:
    return diagonal(x, offset=0, axes=(0, 1))


def _on_diagonal(v: Val) -> Val:
    return on_diagonal(v, offset=0)


def _both(types: Types, params: Params) -> tuple[ir.Type, ...]:
    return (vector_type(types, params), types[0])


def _total(parts: Sequence[Val | None]) -> Val | None:
    found = [p for p in parts if p is not None]
    out = found[0] if found else None
    for part in found[1:]:
        out = out + part if out is not None else part
    return out


def _square_dims(dims: Sequence[Dims], params: Params) -> list[Dims]:
    return [dims[0][:1], dims[0]]


# ---- symmetric matrices: the derivatives are along symmetric changes


def _eigh_jvp(dots: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (da,), (w, v) = dots, outs
    if da is None:
        return [None, None]
    inside = dot(dot(v, symmetric(da), ta=True), v)
    return [_diagonal(inside), dot(v, over_gaps(inside, w))]


def _eigh_vjp(bars: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (gw, gv), (w, v) = bars, outs
    if gv is None:
        return [None if gw is None else dot(v * gw, v, tb=True)]
    turns = dot(v, gv, ta=True)
    if gw is None:
        inside = over_gaps(0.5 * (turns - turned(turns)), w, size_of(turns))
    else:
        inside = symmetric(over_gaps(turns, w)) + _on_diagonal(gw)
    return [dot(dot(v, inside), v, tb=True)]


eigh: Rule = general(
    "eigh", (), fresh=True, may_raise=always, jvp=_eigh_jvp, vjp=_eigh_vjp, infer=_both, template="np.linalg.eigh(_0)",
    kernel=named("eigh"),
    evaluate=lambda a: tuple(map(np.ascontiguousarray, np.linalg.eigh(a))), samples=[(definite,)],
    without=only_ranks(2), symmetric=(0,), dims=_square_dims, demands=lambda dims, params: [dims[0]],
)  # fmt: skip


# ---- any matrices with real eigenvalues; the vectors have length 1


def _upright(v: Val, x: Val) -> Val:
    """x less what of each column lies along that of v."""
    return x - v * sum_(v * x, axes=(0,), keepdims=False)


def _eig_jvp(dots: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (da,), (w, v) = dots, outs
    if da is None:
        return [None, None]
    inside = solve(v, dot(da, v), transposed=False)
    return [_diagonal(inside), _upright(v, dot(v, over_gaps(inside, w)))]


def _eig_vjp(bars: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (gw, gv), (w, v) = bars, outs
    of_w = None if gw is None else _on_diagonal(gw)
    of_v = None if gv is None else over_gaps(dot(v, _upright(v, gv), ta=True), w, size_of(gv))
    inside = _total([of_w, of_v])
    return [None if inside is None else solve(v, dot(inside, v, tb=True), transposed=True)]


eig: Rule = general(
    "eig",
    (),
    fresh=True,
    may_raise=always,
    jvp=_eig_jvp,
    vjp=_eig_vjp,
    infer=_both,
    evaluate=lambda a: _real_eig(a),
    template=lambda types, params: ("real_eig(_0)", sources(spectra.real_eig)),
    samples=[(real,)],
    without=only_ranks(2),
    dims=_square_dims,
    demands=lambda dims, params: [dims[0]],
)


def _real_eig(a: Any) -> Any:
    return tuple(map(np.ascontiguousarray, spectra.real_eig(a)))


# ---- singular values: a = (u * s) @ vt, as few of them as rows or columns


def _svd_jvp(dots: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (da,), (u, s, vt) = dots, outs
    if da is None:
        return [None, None, None]
    of_v, of_u = dot(da, vt, tb=True), dot(u, da, ta=True)
    inside = dot(u, of_v, ta=True)
    size = size_of(inside)
    apart, across = over_gaps(inside + turned(inside), s, size), over_sums(inside - turned(inside), s, size)
    du = dot(u, 0.5 * (apart + across)) + over_columns(of_v - dot(u, inside), s, size_of(of_v))
    rest = over_columns(turned(of_u - dot(inside, vt)), s, size_of(of_u))
    return [du, _diagonal(inside), dot(0.5 * turned(apart - across), vt) + turned(rest)]


def _svd_vjp(bars: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (gu, gs, gvt), (u, s, vt) = bars, outs
    if gu is None and gvt is None:
        return [None if gs is None else dot(u * gs, vt)]
    turns_u = None if gu is None else dot(u, gu, ta=True)
    turns_v = None if gvt is None else dot(vt, gvt, tb=True)
    inside = _inside(turns_u, turns_v, gs, s)
    parts: list[Val | None] = [dot(dot(u, inside), vt)]
    if gu is not None and turns_u is not None:
        parts.append(dot(over_columns(gu - dot(u, turns_u), s, size_of(gu)), vt))
    if gvt is not None and turns_v is not None:
        rest = over_columns(turned(gvt - dot(turns_v, vt, ta=True)), s, size_of(gvt))
        parts.append(dot(u, rest, tb=True))
    return [_total(parts)]


def _inside(turns_u: Val | None, turns_v: Val | None, gs: Val | None, s: Val) -> Val:
    """The adjoint of u.T @ a @ v: sums of values stand below what turns u against v, differences below the rest."""
    one = _total([turns_u, turns_v])
    assert one is not None
    size = size_of(one)
    if gs is None:
        apart = over_gaps(0.5 * (one - turned(one)), s, size)
    else:
        apart = symmetric(over_gaps(one, s, size))
    difference = turns_u if turns_v is None else -turns_v if turns_u is None else turns_u - turns_v
    assert difference is not None
    across = over_sums(0.5 * (difference - turned(difference)), s, size_of(difference))
    inside = apart + across
    return inside if gs is None else inside + _on_diagonal(gs)


def _svd_dims(dims: Sequence[Dims], params: Params) -> list[Dims]:
    few = LengthOf(1, 0)
    return [(dims[0][0], few), (few,), (few, dims[0][1])]


def _svd_infer(types: Types, params: Params) -> tuple[ir.Type, ...]:
    return (types[0], vector_type(types, params), types[0])


svd: Rule = general(
    "svd",
    (),
    fresh=True,
    may_raise=always,
    jvp=_svd_jvp,
    vjp=_svd_vjp,
    infer=_svd_infer,
    template="np.linalg.svd(_0, False)",
    kernel=named("svd"),
    evaluate=lambda a: tuple(map(np.ascontiguousarray, np.linalg.svd(a, False))),
    samples=[(square,), (matrix,), (matrix.T.copy(),)],
    without=only_ranks(2),
    dims=_svd_dims,
)

matrix_rank = zero(
    "matrix_rank",
    (),
    may_raise=always,
    infer=lambda types, params: (ir.I8,),
    evaluate=np.linalg.matrix_rank,
    elementwise=False,
    template="np.linalg.matrix_rank(_0)",
    kernel=named("matrix_rank"),
    samples=[(matrix,), (np.ones((3, 2)),)],
    without=only_ranks(2),
)
