"""Sums, means and running sums over axes."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.core.shapes import ONE
from srcgrad.errors import UnsupportedError
from srcgrad.numeric import reductions
from srcgrad.rules.language import arguments, registry
from srcgrad.rules.language.declare import At, Rule, as_value, cast, linear
from srcgrad.rules.language.over_elements import suffix, written_out
from srcgrad.rules.language.values import Val, contents, emit, value_of
from srcgrad.rules.scalar.compare import where as where_
from srcgrad.rules.shapes.broadcast import Dims, Params, Types, spread_back
from srcgrad.rules.shapes.shape import count, reshaped

matrix = np.array([[0.3, -1.2, 2.0], [1.5, 0.7, -0.4]])
row, tower = matrix[0].copy(), np.stack([matrix, -2.0 * matrix])
every = [{"axes": (0,), "keepdims": False}, {"axes": (0,), "keepdims": True}]
several = [
    (row,),
    (matrix,),
    At(matrix, axes=(1,), keepdims=False),
    At(matrix, axes=(0, 1), keepdims=False),
    At(tower, axes=(1,), keepdims=False),
    At(tower, axes=(0, 2), keepdims=True),
]


def reduced_type(rank: int, dtype: str, params: Params) -> ir.Type:
    """The type of a reduction with this dtype over an array of this rank."""
    left = rank if params["keepdims"] else rank - len(params["axes"])
    return ir.Type(dtype, left) if left else arguments.scalar_type(dtype)


def reduced_dims(dims: Sequence[Dims], params: Params) -> Dims:
    axes, keepdims = params["axes"], params["keepdims"]
    return tuple(ONE if k in axes else d for k, d in enumerate(dims[0]) if keepdims or k not in axes)


def to_scalar(rank: int, params: Params) -> bool:
    return len(params["axes"]) == rank and not params["keepdims"]


# ---- sum


def _sum_dtype(dtype: str) -> str:
    return str(np.sum(np.zeros(0, dtype)).dtype.str[1:])


def _sum_infer(types: Types, params: Params) -> tuple[ir.Type, ...]:
    return (reduced_type(types[0].rank, _sum_dtype(types[0].dtype), params),)


def _sum_template(types: Types, params: Params) -> Any:
    (x,) = types
    if to_scalar(x.rank, params):
        return "np.count_nonzero(_0)" if x.dtype == "b1" else "np.sum(_0)"
    kind, dtype = _kind(x.dtype)
    name = f"sum_{x.rank}_over{suffix(params['axes'], params['keepdims'])}{kind}"
    return written_out(reductions.summed, types, name, **params, dtype=dtype)


def _kind(dtype: str) -> tuple[str, Any]:
    """How the sums of integers are called, and their type; of floats it is that of what is summed."""
    found = _sum_dtype(dtype)
    return ("", None) if found[0] in "fc" else (f"_{found}", np.dtype(found).type)


sum_: Rule = linear(
    "sum",
    (),
    moves=True,
    fresh=True,
    transpose=lambda g, x, axes, keepdims: spread_back(g, x, axes, keepdims),
    infer=_sum_infer,
    evaluate=lambda x, axes, keepdims: np.sum(x, axis=axes, keepdims=keepdims),
    template=_sum_template,
    dims=reduced_dims,
    samples=several,
    params=every,
)


def total(x: Val) -> Val:
    """The sum of all elements."""
    return sum_(x, axes=tuple(range(x.type.rank)), keepdims=False)


def chosen(x: Val, mask: Any, otherwise: Any) -> Val:
    """x where the mask of a reduction's `where=` is true, elsewhere this number."""
    if mask is None:
        return x
    cond = cast(contents(arguments.as_array(x.builder, mask)), "b1")
    if cond.type.rank > x.type.rank:
        raise UnsupportedError("where= of more axes than the array is not supported; broadcast the array first")
    return where_(cond, x, x.lift(float(otherwise) if x.type.dtype[0] == "f" else otherwise))


