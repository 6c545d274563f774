"""What lowering demands of indices and lengths: proved, or tested in front of loops, or tested where it stands.

A test fails where some conditions hold all together: those that are wrong, and those that say that the loops it was
moved out of make an iteration. To move it out of a loop, the loop's index is eliminated from them (Fourier and
Motzkin's way), which is exact as long as one of two coefficients is 1: the moved test fails if and only if that of some
iteration would. Nothing is moved over what may end the function in another way, nor out of a branch, nor out of a loop
that may be left before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import groupby
from typing import NamedTuple

from srcgrad.bounds.conditions import (
    Condition,
    Conditions,
    Writer,
    eliminated,
    implies,
    impossible,
    needed,
    replaced,
    single,
)
from srcgrad.bounds.demands import Check, Length, Measure
from srcgrad.bounds.facts import Ranges
from srcgrad.bounds.running_indices import told_by_indices
from srcgrad.bounds.signed_numbers import with_signed_numbers
from srcgrad.core import ir, walk
from srcgrad.core.affine import Poly
from srcgrad.core.build import whole
from srcgrad.core.ir import Atom, Fun, Stmt, Var
from srcgrad.core.rewrite import rewrite
from srcgrad.errors import REPEATED
from srcgrad.rules.language.integers import outside, trips
from srcgrad.rules.scalar.compare import not_equal

Loop = ir.For | ir.While
LENGTHS = ("equal", "broadcast", "into")
SWITCH = {"checked": True}  # off only to see what checks cost


@dataclass(frozen=True, eq=False)
class Pending(Stmt):
    """A way for a check to fail, that is not placed yet; moved: in front of a loop that holds the check, written as
    the last of these statements."""

    check: Check
    way: Conditions
    below: bool = False
    moved: bool = False
    written: tuple[Stmt, ...] = ()


class Rounds(NamedTuple):
    """The iterations of a loop: its index by a symbol that goes from first to last by 1."""

    symbol: Var
    place: Poly
    first: Poly
    last: Poly


def checked(fun: Fun) -> Fun:
    """The function without `Check` statements: what cannot be proved is tested by branches. Counters are told by
    indices first, of which more is known."""
    fun = told_by_indices(with_signed_numbers(fun))
    if not any(isinstance(stmt, Check) for stmt in walk.walk(fun.body)):
        return fun
    if SWITCH["checked"]:
        return Bounds(fun).whole()
    return rewrite(fun, lambda stmt: () if isinstance(stmt, Check) else stmt)


class Bounds:
    """where: of each check, whether it was proved, moved in front of a loop or placed where it stands."""

    def __init__(self, fun: Fun) -> None:
        self.fun = fun
        self.ranges = Ranges(fun)
        self.writer = Writer()
        self.writer.visible = set(fun.params)
        self.where: dict[Check, str] = {}
        self.passed: set[frozenset[object]] = set()  # what has been tested, where no inequality tells

    def whole(self) -> Fun:
        body = tuple(self._settled(self._block(self.fun.body)))
        kinds = list(self.where.values())
        counts = (kinds.count("proved"), kinds.count("moved"), kinds.count("placed"))
        return replace(self.fun, body=body, facts=replace(self.fun.facts, checks=counts))

    # ---- statements

    @contextmanager
    def _scope(self, facts: Sequence[Poly] = (), bound: Iterable[Var] = ()) -> Iterator[None]:
        kept, passed, mark = self.writer.visible, self.passed, len(self.writer.noted)
        self.writer.visible, self.passed = kept | set(bound), set(passed)
        try:
            with self.ranges.scope(facts):
                yield
        finally:
            self.writer.visible, self.passed = kept, passed
            self.writer.recall(mark, lambda symbol, of, axis: single(self.ranges.length(of, axis)) == symbol)

    def _block(self, stmts: Iterable[Stmt]) -> list[Stmt]:
        out: list[Stmt] = []
        for stmt in stmts:
            match stmt:
                case Check():
                    self._check(stmt, out)
                case ir.For():
                    self._for(stmt, out)
                case ir.While():
                    self._while(stmt, out)
                case ir.If():
                    self._branch(stmt, out)
                case _:
                    self._plain(stmt)
                    out.append(stmt)
            self.writer.visible.update(walk.defined(stmt))
        return out

    def _plain(self, stmt: Stmt) -> None:
        self.ranges.note(stmt)
        if isinstance(stmt, ir.Let) and len(stmt.targets) == 1 and stmt.target.type == ir.I8:
            self.writer.named(self.ranges.value(stmt.target), stmt.target)

    # ---- checks

    def _check(self, check: Check, out: list[Stmt]) -> None:
        self.where[check] = "proved"
        for measure in (check.left, check.right):
            if isinstance(measure, Length):
                self.writer.seen(self.ranges.measure(measure), measure.of, measure.axis)
        if isinstance(check.left, Var) and check.left.type.rank:
            if not self._holds(check.left, self.ranges.measure(check.right)):
                self._pend(Pending(check, ()), out)
            return
        for k, way in enumerate(self._ways(check)):
            self._pend(Pending(check, way, below=k == 1), out)
        self._learn(check)

    def _holds(self, places: Var, length: Poly) -> bool:
        """Whether all the places surely exist."""
        ends = self.ranges.spread(places)
        return ends is not None and self.ranges.proves(length - ends[1] - 1) and self.ranges.proves(ends[0] + length)

    def _pend(self, pending: Pending, out: list[Stmt]) -> None:
        """Put a test at the end of a block, unless it cannot fail there."""
        way = pending.way
        key = frozenset(frozenset((c.poly.key, (-c.poly).key, c.relation)) for c in way)
        if way and (key in self.passed or impossible(self.ranges, way)):
            return
        if pending.moved or pending.check.demand in LENGTHS:
            way = needed(self.ranges, way)
            lets: list[Stmt] = []
            if self.writer.writable(way, self.writer.visible):
                self.writer.all_of(way, lets)
            elif pending.check.failure.text == REPEATED:
                sides = [self.writer.measure(m, lets) for m in (pending.check.left, pending.check.right)]
                lets.append(ir.Let((Var("wrong", ir.B1),), not_equal, tuple(sides)))
            else:
                return  # of a value that has no name: NumPy says it itself
            pending = replace(pending, way=way, written=tuple(lets))
        self.where[pending.check] = "moved" if pending.moved else "placed"
        out.append(pending)
        if len(way) == 1 and way[0].relation == ">=":
            self.ranges.learn(-way[0].poly - 1)
        elif len(way) == 1 and way[0].relation == "!=":
            self.ranges.learn(way[0].poly, -way[0].poly)
        elif way and all(c.relation == "!=" for c in way):
            self.passed.add(key)

    def _ways(self, check: Check) -> list[Conditions]:
        """The ways to fail."""
        left, right = self.ranges.measure(check.left), self.ranges.measure(check.right)
        match check.demand:
            case "index":
                return [(Condition(left - right, ">="),), (Condition(-left - right - 1, ">="),)]
            case "equal":
                return [(Condition(left - right, "!="),)]
            case "broadcast" if self._long(check.left) and self._long(check.right):
                return [(Condition(left - right, "!="),)]
            case "into" if self._long(check.left):
                return [(Condition(left - right, "!="),)]
            case "into":
                return [tuple(Condition(p, "!=") for p in (left - right, left - 1))]
            case "broadcast":
                return [tuple(Condition(p, "!=") for p in (left - right, left - 1, right - 1))]
            case "nonnegative":
                return [(Condition(-left - 1, ">="),)]
            case "nonzero":
                return [(Condition(left, "=="),)]

    def _long(self, measure: Measure) -> bool:
        """Whether it is a length that is surely not 1: nothing is repeated to fit."""
        shapes = self.ranges.shapes
        return isinstance(measure, Length) and shapes.is_long(shapes.dims(measure.of)[measure.axis])

    def _learn(self, check: Check) -> None:
        """What is known where the check has passed."""
        left, right = self.ranges.measure(check.left), self.ranges.measure(check.right)
        match check.demand:
            case "index":
                self.ranges.learn(right - left - 1, left + right)
            case "equal":
                self.ranges.learn(left - right, right - left)
                if isinstance(check.left, Length) and isinstance(check.right, Length):
                    self.ranges.unite(check.left, check.right)
            case "nonnegative":
                self.ranges.learn(left)
            case "nonzero":
                self.ranges.learn(*self.ranges.apart(left))

    # ---- loops

    def _for(self, loop: ir.For, out: list[Stmt]) -> None:
        self._heads(loop)
        outside_ = self.writer.visible
        rounds, turns = self._rounds(loop)
        facts = [*self.ranges.turn(loop), *self.ranges.carried(loop)]
        with self._scope(facts, walk.defined_inside(loop)):
            block = self._block(loop.body)
            outer = {s: self._outside(loop, s, rounds, block) for s in block if isinstance(s, Pending)}
        moved = {s: p for s, p in outer.items() if p is not None and self.writer.writable(p.way, outside_)}
        body = self._settled([s for s in block if s not in moved])
        self.where.update((p.check, "moved") for p in moved.values())
        strongest = self._strongest([*moved.values()])
        out.extend(turns if strongest else ())
        for pending in strongest:
            self._pend(pending, out)
        self.ranges.left(loop)
        out.append(replace(loop, body=tuple(body)))

    def _strongest(self, moved: list[Pending]) -> list[Pending]:
        """The tests without those that cannot fail where another has passed."""
        left = [replace(p, way=needed(self.ranges, p.way)) for p in moved if not impossible(self.ranges, p.way)]
        for strong in list(left):
            if strong in left:
                left = [p for p in left if p is strong or not implies(self.ranges, p.way, strong.way)]
        return left

    def _while(self, loop: ir.While, out: list[Stmt]) -> None:
        self._heads(loop)
        with self._scope(self.ranges.carried(loop), walk.defined_inside(loop)):
            heads = set(self.writer.visible)
            test = self._settled(self._block(loop.test))
            self.ranges.learn(*self.ranges.sides(loop.cond)[0])
            self.writer.visible = heads  # the sweep back does not run the test
            body = self._settled(self._block(loop.body))
        self.ranges.left(loop)
        out.append(replace(loop, test=tuple(test), body=tuple(body)))

    def _heads(self, loop: Loop) -> None:
        """Find the references that keep their lengths as they go round."""
        shapes = self.ranges.shapes
        heads = [c for c in loop.carry if c.inner.type.ref]
        while True:
            with self.ranges.scope():
                for c in heads:
                    shapes.copy(c.inner, c.init)
                for _, block in walk.blocks(loop):
                    self._shapes(block)
                kept = [c for c in heads if shapes.same(c.next, c.init)]
            if len(kept) == len(heads):
                break
            heads = kept
        for c in loop.carry:
            for var in (c.inner, c.out) if c.inner.type.ref else ():
                if c in heads:
                    shapes.copy(var, c.init)
                else:
                    shapes.forget(var)

    def _shapes(self, stmts: Iterable[Stmt]) -> None:
        """Learn shapes alone, from all that stands in a block."""
        for stmt in stmts:
            if isinstance(stmt, (ir.For, ir.While)):
                self._heads(stmt)
            elif isinstance(stmt, ir.If):
                for block in (stmt.then, stmt.orelse):
                    with self.ranges.scope():  # what a branch demands holds only there
                        self._shapes(block)
                self._merged(stmt)
            else:
                self.ranges.shapes.note(stmt)

    def _rounds(self, loop: ir.For) -> tuple[Rounds | None, list[Stmt]]:
        """What is eliminated to move a test in front of the loop, and the statements that this takes; None where the
        step is not known."""
        start, stop, step = (self.ranges.value(a) for a in (loop.start, loop.stop, loop.step))
        if step.known == 1:
            return Rounds(loop.index, Poly.of(loop.index), start, stop - 1), []
        if step.known == -1:
            return Rounds(loop.index, Poly.of(loop.index), stop + 1, start), []
        if not step.known:
            return None, []
        turn, count = Var("turn", ir.I8), Var("turns", ir.I8)
        let = ir.Let((count,), trips, (loop.start, loop.stop, loop.step))
        self._plain(let)
        self.writer.visible.add(count)
        index = start.plus(step.known, Poly.of(turn))
        return Rounds(turn, index, Poly.constant(0), Poly.of(count) - 1), [let]

    def _outside(self, loop: ir.For, pending: Pending, rounds: Rounds | None, block: Sequence[Stmt]) -> Pending | None:
        """The test for all iterations of the loop at once, to stand in front of it if it can be written there."""
        if not pending.way or rounds is None or not _undisturbed(block, pending.check.failure.error):
            return None
        fixed = all(loop.index not in c.poly.symbols() for c in pending.way)
        if loop.exit is not None and not fixed:
            return None  # the iterations that would fail may not be reached
        way = pending.way if rounds.symbol is loop.index else replaced(pending.way, loop.index, rounds.place)
        way = None if way is None else eliminated(self.ranges, way, rounds.symbol, rounds.first, rounds.last)
        return None if way is None else replace(pending, way=way, moved=True)

    # ---- branches

    def _branch(self, stmt: ir.If, out: list[Stmt]) -> None:
        sides: list[list[Stmt]] = []
        learned: list[list[Poly]] = []
        for facts, block in zip(self.ranges.sides(stmt.cond), (stmt.then, stmt.orelse), strict=True):
            with self._scope():
                mark = self.ranges.mark()
                self.ranges.learn(*facts)
                sides.append(self._settled(self._block(block)))
                learned.append(self.ranges.snapshot(mark))
        self._merged(stmt)
        for o in stmt.outs:
            self.ranges.merge(stmt.cond, o, *learned)
        true, false = self.ranges.sides(stmt.cond)
        then, orelse = sides
        self.ranges.learn(*(false if _ends(then) else ()), *(true if _ends(orelse) else ()))
        out.append(replace(stmt, then=tuple(then), orelse=tuple(orelse)))

    def _merged(self, stmt: ir.If) -> None:
        shapes = self.ranges.shapes
        for o in stmt.outs:
            if o.target.type.ref and shapes.same(o.then, o.orelse):
                shapes.copy(o.target, o.then)
            else:
                shapes.forget(o.target)

    # ---- placing

    def _settled(self, stmts: Sequence[Stmt]) -> list[Stmt]:
        """The statements with branches for the tests among them; neighbours that say the same make one."""
        out: list[Stmt] = []
        for told, group in groupby(stmts, _told):
            if told is None:
                out.extend(group)
                continue
            ways = [way for way in group if isinstance(way, Pending)]
            out.extend(let for way in ways for let in way.written)
            raising = ir.failing(ways[0].check.failure)
            out.append(ir.If(self._wrong(ways, out), (raising,), ()))
        return out

    def _wrong(self, ways: Sequence[Pending], out: list[Stmt]) -> Atom:
        """Whether one of these ways to fail is met."""
        first = ways[0]
        if first.written:
            return self.writer.any_of([walk.defined(way.written[-1])[0] for way in ways], out)
        if not first.way:
            places, length = (self.writer.measure(m, out) for m in (first.check.left, first.check.right))
            if isinstance(places, Var) and places.type.ref:
                value = Var(places.name, places.type.value())
                out.append(ir.Load(value, places, whole(places), copy=False))
                places = value
            wrong = Var("wrong", ir.B1)
            out.append(ir.Let((wrong,), outside, (places, length)))
            return wrong
        if first.check.demand == "index":
            below = [p.below for p in ways]
            return self.writer.index(first.check, not all(below), any(below), out)
        return self.writer.sign(first.check, out)


def _told(stmt: Stmt) -> object:
    """What tests have in common that make one branch: in front of a loop the message, else the check."""
    if not isinstance(stmt, Pending):
        return None
    return stmt.check.failure.text if stmt.moved or stmt.check.failure.text == REPEATED else stmt.check


def _ends(stmts: Sequence[Stmt]) -> bool:
    """Whether the statements surely raise."""
    return any(isinstance(stmt, ir.Raise) for stmt in stmts)


def _error(stmt: Stmt) -> str | None:
    """The name of the failure, of a check of ours."""
    if isinstance(stmt, Pending):
        return stmt.check.failure.error
    return stmt.failure.error if isinstance(stmt, ir.Raise) and stmt.failure is not None else None


def _undisturbed(stmts: Sequence[Stmt], error: str) -> bool:
    """Whether nothing in a loop's body may be seen from outside, or end the function, but by this error."""
    for stmt in walk.walk(stmts):
        if isinstance(stmt, (ir.Effect, Pending)) and _error(stmt) != error:
            return False
        if isinstance(stmt, ir.Call):
            return False
        if isinstance(stmt, ir.Custom) and any(isinstance(s, ir.Effect) for s in walk.walk(stmt.primal.body)):
            return False
    return True
