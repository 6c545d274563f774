"""Where a reference's elements lie: views and slices as arithmetic on indices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from srcgrad.core import ir
from srcgrad.core.ir import Atom, Const, Var
from srcgrad.schedule.broadcasting import at_broadcast, broadcast
from srcgrad.schedule.elements import ONE, READ, ZERO, Elements, Place, Writer
from srcgrad.schedule.rearrangements import moved

MINUS_ONE = Const(-1, ir.I8)


@dataclass(frozen=True, eq=False, slots=True)
class Memory:
    """What a reference stands for: a variable that holds an array, and the place there of each of its elements (None:
    the same place).   family: the class of all references that may share this memory.   exact: whether the array is no
    longer than this, as those that the caller gives to be worked in may be."""

    root: Var
    dims: tuple[Atom, ...]
    family: Var
    where: Callable[[Place], Place] | None = None
    source: Elements | None = None  # what computes an element, if there is no array to be read
    exact: bool = True
    whole: Callable[[], Atom] | None = None  # of a view: emits what it holds, as one array
    turned: Callable[[], Atom] | None = None  # the same transposed

    @property
    def counts(self) -> bool:
        """Whether an index that counts from the end may be left to the array."""
        return self.where is None and self.source is None and self.exact

    def read(self, writer: Writer, place: Place) -> Atom:
        """Its element at a place."""
        there = self.place(place)
        return writer.builder.load(self.root, there) if self.source is None else self.source.at(there)

    def place(self, place: Place) -> Place:
        return place if self.where is None else self.where(place)

    def part(self, dims: Sequence[Atom], where: Callable[[Place], Place]) -> Memory:
        """A view: where its elements stand in this."""
        return Memory(self.root, tuple(dims), self.family, lambda place: self.place(where(place)), self.source)


@dataclass(frozen=True, eq=False, slots=True)
class Selection:
    """An index: the lengths of what it selects, and where each element of that stands."""

    dims: tuple[Atom, ...]
    where: Callable[[Place], Place]
    reads: frozenset[Var]


class Part(NamedTuple):
    """A slice that is known to lie within the axis."""

    start: Atom
    step: Atom
    length: Atom


Items = Sequence[Elements | ir.Slice | Part | Atom]


def select(writer: Writer, index: Items, memory: Memory) -> Selection:
    """NumPy's meaning of an index of memory, complete and without booleans."""
    arrays = [i for i in index if isinstance(i, Elements)]
    if not arrays:
        return _basic(writer, index, memory)
    return _advanced(writer, index, memory, arrays)


def _basic(writer: Writer, index: Items, memory: Memory) -> Selection:
    dims = memory.dims
    runs = [_run(writer, i, n) if isinstance(i, (ir.Slice, Part)) else None for i, n in zip(index, dims, strict=True)]
    fixed = [
        None if isinstance(i, (ir.Slice, Part, Elements)) else _from_start(writer, i, n, memory)
        for i, n in zip(index, dims, strict=True)
    ]

    def where(place: Place) -> Place:
        inner = iter(place)
        return tuple(
            fix if run is None and fix is not None else _at(writer, run, next(inner))
            for run, fix in zip(runs, fixed, strict=True)
        )

    return Selection(tuple(run.length for run in runs if run is not None), where, frozenset())


def _at(writer: Writer, run: Part | None, index: Atom) -> Atom:
    assert run is not None
    if run.step == MINUS_ONE:
        return writer.minus(run.start, index)
    return writer.plus(writer.times(index, run.step), run.start)


def _from_start(writer: Writer, item: Atom, length: Atom, memory: Memory) -> Atom:
    """An index that may count from the end, from the start: compiled code does that itself for an array that is as long
    as the memory, but not for a view, which is arithmetic."""
    if isinstance(item, Const):
        if item.value.real >= 0 or (memory.counts and not isinstance(length, Const)):
            return item
        return writer.op("add", item, length)
    if memory.counts or item in writer.natural:
        return item
    return writer.op("where", writer.op("less", item, ZERO), writer.op("add", item, length), item)


def _run(writer: Writer, item: ir.Slice | Part, length: Atom) -> Part:
    """Where a slice starts, its step, and how many it selects."""
    if isinstance(item, Part):
        return item
    step = item.step or ONE
    if item.start is None and item.stop is None and step in (ONE, MINUS_ONE):
        return Part(ZERO if step == ONE else writer.minus(length, ONE), step, length)
    cut = _cut(item) if step == ONE else None
    if cut is not None:  # where nothing is left, it does not matter where that starts
        return Part(item.start or ZERO, ONE, _shorter(writer, length, cut))
    first, end, low, high = _limits(writer, step, length)
    start = first if item.start is None else _clipped(writer, item.start, length, low, high)
    stop = end if item.stop is None else _clipped(writer, item.stop, length, low, high)
    count = _shorter(writer, stop, start) if step == ONE else writer.op("trips", start, stop, step)
    return Part(start, step, count)


