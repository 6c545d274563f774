"""Arrays joined and split: np.concatenate, stack, split and their like."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.errors import UnsupportedError
from srcgrad.rules.language import arguments, registry
from srcgrad.rules.language.declare import as_value, cast, settle, static
from srcgrad.rules.language.values import Val, contents
from srcgrad.rules.scalar.arithmetic import floor_divide, remainder
from srcgrad.rules.shapes.axes import along, at_least, expect_equal, leading_ones, memory_of
from srcgrad.rules.shapes.pieces import concatenate
from srcgrad.rules.shapes.shape import dims, length, reshaped

# ---- joined


def _arrays(builder: Builder, given: Any, name: str) -> list[Val]:
    """The arrays (and numbers) that a tuple or list holds, in their common dtype; of an array, its rows."""
    if not isinstance(given, (tuple, list)):
        raise UnsupportedError(f"{name} takes a tuple or a list of arrays")
    if not given:
        raise UnsupportedError(f"{name} needs at least one array")
    values = settle([arguments.as_array(builder, v) for v in given])
    dtype = arguments.result_type([v.type.dtype for v in values])
    return [cast(v, dtype) for v in values]


def _merged(builder: Builder, given: Any, axis: Any, name: str) -> Val | None:
    """The rows of an array joined along an axis that they have; None of anything else."""
    if not isinstance(given, Val) or given.type.rank < 2:
        return None
    place = arguments.one_axis(axis, given.type.rank - 1)
    value = contents(registry.FUNCTIONS[np.moveaxis](builder, given, 0, place))
    sizes = dims(value)
    return contents(reshaped(value, (*sizes[:place], sizes[place] * sizes[place + 1], *sizes[place + 2 :])))


def _joined(builder: Builder, values: Sequence[Val], axis: Any, name: str) -> Val:
    rank = values[0].type.rank
    if rank == 0:
        raise UnsupportedError(f"{name} joins arrays, not numbers; use np.array")
    if any(v.type.rank != rank for v in values):
        raise UnsupportedError(f"{name} joins arrays of one number of axes")
    return concatenate(*values, axis=arguments.one_axis(axis, rank))


@registry.adaptor(np.concatenate)
def _concatenate(builder: Builder, arrays: Any, axis: Any = 0, dtype: Any = None, **options: Any) -> Val:
    arguments.no_options({k: v for k, v in options.items() if (k, v) != ("casting", "same_kind")}, "np.concatenate")
    merged = _merged(builder, arrays, 0 if axis is None else axis, "np.concatenate")
    if merged is not None:
        out = contents(reshaped(merged, -1)) if axis is None else merged
        return out if dtype is None else cast(out, arguments.dtype_of(dtype))
    values = _arrays(builder, arrays, "np.concatenate")
    if axis is None:
        values, axis = [contents(reshaped(v, -1)) for v in values], 0
    out = _joined(builder, values, axis, "np.concatenate")
    return out if dtype is None else cast(out, arguments.dtype_of(dtype))


@registry.adaptor(np.stack)
def _stack(builder: Builder, arrays: Any, axis: Any = 0, dtype: Any = None, **options: Any) -> Val:
    arguments.no_options({k: v for k, v in options.items() if (k, v) != ("casting", "same_kind")}, "np.stack")
    if isinstance(arrays, Val) and arrays.type.rank:
        moved = contents(registry.FUNCTIONS[np.moveaxis](builder, arrays, 0, axis))
        return moved if dtype is None else cast(moved, arguments.dtype_of(dtype))
    return stacked(builder, _arrays(builder, arrays, "np.stack"), axis, "np.stack", dtype)


def stacked(builder: Builder, values: Sequence[Val], axis: Any, name: str, dtype: Any = None) -> Val:
    first = values[0]
    rank = first.type.rank
    if any(v.type.rank != rank for v in values):
        raise UnsupportedError(f"{name} stacks arrays of one shape")
    lengths = dims(first)
    for other in values[1:]:
        for a, b in zip(lengths, dims(other), strict=True):
            expect_equal(builder, a, b, f"all arrays of {name} must have the same shape")
    place = arguments.one_axis(axis, rank + 1)
    shape = [n.atom for n in (*lengths[:place], as_value(builder, len(values)), *lengths[place:])]
    new = builder.alloc(first.type.dtype if dtype is None else arguments.dtype_of(dtype), shape, ir.Init.EMPTY)
    for k, value in enumerate(values):
        element = arguments.scalar_type(new.type.dtype).dtype if rank == 0 else new.type.dtype
        builder.store(new, along(place, rank + 1, ir.Const(k, ir.I8)), cast(value, element).atom)
    return Val(builder, new)


def _at_least(values: Sequence[Val], rank: int) -> list[Val]:
    return [contents(at_least(v, rank)) for v in values]


@registry.adaptor(np.hstack)
def _hstack(builder: Builder, arrays: Any, **options: Any) -> Val:
    arguments.no_options(options, "np.hstack")
    if isinstance(arrays, Val) and arrays.type.rank:
        rank = arrays.type.rank
        return contents(arrays) if rank == 1 else _rows(_merged(builder, arrays, 0 if rank == 2 else 1, "np.hstack"))
    values = _arrays(builder, arrays, "np.hstack")
    if all(v.type.rank == 0 for v in values):
        return stacked(builder, values, 0, "np.hstack")
    values = _at_least(values, 1)
    return _joined(builder, values, 0 if values[0].type.rank == 1 else 1, "np.hstack")


@registry.adaptor(np.vstack)
def _vstack(builder: Builder, arrays: Any, **options: Any) -> Val:
    arguments.no_options(options, "np.vstack")
    if isinstance(arrays, Val) and arrays.type.rank:
        if arrays.type.rank == 1:
            return contents(reshaped(arrays, (length(arrays, 0), 1)))
        return contents(arrays) if arrays.type.rank == 2 else _rows(_merged(builder, arrays, 0, "np.vstack"))
    values = _arrays(builder, arrays, "np.vstack")
    if all(v.type.rank == 1 for v in values):
        return stacked(builder, values, 0, "np.vstack")
    return _joined(builder, _at_least(values, 2), 0, "np.vstack")


@registry.adaptor(np.dstack)
def _dstack(builder: Builder, arrays: Any) -> Val:
    if isinstance(arrays, Val) and arrays.type.rank:
        return _dstack_of_rows(builder, arrays)
    values = _arrays(builder, arrays, "np.dstack")
    if all(v.type.rank == 2 for v in values):
        return stacked(builder, values, 2, "np.dstack")
    return _joined(builder, _at_least(values, 3), 2, "np.dstack")


def _rows(merged: Val | None) -> Val:
    assert merged is not None
    return merged


def _dstack_of_rows(builder: Builder, array: Val) -> Val:
    if array.type.rank > 3:
        return _rows(_merged(builder, array, 2, "np.dstack"))
    moved = contents(registry.FUNCTIONS[np.moveaxis](builder, array, 0, -1))
    return contents(reshaped(moved, (*[1] * (3 - moved.type.rank), *dims(moved))))


@registry.adaptor(np.column_stack)
def _column_stack(builder: Builder, arrays: Any) -> Val:
    if isinstance(arrays, Val) and arrays.type.rank > 1:
        if arrays.type.rank == 2:
            return contents(registry.FUNCTIONS[np.transpose](builder, arrays))
        return _rows(_merged(builder, arrays, 1, "np.column_stack"))
    values = _arrays(builder, arrays, "np.column_stack")
    if any(v.type.rank == 0 for v in values):
        raise UnsupportedError("np.column_stack takes arrays, not numbers")
    if all(v.type.rank == 1 for v in values):
        return stacked(builder, values, 1, "np.column_stack")
    columns = [contents(reshaped(v, (length(v, 0), 1))) if v.type.rank == 1 else v for v in values]
    return _joined(builder, columns, 1, "np.column_stack")


@registry.adaptor(np.block)
def _block(builder: Builder, arrays: Any) -> Val:
    """Nested lists: the innermost are joined along the last axis, those around them along the one before."""
    depth = _depth(arrays)
    values = settle(_leaves(builder, arrays))
    if depth == 0:
        return contents(values[0])
    rank = max(depth, *(v.type.rank for v in values))
    dtype = arguments.result_type([v.type.dtype for v in values])
    given = iter([contents(leading_ones(cast(v, dtype), rank)) for v in values])

    def joined(level: int, item: Any) -> Val:
        if not isinstance(item, (tuple, list)):
            return next(given)
        parts = [joined(level + 1, one) for one in item]
        return concatenate(*parts, axis=rank - depth + level)

    return joined(0, arrays)


def _depth(arrays: Any) -> int:
    if not isinstance(arrays, (tuple, list)):
        return 0
    depths = {_depth(item) for item in arrays}
    if len(depths) != 1:
        raise UnsupportedError("np.block takes lists that are nested alike, and not empty")
    return 1 + depths.pop()


def _leaves(builder: Builder, arrays: Any) -> list[Val]:
    if not isinstance(arrays, (tuple, list)):
        return [contents(arguments.as_array(builder, arrays))]
    return [leaf for item in arrays for leaf in _leaves(builder, item)]


@registry.adaptor(np.append)
def _append(builder: Builder, x: Any, values: Any, axis: Any = None) -> Val:
    given = [contents(arguments.as_array(builder, v)) for v in (x, values)]  # a number is an array to it
    dtype = arguments.result_type([v.type.dtype for v in given])
    both = [cast(v, dtype) for v in given]
    if axis is None:
        both, axis = [contents(reshaped(at_least(v, 1), -1)) for v in both], 0
    return _joined(builder, both, axis, "np.append")


@registry.adaptor(np.delete)
def _delete(builder: Builder, x: Any, place: Any, axis: Any = None) -> Val:
    memory, axis = _flat_if_none(memory_of(builder, x, "np.delete"), axis)
    where = as_value(builder, place)
    if where.type != ir.I8:
        raise UnsupportedError("np.delete takes one place here; choose what stays with an array of indices")
    known, rank = static(where), memory.type.rank
    start = where if known is None or known.real >= 0 else length(memory, axis) + where
    before = builder.view(_ref(memory), along(axis, rank, ir.Slice(None, start.atom)))
    after = builder.view(_ref(memory), along(axis, rank, ir.Slice((start + 1).atom)))
    return concatenate(*(contents(Val(builder, v)) for v in (before, after)), axis=axis)


def _flat_if_none(memory: Val, axis: Any) -> tuple[Val, int]:
    if axis is None:
        return reshaped(memory, -1), 0
    return memory, arguments.one_axis(axis, memory.type.rank)


# ---- split


def _ref(value: Val) -> ir.Var:
    assert isinstance(value.atom, ir.Var)
    return value.atom


def _pieces(builder: Builder, memory: Val, bounds: Sequence[Any], axis: int) -> list[Val]:
    """Views of what lies between the bounds, of which the first and the last are None."""

    def view(start: Any, stop: Any) -> Val:
        where = along(axis, memory.type.rank, ir.Slice(start and start.atom, stop and stop.atom))
        return Val(builder, builder.view(_ref(memory), where))

    return [view(a, b) for a, b in pairwise(bounds)]


def _split_at(builder: Builder, memory: Val, places: Any, axis: int) -> list[Val]:
    bounds = [as_value(builder, p) for p in places]
    if any(b.type != ir.I8 for b in bounds):
        raise UnsupportedError("the places of a split must be integers")
    return _pieces(builder, memory, [None, *bounds, None], axis)


def _sections(builder: Builder, memory: Val, count: int, axis: int, even: bool, name: str) -> list[Val]:
    if count < 1:
        raise UnsupportedError(f"{name} needs at least one section")
    n = length(memory, axis)
    size, extra = floor_divide(n, count), remainder(n, count)
    if even:
        expect_equal(builder, extra, as_value(builder, 0), f"{name} does not result in an equal division")
        bounds = [size * k for k in range(1, count)]
    else:
        smaller = registry.FUNCTIONS[min]
        bounds = [size * k + smaller(builder, extra, as_value(builder, k)) for k in range(1, count)]
    return _pieces(builder, memory, [None, *bounds, None], axis)


def _split(builder: Builder, x: Any, sections: Any, axis: Any, even: bool, name: str) -> list[Val]:
    memory = memory_of(builder, x, name)
    where = arguments.one_axis(axis, memory.type.rank)
    if isinstance(sections, (tuple, list)):
        return _split_at(builder, memory, sections, where)
    return _sections(builder, memory, arguments.integer(sections, "the number of sections"), where, even, name)


@registry.adaptor(np.split)
def _np_split(builder: Builder, x: Any, sections: Any, axis: Any = 0) -> list[Val]:
    return _split(builder, x, sections, axis, True, "np.split")


@registry.adaptor(np.array_split)
def _array_split(builder: Builder, x: Any, sections: Any, axis: Any = 0) -> list[Val]:
    return _split(builder, x, sections, axis, False, "np.array_split")


@registry.adaptor(np.hsplit)
def _hsplit(builder: Builder, x: Any, sections: Any) -> list[Val]:
    rank = arguments.as_array(builder, x).type.rank
    return _split(builder, x, sections, 0 if rank == 1 else 1, True, "np.hsplit")


@registry.adaptor(np.vsplit)
def _vsplit(builder: Builder, x: Any, sections: Any) -> list[Val]:
    if arguments.as_array(builder, x).type.rank < 2:
        raise UnsupportedError("np.vsplit takes arrays of two axes or more")
    return _split(builder, x, sections, 0, True, "np.vsplit")


@registry.adaptor(np.dsplit)
def _dsplit(builder: Builder, x: Any, sections: Any) -> list[Val]:
    if arguments.as_array(builder, x).type.rank < 3:
        raise UnsupportedError("np.dsplit takes arrays of three axes or more")
    return _split(builder, x, sections, 2, True, "np.dsplit")
