"""Which values are kept and which are computed again: a minimum cut through the data flow of each region's run.

The sweep back through a region needs some of its values (what the rules of its statements read, conditions, bounds,
indices), and so the region is run again. In the network of that run, what is not computed again is kept: to compute a
value costs its operation, times the visits in the run, and takes all that it is computed of; to keep it costs a store
and a load a visit. Inner regions come first: what they need of an outer one is needed of that one's run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from srcgrad.analysis.activity import Activity
from srcgrad.analysis.effects import Facts, Region
from srcgrad.analysis.varying import Loops, Varying
from srcgrad.core import ir
from srcgrad.core.ir import Atom, Carry, Const, Stmt, Var
from srcgrad.core.shapes import Shapes
from srcgrad.core.walk import how_atoms, index_atoms
from srcgrad.transform import costs
from srcgrad.transform.data_flow import DataFlow, Node
from srcgrad.transform.iterations import counted
from srcgrad.transform.kept_values import KeptValue
from srcgrad.transform.max_flow import INFINITE, Network
from srcgrad.transform.one_sweep import OneSweep
from srcgrad.transform.operands import operands
from srcgrad.transform.selections import Selections

LEAST_GAIN, LEAST_PART = 5.0, 0.1  # what a run must be spared, and what part of it, that arrays are made for it


class Decided(Protocol):
    """What the plan has decided before."""

    level: dict[Stmt, Region]
    activity: Activity
    one_sweep: OneSweep
    selections: Selections
    counters: dict[Carry, Atom]

    @property
    def shapes(self) -> Shapes: ...

    def kept(self, stmt: Stmt) -> bool: ...


class Cut:
    """Answers for one function. chosen: the values to keep, with what computing each again would have cost, and what
    keeping it costs."""

    def __init__(
        self,
        facts: Facts,
        plan: Decided,
        candidates: Mapping[Var, KeptValue],
        varying: Varying,
    ) -> None:
        self._facts, self._activity, self._candidates, self._varying = facts, plan.activity, candidates, varying
        self._one_sweep, self._selections = plan.one_sweep, plan.selections
        self._counters = plan.counters
        self._flow = DataFlow(facts, plan.level, plan.kept, plan.one_sweep, plan.shapes, plan.counters)
        self._sizes = list(self._known_sizes(plan.level))
        self.chosen: dict[Var, tuple[float, float]] = {}
        self._needed: dict[Region, dict[Node, None]] = {}
        self._needs()
        for region in reversed(list(facts.region.values())):
            if region in self._needed:
                self._cut(region)

    # ---- what the sweep back needs

    def _needs(self) -> None:
        facts, active = self._facts, set[Stmt]()
        for stmt, region in facts.where.items():
            if self._is_active(stmt):
                active.add(stmt)
                here: Region | None = region
                while here is not None and here.stmt is not None and here.stmt not in active:
                    active.add(here.stmt)
                    here = here.parent
                self._need(region, self._read_back(stmt))
        for stmt in active:
            match stmt:
                case ir.If():
                    self._need(facts.where[stmt], [stmt.cond])
                case ir.For():
                    self._need(facts.where[stmt], [stmt.start, stmt.stop, stmt.step])
            if isinstance(stmt, (ir.For, ir.While)) and counted(stmt):
                ends = [stmt.exit, stmt.cond] if isinstance(stmt, ir.While) else [stmt.exit]
                self._need(facts.where[stmt], [a for a in ends if a is not None])

    def _need(self, region: Region, atoms: Sequence[Node | Const]) -> None:
        if self._one_sweep.performed(region) or region.which == "test":
            return
        needed = self._needed.setdefault(region, {})
        for atom in atoms:
            if not isinstance(atom, Const):
                needed[atom] = None

    def _is_active(self, stmt: Stmt) -> bool:
        match stmt:
            case ir.Let() | ir.Call() | ir.Custom():
                return any(t in self._activity for t in stmt.targets)
            case ir.Load():
                return stmt.target in self._activity
            case ir.Store() | ir.Accumulate():
                return stmt.ref in self._activity
            case ir.View():
                return stmt.target in self._activity
            case ir.If():
                return any(out.target in self._activity for out in stmt.outs)
            case ir.For() | ir.While():
                return any(c.out in self._activity for c in stmt.carry)
        return False

    def _read_back(self, stmt: Stmt) -> Sequence[Node | Const]:
        match stmt:
            case ir.Let():
                return operands(stmt, [a in self._activity for a in stmt.args])
            case ir.Load() | ir.Store() | ir.Accumulate():
                return list(index_atoms(stmt.index))
            case ir.View():
                return list(how_atoms(stmt.how))
            case ir.Call() | ir.Custom():
                return [a for a in stmt.args if not a.type.ref]
        return []

    # ---- how much memory there is anyhow

    def _known_sizes(self, level: Mapping[Stmt, Region]) -> Iterator[tuple[Loops, int]]:
        """Loops together with whose iterations the function's memory grows anyhow, and how many of them may do so: of
        what it indexes, and of loads that are kept."""
        for access in self._flow.accesses():
            if self._one_sweep.performed(level[access]):
                outer = self._outer_loops(self._facts.where[access])
                axes = [loops for a in index_atoms(access.index) if (loops := self._varying.of(a) - outer)]
                slices = sum(isinstance(item, ir.Slice) for item in access.index)
                yield frozenset().union(*axes), len(axes) + slices
        for var, where in self._flow.forced.items():
            if self._one_sweep.performed(where):
                around = self._varying.around(self._facts.bound[var]) - self._varying.around(where)
                loops = self._varying.of(var) & around
                yield loops, len(loops) + var.type.rank

    def _outer_loops(self, region: Region) -> Loops:
        """The loops around the innermost region around that is run once."""
        return self._varying.around(self._one_sweep.forward(region))

    def _keeping(self, var: Var) -> float:
        """What it costs to keep a number of the value."""
        loops, rank = frozenset(self._candidates[var].loops), var.type.rank
        size = self._flow.size(var)
        outer, around = self._outer_loops(self._facts.bound[var]), self._varying.around(self._facts.bound[var])
        if around == outer:
            return costs.KEEP * size + costs.ARRAY  # it is made for one visit
        if outer:
            return costs.LOCAL * size  # memory of one iteration
        if len(loops) + rank <= 1 or any(loops <= known and len(loops) + rank <= axes for known, axes in self._sizes):
            return costs.KEEP * size
        made = self._facts.makes[var]
        summed = isinstance(made, (ir.For, ir.While)) and self._facts.where[made] is self._facts.bound[var]
        return costs.KEEP * size * (costs.SUMMED if summed else costs.LARGE)

    # ---- one run

    def _cut(self, region: Region) -> None:
        nodes = self._nodes(region)
        compute = {n: self._computing(n, region) * self._flow.visits(self._flow.home[n], region) for n in nodes}
        computed = set(nodes)
        if sum(compute.values()) >= LEAST_GAIN and not self._single(region):
            keep: dict[Node, float] = {
                n: self._keeping(n) * self._visits(n, region) for n in nodes if isinstance(n, Var) and self._may(n)
            }
            kept = self._minimum(region, nodes, compute, keep)
            left = self._reached(region, kept)
            spent = sum(compute[n] for n in left) + sum(keep[n] for n in kept)
            total = sum(compute.values())
            if kept and total - spent >= max(LEAST_GAIN, LEAST_PART * total):
                computed = left
                for var in kept:
                    again = sum(compute[n] for n in self._reached(region, kept - {var}) - left)
                    self.chosen[var] = again / self._visits(var, region), keep[var] / self._visits(var, region)
        self._pass_on(region, computed)

    def _single(self, region: Region) -> bool:
        """Whether the region is run again for one iteration alone."""
        here: Region | None = region
        while here is not None and here.stmt not in self._selections.found:
            here = here.parent
        return here is not None

    def _visits(self, node: Node, region: Region) -> float:
        return self._flow.visits(self._flow.home[node], region)

    def _may(self, var: Var) -> bool:
        forced = self._flow.forced.get(var)
        return var in self._candidates and (forced is None or not self._one_sweep.performed(forced))

    def _given(self, node: Node, region: Region) -> bool:
        """Whether a run of the region finds it in memory that an outer run has filled, if not kept by the first."""
        if not isinstance(node, Var):
            return False
        forced = self._flow.forced.get(node)
        if forced is not None and forced is not region and region.within(forced):
            return True
        stmt = region.stmt
        carries = stmt.carry if isinstance(stmt, (ir.For, ir.While)) else ()
        return any(c.inner is node and c not in self._counters for c in carries)

    def _computing(self, node: Node, region: Region) -> float:
        return costs.KEEP if self._given(node, region) else self._flow.cost.get(node, 0.0)

    def _reads(self, node: Node, region: Region) -> list[Node]:
        """What a run of the region computes it of, of what that run computes."""
        if self._given(node, region) or (isinstance(node, Var) and node is getattr(region.stmt, "index", None)):
            return []
        return [n for n in self._flow.reads.get(node, ()) if self._inside(n, region)]

    def _inside(self, node: Node, region: Region) -> bool:
        return self._flow.home[node].within(region) and node not in self.chosen

    def _reached(self, region: Region, kept: set[Var]) -> set[Node]:
        """What the run computes if these are kept."""
        found = set[Node]()
        waiting = [n for n in self._needed[region] if self._inside(n, region) and n not in kept]
        while waiting:
            node = waiting.pop()
            if node not in found:
                found.add(node)
                waiting += [n for n in self._reads(node, region) if n not in kept]
        return found

    def _nodes(self, region: Region) -> list[Node]:
        return list(self._reached(region, set()))

    def _minimum(
        self, region: Region, nodes: Sequence[Node], compute: Mapping[Node, float], keep: Mapping[Node, float]
    ) -> set[Var]:
        """The values at the cut. A node has two numbers: where it is computed, and where it is there."""
        place = {n: 2 + 2 * k for k, n in enumerate(nodes)}
        network = Network(2 + 2 * len(nodes))
        for node, at in place.items():
            network.edge(0, at, compute[node])
            network.edge(at, at + 1, keep.get(node, INFINITE))
            for read in self._reads(node, region):
                network.edge(place[read] + 1, at, INFINITE)
            if node in self._needed[region]:
                network.edge(at + 1, 1, INFINITE)
        side = network.cut(0, 1)
        return {n for n, at in place.items() if at in side and at + 1 not in side and isinstance(n, Var)}

    def _pass_on(self, region: Region, computed: set[Node]) -> None:
        """What the run needs of outer ones."""
        wanted = [*self._needed[region], *(n for c in computed for n in self._flow.reads.get(c, ()))]
        for node in dict.fromkeys(wanted):
            home = self._flow.home[node]
            if not home.within(region) and not isinstance(node, Region):
                self._need(home, [node])
        for node in computed:
            if isinstance(node, Var) and self._given(node, region):
                forced = self._flow.forced.get(node)
                self._need(forced if forced is not None else self._outer(region), [node])

    def _outer(self, region: Region) -> Region:
        assert region.parent is not None
        return region.parent
