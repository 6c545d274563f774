"""Triangular systems, and the factorisations by triangles: Cholesky and QR.

The adjoints are those of Giles, "Collected matrix derivative results for forward and reverse mode algorithmic
differentiation" (2008), Murray, "Differentiation of the Cholesky decomposition" (2016), and Seeger et al.,
"Auto-differentiating linear algebra" (2017).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.traits import always, named
from srcgrad.numeric import rearrangements, small_matrices, spectra
from srcgrad.rules.arrays.diagonals import triangle
from srcgrad.rules.language import of_scipy
from srcgrad.rules.language.declare import At, Duals, Rule, general, linear, only_ranks
from srcgrad.rules.language.over_elements import written_out
from srcgrad.rules.language.runtime_text import sources
from srcgrad.rules.language.values import Val
from srcgrad.rules.linalg.matmul import dot, line, matrix, outer, pair, square
from srcgrad.rules.shapes.broadcast import Dims, Params, Types
from srcgrad.rules.shapes.shape import transpose

definite = np.array([[2.0, 0.3, -0.4], [0.3, 1.5, 0.2], [-0.4, 0.2, 1.1]])


def turned(x: Val) -> Val:
    return transpose(x, axes=(1, 0))


def lower(x: Val, offset: int = 0) -> Val:
    return triangle(x, upper=False, offset=offset)


def same_type(types: Types, params: Params) -> tuple[ir.Type, ...]:
    return (types[0],)


def first_dims(dims: Sequence[Dims], params: Params) -> Dims:
    return dims[0]


symmetric: Rule = linear(
    "symmetric",
    (),
    transpose=lambda g, x: symmetric(g),
    infer=same_type,
    evaluate=lambda x: 0.5 * (x + x.T),
    template=lambda types, params: "np.float32(0.5) * (_0 + _0.T)" if types[0].dtype == "f4" else "0.5 * (_0 + _0.T)",
    dims=first_dims,
    samples=[(square,)],
    without=only_ranks(2),
)


# ---- triangular systems


def _triangular_template(types: Types, params: Params) -> Any:
    upper, transposed, unit = params["upper"], params["transposed"], params["unit"]
    words = ["solve", "upper" if upper else "lower", *["transposed"] * transposed, *["unit"] * unit]
    name = "_".join([*words, *["columns"] * (types[1].rank == 2)])
    return written_out(small_matrices.solve_triangular, types, name, **params)


def _solve_triangular(a: Any, b: Any, upper: bool, transposed: bool, unit: bool) -> Any:
    if a.shape[0] != a.shape[1] or a.shape[0] != b.shape[0]:
        raise ValueError("a triangular system needs a square matrix and as many rows on the right")
    if a.shape[0] == 0:
        return b.copy()
    with np.errstate(all="ignore"):
        got = of_scipy.linalg.solve_triangular(a, b, int(transposed), not upper, unit)
    return np.ascontiguousarray(got, b.dtype)


def _triangular_jvp(dots: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (a, _), (y,), (da, db) = args, outs, dots
    if da is None:
        return [None if db is None else solve_triangular(a, db, **params)]
    inside = triangle(da, upper=params["upper"], offset=_offset(params))
    change = dot(inside, y, ta=params["transposed"])
    return [solve_triangular(a, -change if db is None else db - change, **params)]


def _offset(params: Params) -> int:
    return 0 if not params["unit"] else 1 if params["upper"] else -1


def _triangular_vjp(bars: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (g,), (a, _), (y,) = bars, args, outs
    if g is None:
        return [None, None]
    w = solve_triangular(a, g, **{**params, "transposed": not params["transposed"]})
    first, second = (y, w) if params["transposed"] else (w, y)
    both = outer(first, second) if y.type.rank == 1 else dot(first, second, tb=True)
    return [-triangle(both, upper=params["upper"], offset=_offset(params)), w]


_ways = [{"upper": u, "transposed": t, "unit": False} for u in (False, True) for t in (False, True)]

solve_triangular: Rule = general(
    "solve_triangular", (), fresh=True, may_raise=always, jvp=_triangular_jvp, vjp=_triangular_vjp,
    infer=lambda types, params: (types[1],),
    evaluate=_solve_triangular, template=_triangular_template, dims=lambda dims, params: dims[1], params=_ways,
    without=only_ranks(2), samples=[
        (square, line), (square, matrix.T.copy()), At(square, line, upper=True, transposed=False, unit=True),
        At(square, line, upper=False, transposed=True, unit=True),
    ],
)  # fmt: skip


# ---- Cholesky: the derivatives are along symmetric changes


lower_half: Rule = linear(
    "lower_half",
    (),
    leaves_out=True,
    transpose=lambda g, x: lower_half(g),
    infer=same_type,
    template=lambda types, params: ("lower_half(_0)", sources(rearrangements.lower_half)),
    evaluate=lambda x: (np.tril(x) - 0.5 * np.diag(np.diag(x))).astype(x.dtype),
    dims=first_dims,
    samples=[(square,)],
    without=only_ranks(2),
)


def _within_factor(x: Val, factor: Val, transposed: bool) -> Val:
    """L**-1 x L**-T; with transposed L**-T x L**-1."""
    once = solve_triangular(factor, x, upper=False, transposed=transposed, unit=False)
    return turned(solve_triangular(factor, turned(once), upper=False, transposed=transposed, unit=False))


def _cholesky_jvp(dots: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (da,), (factor,) = dots, outs
    if da is None:
        return [None]
    return [dot(factor, lower_half(_within_factor(symmetric(da), factor, False)))]


def _cholesky_vjp(bars: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (g,), (factor,) = bars, outs
    if g is None:
        return [None]
    return [symmetric(_within_factor(lower_half(dot(factor, g, ta=True)), factor, True))]


cholesky: Rule = general(
    "cholesky", (), fresh=True, may_raise=always, jvp=_cholesky_jvp, vjp=_cholesky_vjp, infer=same_type,
    evaluate=np.linalg.cholesky,
    template="np.linalg.cholesky(_0)", kernel=named("cholesky"), dims=first_dims, samples=[(definite,)],
    without=only_ranks(2), symmetric=(0,), demands=lambda dims, params: [dims[0]],
)  # fmt: skip


# ---- QR of matrices with at least as many rows as columns


def _right_division(x: Val, r: Val, transposed: bool) -> Val:
    """x R**-1; with transposed x R**-T."""
    return turned(solve_triangular(r, turned(x), upper=True, transposed=not transposed, unit=False))


def _qr_jvp(dots: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (da,), (q, r) = dots, outs
    if da is None:
        return [None, None]
    change = _right_division(da, r, False)
    inside = dot(q, change, ta=True)
    below = lower(inside, -1)
    upper = inside - (below - turned(below))
    return [change - dot(q, upper), dot(upper, r)]


def _qr_vjp(bars: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (gq, gr), (q, r) = bars, outs
    if gq is None and gr is None:
        return [None]
    of_r = None if gr is None else dot(r, gr, tb=True)
    of_q = None if gq is None else dot(gq, q, ta=True)
    both = of_r if of_q is None else -of_q if of_r is None else of_r - of_q
    assert both is not None
    mirrored = dot(q, lower(both) + turned(lower(both, -1)))
    return [_right_division(mirrored if gq is None else gq + mirrored, r, True)]


def _qr(a: Any) -> Any:
    return tuple(map(np.ascontiguousarray, spectra.reduced_qr(a)))


qr: Rule = general(
    "qr",
    (),
    fresh=True,
    may_raise=always,
    jvp=_qr_jvp,
    vjp=_qr_vjp,
    infer=lambda types, params: (types[0], types[0]),
    evaluate=_qr,
    template=lambda types, params: ("reduced_qr(_0)", sources(spectra.reduced_qr)),
    samples=[(square,), (matrix.T.copy(),), (pair[:, None].copy(),)],
    without=only_ranks(2),
    dims=lambda dims, params: [dims[0], dims[0][1:] * 2],
)
