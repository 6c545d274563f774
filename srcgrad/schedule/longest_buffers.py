"""Memory whose length differs between the iterations of a loop is made once, as long as it gets.

    for k in range(n):                     t = np.empty(n)
        t = np.empty(n - k)                for k in range(n):
        for i in range(n - k):                 for i in range(n - k):
            t[i] = x[i + k]                        t[i] = x[i + k]

Only if it is reached by elements, none of which is counted from the end, and if no length can be negative.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from srcgrad.bounds.conditions import Writer
from srcgrad.core import ir, walk
from srcgrad.core.affine import Poly
from srcgrad.core.ir import Alloc, Atom, Const, For, Fun, Stmt, Var
from srcgrad.rules.language.integers import nonnegative
from srcgrad.schedule.contract_arrays import reached_by_element
from srcgrad.schedule.integers import number
from srcgrad.schedule.lengths import Lengths
from srcgrad.simplify.values.dce import dce


def longest_buffers(fun: Fun) -> Fun:
    """The function with such memory made in front of loops; the same object if there is none."""
    while True:
        found = {alloc.target for alloc in reached_by_element(fun) if alloc.init is ir.Init.EMPTY} & _changing(fun)
        made = _Longest(fun, found).whole() if found else fun
        if made is fun:
            return fun
        fun = dce(made)


def _changing(fun: Fun) -> set[Var]:
    """Memory that stands in the body of a counted loop and has lengths that are computed there."""
    out: set[Var] = set()
    for loop in walk.walk(fun.body):
        if isinstance(loop, For) and not loop.parallel and number(loop.step):
            inside = {*walk.defined_inside(loop), *(v for s in walk.walk(loop.body) for v in _bound(s))}
            out |= {s.target for s in loop.body if isinstance(s, Alloc) and not inside.isdisjoint(s.shape)}
    return out


def _bound(stmt: Stmt) -> tuple[Var, ...]:
    return (*walk.defined(stmt), *walk.defined_inside(stmt))


@dataclass(eq=False, slots=True)
class _Loop:
    """A counted loop that is at hand.   visible: what can be read in front of it.   found: the memory that its body
    makes, with the greatest value of each length."""

    loop: For
    visible: frozenset[Var]
    found: dict[Alloc, list[Poly]] = field(default_factory=dict)


class _Longest:
    def __init__(self, fun: Fun, found: set[Var]) -> None:
        self.fun, self.found = fun, found
        self.lengths = Lengths(fun)
        self.writer = Writer()
        self.clipped: dict[Atom, Atom] = {}  # max(n, 0) -> n
        self.loop: _Loop | None = None  # whose body is at hand
        for param in fun.params:
            self.seen(param)

    def whole(self) -> Fun:
        body = self.block(self.fun.body)
        return self.fun if body is self.fun.body else replace(self.fun, body=body)

    # ---- statements

    def block(self, stmts: Sequence[Stmt]) -> tuple[Stmt, ...]:
        return walk.kept(tuple(stmts), [new for stmt in stmts for new in self.one(stmt)])

    def one(self, stmt: Stmt) -> Sequence[Stmt]:
        made: Sequence[Stmt] = (stmt,)
        match stmt:
            case For():
                made = self.counted(stmt)
            case ir.While() | ir.If():
                made = [self.others(stmt)]
            case Alloc() if stmt.target in self.found and self.loop is not None:
                self.measure(stmt, self.loop)
            case ir.Load() | ir.Store() | ir.Accumulate() if stmt.ref in self.found:
                items = [item for item in stmt.index if not isinstance(item, ir.Slice)]
                if not all(map(self.lengths.natural, items)):
                    self.found.discard(stmt.ref)
        self.lengths.note(stmt)
        for var in walk.defined(stmt):
            self.seen(var)
        if isinstance(stmt, ir.Let) and stmt.op is nonnegative:
            self.clipped[stmt.target] = stmt.args[0]
        return made

    def seen(self, var: Var) -> None:
        self.writer.visible.add(var)
        if var.type == ir.I8:
            self.writer.named(self.lengths.ranges.value(var), var)

    def others(self, stmt: Stmt) -> Stmt:
        outer, self.loop = self.loop, None
        visible = set(self.writer.visible)
        facts = self.lengths.ranges.sides(stmt.cond) if isinstance(stmt, ir.If) else None
        sides = iter(facts or ())

        def inner(stmts: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
            with self.lengths.region(next(sides, [])):
                self.lengths.enter(stmt)
                return self.block(stmts)

        made = walk.rebuild(stmt, lambda a: a, lambda v: v, inner)
        self.writer.visible, self.loop = visible, outer
        return made

    def counted(self, loop: For) -> Sequence[Stmt]:
        outer = self.loop
        here = self.loop = _Loop(loop, frozenset(self.writer.visible))
        with self.lengths.region(self.lengths.inside(loop)):
            self.lengths.enter(loop)
            self.writer.visible |= {loop.index, *(c.inner for c in loop.carry)}
            body = self.block(loop.body)
        self.writer.visible, self.loop = set(here.visible), outer
        moved = {alloc: lengths for alloc, lengths in here.found.items() if alloc.target in self.found}
        front = [stmt for alloc, lengths in moved.items() for stmt in self.in_front(alloc, lengths)]
        body = walk.kept(body, [s for s in body if s not in moved])
        return [*front, walk.changed(loop, body=body)]

    # ---- lengths

    def measure(self, alloc: Alloc, here: _Loop) -> None:
        found = [self.most(n, here) for n in alloc.shape if n is not None]
        lengths = [n for n in found if n is not None]
        if len(lengths) == len(alloc.shape):
            here.found[alloc] = lengths

    def most(self, length: Atom, here: _Loop) -> Poly | None:
        """The greatest value of a length in any iteration, as a sum of what is known in front of the loop."""
        ranges = self.lengths.ranges
        value = ranges.value(self.clipped.get(length, length))
        if length not in self.clipped and not ranges.proves(value):
            return None
        start, stop, by = ranges.value(here.loop.start), ranges.value(here.loop.stop), number(here.loop.step)
        slope = value.slope(here.loop.index)
        sign = 0 if slope is None else ranges.sign(slope, ())
        if slope is None or not sign:
            return None
        last = stop - 1 if by > 0 else stop + 1
        end = last if (sign > 0) == (by > 0) else start
        value = value + (end - Poly.of(here.loop.index)) * slope
        return value if self.writer.readable(value, {*here.visible}) else None

    def in_front(self, alloc: Alloc, lengths: Sequence[Poly]) -> list[Stmt]:
        out: list[Stmt] = []
        shape = tuple(self.length(n, out) for n in lengths)
        return [*out, replace(alloc, shape=shape, span=None)]

    def length(self, value: Poly, out: list[Stmt]) -> Atom:
        """A length that is at least this: without what it falls short of a round number by."""
        longer = value - min(value.offset, 0)
        if longer.known is not None:
            return Const(max(value.known or 0, 0), ir.I8)
        if self.lengths.ranges.proves(longer):
            return self.writer.value(longer, out)
        found = Var("n", ir.I8)
        out.append(ir.Let((found,), nonnegative, (self.writer.value(value, out),)))
        return found
