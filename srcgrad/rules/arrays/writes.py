"""Functions that write into an array at places: put, place, putmask, put_along_axis; and insert."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import Builder, whole
from srcgrad.errors import UnsupportedError
from srcgrad.rules.arrays.evenly_spaced import spaced
from srcgrad.rules.arrays.fancy_index import _as_element as as_element
from srcgrad.rules.arrays.fancy_index import true_places, write
from srcgrad.rules.arrays.gather import argsort
from srcgrad.rules.arrays.take_sort_pad import taken
from srcgrad.rules.language import arguments, registry
from srcgrad.rules.language.declare import as_value, cast, settle
from srcgrad.rules.language.values import Val, contents, emit
from srcgrad.rules.scalar.arithmetic import floor_divide, remainder
from srcgrad.rules.scalar.compare import less, where
from srcgrad.rules.shapes.axes import along, memory_of
from srcgrad.rules.shapes.pieces import concatenate
from srcgrad.rules.shapes.shape import count, dims, length, reshape, reshaped


def written(x: Any, name: str) -> ir.Var:
    """The memory of an array that is written into."""
    if not isinstance(x, Val) or not isinstance(x.atom, ir.Var) or not x.type.ref:
        raise UnsupportedError(f"{name} needs an array that has a name")
    return x.atom


def _line(value: Val) -> Val:
    """The elements in one row."""
    return value if value.type.rank <= 1 else reshape(value, count(value))


def _integers(builder: Builder, given: Any, name: str) -> Val:
    value = contents(arguments.as_array(builder, given))
    if value.type.dtype[0] not in "iu":
        raise UnsupportedError(f"the places of {name} must be integers")
    return value


def unravelled(places: Val, lengths: Sequence[Val]) -> list[Val]:
    """Places in the one row of all elements as places along each axis; what is out of range stays so."""
    out: list[Val] = []
    for n in reversed(lengths[1:]):
        out.append(emit(remainder, places, n))
        places = emit(floor_divide, places, n)
    return [places, *reversed(out)]


def _put_in_row(ref: ir.Var, places: Val, value: Val) -> None:
    """ref.flat[places] = value"""
    builder = places.builder
    write(builder, ref, tuple(v.atom for v in unravelled(places, dims(Val(builder, ref)))), value)


def _round(value: Val, places: Val) -> Val:
    """The elements of value at these places, from the start again where there are not so many."""
    if value.type.rank == 0:
        return value
    memory = memory_of(value.builder, _line(value), "")
    return taken(memory, emit(remainder, places, length(memory, 0)), 0)


@registry.adaptor(np.put, methods=("put",))
def _put(builder: Builder, a: Any, ind: Any, v: Any, mode: Any = "raise") -> None:
    ref = written(a, "np.put")
    if mode != "raise":
        raise UnsupportedError("np.put is differentiated with mode='raise' only")
    places = _line(_integers(builder, ind, "np.put"))
    if places.type.rank == 0:
        places = contents(registry.FUNCTIONS[np.array](builder, [places]))
    size = count(Val(builder, ref))
    places = emit(where, emit(less, places, as_value(builder, 0)), places + size, places)
    value = contents(arguments.as_array(builder, v))
    _put_in_row(ref, places, as_element(ref, _round(value, spaced(length(places, 0)))))


@registry.adaptor(np.put_along_axis)
def _put_along_axis(builder: Builder, arr: Any, indices: Any, values: Any, axis: Any) -> None:
    ref = written(arr, "np.put_along_axis")
    places, value = _integers(builder, indices, "np.put_along_axis"), contents(arguments.as_array(builder, values))
    rank = ref.type.rank
    if axis is None or places.type.rank != rank:
        raise UnsupportedError("np.put_along_axis takes an axis, and places of as many axes as the array has")
    over, one = arguments.one_axis(axis, rank), as_value(builder, 1)
    index: list[ir.Atom] = []
    for k in range(rank):
        standing = tuple(length(Val(builder, ref), k) if j == k else one for j in range(rank))
        row = spaced(standing[k]) if k != over else places
        index.append(row.atom if k == over or rank == 1 else reshape(row, *standing).atom)
    write(builder, ref, tuple(index), as_element(ref, value))


def _where_true(builder: Builder, ref: ir.Var, mask: Any, name: str) -> Val:
    given = contents(arguments.as_array(builder, mask))
    if given.type.rank != ref.type.rank:
        raise UnsupportedError(f"the mask of {name} must have the shape of the array")
    for k in range(ref.type.rank):
        message = f"the mask of {name} must have the shape of the array"
        _expect(builder, length(given, k), length(Val(builder, ref), k), message)
    (found,) = true_places(_line(given))
    return contents(found)


def _expect(builder: Builder, a: Val, b: Val, message: str) -> None:
    if not builder.shapes.same_length(a.atom, b.atom):
        raising = ir.Effect(f"raise ValueError({message!r})", span=builder.span)
        wrong = registry.FUNCTIONS[np.not_equal](builder, a, b)
        builder.put(ir.If(wrong.atom, (raising,), (), span=builder.span))


@registry.adaptor(np.putmask)
def _putmask(builder: Builder, a: Any, mask: Any, values: Any) -> None:
    ref = written(a, "np.putmask")
    places = _where_true(builder, ref, mask, "np.putmask")
    _put_in_row(ref, places, as_element(ref, _round(contents(arguments.as_array(builder, values)), places)))


@registry.adaptor(np.place)
def _place(builder: Builder, arr: Any, mask: Any, vals: Any) -> None:
    ref = written(arr, "np.place")
    places = _where_true(builder, ref, mask, "np.place")
    given = arguments.as_array(builder, vals)
    if isinstance(given.atom, ir.Var) and given.type.ref:
        builder.layouts.apart(given.atom, ref)
    value = contents(given)
    _put_in_row(ref, places, as_element(ref, _round(value, spaced(length(places, 0)))))


# ---- insert


@registry.adaptor(np.insert)
def _insert(builder: Builder, arr: Any, obj: Any, values: Any, axis: Any = None) -> Val:
    memory = memory_of(builder, arr, "np.insert")
    value = contents(arguments.as_array(builder, values))
    if axis is None:
        memory, axis, value = reshaped(memory, -1), 0, _line(value)
    rank = memory.type.rank
    where_, place = arguments.one_axis(axis, rank), contents(arguments.as_array(builder, obj))
    old, new = settle([contents(memory), value])
    new = cast(new, old.type.dtype)
    if place.type.rank == 0 and place.type == ir.I8:
        return _inserted(builder, memory_of(builder, old, ""), place, new, where_)
    if rank != 1 or place.type.rank != 1 or place.type.dtype[0] not in "iu":
        raise UnsupportedError("np.insert takes one place, or an array of places in an array of one axis")
    return _spread_in(builder, old, place, new)


def _inserted(builder: Builder, memory: Val, place: Val, value: Val, axis: int) -> Val:
    """The array with value (a number, one slice, or several in one row) put in front of the place."""
    rank, n = memory.type.rank, length(memory, axis)
    place = emit(where, emit(less, place, as_value(builder, 0)), place + n, place)
    raising = ir.Effect("raise IndexError('the place of np.insert is out of bounds')", span=builder.span)
    outside = registry.FUNCTIONS[np.logical_or](builder, place > n, place < 0)
    builder.put(ir.If(outside.atom, (raising,), (), span=builder.span))
    if value.type.rank not in (0, 1 if rank == 1 else rank - 1):
        raise UnsupportedError("np.insert takes a number or one slice of the array to insert")
    if value.type.rank < rank:
        lengths = [as_value(builder, 1) if k == axis else length(memory, k) for k in range(rank)]
        room = builder.alloc(memory.type.dtype, [k.atom for k in lengths], "empty", "values")
        builder.store(room, along(axis, rank, ir.Const(0, ir.I8)) if value.type.rank else whole(room), value.atom)
        value = contents(Val(builder, room))
    assert isinstance(memory.atom, ir.Var)
    before = builder.view(memory.atom, along(axis, rank, ir.Slice(None, place.atom)))
    after = builder.view(memory.atom, along(axis, rank, ir.Slice(place.atom)))
    return concatenate(contents(Val(builder, before)), value, contents(Val(builder, after)), axis=axis)


def _spread_in(builder: Builder, old: Val, places: Val, value: Val) -> Val:
    """One value in front of each of several places: what is written last moves what stands behind."""
    n, more = length(old, 0), length(places, 0)
    order = argsort(emit(where, emit(less, places, as_value(builder, 0)), places + n, places), axis=0)
    at = emit(where, emit(less, places, as_value(builder, 0)), places + n, places)
    settled = taken(memory_of(builder, at, ""), order, 0) + spaced(more)
    out = builder.alloc(old.type.dtype, [(n + more).atom], "empty")
    free = builder.alloc("i8", [(n + more).atom], ir.Const(1, ir.I8), "free")
    write(builder, free, (settled.atom,), as_value(builder, 0))
    (rest,) = true_places(Val(builder, free))
    chosen = value if value.type.rank == 0 else taken(memory_of(builder, value, ""), order, 0)
    write(builder, out, (settled.atom,), chosen)
    write(builder, out, (contents(rest).atom,), old)
    return Val(builder, out)


# ---- one element


def _item(builder: Builder, x: Any, *places: Any) -> Val:
    """The only element, the one at a place in the one row of all, or at a place along each axis."""
    given = arguments.as_array(builder, x)
    if given.type.rank == 0:
        return given
    memory = memory_of(builder, given, "item")
    assert isinstance(memory.atom, ir.Var)
    numbers = [p for place in places for p in (place if isinstance(place, (tuple, list)) else (place,))]
    if not numbers:
        _expect(builder, count(memory), as_value(builder, 1), "can only convert an array of size 1 to a Python scalar")
        numbers = [as_value(builder, 0)] * memory.type.rank
    where_ = [as_value(builder, p) for p in numbers]
    if len(where_) == 1 < memory.type.rank:
        start = emit(where, emit(less, where_[0], as_value(builder, 0)), where_[0] + count(memory), where_[0])
        where_ = unravelled(start, dims(memory))
    if len(where_) != memory.type.rank or any(p.type != ir.I8 for p in where_):
        raise UnsupportedError("item takes no place, one, or one along each axis")
    return Val(builder, builder.load(memory.atom, tuple(p.atom for p in where_)))


registry.METHODS["item"] = _item
