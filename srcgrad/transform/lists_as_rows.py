"""Lists of arrays whose lengths can be told before the first is appended, as the rows of one array.

    hs = []                                         hs = np.empty((n, k))
    for t in range(n):                              for t in range(n):
        h = np.tanh(w @ h)              becomes         h = np.tanh(w @ h)
        hs.append(h)                                    hs[t] = h

A row holds what the array was when it was appended, so nothing may write into those arrays: neither before nor after.
The appends stand beside the list, or in counted loops beside it that nothing leaves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from srcgrad.analysis.effects import Facts, Region
from srcgrad.analysis.kept_shapes import shapes_of
from srcgrad.core import ir
from srcgrad.core.build import FULL, Builder
from srcgrad.core.ir import Append, Atom, Const, For, Fun, NewList, RefAt, Stmt, Var
from srcgrad.core.rewrite import Rewriter, Rewritten
from srcgrad.core.shapes import Dim, Shapes
from srcgrad.core.walk import blocks, defined, used, used_inside, walk
from srcgrad.rules.language.integers import nonnegative
from srcgrad.rules.scalar.arithmetic import add, subtract
from srcgrad.rules.shapes.shape import dim

ZERO = Const(0, ir.I8)
READING = (ir.Load, ir.Let, ir.View)  # what they do with a reference ends with them


@dataclass(frozen=True, slots=True)
class Length:
    """A length that is at hand: an integer, or that of an axis of an array."""

    of: Atom
    axis: int = 0

    def token(self, shapes: Shapes) -> Dim:
        return shapes.dims(self.of)[self.axis] if self.of.type.rank else shapes.length(self.of)


@dataclass(eq=False, slots=True)
class _List:
    """A list that may become rows.   steps: of the appends, in order, the loop around each.   first: the statement
    beside the list that uses it first.   scope: what is bound in front of that.   row: the lengths of what is in it."""

    made: NewList
    steps: list[tuple[Append, For | None]]
    first: Stmt
    scope: list[Var] = field(default_factory=list)
    row: list[Length] | None = None


def lists_as_rows(fun: Fun) -> Fun:
    """The function with such lists as arrays; the same object if there are none."""
    if not any(isinstance(stmt, NewList) for stmt in walk(fun.body)):
        return fun
    found = _found(fun)
    while found:
        measure = _Measure(fun, found)
        measure.block(fun.body, list(fun.params))
        if not measure.refused:
            return _Rows(found).fun(fun)
        found = [one for one in found if one not in measure.refused]
    return fun


# ---- which lists


def _found(fun: Fun) -> list[_List]:
    facts, users = Facts(fun), dict[Atom, list[Stmt]]()
    for stmt in walk(fun.body):
        for atom in {*used(stmt), *used_inside(stmt)}:
            users.setdefault(atom, []).append(stmt)
    made = [stmt for stmt in walk(fun.body) if isinstance(stmt, NewList)]
    return [one for new in made if (one := _of_list(facts, users, new)) is not None]


def _of_list(facts: Facts, users: dict[Atom, list[Stmt]], new: NewList) -> _List | None:
    mine, cls = users.get(new.target, []), facts.classes.of(new.target)
    appends = [stmt for stmt in mine if isinstance(stmt, Append) and stmt.refs is new.target]
    reads = [stmt for stmt in mine if isinstance(stmt, RefAt)]
    results = (r for r in facts.fun.results if isinstance(r, Var) and (r.type.ref or r.type.many))
    if not appends or len(appends) + len(reads) != len(mine) or facts.stores.get(cls):
        return None
    if any(facts.classes.of(r) is cls for r in results) or not all(_only_read(users, r.target) for r in reads):
        return None
    home = facts.where[new]
    steps = [(append, _around(facts.where[append], home)) for append in appends]
    if any(loop is None and facts.where[append] is not home for append, loop in steps):
        return None
    steps.sort(key=lambda step: facts.order[step[1] or step[0]])
    loops = [loop for _, loop in steps if loop is not None]
    if len(set(loops)) < len(loops):
        return None
    return _List(new, steps, min((_beside(facts, home, stmt) for stmt in mine), key=lambda s: facts.order[s]))


def _beside(facts: Facts, home: Region, stmt: Stmt) -> Stmt:
    """The statement of a region that another one is, or lies in."""
    while facts.where[stmt] is not home:
        outer = facts.where[stmt].stmt
        assert outer is not None
        stmt = outer
    return stmt


def _only_read(users: dict[Atom, list[Stmt]], ref: Var) -> bool:
    return all(
        isinstance(stmt, READING) and (not isinstance(stmt, ir.View) or _only_read(users, stmt.target))
        for stmt in users.get(ref, [])
    )


def _around(region: Region, home: Region) -> For | None:
    """The counted loop, of a region beside the list, whose body the region is."""
    loop = region.stmt
    if region.parent is not home or not isinstance(loop, For) or loop.exit is not None or loop.parallel:
        return None
    return loop if isinstance(loop.step, Const) and loop.step.value in (1, -1) else None


# ---- what is known of their lengths


class _Measure:
    """Goes through the function in order, and finds of each list how long the arrays in it are.

    It assumes that all that is in a list is as long as the first; refused: the lists of which that did not prove true.
    """

    def __init__(self, fun: Fun, lists: Sequence[_List]) -> None:
        self.shapes = shapes_of(fun)
        self.starts = {one.first: one for one in lists}
        self.appends = {append: one for one in lists for append, _ in one.steps}
        self.lists = {one.made.target: one for one in lists}
        self.refused: set[_List] = set()
        for one in lists:
            one.row = None

    def block(self, stmts: Iterable[Stmt], scope: list[Var]) -> None:
        for stmt in stmts:
            if stmt in self.starts:
                self.start(self.starts[stmt], scope)
            if isinstance(stmt, Append) and stmt in self.appends:
                self.append(self.appends[stmt], stmt)
            for _, block in blocks(stmt):
                with self.shapes.region():
                    self.shapes.enter(stmt)
                    self.block(block, [*scope, *_heads(stmt)])
            self.shapes.note(stmt)
            if isinstance(stmt, RefAt) and stmt.refs in self.lists and self.lists[stmt.refs].row is not None:
                self.shapes.copy(stmt.target, self.lists[stmt.refs].steps[0][0].ref)
            scope += defined(stmt)

    def start(self, one: _List, scope: Sequence[Var]) -> None:
        one.scope = [v for v in scope if v.type == ir.I8 or (v.type.ref and not self.shapes.grows(v))]
        bounds = (bound for _, loop in one.steps if loop is not None for bound in (loop.start, loop.stop))
        if not all(isinstance(bound, Const) or bound in one.scope for bound in bounds):
            self.refused.add(one)

    def append(self, one: _List, stmt: Append) -> None:
        tokens = self.shapes.dims(stmt.ref)
        if one in self.refused:
            return
        if one.row is None:
            found = [self.at_hand(token, one.scope) for token in tokens]
            one.row = [length for length in found if length is not None]
            same = len(one.row) == len(tokens)
        else:
            same = all(self.shapes.equal(n.token(self.shapes), t) for n, t in zip(one.row, tokens, strict=True))
        if not same:
            self.refused.add(one)

    def at_hand(self, token: Dim, scope: Sequence[Var]) -> Length | None:
        first = self.shapes.first(token)
        if isinstance(first, Const):
            return Length(first)
        for whole in (False, True):
            for var in scope:
                for axis in range(var.type.rank if whole else not var.type.rank):
                    length = Length(var, axis)
                    if self.shapes.equal(length.token(self.shapes), token):
                        return length
        return None


def _heads(stmt: Stmt) -> list[Var]:
    carried = [c.inner for c in stmt.carry] if isinstance(stmt, (For, ir.While)) else []
    return [*carried, stmt.index] if isinstance(stmt, For) else carried


# ---- the rows


class _Rows(Rewriter):
    """memory: of a list, the array of its rows.   place: of an append, the row that the first one there takes."""

    def __init__(self, lists: Sequence[_List]) -> None:
        super().__init__()
        self.starts: dict[Stmt, list[_List]] = {}
        for one in lists:
            self.starts.setdefault(one.first, []).append(one)
        self.lists = {one.made for one in lists}
        self.memory = {one.made.target: _memory(one.made) for one in lists}
        self.loops = {append: loop for one in lists for append, loop in one.steps}
        self.place: dict[Append, Atom] = {}

    def one(self, stmt: Stmt) -> Rewritten:
        for one in self.starts.get(stmt, ()):
            self.start(one)
        match stmt:
            case NewList() if stmt in self.lists:
                return ()
            case Append() if stmt.refs in self.memory:
                return self.append(stmt)
            case RefAt() if stmt.refs in self.memory:
                memory = self.memory[stmt.refs]
                index = (self.atom(stmt.pos), *(FULL,) * stmt.target.type.rank)
                return ir.View(stmt.target, memory, index, span=stmt.span)
        return self.inside(stmt)

    def start(self, one: _List) -> None:
        assert one.row is not None
        builder = Builder()
        count: Atom = ZERO
        builder.span = one.made.span
        for append, loop in one.steps:
            self.place[append] = count
            count = _sum(builder, count, Const(1, ir.I8) if loop is None else self.trips(builder, loop))
        row = [self.length(builder, n) for n in one.row]
        memory = self.memory[one.made.target]
        builder.put(ir.Alloc(memory, (count, *row), ir.Init.EMPTY, span=one.made.span))
        for stmt in builder.out:
            self.put(stmt)

    def trips(self, builder: Builder, loop: For) -> Atom:
        first, last = (loop.start, loop.stop) if loop.step == Const(1, ir.I8) else (loop.stop, loop.start)
        low, high = self.atom(first), self.atom(last)
        return builder.let(nonnegative, _difference(builder, high, low), name="rows")

    def length(self, builder: Builder, length: Length) -> Atom:
        of = self.atom(length.of)
        if of.type.rank:
            return builder.let(dim, of, name="n", axis=length.axis)
        return builder.let(nonnegative, of, name="n")

    def append(self, stmt: Append) -> list[Stmt]:
        builder, loop = Builder(), self.loops[stmt]
        builder.span = stmt.span
        row = self.place[stmt]
        if loop is not None:
            ahead = (loop.index, loop.start) if loop.step == Const(1, ir.I8) else (loop.start, loop.index)
            row = _sum(builder, row, _difference(builder, *map(self.atom, ahead)))
        ref = self.atom(stmt.ref)
        assert isinstance(ref, Var)
        value = builder.load(ref)
        builder.store(self.memory[stmt.refs], (row, *(FULL,) * ref.type.rank), value)
        self.env[stmt.pos] = row
        return builder.out


def _memory(new: NewList) -> Var:
    kind = new.target.type
    return Var(new.target.name, ir.Type(kind.dtype, kind.rank + 1, ref=True))


def _sum(builder: Builder, a: Atom, b: Atom) -> Atom:
    if ZERO in (a, b):
        return b if a == ZERO else a
    return builder.let(add, a, b, name="row")


def _difference(builder: Builder, a: Atom, b: Atom) -> Atom:
    return a if b == ZERO else builder.let(subtract, a, b, name="row")
