"""Views: axes exchanged, turned round, added; and what looks like a view of something repeated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.core.layouts import VIEW
from srcgrad.errors import UnsupportedError
from srcgrad.numeric import rearrangements
from srcgrad.rules.language import arguments, registry
from srcgrad.rules.language.declare import Rule, as_value, linear, static
from srcgrad.rules.language.over_elements import written_out
from srcgrad.rules.language.values import Val, contents, emit, value_of
from srcgrad.rules.scalar.compare import equal, not_equal, where
from srcgrad.rules.shapes.broadcast import Params, Types, extent, squeeze, unbroadcast, unsqueeze
from srcgrad.rules.shapes.shape import as_copy, dims, length, reshaped

matrix = np.array([[0.3, -1.2, 2.0], [1.5, 0.7, -0.4]])
line, tower = matrix[0].copy(), np.stack([matrix, -2.0 * matrix])
BACKWARDS = ir.Slice(step=ir.Const(-1, ir.I8))


def memory_of(builder: Builder, x: Any, name: str) -> Val:
    """An array as memory, of which there can be views."""
    value = arguments.as_array(builder, x)
    if value.type.rank == 0:
        raise UnsupportedError(f"{name} takes an array, not a scalar; index or loop over numbers instead")
    if value.type.ref:
        return value
    assert isinstance(value.atom, ir.Var)
    return Val(builder, builder.alloc(value.type.dtype, (), init=value.atom, name=value.atom.name))


def expect_equal(builder: Builder, a: Val, b: Val, message: str) -> None:
    """Raise ValueError at run time unless two lengths are equal; nothing where they are known to be."""
    if a.atom == b.atom or builder.shapes.length(a.atom) == builder.shapes.length(b.atom):
        return
    if static(a) is not None and static(b) is not None:
        raise UnsupportedError(message)
    raising = ir.Effect(f"raise ValueError({message!r})", span=builder.span)
    builder.put(ir.If(emit(not_equal, a, b).atom, (raising,), (), span=builder.span))


def along(axis: int, rank: int, item: ir.Item) -> ir.Index:
    """The index that takes item along this axis and everything along the others."""
    return tuple(item if k == axis else ir.Slice() for k in range(rank))


def viewed(memory: Val, how: Any) -> Val:
    assert isinstance(memory.atom, ir.Var)
    return Val(memory.builder, memory.builder.view(memory.atom, how))


# ---- axes exchanged


@registry.adaptor(np.swapaxes, methods=("swapaxes",))
def _swapaxes(builder: Builder, x: Any, axis1: Any, axis2: Any) -> Val:
    value = arguments.as_array(builder, x)
    order = list(range(value.type.rank))
    a, b = (arguments.one_axis(k, value.type.rank) for k in (axis1, axis2))
    order[a], order[b] = b, a
    return _ordered(builder, value, order)


def _ordered(builder: Builder, value: Val, order: Sequence[int]) -> Val:
    return value_of(np.transpose, builder, value, tuple(order))


def moved(builder: Builder, value: Val, source: Sequence[int], target: Sequence[int]) -> Val:
    """The axes `source` at the places `target`, the others in their order."""
    rest = iter(k for k in range(value.type.rank) if k not in source)
    there = dict(zip(target, source, strict=True))
    return _ordered(builder, value, [there[k] if k in there else next(rest) for k in range(value.type.rank)])


@registry.adaptor(np.moveaxis)
def _moveaxis(builder: Builder, x: Any, source: Any, destination: Any) -> Val:
    value = arguments.as_array(builder, x)
    rank = value.type.rank
    lists = [g if isinstance(g, (tuple, list)) else (g,) for g in (source, destination)]
    old, new = ([arguments.one_axis(k, rank) for k in given] for given in lists)
    if len(old) != len(new) or len(set(old)) < len(old) or len(set(new)) < len(new):
        raise UnsupportedError("np.moveaxis takes as many destinations as sources, each once")
    return moved(builder, value, old, new)


@registry.adaptor(np.rollaxis)
def _rollaxis(builder: Builder, x: Any, axis: Any, start: Any = 0) -> Val:
    value = arguments.as_array(builder, x)
    rank = value.type.rank
    old, new = arguments.one_axis(axis, rank), arguments.integer(start, "start")
    new = new + rank if new < 0 else new
    return moved(builder, value, [old], [new - 1 if old < new else new])


@registry.adaptor(np.matrix_transpose)
def _matrix_transpose(builder: Builder, x: Any) -> Val:
    value = arguments.as_array(builder, x)
    if value.type.rank < 2:
        raise UnsupportedError("np.matrix_transpose takes arrays of two axes or more")
    return _swapaxes(builder, value, -1, -2)


# ---- turned round


def flipped(builder: Builder, x: Any, axes: Sequence[int], name: str) -> Val:
    memory = memory_of(builder, x, name)
    return viewed(memory, tuple(BACKWARDS if k in axes else ir.Slice() for k in range(memory.type.rank)))


@registry.adaptor(np.flip)
def _flip(builder: Builder, m: Any, axis: Any = None) -> Val:
    value = arguments.as_array(builder, m)
    return flipped(builder, value, arguments.all_axes(axis, value.type.rank), "np.flip")


def _flip_of(function: Any, axis: int) -> None:
    name = f"np.{function.__name__}"

    def call(builder: Builder, m: Any) -> Val:
        value = arguments.as_array(builder, m)
        if value.type.rank <= axis:
            raise UnsupportedError(f"{name} takes {axis + 1}-D arrays, or of more axes")
        return flipped(builder, value, (axis,), name)

    registry.adaptor(function)(call)


_flip_of(np.flipud, 0)
_flip_of(np.fliplr, 1)


@registry.adaptor(np.rot90)
def _rot90(builder: Builder, m: Any, k: Any = 1, axes: Any = (0, 1)) -> Val:
    value = memory_of(builder, m, "np.rot90")
    rank, turns = value.type.rank, arguments.integer(k, "k") % 4
    first, second = (arguments.one_axis(a, rank) for a in axes)
    if first == second:
        raise UnsupportedError("np.rot90 takes two different axes")
    if turns == 0:
        return flipped(builder, value, (), "np.rot90")
    if turns == 2:
        return flipped(builder, value, (first, second), "np.rot90")
    order = list(range(rank))
    order[first], order[second] = second, first
    if turns == 1:
        return _ordered(builder, flipped(builder, value, (second,), "np.rot90"), order)
    return flipped(builder, _ordered(builder, value, order), (second,), "np.rot90")


# ---- axes of length 1 added


def at_least(value: Val, rank: int) -> Val:
    """The array with as many axes as np.atleast_1d, 2d, 3d give; a number in an array of its own."""
    builder = value.builder
    if value.type.rank >= rank:
        return value
    if value.type.rank == 0:
        ones = [ir.Const(1, ir.I8)] * rank
        return Val(builder, builder.alloc(value.type.dtype, ones, init=value.atom))
    one = as_value(builder, 1)
    shape = dims(value)
    return reshaped(value, (one, *shape, *(one,) * (rank - 1 - len(shape))) if len(shape) == 1 else (*shape, one))


def _at_least_of(function: Any, rank: int) -> None:
    def call(builder: Builder, *arrays: Any) -> Any:
        got = [at_least(arguments.as_array(builder, a), rank) for a in arrays]
        return got[0] if len(got) == 1 else tuple(got)

    registry.adaptor(function)(call)


for _rank, _function in enumerate((np.atleast_1d, np.atleast_2d, np.atleast_3d), 1):
    _at_least_of(_function, _rank)


def leading_ones(value: Val, rank: int) -> Val:
    """The array with axes of length 1 put before its own until there are so many."""
    if value.type.rank == 0 or value.type.rank >= rank:
        return at_least(value, rank) if value.type.rank == 0 else value
    ones = (as_value(value.builder, 1),) * (rank - value.type.rank)
    return reshaped(value, (*ones, *dims(value)))


@registry.adaptor(np.expand_dims)
def _expand_dims(builder: Builder, a: Any, axis: Any) -> Val:
    given = arguments.as_array(builder, a)
    new = axis if isinstance(axis, (tuple, list)) else (axis,)
    rank = given.type.rank + len(new)
    axes = arguments.all_axes(tuple(new), rank)
    if given.type.rank == 0:
        return at_least(given, rank)
    if given.type.ref:
        old = iter(dims(given))
        return reshaped(given, tuple(as_value(builder, 1) if k in axes else next(old) for k in range(rank)))
    return emit(unsqueeze, given, axes=axes)


@registry.adaptor(np.squeeze, methods=("squeeze",))
def _squeeze(builder: Builder, a: Any, axis: Any = None) -> Val:
    given = arguments.as_array(builder, a)
    if axis is None:
        raise UnsupportedError("np.squeeze needs its axis: lengths are not known when the function is compiled")
    axes = arguments.all_axes(axis, given.type.rank)
    lengths = dims(given)
    for k in axes:
        message = "cannot select an axis to squeeze out which has size not equal to one"
        expect_equal(builder, lengths[k], as_value(builder, 1), message)
    if len(axes) == given.type.rank:
        raise UnsupportedError("squeezing all axes is not supported; write x.reshape(-1)[0]")
    if given.type.ref:
        return reshaped(given, tuple(n for k, n in enumerate(lengths) if k not in axes))
    return emit(squeeze, given, axes=axes)


# ---- repeated: NumPy gives views that nothing can be written to, of what may be written to


def _repeated_template(types: Types, params: Params) -> Any:
    low, high = types[0].rank, len(types) - 1
    shape = "".join(f"_{k}, " for k in range(1, high + 1)).removesuffix(" " if high == 1 else ", ")
    if low == 0:
        return f"np.full(({shape}), _0)"
    name = f"broadcast_{low}_to_{high}"
    return f"{name}(_0, ({shape}))", written_out(rearrangements.repeated, types[:1], name)[1]


broadcast_to: Rule = linear(
    "broadcast_to", (), shaped=True, moves=True, fresh=True, transpose=lambda g, x,
    *lengths: unbroadcast(g, extent(x)), template=_repeated_template,
    infer=lambda types, params: (ir.Type(types[0].dtype, len(types) - 1),),
    evaluate=lambda x, *lengths: np.array(np.broadcast_to(x, lengths)),
    samples=[
        (0.7, 3), (line, 2, 3), (line[:1], 4), (0.7, 2, 3), (line[:0], 2, 0), (matrix[:1], 2, 3), (tower, 2, 2, 3),
    ],
)  # fmt: skip


def repeated(x: Val, lengths: Sequence[Val]) -> Val:
    """What nothing may be written to while x changes: x's elements in this shape."""
    if x.type.rank > len(lengths):
        raise UnsupportedError(f"a {x.type.rank}-D array does not broadcast to {len(lengths)}-D")
    return as_copy(broadcast_to(contents(x), *lengths), x, VIEW)


