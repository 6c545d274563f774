"""Diagonals and triangles of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.core.layouts import VIEW
from srcgrad.core.traits import always
from srcgrad.errors import UnsupportedError
from srcgrad.numeric import rearrangements
from srcgrad.rules.arrays.construction import on_diagonal as set_diagonal
from srcgrad.rules.language import arguments, registry
from srcgrad.rules.language.declare import At, Rule, as_value, cast, linear, only_ranks, static, zero
from srcgrad.rules.language.over_elements import written_out
from srcgrad.rules.language.runtime_text import sources
from srcgrad.rules.language.values import Val, contents, emit, emit_many, value_of
from srcgrad.rules.reductions.sums import sum_
from srcgrad.rules.shapes.axes import memory_of
from srcgrad.rules.shapes.broadcast import Params, Types, extent
from srcgrad.rules.shapes.shape import as_copy, length, reshaped

matrix = np.array([[0.3, -1.2, 2.0], [1.5, 0.7, -0.4]])
square = np.array([[2.0, -0.3, 0.4], [0.5, 1.7, -0.6], [0.1, 0.2, 3.0]])
tower, pair = np.stack([matrix, -2.0 * matrix]), np.array([1.3, -0.8])

# ---- the elements [i, i + k] of two axes, as the last axis


def _name(start: str, rank: int, params: Params) -> str:
    plain = rank == 2 and params["axes"] == (0, 1)
    axes = "" if plain else f"_{rank}_axes_{params['axes'][0]}_{params['axes'][1]}"
    return f"{start}{axes}{'_at' if params['offset'] else ''}"


def _diagonal_template(types: Types, params: Params) -> Any:
    name = _name("diagonal", types[0].rank, params)
    return _at_offset(
        rearrangements.diagonal, types, name, params["offset"], axes=params["axes"], moved=bool(params["offset"])
    )


def _at_offset(function: Any, types: Types, name: str, offset: int, **known: Any) -> Any:
    """The call of a function with the number of a diagonal, which it takes unless that is 0."""
    call, helpers = written_out(function, types, name, **({} if offset else {"off": 0}), **known)
    return (f"{call[:-1]}, offset)" if offset else call), helpers


def _put_template(types: Types, params: Params) -> Any:
    name, moved = _name("on_diagonal_of", types[1].rank, params), bool(params["offset"])
    return _at_offset(rearrangements.on_diagonal_of, types, name, params["offset"], axes=params["axes"], moved=moved)


def _put(v: Any, like: Any, offset: int, axes: tuple[int, int]) -> Any:
    return rearrangements.on_diagonal_of(v, like, offset, axes, True)


def _diagonal(a: Any, offset: int, axes: tuple[int, int]) -> Any:
    return np.diagonal(a, offset, *axes).copy()


_offsets = [{"offset": k, "axes": (0, 1)} for k in (0, 1, -1, 5)]

diagonal: Rule = linear(
    "diagonal",
    (),
    moves=True,
    leaves_out=True,
    fresh=True,
    transpose=lambda g, a, **params: on_diagonal_of(g, extent(a), **params),
    evaluate=_diagonal,
    infer=lambda types, params: (ir.Type(types[0].dtype, types[0].rank - 1),),
    template=_diagonal_template,
    samples=[(matrix,), (square,), (tower,)],
    without=only_ranks(2, 3),
    params=[*_offsets, {"offset": 0, "axes": (1, 0)}],
)
on_diagonal_of: Rule = linear(
    "on_diagonal_of",
    (),
    fresh=True,
    may_raise=always,
    transpose=lambda g, v, like, **params: diagonal(g, **params),
    evaluate=_put,
    infer=lambda types, params: (ir.Type(types[0].dtype, types[1].rank),),
    template=_put_template,
    dims=lambda dims, params: dims[1],
    params=[{"offset": 0, "axes": (0, 1)}],
    samples=[(pair, matrix), At(matrix[:, :2].copy(), tower, offset=-1, axes=(2, 1))],
    without=only_ranks(2, 3),
)


def _square_template(types: Types, params: Params) -> Any:
    if not params["offset"]:
        return "on_diagonal(_0)", sources(rearrangements.on_diagonal)
    return "on_diagonal_at(_0, offset)", sources(rearrangements.on_diagonal_at)


on_diagonal: Rule = linear(
    "on_diagonal",
    (),
    fresh=True,
    transpose=lambda g, v, offset: diagonal(g, offset=offset, axes=(0, 1)),
    evaluate=lambda v, offset: np.diag(v, offset),
    infer=lambda types, params: (ir.Type(types[0].dtype, 2),),
    template=_square_template,
    dims=lambda dims, params: (None, None) if params["offset"] else dims[0] * 2,
    samples=[(matrix[0].copy(),), (matrix[0, :0].copy(),)],
    params=[{"offset": k} for k in (0, 2, -1)],
    without=only_ranks(1),
)


def matrix_of(builder: Builder, a: Any, name: str) -> Val:
    value = arguments.array_value(builder, a, name)
    if value.type.rank != 2:
        raise UnsupportedError(f"{name} takes a matrix here; pass an array of two axes")
    return value


def _diagonal_along(builder: Builder, a: Any, offset: Any, axis1: Any, axis2: Any, name: str) -> Val:
    value = arguments.array_value(builder, a, name)
    rank = value.type.rank
    if rank < 2:
        raise UnsupportedError(f"{name} takes an array of two axes or more")
    axes = (arguments.one_axis(axis1, rank), arguments.one_axis(axis2, rank))
    if axes[0] == axes[1]:
        raise UnsupportedError(f"{name} takes two different axes")
    return diagonal(value, offset=arguments.integer(offset, "the offset"), axes=axes)


@registry.adaptor(np.diagonal, methods=("diagonal",))
def _np_diagonal(builder: Builder, a: Any, offset: Any = 0, axis1: Any = 0, axis2: Any = 1) -> Val:
    value = _diagonal_along(builder, a, offset, axis1, axis2, "np.diagonal")
    return as_copy(value, a, VIEW) if isinstance(a, Val) else value


@registry.adaptor(np.linalg.diagonal)
def _linalg_diagonal(builder: Builder, x: Any, offset: Any = 0) -> Val:
    return _np_diagonal(builder, x, offset, -2, -1)


@registry.adaptor(np.trace, methods=("trace",))
def _trace(builder: Builder, a: Any, offset: Any = 0, axis1: Any = 0, axis2: Any = 1, **options: Any) -> Val:
    arguments.no_options(options, "np.trace")
    found = _diagonal_along(builder, a, offset, axis1, axis2, "np.trace")
    return sum_(found, axes=(found.type.rank - 1,), keepdims=False)


@registry.adaptor(np.linalg.trace)
def _linalg_trace(builder: Builder, x: Any, offset: Any = 0) -> Val:
    return _trace(builder, x, offset, -2, -1)


@registry.adaptor(np.diag)
def _diag(builder: Builder, v: Any, k: Any = 0) -> Val:
    value = arguments.array_value(builder, v, "np.diag")
    if value.type.rank > 2:
        raise UnsupportedError("np.diag takes an array of one or two axes")
    if value.type.rank == 2:
        return _np_diagonal(builder, v, k)
    return on_diagonal(value, offset=arguments.integer(k, "k"))


@registry.adaptor(np.diagflat)
def _diagflat(builder: Builder, v: Any, k: Any = 0) -> Val:
    value = arguments.array_value(builder, v, "np.diagflat")
    return on_diagonal(contents(reshaped(value, -1)), offset=arguments.integer(k, "k"))


@registry.adaptor(np.fill_diagonal)
def _fill_diagonal(builder: Builder, a: Any, val: Any, wrap: Any = False) -> None:
    number = contents(as_value(builder, val))
    if not isinstance(a, Val) or not a.type.ref or a.type.rank != 2 or number.type.rank or arguments.flag(wrap, "wrap"):
        raise UnsupportedError("np.fill_diagonal is supported for a number and a matrix that has a name")
    turns = registry.FUNCTIONS[min](builder, length(a, 0), length(a, 1))
    kind = arguments.scalar_type(a.type.dtype)
    if kind.dtype[0] not in "fc" and number.type.dtype[0] == "f":
        raise UnsupportedError(
            f"a float is stored into an array of {a.type.dtype_name}, which would cut it off; make the array float"
        )
    known = static(number)
    plain = known is not None and kind.dtype[0] == "f" and not isinstance(known, complex)
    set_diagonal(a, turns, (0, 0), ir.Const(float(known), kind) if plain else cast(number, kind.dtype).atom)  # type: ignore[arg-type]


# ---- triangles


def _triangle_template(types: Types, params: Params) -> Any:
    rank, upper, offset = types[0].rank, params["upper"], params["offset"]
    name = f"{'upper' if upper else 'lower'}_triangle{'' if rank == 2 else f'_{rank}'}{'_at' if offset else ''}"
    return _at_offset(rearrangements.triangle, types, name, offset, upper=upper)


triangle: Rule = linear(
    "triangle",
    (),
    leaves_out=True,
    fresh=True,
    transpose=lambda g, x, **params: triangle(g, **params),
    infer=lambda types, params: (types[0],),
    evaluate=lambda x, upper, offset: (np.triu if upper else np.tril)(x, offset),
    template=_triangle_template,
    dims=lambda dims, params: dims[0],
    samples=[(matrix,), (square,), (tower,)],
    without=only_ranks(2, 3),
    params=[{"upper": u, "offset": k} for u in (False, True) for k in (0, 1, -1)],
)


def _triangle_of(function: Any, upper: bool) -> None:
    name = f"np.{function.__name__}"

    def call(builder: Builder, m: Any, k: Any = 0) -> Val:
        value = arguments.array_value(builder, m, name)
        if value.type.rank == 1:  # NumPy makes a square of rows
            memory = memory_of(builder, value, name)
            n = length(memory, 0)
            rows = registry.FUNCTIONS[np.broadcast_to](builder, memory, (n, n))
            value = contents(rows)
        return triangle(value, upper=upper, offset=arguments.integer(k, "k"))

    registry.adaptor(function)(call)


_triangle_of(np.tril, False)
_triangle_of(np.triu, True)

tri = zero(
    "tri",
    (),
    infer=lambda types, params: (ir.Type("f8", 2),),
    evaluate=np.tri,
    template="np.tri(_0, _1, _2)",
    samples=[(3, 3, 0), (2, 4, 1), (3, 2, -1)],
    elementwise=False,
)


@registry.adaptor(np.tri)
def _np_tri(builder: Builder, N: Any, M: Any = None, k: Any = 0, dtype: Any = float, **options: Any) -> Val:
    arguments.no_options(options, "np.tri")
    rows, columns, offset = arguments.lengths(builder, (N, N if M is None else M, k))
    return cast(emit(tri, rows, columns, offset), arguments.dtype_of(dtype))


def _corner(name: str, function: Any) -> None:
    rule = zero(
        name,
        (),
        infer=lambda types, params: (ir.Type("i8", 1),) * 2,
        evaluate=function,
        elementwise=False,
        template=f"np.{name}(_0, _1, _2)",
        samples=[(3, 0, 3), (2, 1, 4), (3, -1, 2)],
    )

    def call(builder: Builder, n: Any, k: Any = 0, m: Any = None) -> tuple[Val, ...]:
        return emit_many(rule, *arguments.lengths(builder, (n, k, n if m is None else m)))

    registry.adaptor(function)(call)


_corner("tril_indices", np.tril_indices)
_corner("triu_indices", np.triu_indices)


@registry.adaptor(np.vander)
def _vander(builder: Builder, x: Any, N: Any = None, increasing: Any = False) -> Val:
    value = arguments.array_value(builder, x, "np.vander")
    if value.type.rank != 1:
        raise UnsupportedError("np.vander takes an array of one axis")
    columns = length(value, 0) if N is None else arguments.lengths(builder, N)[0]
    powers = registry.FUNCTIONS[np.arange](builder, columns)
    if not arguments.flag(increasing, "increasing"):
        powers = (columns - 1) - powers
    column = contents(reshaped(value, (length(value, 0), 1)))
    return value_of(np.power, builder, column, powers)
