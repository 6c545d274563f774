"""Lists whose length is not known: one array for each leaf of an item, and a count.

A list starts with items that are each known. Where it is indexed by a number that is not known, or comes out of a loop
or a branch with another length than it had, it becomes such rows: `outgrown` sees that, and what led there is lowered
again. Memory of unknown length grows when it is stored to; that of a list which a counted loop fills is made at once.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import scalar_of
from srcgrad.core.ir import Atom, Const, Var
from srcgrad.frontend.lowering import joining, values
from srcgrad.frontend.lowering.state import State
from srcgrad.frontend.lowering.values import Content, Poison, Rows, Struct, Value
from srcgrad.rules.language.integers import nonnegative
from srcgrad.rules.language.values import Val, contents
from srcgrad.rules.shapes.shape import dim

REPEATED = 32  # a list of more items than that is one of rows
ZERO, ONE = Const(0, ir.I8), Const(1, ir.I8)


@dataclass(frozen=True, eq=False, slots=True)
class Wanted:
    """What a list must become: rows of such items; `counted`: so many more each iteration of a counted loop."""

    item: Value
    grows: bool
    counted: int = 0


def plus(low: State, a: Atom, b: Atom) -> Atom:
    if ZERO in (a, b):
        return b if a == ZERO else a
    if isinstance(a, Const) and isinstance(b, Const):
        return Const(int(a.value.real) + int(b.value.real), ir.I8)
    return low.atom(low.apply(operator.add, a, b))


def nonnegative_of(low: State, n: Atom) -> Atom:
    """max(n, 0); the length of an array is not negative."""
    if isinstance(n, Const):
        return n if int(n.value.real) >= 0 else ZERO
    if n in low.lists.of_arrays:
        return n
    rows: Atom = low.b.let(nonnegative, n, name="n")
    return rows


OUTSIDE = ("IndexError", "list index out of range", "an index of n items lies from -n to n - 1")


def expect_equal(low: State, a: Atom, b: Atom, message: str) -> None:
    """Raise ValueError at run time unless two integers are equal."""
    if not values.identical(a, b):
        low.demand("equal", a, b, ("ValueError", message, ""), low.frame.node)


# ---- what an item is


def model(low: State, items: Sequence[Value]) -> Value:
    """The structure and the types of items, which must have one structure."""
    if not items:
        low.refuse("cannot infer the item type of this empty list", "append to it in the function that makes it")
    item = _typed(low, items[0])
    for other in items[1:]:
        pair = joining.align(item, _typed(low, other), "an item")
        if isinstance(pair, Poison):
            low.refuse(f"a list of unknown length holds {_one(items[0])} and {_one(other)}", "make its items alike")
        both = zip(values.leaves(pair[0]), values.leaves(pair[1]), strict=True)
        item = values.refill(pair[0], iter([_leaf(x, y, joining.join_atoms(x, y)) for x, y in both]))
    return item


def _one(value: Value) -> str:
    return values.describe(value)


def _typed(low: State, value: Value) -> Value:
    return values.copied(low.settle(value, "a"), locked="it is an item of a list of unknown length")


def _leaf(atom: Atom, other: Atom, type: ir.Type) -> Atom:
    """What stands for both. A literal beside a literal stays one, as long as its type is its own: it gives way to
    single precision."""
    stays = atom.type == type and (isinstance(other, Const) or not isinstance(atom, Const))
    return atom if stays else Var("item", type)


# ---- from items to rows


def outgrown(low: State, head: Content, ends: Sequence[Content], counted: bool) -> Wanted | None:
    """What a list must become if it holds this at first, and one of these in the end; None if it may stay.
    counted: the end is that of each iteration of a counted loop, from which nothing leaves."""
    kinds = [head[2], *(end[2] for end in ends)]
    if any(isinstance(rows, Poison) for rows in kinds):
        return None
    if not any(isinstance(rows, Rows) for rows in kinds) and len({len(held) for _, held, _ in (head, *ends)}) == 1:
        return None
    if all(isinstance(rows, Rows) for rows in kinds) and len({rows.memory for rows in kinds}) == 1:  # type: ignore[union-attr]
        return None
    items = [*head[1], *(v for _, held, _ in ends for v in held)]
    items += [rows.item for rows in kinds if isinstance(rows, Rows)]
    lengths = [rows.count if isinstance(rows, Rows) else Const(len(held), ir.I8) for _, held, rows in (head, *ends)]
    if all(values.identical(n, lengths[0]) for n in lengths):
        grows = any(isinstance(rows, Rows) and rows.grows for rows in kinds)
        return Wanted(model(low, items), grows)
    if counted and not any(isinstance(rows, Rows) for rows in kinds):
        more = len(ends[0][1]) - len(head[1])
        if more > 0 and all(map(values.identical, head[1], ends[0][1])):
            return Wanted(model(low, items), False, more)
    return Wanted(model(low, items), True)


def become(low: State, struct: Struct, wanted: Wanted, room: Atom | None = None) -> None:
    """Turn a list into rows, here. room: for so many, which a counted loop will append."""
    _, held, rows = struct.content
    count: Atom = rows.count if isinstance(rows, Rows) else Const(len(held), ir.I8)
    exact = room is None and not wanted.grows
    room = room or (None if wanted.grows else count)
    name = struct.label or "items"
    memory = [_memory(low, leaf, room, name) for leaf in values.leaves(wanted.item)]
    new = Rows(wanted.item, tuple(memory), count, exact, wanted.grows)
    if isinstance(rows, Rows):
        new = replace(new, memory=_moved(low, rows, new))
    else:
        for k, item in enumerate(held):
            _put(low, new, Const(k, ir.I8), item)
    low.put_content(struct, ((), (), new))


def _memory(low: State, leaf: Atom, room: Atom | None, name: str) -> Var:
    if leaf.type.ref:
        none = low.b.alloc(leaf.type.dtype, [ZERO] * leaf.type.rank, ir.Init.EMPTY, "none")
        refs = Var(name, ir.Type(leaf.type.dtype, leaf.type.rank, many=True))
        low.b.put(ir.NewList(refs, none, span=low.b.span))
        return refs
    return low.b.alloc("f4" if _gives_way(low, leaf) else leaf.type.dtype, (room,), ir.Init.EMPTY, name)


def _gives_way(low: State, atom: Atom) -> bool:
    """Whether a literal gives way to single precision."""
    return low.setting.single and isinstance(atom, Const) and atom.type == ir.F8


def _moved(low: State, old: Rows, new: Rows) -> tuple[Var, ...]:
    """The new memory, with the old one's items; lists of arrays stay."""
    pairs = list(zip(old.memory, new.memory, strict=True))
    index = Var("i", ir.I8)
    with low.b.block() as body:
        for was, now in pairs:
            if not was.type.many:
                value = low.converted(low.b.load(was, (index,)), scalar_of(now.type))
                low.b.store(now, (index,), value)
    if body:
        low.b.put(ir.For(index, ZERO, old.count, ONE, (), tuple(body), span=low.b.span))
    return tuple(was if was.type.many else now for was, now in pairs)