@registry.adaptor(np.broadcast_to)
def _broadcast_to(builder: Builder, x: Any, shape: Any, **options: Any) -> Val:
    arguments.no_options(options, "np.broadcast_to")
    lengths = arguments.lengths(builder, shape)
    if not lengths:
        raise UnsupportedError("np.broadcast_to a shape without axes is not supported; use the number itself")
    return repeated(arguments.as_array(builder, x), lengths)


def common_shape(builder: Builder, values: Sequence[Val]) -> list[Val]:
    """The lengths to which these arrays broadcast."""
    rank = max(v.type.rank for v in values)
    out: list[Val] = []
    for axis in range(-rank, 0):
        here = [length(v, axis + v.type.rank) for v in values if v.type.rank >= -axis]
        chosen = here[0]
        for n in here[1:]:
            same = builder.shapes.length(chosen.atom) == builder.shapes.length(n.atom)
            if static(n) == 1 or same:
                continue
            chosen = n if static(chosen) == 1 else emit(where, emit(equal, chosen, as_value(builder, 1)), n, chosen)
        out.append(chosen)
    return out


@registry.adaptor(np.broadcast_arrays)
def _broadcast_arrays(builder: Builder, *arrays: Any, **options: Any) -> tuple[Val, ...]:
    arguments.no_options(options, "np.broadcast_arrays")
    values = [arguments.as_array(builder, a) for a in arrays]
    lengths = common_shape(builder, values)
    if not lengths:
        raise UnsupportedError("np.broadcast_arrays of numbers only is not supported")
    return tuple(repeated(v, lengths) for v in values)