@registry.adaptor(np.sum, methods=("sum",))
def _sum(
    builder: Builder,
    x: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: Any = False,
    initial: Any = None,
    where: Any = None,
) -> Val:
    arguments.no_options({"out": out}, "np.sum")
    value = contents(arguments.as_array(builder, x))
    if dtype is not None:
        value = cast(value, arguments.dtype_of(dtype))
    value = chosen(value, where, 0)
    if value.type.rank == 0:
        return cast(value, "i8") if value.type == ir.B1 else value
    axes = arguments.all_axes(axis, value.type.rank)
    got = emit(sum_, value, axes=axes, keepdims=arguments.flag(keepdims, "keepdims"))
    return got if initial is None else got + contents(as_value(builder, initial))


@registry.adaptor(builtins.sum)
def _builtin_sum(builder: Builder, x: Any, start: Any = None) -> Val:
    begin = None if start is None else as_value(builder, start)
    if isinstance(x, (tuple, list)):
        terms = [as_value(builder, v) for v in x]
        result = contents(begin) if begin is not None else None
        for term in map(contents, terms):
            first = term + 0 if term.type.dtype == "b1" else term  # Python begins at 0
            result = first if result is None else result + term
        return as_value(builder, 0) if result is None else result
    value = arguments.array_value(builder, x, "sum")
    got = emit(sum_, value, axes=(0,), keepdims=False)
    return got if begin is None else contents(begin) + got


# ---- mean


@registry.adaptor(np.mean, methods=("mean",))
def _mean(
    builder: Builder, x: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, **rest: Any
) -> Val:
    arguments.no_options({"out": out, **rest}, "np.mean")
    value = contents(arguments.as_array(builder, x))
    wanted = arguments.dtype_of(dtype) if dtype is not None else value.type.dtype
    value = cast(value, wanted if wanted[0] in "fc" else "f8")
    if value.type.rank == 0:
        return value
    axes = arguments.all_axes(axis, value.type.rank)
    got = emit(sum_, value, axes=axes, keepdims=arguments.flag(keepdims, "keepdims"))
    return got / count(value, axes)


# ---- running sums


def _cumsum_template(types: Types, params: Params) -> Any:
    (x,) = types
    axis, reverse = params["axis"], params["reverse"]
    if x.rank == 1 and not reverse and x.dtype[0] in "fc":
        return "np.cumsum(_0)"
    kind, dtype = _kind(x.dtype)
    name = f"cumsum_{x.rank}_along_{axis}{'_backwards' if reverse else ''}{kind}"
    return written_out(reductions.running_sums, types, name, **params, dtype=dtype)


def _cumsum_evaluate(x: Any, axis: int, reverse: bool) -> Any:
    return reductions.running_sums(x, axis, reverse, np.dtype(_sum_dtype(x.dtype.str[1:])))


cumsum: Rule = linear(
    "cumsum",
    (),
    moves=True,
    fresh=True,
    transpose=lambda g, x, axis, reverse: cumsum(g, axis=axis, reverse=not reverse),
    infer=lambda types, params: (ir.Type(_sum_dtype(types[0].dtype), types[0].rank),),
    evaluate=_cumsum_evaluate,
    template=_cumsum_template,
    dims=lambda dims, params: dims[0],
    samples=[(row,), (matrix,), At(tower, axis=1, reverse=True)],
    params=[{"axis": 0, "reverse": False}, {"axis": 0, "reverse": True}],
)


@registry.adaptor(np.cumsum, np.cumulative_sum, methods=("cumsum",))
def _cumsum(builder: Builder, x: Any, axis: Any = None, dtype: Any = None, out: Any = None, **rest: Any) -> Val:
    arguments.no_options({"out": out, **rest}, "np.cumsum")
    value = arguments.array_value(builder, x, "np.cumsum")
    if dtype is not None:
        value = cast(value, arguments.dtype_of(dtype))
    if axis is None and value.type.rank != 1:
        value = contents(reshaped(value, -1))
    along = 0 if axis is None else arguments.one_axis(axis, value.type.rank)
    return emit(cumsum, value, axis=along, reverse=False)


# ---- methods of ufuncs


def first_axis(function: Any) -> Any:
    """The adaptor of a ufunc's reduce or accumulate, whose axis is the first if none is given."""

    def call(builder: Builder, x: Any, axis: Any = 0, **options: Any) -> Val:
        return value_of(function, builder, x, axis=axis, **options)

    return call


registry.adaptor(np.add.reduce)(first_axis(np.sum))
registry.adaptor(np.add.accumulate)(first_axis(np.cumsum))