def _put(low: State, rows: Rows, place: Atom, value: Value) -> None:
    """Store an item's leaves; a list of arrays only takes one at its end."""
    for memory, atom in zip(rows.memory, values.leaves(_fitting(low, rows, value)), strict=True):
        if memory.type.many:
            assert isinstance(atom, Var)
            low.b.put(ir.Append(memory, atom, Var("place", ir.I8), span=low.b.span))
        else:
            low.b.store(memory, (place,), low.converted(atom, scalar_of(memory.type)))


def _fitting(low: State, rows: Rows, value: Value) -> Value:
    """The value in the structure of the items."""
    value = _typed(low, value)
    pair = joining.align(rows.item, value, "an item")
    if isinstance(pair, Poison):
        low.refuse(f"a list of unknown length holds {_one(rows.item)}, not {_one(value)}", "make its items alike")
    return pair[1]


# ---- what can be done with rows


def fits(low: State, rows: Rows, value: Value) -> bool:
    """Whether the value can be stored without changing the type of the items."""
    value = _typed(low, value)
    pair = joining.align(rows.item, value, "an item")
    if isinstance(pair, Poison):
        return False
    both = zip(values.leaves(pair[0]), values.leaves(pair[1]), rows.memory, strict=True)
    return all(m.type.many or _joined(low, x, y) == scalar_of(m.type) for x, y, m in both)


