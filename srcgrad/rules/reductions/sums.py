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
from srcgrad.rules.language import arguments, loop_text, registry
from srcgrad.rules.language.declare import At, Rule, as_value, cast, linear
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


def places(rank: int, params: Params) -> list[str]:
    """Where in the result the element of a loop nest over the argument belongs."""
    axes, keepdims = params["axes"], params["keepdims"]
    return ["0" if k in axes else loop_text.LETTERS[k] for k in range(rank) if keepdims or k not in axes]


def result_shape(name: str, rank: int, params: Params) -> str:
    axes = [k for k in range(rank) if params["keepdims"] or k not in params["axes"]]
    return loop_text.shape_of(name, axes, params["axes"])


def to_scalar(rank: int, params: Params) -> bool:
    return len(params["axes"]) == rank and not params["keepdims"]


# ---- sum


def _sum_dtype(dtype: str) -> str:
    return str(np.sum(np.zeros(0, dtype)).dtype.str[1:])


def _sum_infer(types: Types, params: Params) -> tuple[ir.Type, ...]:
    return (reduced_type(types[0].rank, _sum_dtype(types[0].dtype), params),)


def _sum_source(name: str, rank: int, dtype: str, params: Params) -> str:
    out = loop_text.subscript("out", places(rank, params))
    lines = [f"    out = np.zeros({result_shape('x', rank, params)}, {loop_text.element_type('x', dtype)})"]
    lines += loop_text.nest("x", rank, [f"{out} += {loop_text.subscript('x', loop_text.LETTERS[:rank])}"])
    return loop_text.function(name, "x", [*lines, "    return out"])


def _sum_template(types: Types, params: Params) -> Any:
    (x,) = types
    if to_scalar(x.rank, params):
        return "np.count_nonzero(_0)" if x.dtype == "b1" else "np.sum(_0)"
    dtype = _sum_dtype(x.dtype)
    kind = "" if dtype[0] in "fc" else f"_{dtype}"
    name = f"sum_{x.rank}_over{loop_text.suffix(params['axes'], params['keepdims'])}{kind}"
    return f"{name}(_0)", {name: _sum_source(name, x.rank, dtype, params)}


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


def _cumsum_evaluate(x: Any, axis: int, reverse: bool) -> Any:
    turned = np.flip(x, axis) if reverse else x
    got = np.cumsum(turned, axis=axis)
    return np.ascontiguousarray(np.flip(got, axis)) if reverse else got


def _cumsum_source(name: str, rank: int, dtype: str, axis: int, reverse: bool) -> str:
    index = list(loop_text.LETTERS[:rank])
    before = [*index]
    before[axis] = f"{index[axis]} {'+' if reverse else '-'} 1"
    lines = [f"    out = np.empty(x.shape, {loop_text.element_type('x', dtype)})"]
    for k in range(rank):
        n = f"x.shape[{k}]"
        steps = f"{n} - 1, -1, -1" if k == axis and reverse else n
        lines.append(f"{'    ' * (k + 1)}for {index[k]} in range({steps}):")
    inside = "    " * (rank + 1)
    first = f"{index[axis]} == x.shape[{axis}] - 1" if reverse else f"{index[axis]} == 0"
    out, here = loop_text.subscript("out", index), loop_text.subscript("x", index)
    lines += [f"{inside}if {first}:", f"{inside}    {out} = {here}", f"{inside}else:"]
    lines += [f"{inside}    {out} = {loop_text.subscript('out', before)} + {here}", "    return out"]
    return loop_text.function(name, "x", lines)


def _cumsum_template(types: Types, params: Params) -> Any:
    (x,) = types
    axis, reverse = params["axis"], params["reverse"]
    if x.rank == 1 and not reverse and x.dtype[0] in "fc":
        return "np.cumsum(_0)"
    dtype = _sum_dtype(x.dtype)
    kind = "" if dtype[0] in "fc" else f"_{dtype}"
    name = f"cumsum_{x.rank}_along_{axis}{'_backwards' if reverse else ''}{kind}"
    return f"{name}(_0)", {name: _cumsum_source(name, x.rank, dtype, axis, reverse)}


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
