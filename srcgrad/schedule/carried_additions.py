"""What the iterations of a loop add to places side by side goes from one to the next in registers.

    for i in range(n - 1):                 b_next = 0.0
        b[i] += x                          for i in range(n - 1):
        b[i + 1] += y         becomes          b[i] += b_next + x
                                               b_next = y
                                           if n - 1 > 0:
                                               b[n - 1] += b_next

So is the adjoint of a sum over neighbours. As it stands, each iteration waits for the memory that the one before has
written, and the loop does not vectorise; what is carried in this way, LLVM does vectorise.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from srcgrad.core import ir
from srcgrad.core.affine import Poly
from srcgrad.core.build import Builder, const
from srcgrad.core.ir import Accumulate, Atom, Carry, Const, For, Fun, Stmt, Var
from srcgrad.core.rewrite import Rewriter, Rewritten
from srcgrad.core.walk import walk
from srcgrad.rules.scalar.arithmetic import add
from srcgrad.rules.scalar.compare import greater, less
from srcgrad.schedule.dependences import Dependences, Kind, Touched
from srcgrad.schedule.integers import number
from srcgrad.simplify.loops.shared_by_iterations import distinct

MOST, MOST_WITH_GAPS = 4, 2  # values of one row that are carried; four with gaps took a third longer
SIMPLE = (ir.Let, ir.Load, ir.Store, Accumulate, ir.Remark)


def carry_additions(fun: Fun) -> Fun:
    """The function with such additions carried; the same object if there are none."""
    if fun.facts.kernel is not None or not any(isinstance(s, For) and _may_carry(s) for s in walk(fun.body)):
        return fun
    return _Carrier(fun).fun(fun)


def _may_carry(loop: For) -> bool:
    """Whether it is an innermost loop, one element after another, that adds more than once to some memory."""
    sums = [s for s in loop.body if isinstance(s, Accumulate)]
    plain = not loop.parallel and loop.exit is None and abs(number(loop.step)) == 1
    several = len(sums) > len({s.ref for s in sums})
    return plain and several and all(isinstance(s, SIMPLE) for s in loop.body)


@dataclass(frozen=True, eq=False)
class _Window:
    """Additions of one loop to places side by side.

    ahead[k]: those to the place that is k places on.   axis: along which they lie.   direction: 1 where places go up.
    """

    ahead: tuple[tuple[Accumulate, ...], ...]
    axis: int
    direction: int

    @property
    def last(self) -> Accumulate:
        """The first of those to the place that no later iteration adds to."""
        return self.ahead[0][0]


class _Row(NamedTuple):
    """Of a reference, the axis along which a loop moves, which way, and where it is along the others."""

    ref: Var
    axis: int
    direction: int
    place: tuple[Hashable, ...]


class _Carrier(Rewriter):
    def __init__(self, fun: Fun) -> None:
        super().__init__()
        self.known = Dependences(fun)

    def one(self, stmt: Stmt) -> Rewritten:
        if not isinstance(stmt, For) or not _may_carry(stmt):
            return self.inside(stmt)
        windows = self._windows(stmt)
        if not windows:
            return self.inside(stmt)
        made = _Carried(stmt, windows)
        return [self.inside(s) for s in (made.loop(), *made.after(self._runs(stmt)))]

    def _runs(self, loop: For) -> bool:
        """Whether the loop surely has an iteration."""
        start, stop = self.known.integers.of(loop.start), self.known.integers.of(loop.stop)
        return self.known.integers.at_least(stop - start if number(loop.step) > 0 else start - stop, 1)

    def _windows(self, loop: For) -> list[_Window]:
        touched = self.known.touched(loop)
        if touched.opaque or touched.loud:
            return []
        lets = _lets(loop)
        rows: defaultdict[_Row, list[tuple[Accumulate, int]]] = defaultdict(list)
        for stmt in loop.body:
            if isinstance(stmt, Accumulate) and self._is_sum(stmt, touched):
                found = self._along(stmt, loop)
                if found is not None and all(_known_outside(i, loop.index, lets, touched) for i in stmt.index):
                    rows[found[0]].append((stmt, found[1]))
        return [w for row, sums in rows.items() if (w := _window(row, sums)) is not None]

    def _is_sum(self, stmt: Accumulate, touched: Touched) -> bool:
        """Whether it adds a number to memory that the loop only adds to."""
        facts, root = self.known.facts, self.known.facts.root(stmt.ref)
        if stmt.atomic is not None or stmt.value.type != ir.Type(stmt.ref.type.dtype) or not stmt.value.type.is_float:
            return False
        others = touched.accesses[self.known.classes.of(stmt.ref)]
        return all(a.kind is Kind.ADD or (a.root in facts.bound and distinct(facts, root, a.root)) for a in others)

    def _along(self, stmt: Accumulate, loop: For) -> tuple[_Row, int] | None:
        """The row that it adds to, and how many places on from that of the loop's index."""
        items = [i for i in stmt.index if not isinstance(i, ir.Slice) and i.type == ir.I8]
        if len(items) < len(stmt.index):
            return None
        place = [self.known.integers.of(item) for item in items]
        moving = [k for k, p in enumerate(place) if loop.index in {*p.symbols()}]
        if len(moving) != 1:
            return None
        (axis,) = moving
        slope = place[axis].degree(loop.index)
        if abs(slope) != 1 or not place[axis].linear_in(loop.index):
            return None
        rest = place[axis] - Poly.of(loop.index).scaled(slope)
        others = (rest - rest.offset, *(p for k, p in enumerate(place) if k != axis))
        direction = slope * number(loop.step)
        return _Row(stmt.ref, axis, direction, tuple(p.key for p in others)), rest.offset * direction