def _joined(low: State, x: Atom, y: Atom) -> ir.Type:
    """The type of what holds both; two literals give way to single precision, as where the memory is made."""
    return ir.F4 if _gives_way(low, x) and _gives_way(low, y) else joining.join_atoms(x, y)


def append(low: State, struct: Struct, value: Value) -> None:
    """struct.append(value)"""
    if not isinstance(struct.rows, Rows):
        items = (*struct.items, low.settle(value, struct.label or "a"))
        return low.change(struct, (tuple(map(str, range(len(items)))), items, None))
    low.change(struct, struct.content)
    rows = struct.rows
    if rows.exact or not fits(low, rows, value):
        become(low, struct, Wanted(model(low, [rows.item, value]), True))
        rows = _rows(struct)
    _put(low, rows, rows.count, value)
    count = plus(low, rows.count, ONE)
    low.lists.steps[count] = _step(low, rows.count, 1)
    low.put_content(struct, ((), (), replace(rows, count=count)))


def _step(low: State, count: Atom, more: int) -> tuple[Atom, int]:
    start, steps = low.lists.steps.get(count, (count, 0))
    return start, steps + more


def _rows(struct: Struct) -> Rows:
    assert isinstance(struct.rows, Rows)
    return struct.rows


def place(low: State, rows: Rows, index: Atom) -> Atom:
    """The place in memory of an item, which must exist."""
    if isinstance(index, Const) and isinstance(index.value, int) and index.value < 0:
        start, more = _step(low, rows.count, 0)
        behind = -index.value
        index = low.atom(low.apply(operator.sub, rows.count, Const(behind, ir.I8)))
        if low.lists.at_least.get(start, 0) + more < behind:
            _exists(low, index)
        return index
    if rows.exact and not any(m.type.many for m in rows.memory):
        low.in_range(rows.memory[0], (index,))
        return index
    if index in low.lists.within and values.identical(low.lists.within[index], rows.count):
        return index
    if not isinstance(index, Const):
        from_end = low.apply(operator.add, index, rows.count)
        index = low.atom(low.apply(np.where, low.apply(operator.lt, index, ZERO), from_end, index))
        _exists(low, index)
    low.demand("index", index, rows.count, OUTSIDE, low.frame.node)
    return index


def _exists(low: State, index: Atom) -> None:
    """Demand that a place, counted from the start, is not before it."""
    low.demand("nonnegative", index, ZERO, OUTSIDE, low.frame.node)


def item(low: State, rows: Rows, index: Atom) -> Value:
    """The item at a place that exists."""
    atoms: list[Atom] = []
    for memory in rows.memory:
        if memory.type.many:
            target = Var(memory.name, ir.Type(memory.type.dtype, memory.type.rank, ref=True))
            low.b.put(ir.RefAt(target, memory, index, span=low.b.span))
            atoms.append(target)
        else:
            atoms.append(low.b.load(memory, (index,)))
    return values.refill(rows.item, iter(atoms))


