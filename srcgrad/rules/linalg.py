"""Products of vectors and matrices, linear systems."""
from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.errors import UnsupportedError
from srcgrad.rules import arguments, helpers, registry
from srcgrad.rules.broadcast import Dims, Params, Types
from srcgrad.rules.declare import At, Duals, Rule, bilinear, cast, general, only_ranks, settle
from srcgrad.rules.diagonals import matrix_of
from srcgrad.rules.helpers import sources
from srcgrad.rules.shape import reshaped
from srcgrad.rules.values import Val, contents

matrix = np.array([[0.3, -1.2, 2.0], [1.5, 0.7, -0.4]])
square = np.array([[2.0, -0.3, 0.4], [0.5, 1.7, -0.6], [0.1, 0.2, 3.0]])
line, pair = np.array([0.7, -1.1, 0.4]), np.array([1.3, -0.8])

# ---- products: op(a) @ op(b), an operand of two axes being transposed if asked for


def _product_infer(types: Types, params: Params) -> tuple[ir.Type, ...]:
    return (ir.Type(types[0].dtype, types[0].rank + types[1].rank - 2),)


def _product_dims(dims: Sequence[Dims], params: Params) -> Dims:
    left = dims[0][::-1] if params["ta"] else dims[0]
    right = dims[1][::-1] if params["tb"] else dims[1]
    return (*left[:-1], *(right[1:] if len(right) == 2 else ()))


def _product_demands(dims: Sequence[Dims], params: Params) -> list[Dims]:
    return [(dims[0][0 if params["ta"] else -1], dims[1][-1 if params["tb"] else 0])]


def _product(a: Any, b: Any, ta: bool, tb: bool) -> Any:
    return (a.T if ta else a) @ (b.T if tb else b)


def _product_template(types: Types, params: Params) -> str:
    left = "_0.T" if params["ta"] else "_0"
    right = "_1.T" if params["tb"] else "_1"
    return f"np.dot({left}, {right})" if types[0].rank == types[1].rank == 1 else f"{left} @ {right}"


def _product_left(g: Val, a: Val, b: Val, ta: bool, tb: bool) -> Val:
    if a.type.rank == 1:
        return g * b if b.type.rank == 1 else _dot(b, g, ta=tb)
    if b.type.rank == 1:
        return outer(b, g) if ta else outer(g, b)  # type: ignore[no-any-return]
    return _dot(b, g, ta=tb, tb=True) if ta else _dot(g, b, tb=not tb)


def _product_right(g: Val, a: Val, b: Val, ta: bool, tb: bool) -> Val:
    if b.type.rank == 1:
        return g * a if a.type.rank == 1 else (_dot(a, g) if ta else _dot(g, a))
    if a.type.rank == 1:
        return outer(g, a) if tb else outer(a, g)  # type: ignore[no-any-return]
    return _dot(g, a, ta=True, tb=ta) if tb else _dot(a, g, ta=not ta)


def _dot(a: Val, b: Val, ta: bool = False, tb: bool = False) -> Val:
    return product(a, b, ta=ta, tb=tb)  # type: ignore[no-any-return]


product: Rule = bilinear(
    "matmul", (), left=_product_left, right=_product_right, infer=_product_infer, evaluate=_product,
    template=_product_template, dims=_product_dims, demands=_product_demands, params=[{"ta": False, "tb": False}],
    samples=[
        (line, line), (matrix, line), (pair, matrix), (matrix, square), At(matrix, pair, ta=True, tb=False),
        At(line, matrix, ta=False, tb=True), At(matrix, matrix, ta=True, tb=False),
        At(matrix, matrix, ta=False, tb=True), At(matrix, square[:, :2].copy(), ta=True, tb=True),
    ],
    without=only_ranks(1, 2),
)  # fmt: skip
# np.outer takes Numba four seconds to compile
outer: Rule = bilinear(
    "outer", (), left=lambda g, a, b: _dot(g, b), right=lambda g, a, b: _dot(a, g),
    infer=lambda types, params: (ir.Type(types[0].dtype, 2),), evaluate=np.outer,
    template=lambda types, params: ("outer(_0, _1)", sources(helpers.outer)),
    dims=lambda dims, params: (dims[0][0], dims[1][0]), samples=[(pair, line)], without=only_ranks(1),
)  # fmt: skip


def _floats(builder: Builder, operands: Sequence[Any], name: str) -> list[Val]:
    """The operands' contents, in their common dtype."""
    values = settle([contents(arguments.as_array(builder, v)) for v in operands])
    if any(v.type.rank > 2 for v in values):
        raise UnsupportedError(f"{name} is differentiated for vectors and matrices, not for more axes")
    dtypes = [v.type.dtype for v in values if v.type.rank or v.type.is_float]
    code = arguments.result_type(dtypes or ["i8"])
    if code[0] not in "fc":
        raise UnsupportedError(f"{name} of integers is not supported; write .astype(np.float64)")
    return [cast(v, code) for v in values]


