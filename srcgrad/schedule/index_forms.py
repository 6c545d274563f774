"""Subscripts that let a loop vectorise: those that are proved not to be negative are said to be unsigned.

Compiled code looks whether a subscript is negative, and counts it from the end then. From the form of the subscript
LLVM sees that this cannot be where a loop goes from 0 upwards and the subscript is its index, or a literal more than
that. In other forms (`n - 1 - i`, `i + k`, `range(low, high)`, loops that go backwards) the test stays, and the loop
does not vectorise: it takes two to four times as long. An integer of NumPy's that has no sign needs no test:
`b[np.uintp(n - 1 - i)]`.
"""

from __future__ import annotations

from collections import ChainMap, Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from srcgrad.bounds.facts import Ranges
from srcgrad.core import ir, walk
from srcgrad.core.affine import Poly
from srcgrad.core.ir import Const, Fun, Stmt, Type, Var
from srcgrad.schedule.elementwise_loops import steps_along

Key = frozenset[object]
ONE, MINUS_ONE = Const(1, ir.I8), Const(-1, ir.I8)

# Only subscripts read it: with a signed integer it would make a float.
unsigned = ir.Primitive("unsigned", lambda types, params: (Type("u8"),), int, "np.uintp(_0)")


def with_unsigned_places(fun: Fun) -> Fun:
    """The function with unsigned subscripts in those innermost loops that are faster for it."""
    body = _Places(fun).block(fun.body)
    return fun if body is fun.body else replace(fun, body=body)


class _Places:
    def __init__(self, fun: Fun) -> None:
        self.ranges = Ranges(fun)
        self.loop: ir.For | None = None  # the innermost one that is at hand, if it steps along elements
        self.alike: set[ir.For] = set()  # loops that stand beside one over the same range, in a loop
        self.made: ChainMap[Key, Var] = ChainMap()  # the unsigned subscripts, by their values

    # ---- statements

    def block(self, stmts: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
        return walk.kept(stmts, (new for stmt in stmts for new in self.one(stmt)))

    def one(self, stmt: Stmt) -> Sequence[Stmt]:
        match stmt:
            case ir.For():
                return [self.turns(stmt)]
            case ir.While():
                return [self.rounds(stmt)]
            case ir.If():
                return [self.branch(stmt)]
        self.ranges.note(stmt)
        if self.loop is not None and isinstance(stmt, (ir.Load, ir.Store, ir.Accumulate)):
            return self.places(self.loop, stmt)
        return [stmt]

    def turns(self, loop: ir.For) -> Stmt:
        outer = self.loop
        self.alike.update(_alike(loop.body))
        self.loop = loop if steps_along(loop) else None
        facts = [*self.ranges.turn(loop), *self.ranges.carried(loop)]
        with self.ranges.scope(facts):
            self.made = self.made.new_child()
            body = self.block(loop.body)
            self.made = self.made.parents
        self.ranges.left(loop)
        self.loop = outer
        return walk.changed(loop, body=body)

    def rounds(self, loop: ir.While) -> Stmt:
        with self.ranges.scope(self.ranges.carried(loop)):
            test = self.block(loop.test)
            self.ranges.learn(*self.ranges.sides(loop.cond)[0])
            body = self.block(loop.body)
        self.ranges.left(loop)
        return walk.changed(loop, test=test, body=body)

    def branch(self, stmt: ir.If) -> Stmt:
        sides: list[tuple[Stmt, ...]] = []
        learned: list[list[Poly]] = []
        facts = self.ranges.sides(stmt.cond)
        for known, block in zip(facts, (stmt.then, stmt.orelse), strict=True):
            with self.ranges.scope():
                mark = self.ranges.mark()
                self.ranges.learn(*known)
                self.made = self.made.new_child()
                sides.append(self.block(block))
                self.made = self.made.parents
                learned.append(self.ranges.snapshot(mark))
        for out in stmt.outs:
            self.ranges.merge(stmt.cond, out, *learned)
        for known, block in zip(reversed(facts), (stmt.then, stmt.orelse), strict=True):
            self.ranges.learn(*(known if any(isinstance(s, ir.Raise) for s in block) else ()))
        return walk.changed(stmt, then=sides[0], orelse=sides[1])

    # ---- subscripts

    def places(self, loop: ir.For, stmt: ir.Load | ir.Store | ir.Accumulate) -> Sequence[Stmt]:
        lets: list[Stmt] = []
        index = walk.kept(stmt.index, (self.place(loop, item, stmt, lets) for item in stmt.index))
        return [*lets, walk.changed(stmt, index=index)]

    def place(self, loop: ir.For, item: ir.Item, stmt: Stmt, lets: list[Stmt]) -> ir.Item:
        if not isinstance(item, Var) or item.type != ir.I8:
            return item
        value = self.ranges.value(item)
        if not value.degree(loop.index) or self.seen(loop, value) or not self.ranges.proves(value):
            return item
        found = self.made.get(value.key)
        if found is None:
            self.made[value.key] = found = Var("at", Type("u8"))
            lets.append(ir.Let((found,), unsigned, (item,), span=stmt.span))
        return found

    def seen(self, loop: ir.For, value: Poly) -> bool:
        """Whether nothing is gained: from the form of the subscript the compiler sees that it is not negative, or the
        loop does not go from element to element.

        Measured: in a loop from 1, the compiler sees it unless another one over the same range stands beside it.
        """
        if value.degree(loop.index) not in (1, -1) or loop.step not in (ONE, MINUS_ONE):
            return True
        first, beyond = self.ranges.value(loop.start).known, (value - Poly.of(loop.index)).known
        if loop.step != ONE or first is None or beyond is None:
            return False
        return first == 0 or (first == 1 and loop not in self.alike)


def _alike(stmts: Sequence[Stmt]) -> Iterator[ir.For]:
    """The loops among the statements that have a range in common with another one."""
    loops = [s for s in stmts if isinstance(s, ir.For)]
    ranges = Counter((loop.start, loop.stop, loop.step) for loop in loops)
    return (loop for loop in loops if ranges[loop.start, loop.stop, loop.step] > 1)
