"""Determinants, whose derivatives are finite at singular matrices too.

Jacobi's formula makes the derivative of det(A) the matrix of cofactors. It is computed from m @ a @ n = diag(d), with m
and n of determinant 1 or -1 by Gauss's elimination with complete pivoting, so that nothing is divided by a pivot that
may be 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.traits import always, named
from srcgrad.numeric import small_matrices
from srcgrad.rules.language import arguments
from srcgrad.rules.language.declare import Duals, Rule, general, only_ranks
from srcgrad.rules.language.runtime_text import sources
from srcgrad.rules.language.values import Val
from srcgrad.rules.linalg.matmul import dot, square
from srcgrad.rules.linalg.systems import inv
from srcgrad.rules.linalg.triangular import first_dims, same_type, turned
from srcgrad.rules.reductions.sums import total
from srcgrad.rules.shapes.broadcast import Params

singular = np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [0.5, -1.0, 0.7]])


def _cofactors(a: Any, *work: Any) -> Any:
    return small_matrices.cofactors(_square(a))


def _cofactors_along(a: Any, x: Any) -> Any:
    return small_matrices.cofactors_along(_square(a), x)


def _square(a: Any) -> Any:
    if a.shape[0] != a.shape[1]:
        raise np.linalg.LinAlgError("a determinant needs a square matrix")
    return a


def _third(a: Val, x: Val, y: Val) -> Val:
    """The derivative of cofactors_along(a, x) along y, for matrices that can be inverted."""
    w, d = turned(inv(a)), det(a)
    t, s = total(w * x), total(w * y)
    wx, wy = dot(w, x, tb=True), dot(w, y, tb=True)
    first, second = dot(wx, w), dot(wy, w)
    inside = s * (t * w - first) - total(second * x) * w - t * second + dot(wy, first) + dot(wx, second)
    return d * inside


def _along_jvp(dots: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (a, x), (da, dx) = args, dots
    of_a = None if da is None else _third(a, x, da)
    of_x = None if dx is None else cofactors_along(a, dx)
    return [of_x if of_a is None else of_a if of_x is None else of_a + of_x]


def _along_vjp(bars: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (a, x), (g,) = args, bars
    return [None, None] if g is None else [_third(a, x, g), cofactors_along(a, g)]


_all = sources(small_matrices.cofactors, small_matrices.diagonalised)
_into = sources(small_matrices.cofactors_into, small_matrices.diagonalise)
_both = sources(small_matrices.cofactors_along, small_matrices.diagonalised)

cofactors_along: Rule = general(
    "cofactors_along",
    (),
    jvp=_along_jvp,
    vjp=_along_vjp,
    infer=same_type,
    evaluate=_cofactors_along,
    template=lambda types, params: ("cofactors_along(_0, _1)", _both),
    dims=first_dims,
    samples=[(square, square[::-1].copy()), (square[:2, :2].copy(), -square[1:, 1:])],
    without=only_ranks(2),
)


def _cofactors_jvp(dots: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    return [None if dots[0] is None else cofactors_along(args[0], dots[0])]


cofactors: Rule = general(
    "cofactors",
    (),
    fresh=True,
    jvp=_cofactors_jvp,
    vjp=_cofactors_jvp,
    infer=same_type,
    evaluate=_cofactors,
    template=lambda types, params: ("cofactors(_0)", _all),
    into=lambda types, params: ("cofactors_into", _into),
    scratch=lambda dims: (ir.Const(3, ir.I8), *dims[0]),
    dims=first_dims,
    without=only_ranks(2),
    samples=[(square,), (square[:1, :1].copy(),)],
)


def _det_jvp(dots: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    return [None if dots[0] is None else total(cofactors(args[0]) * dots[0])]


def _det_vjp(bars: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    return [None if bars[0] is None else bars[0] * cofactors(args[0])]


det: Rule = general(
    "det",
    (),
    may_raise=always,
    jvp=_det_jvp,
    vjp=_det_vjp,
    infer=lambda types, params: (arguments.scalar_type(types[0].dtype),),
    evaluate=np.linalg.det,
    template="np.linalg.det(_0)",
    kernel=named("det"),
    samples=[(square,), (singular,)],
    without=only_ranks(2),
)


def _slogdet_infer(types: Any, params: Params) -> tuple[ir.Type, ...]:
    return (arguments.scalar_type(types[0].dtype),) * 2


def _slogdet_jvp(dots: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    return [None, None if dots[0] is None else total(turned(inv(args[0])) * dots[0])]


def _slogdet_vjp(bars: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    return [None if bars[1] is None else bars[1] * turned(inv(args[0]))]


slogdet: Rule = general(
    "slogdet",
    (),
    may_raise=always,
    jvp=_slogdet_jvp,
    vjp=_slogdet_vjp,
    infer=_slogdet_infer,
    evaluate=lambda a: tuple(np.linalg.slogdet(a)),
    template="np.linalg.slogdet(_0)",
    kernel=named("slogdet"),
    samples=[(square,), (-square,)],
    without=only_ranks(2),
)
