"""Linear systems and inverses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from srcgrad.core.build import Builder
from srcgrad.core.traits import always, named
from srcgrad.errors import UnsupportedError
from srcgrad.numeric import small_matrices
from srcgrad.rules.arrays.diagonals import matrix_of
from srcgrad.rules.language import arguments, registry
from srcgrad.rules.language.declare import Duals, Rule, general, only_ranks, static
from srcgrad.rules.language.over_elements import written_out
from srcgrad.rules.language.runtime_text import sources
from srcgrad.rules.language.values import Val
from srcgrad.rules.linalg.einsum import floats
from srcgrad.rules.linalg.matmul import dot, line, outer, square
from srcgrad.rules.linalg.stacks import float_memory, for_each, of_stacks
from srcgrad.rules.shapes.broadcast import Params, Types
from srcgrad.rules.shapes.shape import length

# ---- linear systems


SMALL = 16  # up to this size elimination in loops, which compiles in a tenth of the time, is faster than LAPACK


def _solve_jvp(dots: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (a, _), (y,), (da, db) = args, outs, dots
    if da is None:
        return [None if db is None else solve(a, db, **params)]
    moved = dot(da, y, ta=params["transposed"])
    return [solve(a, -moved if db is None else db - moved, **params)]


def _solve_vjp(bars: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (g,), (a, _), (y,) = bars, args, outs
    if g is None:
        return [None, None]
    w = solve(a, g, **{**params, "transposed": not params["transposed"]})
    first, second = (y, w) if params["transposed"] else (w, y)
    both = outer(first, second) if y.type.rank == 1 else dot(first, second, tb=True)
    return [-both, w]


def _solve_template(types: Types, params: Params) -> Any:
    left = "_0.T" if params["transposed"] else "_0"
    if not params.get("small"):
        return f"np.linalg.solve({left}, _1)"
    name = "eliminate" if types[1].rank == 1 else "eliminate_columns"
    return f"{name}({left}, _1)", written_out(small_matrices.eliminate, types, name, singular=True, in_place=False)[1]


def _solve_into(types: Types, params: Params) -> tuple[str, dict[str, Any]]:
    vector = types[1].rank == 1
    function = small_matrices.solve_into if vector else small_matrices.solve_columns_into
    name = "eliminate_in_place" if vector else "eliminate_columns_in_place"
    inner = written_out(small_matrices.eliminate, types[:2], name, singular=True, in_place=True)[1]
    return function.__name__, {**sources(function), name: inner[name]}


solve: Rule = general(
    "solve",
    (),
    fresh=True,
    may_raise=always,
    jvp=_solve_jvp,
    vjp=_solve_vjp,
    infer=lambda types, params: (types[1],),
    evaluate=lambda a, b, *work, transposed, small=False: np.linalg.solve(a.T if transposed else a, b),
    template=_solve_template,
    kernel=named("solve"),
    into=_solve_into,
    scratch=lambda dims: dims[0],
    dims=lambda dims, params: dims[1],
    takes_complex=True,
    without=only_ranks(2),
    samples=[(square, line), (square, np.cos(np.arange(9.0)).reshape(3, 3))],
    params=[{"transposed": t, "small": s} for t in (False, True) for s in (False, True)],
)


def _is_small(a: Val) -> bool:
    """Whether this is known to be a small real matrix."""
    sizes = [static(length(a, k)) for k in (0, 1)]
    return not a.type.is_complex and any(n is not None and n.real <= SMALL for n in sizes)


@registry.adaptor(np.linalg.solve)
def _np_solve(builder: Builder, a: Any, b: Any) -> Val:
    name = "np.linalg.solve"
    given = [arguments.as_array(builder, v) for v in (a, b)]
    if any(v.type.rank == 0 for v in given) or given[0].type.rank == 1:
        raise UnsupportedError(f"{name} takes a matrix and a vector or a matrix; pass an array of two axes first")
    if max(v.type.rank for v in given) <= 2:
        left, right = floats(builder, given, name)
        return solve(left, right, transposed=False, small=_is_small(left))
    stacks = [float_memory(builder, v, name) for v in given]
    sides = [2, min(stacks[1].type.rank, 2)]  # since NumPy 2 only what has one axis is a vector
    right = stacks[1]
    shape = [length(right, right.type.rank - k) for k in range(sides[1], 0, -1)]
    return for_each(lambda *one: _np_solve(builder, *one), stacks, sides, lambda count: [shape])[0]


_INTO = sources(small_matrices.inv_into)


def _inv_jvp(dots: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (da,), (y,) = dots, outs
    return [None if da is None else -dot(dot(y, da), y)]


def _inv_vjp(bars: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (g,), (y,) = bars, outs
    return [None if g is None else -dot(dot(y, g, ta=True), y, tb=True)]


inv: Rule = general(
    "inv",
    (),
    fresh=True,
    may_raise=always,
    jvp=_inv_jvp,
    vjp=_inv_vjp,
    infer=lambda types, params: (types[0],),
    evaluate=np.linalg.inv,
    template="np.linalg.inv(_0)",
    kernel=named("inv"),
    into=lambda types, params: ("inv_into", _INTO),
    dims=lambda dims, params: dims[0],
    demands=lambda dims, params: [dims[0]],
    samples=[(square,)],
    takes_complex=True,
    without=only_ranks(2),
)


@registry.adaptor(np.linalg.inv)
@of_stacks("mn")
def _np_inv(builder: Builder, a: Any) -> Val:
    return inv(*floats(builder, (matrix_of(builder, a, "np.linalg.inv"),), "np.linalg.inv"))