def _known_outside(item: Any, index: Var, lets: Mapping[object, ir.Let], touched: Touched) -> bool:
    """Whether it is computed of the loop's index, and of what is known outside of the loop."""
    if item is index or item not in touched.binds:
        return True
    made = lets.get(item)
    return made is not None and all(_known_outside(a, index, lets, touched) for a in made.args)


def _window(row: _Row, sums: Sequence[tuple[Accumulate, int]]) -> _Window | None:
    offsets = {offset for _, offset in sums}
    low, width = min(offsets), max(offsets) - min(offsets)
    gaps = width + 1 - len(offsets)
    if not 1 <= width <= MOST or (gaps and width > MOST_WITH_GAPS):
        return None
    ahead = (tuple(s for s, offset in sums if offset == k) for k in range(low, max(offsets) + 1))
    return _Window(tuple(ahead), row.axis, row.direction)


class _Carried:
    """A loop that carries what windows add, and what follows it."""

    def __init__(self, loop: For, windows: Sequence[_Window]) -> None:
        self._loop, self._windows = loop, windows
        self._lets = _lets(loop)
        self._carries = {w: [self._carry(w) for _ in w.ahead[1:]] for w in windows}

    def _carry(self, window: _Window) -> Carry:
        kind = window.last.value.type
        inner, out = (Var(f"{window.last.ref.name}_next", kind) for _ in range(2))
        return Carry(inner, Const(0.0, kind), inner, out)

    def loop(self) -> For:
        carried = {s: w for w in self._windows for s in (s for place in w.ahead for s in place)}
        left = {w: sum(map(len, w.ahead)) for w in self._windows}
        body: list[Stmt] = []
        for stmt in self._loop.body:
            window = carried.get(stmt) if isinstance(stmt, Accumulate) else None
            if window is None:
                body.append(stmt)
                continue
            left[window] -= 1
            if not left[window]:  # all of them are known
                body += self._moved_on(window)
        made = [c for w in self._windows for c in self._carries[w]]
        return replace(self._loop, carry=(*self._loop.carry, *made), body=tuple(body))

    def _moved_on(self, window: _Window) -> Iterator[Stmt]:
        """One iteration's additions: to the place that is complete then, and to those that are carried."""
        builder, carries = Builder(), self._carries[window]
        builder.span = window.last.span
        so_far: list[Atom | None] = [*(c.inner for c in carries), None]
        sums = [self._sum(builder, first, more) for first, more in zip(so_far, window.ahead, strict=True)]
        builder.put(replace(window.last, value=sums[0]))
        self._carries[window] = [replace(c, next=value) for c, value in zip(carries, sums[1:], strict=True)]
        yield from builder.out

    def _sum(self, builder: Builder, first: Atom | None, more: Sequence[Accumulate]) -> Atom:
        total = first
        for stmt in more:
            total = stmt.value if total is None else builder.let(add, total, stmt.value)
        assert total is not None
        return total

    def after(self, runs: bool) -> Iterator[Stmt]:
        """What is carried out of the last iteration is added; without an iteration there may be no such places."""
        builder = Builder()
        builder.span = self._loop.span
        if runs:
            self._put_rest(builder)
            yield from builder.out
            return
        forward = number(self._loop.step) > 0
        some = builder.let(less if forward else greater, self._loop.start, self._loop.stop)
        with builder.block() as block:
            self._put_rest(builder)
        yield from (*builder.out, ir.If(some, tuple(block), (), span=self._loop.span))

    def _put_rest(self, builder: Builder) -> None:
        for window in self._windows:
            last = window.last
            index = tuple(self._at_stop(builder, item) for item in last.index)
            place = index[window.axis]
            for k, carry in enumerate(self._carries[window]):
                beyond = builder.let(add, place, const(k * window.direction)) if k else place
                moved = (*index[: window.axis], beyond, *index[window.axis + 1 :])
                builder.put(replace(last, index=moved, value=carry.out))

    def _at_stop(self, builder: Builder, item: ir.Item) -> Any:
        """The index that an addition would have in one more iteration."""
        if item is self._loop.index:
            return self._loop.stop
        made = self._lets.get(item)
        if made is None:
            return item
        args = [self._at_stop(builder, a) for a in made.args]
        return builder.let(made.op, *args, name=made.target.name, **made.params)


def _lets(loop: For) -> dict[object, ir.Let]:
    return {s.target: s for s in loop.body if isinstance(s, ir.Let) and len(s.targets) == 1}
