"""What each value of a function is computed of, and what that takes: the nodes and edges of the plan's cuts.

A node is a scalar or an array value, memory of one class in one region (what is stored there), or a region (what must
be known to get there: conditions, and the bounds of loops).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from srcgrad.analysis.effects import Facts, Region
from srcgrad.core import ir
from srcgrad.core.ir import Atom, Carry, Const, Stmt, Var
from srcgrad.core.shapes import Shapes
from srcgrad.core.walk import index_atoms, used
from srcgrad.transform import costs
from srcgrad.transform.iterations import Loop, counted
from srcgrad.transform.one_sweep import OneSweep
from srcgrad.transform.snapshots import Access


class Memory(NamedTuple):
    """What is stored in memory of a class, in a run of the region in which its life ends."""

    cls: Var
    level: Region


Node = Var | Memory | Region


class DataFlow:
    """home[n]: the region whose run computes n.   reads[n]: of what.   cost[n]: one computation of it."""

    def __init__(
        self,
        facts: Facts,
        level: Mapping[Stmt, Region],
        kept: Callable[[Stmt], bool],
        one_sweep: OneSweep,
        shapes: Shapes,
        counters: Mapping[Carry, Atom],
    ) -> None:
        self._facts, self._level, self._kept, self._one_sweep = facts, level, kept, one_sweep
        self._shapes, self._counters = shapes, counters
        self.home: dict[Node, Region] = {}
        self.home |= {var: region for var, region in facts.bound.items()}
        self.reads: dict[Node, list[Node]] = {}
        self.cost: dict[Node, float] = {}
        self.forced: dict[Var, Region] = {}  # loads that only the run of a region around them can make
        for stmt, region in facts.where.items():
            self._note(stmt, region)

    def _put(self, node: Node, atoms: Iterable[Atom | Node], cost: float) -> None:
        self.reads[node] = [a for a in atoms if not isinstance(a, Const)]
        self.cost[node] = cost

    def _note(self, stmt: Stmt, region: Region) -> None:
        match stmt:
            case ir.Load():
                self._note_load(stmt, region)
            case ir.Store() | ir.Accumulate():
                self._note_store(stmt, region, [stmt.value, *index_atoms(stmt.index)])
            case ir.Alloc() if stmt.target in self._facts.makes:
                self._note_store(stmt, region, used(stmt))
            case ir.If():
                self._enter(self._facts.region[stmt, "then"], [stmt.cond])
                self._enter(self._facts.region[stmt, "orelse"], [stmt.cond])
                for out in stmt.outs:
                    self._put(out.target, [out.then, out.orelse, stmt.cond], 0.0)
            case ir.For() | ir.While():
                self._note_loop(stmt)
            case _:
                targets = getattr(stmt, "targets", None) or ([t] if (t := getattr(stmt, "target", None)) else [])
                for target in targets:
                    self._put(target, [*used(stmt), region], costs.of(stmt, self.size))

    def _enter(self, region: Region, atoms: Iterable[Atom]) -> None:
        assert region.parent is not None
        self.home[region] = region.parent
        self._put(region, [*atoms, region.parent], 0.0)

    def _note_load(self, stmt: ir.Load, region: Region) -> None:
        level = self._level[stmt]
        source = [] if self._one_sweep.performed(level) else [self._memory(stmt.ref, level)]
        if self._kept(stmt):
            self.forced[stmt.target] = level
        self._put(stmt.target, [*index_atoms(stmt.index), *source, region], costs.of(stmt, self.size))

    def _memory(self, ref: Var, level: Region) -> Memory:
        node = Memory(self._facts.classes.of(ref), level)
        if node not in self.home:
            self.home[node] = level
            self._put(node, [], 0.0)
        return node

    def _note_store(self, stmt: Stmt, region: Region, atoms: Iterable[Atom]) -> None:
        ref = stmt.target if isinstance(stmt, ir.Alloc) else stmt.ref  # type: ignore[attr-defined]
        level = self._level.get(stmt, self._facts.level_of(ref))
        if self._one_sweep.performed(level):
            return
        node = self._memory(ref, level)
        self.reads[node] += [*(a for a in atoms if not isinstance(a, Const)), region]
        self.cost[node] += 1.0

    def _note_loop(self, loop: Loop) -> None:
        body = self._facts.region[loop, "body"]
        bounds = [loop.start, loop.stop, loop.step] if isinstance(loop, ir.For) else [loop.cond]
        ends = [*bounds, *([loop.exit] if loop.exit is not None else [])]
        self._enter(body, ends)
        if isinstance(loop, ir.While):
            self._enter(self._facts.region[loop, "test"], ends)
        else:
            self._put(loop.index, [body], 0.0)
        for carry in loop.carry:
            step = self._counters.get(carry, carry.next)
            self._put(carry.inner, [carry.init, step, body], costs.LOCAL)
            self._put(carry.out, [carry.init, carry.next, body], 0.0)

    def size(self, value: Atom) -> float:
        """How many numbers it has, if its lengths are not known."""
        size = 1.0
        for length in self._shapes.dims(value) if value.type.rank and not value.type.ref else ():
            size *= float(length.value.real) if isinstance(length, Const) else costs.LENGTH
        return size

    def trips(self, loop: Loop) -> float:
        """How many iterations the loop has, if it is not known."""
        if isinstance(loop, ir.For) and not counted(loop):
            start, stop, step = loop.start, loop.stop, loop.step
            if isinstance(start, Const) and isinstance(stop, Const) and isinstance(step, Const):
                return float(max(1, len(range(*(int(a.value.real) for a in (start, stop, step))))))
        return costs.TRIPS

    def visits(self, region: Region, within: Region) -> float:
        """How many times a run of `within` comes to the region."""
        number = 1.0
        while region is not within:
            if isinstance(region.stmt, (ir.For, ir.While)):
                number *= self.trips(region.stmt)
            assert region.parent is not None
            region = region.parent
        return number

    def accesses(self) -> Iterator[Access]:
        return (s for s in self._facts.where if isinstance(s, Access))
