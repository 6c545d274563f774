"""In what each value is kept: an array with a row for each visit, or a list of arrays."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from srcgrad.analysis.effects import Facts, Region
from srcgrad.analysis.kept_shapes import lengths
from srcgrad.analysis.varying import Varying
from srcgrad.core import ir
from srcgrad.core.build import const
from srcgrad.core.ir import Const, Stmt, Var
from srcgrad.core.shapes import Dim, Shapes, Shorter
from srcgrad.rules.language.integers import nonnegative
from srcgrad.rules.scalar.arithmetic import subtract
from srcgrad.rules.shapes.shape import dim as length_of
from srcgrad.transform.iterations import INT_ONE, Extents, Length, Loop, computed
from srcgrad.transform.memory import Memory
from srcgrad.transform.scope import Scope


@dataclass(frozen=True)
class Rows:
    """An array: an axis for each loop around the site, with a row for each iteration, then those of what is kept.

    A length of None: it is not known before, and the array grows.
    """

    name: str
    dtype: str
    lengths: tuple[Length | None, ...]

    @property
    def type(self) -> ir.Type:
        return ir.Type(self.dtype, len(self.lengths), ref=True)


@dataclass(frozen=True)
class Listed:
    """A list of arrays, or of references, and the position in it of each visit's."""

    name: str
    memory: ir.Type
    positions: Rows

    @property
    def type(self) -> ir.Type:
        return ir.Type(self.memory.dtype, self.memory.rank, many=True)


Storage = Rows | Listed


class StorageChoice:
    """Answers for one function."""

    def __init__(self, facts: Facts, scope: Scope, memory: Memory) -> None:
        self._facts, self._scope, self._memory = facts, scope, memory

    def loops(self, site: Stmt, region: Region) -> list[Loop]:
        """The loops with an axis in what is kept at site, by memory whose life ends in region: a load finds the same in
        all iterations of one in which it does not change."""
        between = self._facts.loops_between(site, region)
        if not isinstance(site, ir.Load) or self._memory.of_threads:
            return between
        changes = self.varying.of(site.target)
        return [loop for loop in between if loop in changes]

    @cached_property
    def varying(self) -> Varying:
        return Varying(self._facts)

    def of(self, site: Stmt, region: Region) -> Storage:
        """For what is kept at site, by memory whose life ends in region."""
        match site:
            case ir.Append():
                return self._rows(site, region, "i8", f"{site.pos.name}_kept")
            case ir.Alloc():  # it is its shadow that is kept
                return self._listed(site, region, site.target.type, f"{site.target.name}_bars")
            case ir.Load() | ir.Draw() | ir.Let():
                name, kind = f"{site.target.name}_kept", site.target.type
                if not kind.rank:
                    return self._rows(site, region, kind.dtype, name)
                memory = ir.Type(kind.dtype, kind.rank, ref=True)
                return self._rows_of_arrays(site, region, name) or self._listed(site, region, memory, name)
        raise AssertionError(f"{type(site).__name__} keeps nothing")

    def extent(self, loop: Loop, region: Region) -> Length | None:
        """How many rows the loop needs, of what a run of region has."""
        known = Extents(self._facts.makes, lambda atom: self._scope.has(atom, region)).of(loop)
        return self._memory.rows(loop, known)

    def _rows(self, site: Stmt, region: Region, dtype: str, name: str) -> Rows:
        return Rows(name, dtype, tuple(self.extent(loop, region) for loop in self.loops(site, region)) or (INT_ONE,))

    def _rows_of_arrays(self, site: ir.Load | ir.Draw | ir.Let, region: Region, name: str) -> Rows | None:
        """One array for all visits, if their number and the lengths of what is kept are known before.

        Not where visits may be few among many iterations: a list is as long as there are visits.
        """
        holders = [s for _, s in self._facts.chain(site, region)[:-1]]
        if len(holders) > 1 and any(isinstance(s, ir.If) or getattr(s, "exit", None) is not None for s in holders):
            return None
        rows = self._rows(site, region, site.target.type.dtype, name)
        axes = self.lengths(site.target, region)
        known = (*rows.lengths, *axes)
        return None if None in known else Rows(name, rows.dtype, known)

    def lengths(self, value: Var, region: Region) -> tuple[Length | None, ...]:
        """Of the axes of an array value, of what a run of region has; None: it is not known before the value."""
        return tuple(self._length(d, region) for d in self.shapes.dims(value))

    def _listed(self, site: Stmt, region: Region, memory: ir.Type, name: str) -> Listed:
        self._memory.check_lists(site.span)
        return Listed(name, memory, self._rows(site, region, "i8", "place_kept"))

    @cached_property
    def shapes(self) -> Shapes:
        """What is surely known of the function's shapes once it has run."""
        return lengths(self._facts.fun).shapes

    def _length(self, dim: Dim, region: Region) -> Length | None:
        """The length that a token stands for, of what a run of region has."""
        if isinstance(dim, (Const, Var)):
            return computed(nonnegative, dim, name="n") if self._scope.has(dim, region) else None
        if isinstance(dim, Shorter):
            longer = self._length(dim.dim, region)
            cut = None if longer is None else computed(subtract, longer, const(dim.cut), name="n")
            return None if cut is None else computed(nonnegative, cut, name="n")
        match dim:
            case (Var() as of, int(axis)) if self._scope.has(of, region):
                return computed(length_of, of, name="n", axis=axis)
        return None
