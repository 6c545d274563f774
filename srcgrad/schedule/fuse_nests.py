"""Loops side by side with the same iterations become one loop, where no dependence forbids it; then the loops in it.

An iteration of the second may only meet in memory what the same or an earlier iteration of the first has to do with.
Two additions may change places. What stands between the two loops moves in front of the first or behind the second.

Innermost loops are fused where they meet in the same iteration only, so that nothing is carried from one iteration to
another and each stays one that can be vectorised; not where they run along two rows of one array; and where they have
no more arrays than alias checks bear.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from srcgrad.core import ir
from srcgrad.core.ir import For, Fun, Stmt, Var
from srcgrad.core.walk import blocks, kept, rebuild, substitute, walk
from srcgrad.schedule.dependences import Access, Dependences, Kind, Meeting, Touched, count_pairs
from srcgrad.schedule.integers import Range, number

MOST_ARRAYS = 8  # in an innermost loop: beyond about as many, alias checks of the compiled code give up
MOST_PRIVATE = 24  # with those that fusing may make needless
WINDOW, TRIALS, MOST_PAIRS = 48, 4, 256  # how far back a loop is looked for, how many are tried, accesses compared


def fuse_nests(fun: Fun) -> Fun:
    """The function with such loops fused; the same object if there are none."""
    if fun.facts.kernel is not None:
        return fun
    loops = sum(isinstance(s, For) for s in walk(fun.body))
    if loops < 2:
        return fun
    body = _Fusion(fun).block(fun.body, 0)
    return fun if body is fun.body else replace(fun, body=body)


@dataclass(eq=False, slots=True)
class _Item:
    """A statement of the block at hand.   parts: the loops that have become part of this one, itself first."""

    stmt: Stmt
    touched: Touched
    range: Range | None
    parts: list[For]


class _Fusion:
    def __init__(self, fun: Fun) -> None:
        self._fun = fun
        self._dependences = Dependences(fun)
        self._private: set[Var] | None = None

    def block(self, stmts: tuple[Stmt, ...], depth: int) -> tuple[Stmt, ...]:
        if sum(isinstance(s, For) for s in stmts) < 2:
            return kept(stmts, (self._inside(s, depth) for s in stmts))
        items: list[_Item] = []
        for stmt in stmts:
            self._place(self._item(stmt), items)
        return kept(stmts, (self._inside(self._made(item, depth), depth) for item in items))

    def _inside(self, stmt: Stmt, depth: int) -> Stmt:
        if not blocks(stmt):
            return stmt
        return rebuild(stmt, lambda a: a, lambda v: v, lambda block: self.block(block, depth + 1))

    def _item(self, stmt: Stmt) -> _Item:
        touched = self._dependences.touched(stmt)
        if not isinstance(stmt, For) or stmt.exit is not None or touched.opaque or not number(stmt.step):
            return _Item(stmt, touched, None, [])
        if any(c.inner.type.ref or c.inner.type.many for c in stmt.carry):
            return _Item(stmt, touched, None, [])
        return _Item(stmt, touched, self._dependences.integers.range_of(stmt), [stmt])

    def _made(self, item: _Item, depth: int) -> Stmt:
        """The statement, or the loop of its parts."""
        if len(item.parts) < 2:
            return item.stmt
        first = item.parts[0]
        body, carry = list(first.body), list(first.carry)
        for part in item.parts[1:]:
            index = {part.index: first.index}
            body += substitute(part.body, index)
            carry += (replace(c, next=first.index) if c.next is part.index else c for c in part.carry)
        self._dependences.integers.learn(body, depth + 1)
        span = next((part.span for part in item.parts if part.span is not None), None)
        return replace(first, body=tuple(body), carry=tuple(carry), span=span)

    # ---- what goes where

    def _place(self, item: _Item, items: list[_Item]) -> None:
        """Put a statement at the end of the block, or its iterations into those of a loop that stands there."""
        if item.range is not None:
            tried = 0
            for at in range(len(items) - 1, max(len(items) - WINDOW, 0) - 1, -1):
                if items[at].range != item.range:
                    continue
                tried += 1
                if self._fusible(items[at], item):
                    between = _around(items[at], items[at + 1 :], item)
                    if between is not None:
                        before, after = between
                        joined, front = self._joined(items[at], item), [*items[:at], *before]
                        self._place(joined, front)  # what it could not be part of before, it may be now
                        items[:] = [*front, *after]
                        return
                if tried == TRIALS:
                    break
        items.append(item)

    def _joined(self, first: _Item, second: _Item) -> _Item:
        loop, other = first.parts[0], second.parts[0]
        first.touched.join(second.touched.renamed(other.index, loop.index))
        return _Item(first.stmt, first.touched, first.range, [*first.parts, *second.parts])

    def _fusible(self, first: _Item, second: _Item) -> bool:
        one, other = first.touched, second.touched
        if (one.loud and other.loud) or one.bound_for(other) or count_pairs(one, other) > MOST_PAIRS:
            return False
        a, b = first.parts[0], second.parts[0]
        if a.parallel != b.parallel:
            return False
        innermost = not one.loops_inside and not other.loops_inside
        return self._allowed(first, second, innermost) and self._pays(first, second, innermost)

    def _allowed(self, first: _Item, second: _Item, innermost: bool) -> bool:
        """Whether no dependence forbids to fuse them; innermost and parallel loops shall carry none, either."""
        a, b = first.parts[0], second.parts[0]
        strict = innermost or a.parallel
        for x, y in self._dependences.pairs(first.touched, second.touched):
            if not strict and x.kind is Kind.ADD and y.kind is Kind.ADD:
                continue
            meeting = self._dependences.meeting(x, y, a, b, exact=strict)
            if meeting not in (_TOGETHER if strict else _FINE):
                return False
            if innermost and _side_by_side(x, y, meeting, a, b):
                return False
        return True

    # ---- whether it pays

    def _pays(self, first: _Item, second: _Item, innermost: bool) -> bool:
        if innermost:
            return self._few_arrays(first, second)
        if first.touched.loops_inside == second.touched.loops_inside:
            return self._shares(first, second)
        a, b = first.parts[0], second.parts[0]  # of which one may be fast by itself
        pairs = self._dependences.pairs(first.touched, second.touched)
        return any(self._dependences.meeting(x, y, a, b) is Meeting.SAME for x, y in pairs)

    def _shares(self, first: _Item, second: _Item) -> bool:
        """Whether the two go through some memory side by side."""
        a, b = first.parts[0], second.parts[0]
        one, other = first.touched.accesses, second.touched.accesses
        for family in one.keys() & other.keys():
            for x in one[family]:
                for y in other[family]:
                    ahead = self._dependences.meeting(x, y, a, b, exact=False)
                    if ahead in (Meeting.SAME, Meeting.BEFORE, Meeting.AFTER):
                        return True
        return False

    def _few_arrays(self, first: _Item, second: _Item) -> bool:
        """Those that may become needless, as the function makes them and nobody else sees them, hardly count."""
        roots = {*first.touched.roots(), *second.touched.roots()}
        private = [r for r in roots if self._dependences.classes.of(r) in self._made_here()]
        return len(roots) - len(private) <= MOST_ARRAYS and len(roots) <= MOST_PRIVATE

    def _made_here(self) -> set[Var]:
        """The memory that the function makes, and that nobody else sees."""
        if self._private is None:
            self._private = _private_memory(self._fun, self._dependences)
        return self._private


_FINE = frozenset({Meeting.NEVER, Meeting.SAME, Meeting.BEFORE})
_TOGETHER = frozenset({Meeting.NEVER, Meeting.SAME})


def _side_by_side(x: Access, y: Access, meeting: Meeting, a: For, b: For) -> bool:
    """Whether the loops run along two rows of one array, of which one is written: nothing is carried, but alias checks
    do not tell the two apart."""
    along = [p[-1] is not None and p[-1].degree(loop.index) != 0 for p, loop in ((x.place, a), (y.place, b)) if p]
    return meeting is Meeting.NEVER and x.root is y.root and any(along)


def _around(first: _Item, between: Sequence[_Item], second: _Item) -> tuple[list[_Item], list[_Item]] | None:
    """What stands between two loops, in front of the first and behind the second; None where some must stay, as what
    may raise must in front of the second: it may test what that takes for granted."""
    before: list[_Item] = []
    after: list[_Item] = []
    for item in between:
        if item.touched.apart(first.touched) and all(item.touched.apart(other.touched) for other in after):
            before.append(item)
        elif not item.touched.loud and item.touched.apart(second.touched):
            after.append(item)
        else:
            return None
    return before, after


def _private_memory(fun: Fun, dependences: Dependences) -> set[Var]:
    classes = dependences.classes
    made = {classes.of(s.target) for s in walk(fun.body) if isinstance(s, ir.Alloc)}
    return made - {classes.of(r) for r in (*fun.params, *fun.results) if isinstance(r, Var) and r.type.ref}