@registry.adaptor(np.matmul, operator.matmul)
def _matmul(builder: Builder, a: Any, b: Any, **options: Any) -> Val:
    arguments.no_options(options, "np.matmul")
    left, right = _floats(builder, (a, b), "@")
    if left.type.rank == 0 or right.type.rank == 0:
        raise UnsupportedError("@ takes arrays, not scalars; use *")
    return _dot(left, right)


@registry.adaptor(np.dot, methods=("dot",))
def _np_dot(builder: Builder, a: Any, b: Any, **options: Any) -> Val:
    arguments.no_options(options, "np.dot")
    if any(arguments.as_array(builder, v).type.rank == 0 for v in (a, b)):
        return registry.FUNCTIONS[np.multiply](builder, a, b)  # type: ignore[no-any-return]
    left, right = _floats(builder, (a, b), "np.dot")
    return _dot(left, right)


def _flat(value: Val) -> Val:
    return value if value.type.rank == 1 else contents(reshaped(value, -1))


@registry.adaptor(np.vdot)
def _vdot(builder: Builder, a: Any, b: Any) -> Val:
    left, right = _floats(builder, (a, b), "np.vdot")
    if left.type.rank == 0 or right.type.rank == 0:
        raise UnsupportedError("np.vdot takes arrays, not scalars; use *")
    return _dot(_flat(left), _flat(right))


@registry.adaptor(np.inner)
def _inner(builder: Builder, a: Any, b: Any) -> Val:
    left, right = _floats(builder, (a, b), "np.inner")
    if left.type.rank == 0 or right.type.rank == 0:
        return left * right
    return _dot(left, right, tb=True) if left.type.rank == 2 == right.type.rank else _inner_vector(left, right)


def _inner_vector(left: Val, right: Val) -> Val:
    return _dot(right, left) if right.type.rank == 2 else _dot(left, right)


@registry.adaptor(np.outer)
def _outer(builder: Builder, a: Any, b: Any, **options: Any) -> Val:
    arguments.no_options(options, "np.outer")
    left, right = _floats(builder, (a, b), "np.outer")
    if left.type.rank == 0 or right.type.rank == 0:
        raise UnsupportedError("np.outer takes arrays, not scalars")
    return outer(_flat(left), _flat(right))  # type: ignore[no-any-return]


# ---- linear systems


def _solve_jvp(dots: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (a, _), (y,), (da, db) = args, outs, dots
    if da is None:
        return [None if db is None else solve(a, db, **params)]
    moved = _dot(da, y, ta=params["transposed"])
    return [solve(a, -moved if db is None else db - moved, **params)]


def _solve_vjp(bars: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (g,), (a, _), (y,) = bars, args, outs
    if g is None:
        return [None, None]
    w = solve(a, g, transposed=not params["transposed"])
    first, second = (y, w) if params["transposed"] else (w, y)
    both = outer(first, second) if y.type.rank == 1 else _dot(first, second, tb=True)
    return [-both, w]


def _solve_template(types: Types, params: Params) -> str:
    return "np.linalg.solve(_0.T, _1)" if params["transposed"] else "np.linalg.solve(_0, _1)"


solve: Rule = general(
    "solve", (), jvp=_solve_jvp, vjp=_solve_vjp, infer=lambda types, params: (types[1],),
    evaluate=lambda a, b, transposed: np.linalg.solve(a.T if transposed else a, b), template=_solve_template,
    dims=lambda dims, params: dims[1], samples=[(square, line), (square, square.T.copy())],
    params=[{"transposed": False}, {"transposed": True}], takes_complex=True, without=only_ranks(2),
)  # fmt: skip


@registry.adaptor(np.linalg.solve)
def _np_solve(builder: Builder, a: Any, b: Any) -> Val:
    left, right = _floats(builder, (a, b), "np.linalg.solve")
    if left.type.rank != 2 or right.type.rank not in (1, 2):
        raise UnsupportedError("np.linalg.solve takes a matrix and a vector or a matrix")
    return solve(left, right, transposed=False)  # type: ignore[no-any-return]


def _inv_jvp(dots: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (da,), (y,) = dots, outs
    return [None if da is None else -_dot(_dot(y, da), y)]


def _inv_vjp(bars: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (g,), (y,) = bars, outs
    return [None if g is None else -_dot(_dot(y, g, ta=True), y, tb=True)]


inv: Rule = general(
    "inv", (), jvp=_inv_jvp, vjp=_inv_vjp, infer=lambda types, params: (types[0],), evaluate=np.linalg.inv,
    template="np.linalg.inv(_0)", dims=lambda dims, params: dims[0], samples=[(square,)],
    takes_complex=True, without=only_ranks(2),
)  # fmt: skip


@registry.adaptor(np.linalg.inv)
def _np_inv(builder: Builder, a: Any) -> Val:
    return inv(*_floats(builder, (matrix_of(builder, a, "np.linalg.inv"),), "np.linalg.inv"))  # type: ignore[no-any-return]
