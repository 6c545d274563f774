"""Objects that the body of a loop changes: what they hold goes round, and lists that get longer become rows."""

from __future__ import annotations

import operator
from dataclasses import dataclass, field, replace
from typing import Any

from srcgrad.core import ir
from srcgrad.core.ir import Atom, Const, Var
from srcgrad.frontend.lowering import growing_lists, values
from srcgrad.frontend.lowering.growing_lists import ONE, ZERO, Wanted
from srcgrad.frontend.lowering.loop_domains import Domain, arith, trips
from srcgrad.frontend.lowering.paths import Lowering, wish_of
from srcgrad.frontend.lowering.retry import Held
from srcgrad.frontend.lowering.values import Struct

Heads = dict[Struct, values.Rows]


@dataclass
class Objects:
    """The objects, older than the loop, that its body changes; what they hold goes round like a name's value."""

    born: int
    boxes: dict[str, Struct] = field(default_factory=dict)
    counted: dict[Struct, tuple[int, int]] = field(default_factory=dict)  # items before it, and more each iteration
    totals: dict[Struct, Atom] = field(default_factory=dict)  # how many those are in the end
    leaving: set[Struct] = field(default_factory=set)  # lists that a counted loop does not just append to

    def carried(self, names: list[str]) -> list[str]:
        return [name for name in names if self.boxes.get(name) not in self.counted]


def changed(low: Lowering, over: Domain | None, held: Held, heads: Heads, stays: bool, objects: Objects) -> list[str]:
    """The objects that the body changes beyond those that were known; lists that must be of unknown length are made so,
    here before the loop. Empty if the trial stands."""
    new = [struct for struct in held if struct not in objects.boxes.values()]
    objects.boxes |= {wish_of(struct): struct for struct in new}
    found = dict.fromkeys(wish_of(struct) for struct in new)
    for name, struct in objects.boxes.items():
        if struct.kind is list and struct in held and _grown(low, over, held, heads, stays, objects, struct):
            found[name] = None
    if over is not None and over.source is not None and over.source in held:
        if _length(held[over.source]) is not _length(over.source.content):
            low.refuse("a list must not change length while a loop iterates over it", "loop over a copy: list(...)")
    return list(found)


def _steps(low: Lowering, head: values.Rows, end: values.Rows) -> int:
    """How many items more there are at the end of an iteration; -1 if it cannot be told."""
    if isinstance(end.count, Const) and isinstance(head.count, Const):
        return int(end.count.value.real) - int(head.count.value.real)
    start, more = low.lists.steps.get(end.count, (end.count, 0))
    return more if start is head.count else -1


def _length(content: values.Content) -> Any:
    rows = content[2]
    return rows.count if isinstance(rows, values.Rows) else rows


def _grown(
    low: Lowering, over: Domain | None, held: Held, heads: Heads, stays: bool, objects: Objects, struct: Struct
) -> bool:
    """Whether a list had to become one of unknown length."""
    end = held[struct]
    if struct in objects.counted:
        _, more = objects.counted[struct]
        head, rows = heads[struct], end[2]
        if isinstance(rows, values.Rows) and rows.memory == head.memory and _steps(low, head, rows) == more:
            return False
        del objects.counted[struct]
        objects.leaving.add(struct)
        items = [head.item, *([rows.item] if isinstance(rows, values.Rows) else [])]
        growing_lists.become(low, struct, Wanted(growing_lists.model(low, items), True))
        return True
    plain = over is not None and stays and struct not in objects.leaving
    found = growing_lists.outgrown(low, struct.content, [end], plain)
    if found is None:
        return False
    if found.counted and over is not None:
        objects.counted[struct] = len(struct.held), found.counted
        turns = growing_lists.nonnegative_of(low, trips(low, over))
        appended = arith(low, operator.mul, turns, Const(found.counted, ir.I8))
        objects.totals[struct] = arith(low, operator.add, appended, Const(len(struct.held), ir.I8))
        growing_lists.become(low, struct, found, objects.totals[struct])
    else:
        growing_lists.become(low, struct, found)
    return True


def counted_heads(low: Lowering, over: Domain, index: Var, objects: Objects) -> Heads:
    """At the head of an iteration, the lists that get so many more items each iteration."""
    heads: dict[Struct, values.Rows] = {}
    for struct, (start, more) in objects.counted.items():
        turn: Atom = index
        if over.start != ZERO or over.step != ONE:
            turn = arith(low, operator.sub, index, over.start)
            if over.step != ONE:
                turn = low.atom(low.apply(operator.floordiv, turn, over.step))
        count = arith(low, operator.add, arith(low, operator.mul, turn, Const(more, ir.I8)), Const(start, ir.I8))
        assert isinstance(struct.rows, values.Rows)
        heads[struct] = replace(struct.rows, count=count)
        low.lists.at_least[count] = start
        low.put_content(struct, ((), (), heads[struct]))
    return heads