def _cut(item: ir.Slice) -> Const | None:
    """How many elements the slice leaves out at the ends, if it says so by literals alone."""
    start, stop = item.start or ZERO, item.stop
    if not isinstance(start, Const) or start.value.real < 0:
        return None
    if stop is not None and (not isinstance(stop, Const) or stop.value.real >= 0):
        return None
    return Const(int(start.value.real - (0 if stop is None else stop.value.real)), ir.I8)


def _shorter(writer: Writer, length: Atom, cut: Atom) -> Atom:
    """A length less what is left out, or 0."""
    left = writer.minus(length, cut)
    return left if left is length else writer.op("nonnegative", left)


def _limits(writer: Writer, step: Atom, length: Atom) -> tuple[Atom, Atom, Atom, Atom]:
    """Where a slice of this step starts and stops if that is not said, and between which places it may."""
    before, last = MINUS_ONE, writer.minus(length, ONE)
    if isinstance(step, Const):
        return (ZERO, length, ZERO, length) if step.value.real > 0 else (last, before, before, last)
    back = writer.op("less", step, ZERO)
    low, high = writer.op("where", back, before, ZERO), writer.op("where", back, last, length)
    return writer.op("where", back, last, ZERO), writer.op("where", back, before, length), low, high


def _clipped(writer: Writer, atom: Atom, length: Atom, low: Atom, high: Atom) -> Atom:
    """A slice's bound, counted from the start and within the axis."""
    if isinstance(atom, Const) and isinstance(length, Const) and isinstance(low, Const) and isinstance(high, Const):
        n, value = int(length.value.real), int(atom.value.real)
        first, end = int(low.value.real), int(high.value.real)
        return Const(min(max(value + n if value < 0 else value, first), end), ir.I8)
    if atom in writer.natural:
        pass
    elif not isinstance(atom, Const):
        negative = writer.op("less", atom, ZERO)
        atom = writer.op("where", negative, writer.op("add", atom, length), atom)
    elif atom.value.real < 0:
        atom = writer.op("add", atom, length)
    elif atom == ZERO and low == ZERO:
        return ZERO
    if atom not in writer.natural or low != ZERO:
        atom = writer.op("larger", atom, low)
    return writer.op("where", writer.op("less", atom, high), atom, high)


def _advanced(writer: Writer, index: Items, memory: Memory, arrays: Sequence[Elements]) -> Selection:
    """Arrays of places among the indices: what they are broadcast to stands where they do, or in front if slices stand
    between them."""
    own, dims = [writer.cheap(a) for a in arrays], memory.dims
    shape = broadcast(writer, [a.dims for a in own])
    rank = len(shape)
    slots = [k for k, i in enumerate(index) if not isinstance(i, (ir.Slice, Part))]
    adjacent = slots[-1] - slots[0] + 1 == len(slots)
    runs = {k: _run(writer, i, dims[k]) for k, i in enumerate(index) if isinstance(i, (ir.Slice, Part))}
    front = sum(1 for k in runs if k < slots[0]) if adjacent else 0
    counts = [run.length for run in runs.values()]
    given = iter(own)
    items = [next(given) if isinstance(i, Elements) else i for i in index]

    def where(place: Place) -> Place:
        shared, rest = place[front : front + rank], iter((*place[:front], *place[front + rank :]))
        out: list[Atom] = []
        for k, item in enumerate(items):
            if isinstance(item, (ir.Slice, Part)):
                out.append(_at(writer, runs[k], next(rest)))
            else:
                out.append(_from_start(writer, at_broadcast(writer, item, shared, shape), dims[k], memory))
        return tuple(out)

    reads = frozenset().union(*(a.reads for a in own))
    return Selection((*counts[:front], *shape, *counts[front:]), where, reads)


def view(writer: Writer, base: Memory, how: Selection | ir.Transpose | Sequence[Atom]) -> Memory:
    """The memory that a view stands for; a sequence of lengths reshapes."""
    if isinstance(how, Selection):
        return base.part(how.dims, how.where)
    if isinstance(how, ir.Transpose):
        axes = how.axes
        return base.part(
            [base.dims[k] for k in axes], lambda place: tuple(place[axes.index(k)] for k in range(len(axes)))
        )
    return base.part(how, lambda place: moved(writer, place, how, base.dims))


def elements_of(writer: Writer, memory: Memory, chosen: Selection | None = None) -> Elements:
    """What memory holds (at the places of a selection), read when it is asked for."""
    dtype, source = memory.root.type.dtype, memory.source
    reads = frozenset({memory.family}) | (frozenset() if source is None else source.reads)
    if chosen is None:
        return Elements(dtype, memory.dims, lambda p: memory.read(writer, p), READ, reads)
    places = chosen.where
    return Elements(dtype, chosen.dims, lambda p: memory.read(writer, places(p)), READ, reads | chosen.reads)