def set_item(low: State, struct: Struct, index: Atom, value: Value) -> None:
    """struct[index] = value, of rows"""
    low.change(struct, struct.content)
    rows = _rows(struct)
    if not fits(low, rows, value):
        become(low, struct, Wanted(model(low, [rows.item, value]), rows.grows))
        rows = _rows(struct)
    if any(m.type.many for m in rows.memory):
        low.refuse("an array is put into a list at a place that is not known here", "use an array with one more axis")
    _put(low, rows, place(low, rows, index), value)


def indexable(low: State, struct: Struct) -> Rows:
    """The rows of a list or tuple that is indexed by a number that is not known; a list becomes rows for good."""
    if isinstance(struct.rows, Rows):
        return struct.rows
    wanted = Wanted(model(low, struct.items), False)
    target = struct if not struct.value and not struct.locked else values.struct(struct.items, list)
    become(low, target, wanted)
    return _rows(target)


def pop(low: State, struct: Struct) -> Value:
    """struct.pop(), of the last item"""
    low.change(struct, struct.content)
    rows = _rows(struct)
    if any(m.type.many for m in rows.memory):
        low.refuse("an array is taken out of a list of unknown length", "count down an index instead")
    last = low.atom(low.apply(operator.sub, rows.count, ONE))
    _exists(low, last)
    value = item(low, rows, last)
    low.put_content(struct, ((), (), replace(rows, count=last, exact=False)))
    return value


def fixed(low: State, struct: Struct) -> list[Value] | None:
    """The items, if there is a known number of them."""
    rows = struct.rows
    if not isinstance(rows, Rows):
        return list(struct.items)
    if not isinstance(rows.count, Const):
        return None
    return [item(low, rows, Const(k, ir.I8)) for k in range(int(rows.count.value.real))]


def whole(low: State, rows: Rows) -> list[Var]:
    """The memory of the items in use."""
    cut = (ir.Slice(None, rows.count),)
    return [m if rows.exact or m.type.many else low.b.view(m, cut) for m in rows.memory]


def same(low: State, struct: Struct) -> Struct:
    """A copy of a list."""
    if not isinstance(struct.rows, Rows):
        return Struct(list, struct.keys, struct.items)
    rows = struct.rows
    if any(m.type.many for m in rows.memory):
        low.refuse("a list of arrays of unknown length is copied", "make it an array: np.array(...)")
    memory = tuple(low.b.alloc(m.type.dtype, (), init=low.b.load(m), name=m.name) for m in whole(low, rows))
    return Struct(list, (), (), replace(rows, memory=memory, exact=True, grows=False, own=True))


def repeated(low: State, struct: Struct, times: Atom) -> Struct:
    """[a, b] * n"""
    if isinstance(times, Const) and len(struct.items) * int(times.value.real) <= REPEATED:
        return values.struct(list(struct.items) * int(times.value.real), list)
    if len(struct.items) != 1:
        low.refuse("a list of several items is repeated a number of times that is not known here", "repeat one item")
    value = model(low, struct.items)
    if not isinstance(value, (Var, Const)) or not value.type.is_scalar:
        low.refuse("the same object is repeated in a list of unknown length", "use a comprehension, or an array")
    count = nonnegative_of(low, times)
    first = low.converted(value, ir.F4) if _gives_way(low, value) else value
    memory = low.b.alloc(first.type.dtype, (count,), first, low.naming.now or "items")
    return Struct(list, (), (), Rows(value, (memory,), count))


# ---- as an array


def array(low: State, struct: Struct) -> Var:
    """What np.array makes of rows: for numbers their memory itself, which the rules copy."""
    rows = _rows(struct)
    memory = whole(low, rows)
    if len(memory) == 1 and not memory[0].type.many:
        return memory[0]
    return _stacked(low, rows)


