"""What statements read and write, and which iterations of two loops side by side meet in one place of memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from srcgrad.analysis.effects import Facts
from srcgrad.core import ir
from srcgrad.core.affine import Poly
from srcgrad.core.aliases import Aliases
from srcgrad.core.ir import Atom, Stmt, Var
from srcgrad.core.walk import blocks, defined, defined_inside, used, used_inside, walk
from srcgrad.printer.parallel_iterations import may_raise
from srcgrad.schedule.integers import Integers, number, renamed
from srcgrad.simplify.loops.shared_by_iterations import distinct
from srcgrad.simplify.values.common import growing

INNERMOST = 64  # more loops than are around one
Place = tuple[Poly | None, ...]  # an index for each axis of the root; None: not known, or it may count from the end


class Kind(Enum):
    LOAD = auto()
    STORE = auto()
    ADD = auto()


class Meeting(Enum):
    """Where iterations of two loops, the first's and the second's, may reach one place."""

    NEVER = auto()
    SAME = auto()  # in iterations of one number only
    BEFORE = auto()  # the first's in an earlier one
    AFTER = auto()  # the first's in a later one
    UNKNOWN = auto()


@dataclass(frozen=True, eq=False, slots=True)
class Access:
    """family: the class of references that may share the memory."""

    kind: Kind
    family: Var
    root: Var
    place: Place


@dataclass(eq=False, slots=True)
class Touched:
    """What a statement, with all that is in it, has to do with.

    loud: whether it may raise, print, draw.   opaque: whether it does more than can be told here.
    """

    uses: set[Atom] = field(default_factory=set)
    binds: set[Var] = field(default_factory=set)
    reads: set[Var] = field(default_factory=set)
    writes: set[Var] = field(default_factory=set)
    accesses: dict[Var, list[Access]] = field(default_factory=dict)
    loud: bool = False
    opaque: bool = False
    loops_inside: bool = False

    def join(self, other: Touched) -> None:
        self.uses |= other.uses
        self.binds |= other.binds
        self.reads |= other.reads
        self.writes |= other.writes
        for family, accesses in other.accesses.items():
            self.accesses.setdefault(family, []).extend(accesses)
        self.loud, self.opaque = self.loud or other.loud, self.opaque or other.opaque
        self.loops_inside = self.loops_inside or other.loops_inside

    def apart(self, other: Touched) -> bool:
        """Whether the two may change places."""
        return not (
            self.opaque
            or other.opaque
            or (self.loud and other.loud)
            or self.bound_for(other)
            or other.bound_for(self)
            or not self.writes.isdisjoint(other.reads)
            or not self.writes.isdisjoint(other.writes)
            or not self.reads.isdisjoint(other.writes)
        )

    def bound_for(self, other: Touched) -> bool:
        """Whether the other uses what this binds."""
        return not self.binds.isdisjoint(other.uses)

    def roots(self) -> Iterator[Var]:
        """The arrays that it reaches."""
        return (access.root for found in self.accesses.values() for access in found)

    def renamed(self, old: Var, new: Var) -> Touched:
        """The same with another index of the loop around."""

        def moved(a: Access) -> Access:
            place = tuple(None if p is None else renamed(p, old, new) for p in a.place)
            return Access(a.kind, a.family, a.root, place)

        accesses = {family: [moved(a) for a in found] for family, found in self.accesses.items()}
        return Touched(
            self.uses, self.binds, self.reads, self.writes, accesses, self.loud, self.opaque, self.loops_inside
        )


_PLAIN = (ir.Let, ir.Load, ir.Store, ir.Accumulate, ir.Alloc, ir.View, ir.For, ir.While, ir.If, ir.Remark)
_LOUD = (ir.Raise, ir.Assert, ir.Print, ir.Seed, ir.Draw)


class Dependences:
    """Answers of one function, also where its loops are moved about."""

    def __init__(self, fun: ir.Fun) -> None:
        self.facts = Facts(fun)
        self.classes = Aliases(fun.body, given_back=True)
        self._growing = growing(fun, self.classes)
        refs = (v for v in self.facts.bound if v.type.ref and self.classes.of(v) in self._growing)
        self.integers = Integers(refs)
        self.integers.learn(fun.body)
        self._distinct: dict[tuple[Var, Var], bool] = {}
        self._in_place: dict[Atom, set[Var]] = {}  # array values that are memory themselves: the classes
        self._find_in_place(fun.body)

    def _find_in_place(self, stmts: Iterable[Stmt]) -> None:
        for stmt in walk(stmts):
            if isinstance(stmt, ir.Load) and stmt.target.type.rank and not stmt.copy:
                self._in_place[stmt.target] = {self.classes.of(stmt.ref)}
            elif self._in_place:
                held = set().union(*(self._in_place.get(a, set()) for a in (*used(stmt), *used_inside(stmt))))
                if held:
                    self._in_place.update((v, held) for v in (*defined(stmt), *defined_inside(stmt)) if v.type.rank)

    # ---- what statements touch

    def may_grow(self, ref: Var) -> bool:
        """Whether a store may make the memory longer."""
        return self.classes.of(ref) in self._growing

    def touched(self, stmt: Stmt) -> Touched:
        found = self._itself(stmt)
        for _, block in blocks(stmt):
            for inner in block:
                found.join(self.touched(inner))
                found.loops_inside |= isinstance(inner, (ir.For, ir.While))
        return found

    def _itself(self, stmt: Stmt) -> Touched:
        out = Touched({*used(stmt), *used_inside(stmt)}, {*defined(stmt), *defined_inside(stmt)})
        out.opaque = not isinstance(stmt, _PLAIN + _LOUD) or (isinstance(stmt, ir.Alloc) and stmt.space is not None)
        out.loud = may_raise(stmt)
        match stmt:
            case ir.Load():
                self._reach(out, Kind.LOAD, stmt.ref, stmt.index)
            case ir.Store():
                self._reach(out, Kind.STORE, stmt.ref, stmt.index)
            case ir.Accumulate():
                kind = Kind.ADD if stmt.atomic in (None, ir.Atomic.ADD) else Kind.STORE
                self._reach(out, kind, stmt.ref, stmt.index)
            case ir.Let() | ir.View():
                grown = {self.classes.of(a) for a in out.uses if isinstance(a, Var) and a.type.ref}
                out.reads |= grown & self._growing
            case ir.Effect():
                out.reads |= {self.classes.of(a) for a in out.uses if isinstance(a, Var) and a.type.ref}
        if self._in_place:
            out.reads |= set().union(*(self._in_place.get(a, set()) for a in out.uses))
        for family in out.reads - out.accesses.keys():
            out.accesses[family] = [Access(Kind.LOAD, family, Var("somewhere", family.type), ())]
        return out

    def _reach(self, out: Touched, kind: Kind, ref: Var, index: ir.Index) -> None:
        family = self.classes.of(ref)
        root, place = self.place_in_root(ref, index)
        out.accesses[family] = [Access(kind, family, root, place)]
        (out.reads if kind is Kind.LOAD else out.writes).add(family)
        if family in self._growing:  # a store makes it longer, and reads of any place see zeros there
            out.opaque = out.opaque or kind is not Kind.LOAD

    def place_in_root(self, ref: Var, index: ir.Index) -> tuple[Var, Place]:
        """The memory that an index reaches through views, and where."""
        place: Place = tuple(self._natural(item) for item in index)
        while ref in self.facts.base:
            view = self.facts.base[ref]
            place = self._in_base(view, place)
            ref = view.base
        return ref, place

    def _natural(self, item: ir.Item | None) -> Poly | None:
        if item is None or isinstance(item, ir.Slice) or not item.type.is_scalar or item.type != ir.I8:
            return None
        value = self.integers.of(item)
        return value if self.integers.at_least(value, 0) else None

    def _in_base(self, view: ir.View, place: Place) -> Place:
        rank = view.base.type.rank
        if isinstance(view.how, ir.Transpose):
            return tuple(place[view.how.axes.index(k)] for k in range(rank))
        if isinstance(view.how, ir.Reshape):
            return (None,) * rank
        inner = iter(place)
        return tuple(self._shifted(i, next(inner)) if isinstance(i, ir.Slice) else self._natural(i) for i in view.how)

    def _shifted(self, item: ir.Slice, index: Poly | None) -> Poly | None:
        if index is None or (item.step is not None and number(item.step) != 1):
            return None
        start = Poly({}) if item.start is None else self._natural(item.start)
        return None if start is None else index + start

    # ---- where iterations meet

    def meeting(self, a: Access, b: Access, first: ir.For, second: ir.For, exact: bool = True) -> Meeting:
        """Where a, of the first loop, and b, of the second with the same iterations, may reach one place. exact: or
        else an axis is enough along which the first is never ahead."""
        if a.root is not b.root:
            return Meeting.NEVER if self._apart(a.root, b.root) else Meeting.UNKNOWN
        found: set[int] = set()
        for p, q in zip(a.place, b.place, strict=False):
            if p is None or q is None:
                continue
            ahead = self._ahead(p, q, first, second)
            if ahead is Meeting.NEVER:
                return Meeting.NEVER
            if isinstance(ahead, int):
                found.add(ahead)
                if ahead <= 0 and not exact:
                    break
        if len(found) != 1:
            return Meeting.NEVER if found else Meeting.UNKNOWN
        (ahead,) = found
        return Meeting.SAME if ahead == 0 else Meeting.AFTER if ahead > 0 else Meeting.BEFORE

    def _ahead(self, p: Poly, q: Poly, first: ir.For, second: ir.For) -> int | Meeting:
        """How many iterations the first loop must be ahead of the second for the two indices to be equal."""
        i, j, step = first.index, second.index, number(first.step)
        slope = p.degree(i)
        if slope and step and slope == q.degree(j) and p.linear_in(i) and q.linear_in(j):
            rest = (q - Poly.of(j).scaled(slope)) - (p - Poly.of(i).scaled(slope))
            if rest.known is not None:
                if rest.known % (slope * step):
                    return Meeting.NEVER
                return rest.known // (slope * step)
        apart = p - q
        if self.integers.at_least(apart, 1) or self.integers.at_least(-apart, 1):
            return Meeting.NEVER
        return Meeting.UNKNOWN

    def _apart(self, a: Var, b: Var) -> bool:
        if (a, b) not in self._distinct:
            known = a in self.facts.bound and b in self.facts.bound
            self._distinct[a, b] = known and distinct(self.facts, a, b)
        return self._distinct[a, b]

    def iterations_apart(self, loop: ir.For, own: frozenset[Var] = frozenset()) -> bool:
        """Whether no iteration writes what another one has to do with, but for memory that each has for itself."""
        touched = self.touched(loop)
        if touched.opaque or touched.loud:
            return False
        other = replace(loop, index=Var(loop.index.name, ir.I8), body=())
        self.integers.learn((other,), INNERMOST)
        again, own = touched.renamed(loop.index, other.index), own | touched.binds
        return all(
            self.meeting(x, y, loop, other) in (Meeting.SAME, Meeting.NEVER)
            for x, y in self.pairs(touched, again)
            if x.root not in own and y.root not in own
        )

    def pairs(self, a: Touched, b: Touched) -> Iterator[tuple[Access, Access]]:
        """Accesses of the one and the other to one family of memory, of which one writes."""
        for family in a.accesses.keys() & b.accesses.keys():
            for one in a.accesses[family]:
                for other in b.accesses[family]:
                    if one.kind is not Kind.LOAD or other.kind is not Kind.LOAD:
                        yield one, other


def count_pairs(a: Touched, b: Touched) -> int:
    return sum(len(a.accesses[f]) * len(b.accesses[f]) for f in a.accesses.keys() & b.accesses.keys())
