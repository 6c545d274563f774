"""One variable for all axes that are provably of one length, so that loops over them are seen to be of one space."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager

from srcgrad.analysis.kept_shapes import shapes_of
from srcgrad.bounds.facts import Ranges
from srcgrad.core import ir
from srcgrad.core.affine import Poly
from srcgrad.core.ir import Atom, Const, Fun, Stmt, Var
from srcgrad.core.shapes import ONE, Dim

ZERO = Const(0, ir.I8)


class Lengths:
    """Follows the statements of the function that is lowered. What is known inside a region holds inside it alone."""

    def __init__(self, fun: Fun) -> None:
        self.ranges = Ranges(fun)
        self.shapes = self.ranges.shapes = shapes_of(fun)
        self._atoms: dict[Dim, Atom] = {}  # of a length: the variable in the new function
        self._tokens: dict[Atom, Dim] = {}
        self._sums: dict[Hashable, Dim] = {}  # of a length as a sum: the token that was seen first

    @contextmanager
    def region(self, facts: Sequence[Poly] = ()) -> Iterator[None]:
        """facts: what is not negative inside."""
        kept = dict(self._atoms), dict(self._sums)
        with self.ranges.scope(facts):
            yield
        self._atoms, self._sums = kept

    def note(self, stmt: Stmt) -> None:
        if isinstance(stmt, (ir.For, ir.While)):
            self.shapes.note(stmt)
            self.ranges.left(stmt)
        elif isinstance(stmt, ir.If):
            self.shapes.note(stmt)
            for known, block in zip(reversed(self.ranges.sides(stmt.cond)), (stmt.then, stmt.orelse), strict=True):
                self.ranges.learn(*(known if any(isinstance(s, ir.Raise) for s in block) else ()))
        else:
            self.ranges.note(stmt)

    def inside(self, loop: ir.For | ir.While) -> list[Poly]:
        """What is not negative in each iteration."""
        own = self.ranges.turn(loop) if isinstance(loop, ir.For) else self.ranges.sides(loop.cond)[0]
        return [*own, *self.ranges.carried(loop)]

    def natural(self, atom: Atom) -> bool:
        """Whether an integer is surely not negative here."""
        return self.ranges.proves(self.ranges.value(atom))

    def holds(self, item: ir.Slice, ref: Var, axis: int) -> bool:
        """Whether a slice by steps of 1 surely begins and ends within the axis, and not before it begins."""
        if item.step not in (None, ONE) or all(i is None or isinstance(i, Const) for i in (item.start, item.stop)):
            return False
        length = self.ranges.length(ref, axis)
        start = self.ranges.value(ZERO if item.start is None else item.start)
        stop = length if item.stop is None else self.ranges.value(item.stop)
        return all(map(self.ranges.proves, (start, stop - start, length - stop)))

    def extent(self, item: ir.Slice) -> Const | None:
        """How many places lie between both ends of a slice, if that is a literal: 1 in k:k + 1."""
        if item.stop is None:
            return None
        start = self.ranges.value(ZERO if item.start is None else item.start)
        known = (self.ranges.value(item.stop) - start).known
        return None if known is None else Const(known, ir.I8)

    def enter(self, stmt: Stmt) -> None:
        self.shapes.enter(stmt)

    def known(self, var: Var, axis: int) -> Atom | None:
        """The length of an axis, if the new function has it."""
        return self._found(self.shapes.dims(var)[axis])

    def of(self, var: Var, dims: Sequence[Atom]) -> tuple[Atom, ...]:
        """The lengths of a variable's axes, for which `dims` would do."""
        return tuple(self._entered(token, n) for token, n in zip(self.shapes.dims(var), dims, strict=True))

    def sliced(self, ref: Var, index: ir.Index, dims: Sequence[Atom]) -> tuple[Atom, ...]:
        """Those of a part of memory."""
        return tuple(self._entered(token, n) for token, n in zip(self.shapes.sliced(ref, index), dims, strict=True))

    def settled(self, dims: Sequence[Atom]) -> tuple[Atom, ...]:
        """These lengths, each by the variable that stands for it by now."""
        return tuple(self._entered(self._tokens[n], n) if n in self._tokens else n for n in dims)

    def _found(self, token: Dim) -> Atom | None:
        first = self.shapes.first(token)
        if isinstance(first, Const):
            return first
        return self._atoms.get(first)

    def _entered(self, token: Dim, own: Atom) -> Atom:
        found = self._found(token)
        if found is None:
            found = self._same_sum(token)
        if found is not None:
            return found
        if not isinstance(own, Const):
            self._tokens.setdefault(own, token)
        self._atoms[self.shapes.first(token)] = own
        return own

    def _same_sum(self, token: Dim) -> Atom | None:
        """A length that is the same sum of integers as this one: that of `x[i : i + n]` is n."""
        first = self.shapes.first(token)
        value = self.ranges.value_of(first)
        if value.known is not None:
            self.shapes.unite(Const(value.known, ir.I8), first)
            return self._found(first)
        other = self._sums.setdefault(value.key, first)
        found = self._found(other)
        if other is first or found is None:
            return None
        self.shapes.unite(other, first)
        self._atoms[self.shapes.first(other)] = found
        return found


UNKNOWN = Var("unknown", ir.I8)  # the length of memory that grows: nothing asks for it