def _stacked(low: State, rows: Rows) -> Var:
    """An array with a row for each item, which are all of one shape."""
    empty = low.apply(operator.eq, rows.count, ZERO)
    raising = low.raising("ValueError", "an array of no rows")
    if not low.raises_where(low.atom(empty), raising):
        low.b.put(ir.If(low.atom(empty), (raising,), ()))
    first = _row(low, item(low, rows, ZERO))
    dims = [low.b.let(dim, first, axis=k, name="n") for k in range(first.type.rank)]
    out = low.b.alloc(first.type.dtype, (rows.count, *dims), ir.Init.EMPTY, "rows")
    index = Var("i", ir.I8)
    with low.b.block() as body:
        row = _row(low, item(low, rows, index))
        for k, length in enumerate(dims):
            found = low.b.let(dim, row, axis=k, name="n")
            expect_equal(low, found, length, "the rows of np.array have different lengths")
        low.b.store(out, (index, *[ir.Slice()] * len(dims)), contents(Val(low.b, row)).atom)
    low.b.put(ir.For(index, ZERO, rows.count, ONE, (), tuple(body), span=low.b.span))
    return out


def expect_items(low: State, rows: Rows) -> None:
    """Raise where nothing is joined."""
    empty, raising = (
        low.apply(operator.eq, rows.count, ZERO),
        low.raising("ValueError", "need at least one array to join"),
    )
    if not low.raises_where(low.atom(empty), raising):
        low.b.put(ir.If(low.atom(empty), (raising,), ()))


def concatenated(low: State, rows: Rows) -> Var | None:
    """The arrays of a list joined along their first axis, of any lengths; None where an item is something else."""
    memory = rows.memory[0]
    if len(rows.memory) > 1 or not memory.type.many or not isinstance(rows.item, Var):
        return None
    expect_items(low, rows)
    index, total, after = (Var(name, ir.I8) for name in ("i", "n", "n"))
    with low.b.block() as body:
        more = low.atom(low.apply(operator.add, total, low.length(_array(low, rows, index))))
    low.b.put(ir.For(index, ZERO, rows.count, ONE, (ir.Carry(total, ZERO, more, after),), tuple(body), span=low.b.span))
    first = _array(low, rows, ZERO)
    dims = [low.length(first, k) for k in range(1, first.type.rank)]
    low.lists.of_arrays.add(after)
    out = low.b.alloc(first.type.dtype, (after, *dims), ir.Init.EMPTY, "joined")
    index, start, end = Var("i", ir.I8), Var("start", ir.I8), Var("start", ir.I8)
    with low.b.block() as body:
        one = _array(low, rows, index)
        stop = low.atom(low.apply(operator.add, start, low.length(one)))
        for k, length in enumerate(dims, 1):
            expect_equal(low, low.length(one, k), length, "the arrays that are joined have different lengths")
        low.b.store(out, (ir.Slice(start, stop), *[ir.Slice()] * len(dims)), contents(Val(low.b, one)).atom)
    low.b.put(ir.For(index, ZERO, rows.count, ONE, (ir.Carry(start, ZERO, stop, end),), tuple(body), span=low.b.span))
    return out


def _array(low: State, rows: Rows, index: Atom) -> Var:
    value = item(low, rows, index)
    assert isinstance(value, Var)
    return value


def _row(low: State, value: Value) -> Var:
    """An item as an array."""
    if isinstance(value, Var) and value.type.ref:
        return value
    if isinstance(value, Struct) and isinstance(value.rows, Rows):
        return array(low, value)
    items = list(values.leaves(value))
    if not isinstance(value, Struct) or any(not a.type.is_scalar for a in items) or len(items) != len(value.items):
        low.refuse(f"np.array of a list of unknown length that holds {values.describe(value)}", "append numbers")
    types = [a.type for a in items]
    joined = types[0]
    for other in types[1:]:
        joined = joining.join_type(joined, other)
    row = low.b.alloc(joined.dtype, (Const(len(items), ir.I8),), ir.Init.EMPTY, "row")
    for k, atom in enumerate(items):
        low.b.store(row, (Const(k, ir.I8),), low.converted(atom, joined))
    return row
