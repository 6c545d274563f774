"""The plan of a reverse sweep: what is named, loaded again or kept, in what, and where references and snapshots go.

It decides all of that, and emits nothing. For each load from memory whose life ends in region q (its level): if the
load stands in q itself its value is still *named*; if nothing overwrites the memory later and the reference can be
named from q, it is loaded again (*reload*); else it is *kept*, one row a visit, in an array that lives as long as the
memory. Where a loop's body rewrites memory through nested loops or slices (time stepping), one *snapshot* an iteration
takes the place of many kept loads: the body is run again on a local copy.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from srcgrad.analysis.activity import Activity
from srcgrad.analysis.effects import Facts, Region
from srcgrad.analysis.overwrites import Overwrites
from srcgrad.core import ir
from srcgrad.core.held import is_held
from srcgrad.core.ir import Atom, Carry, Stmt, Var
from srcgrad.core.shapes import Shapes
from srcgrad.core.walk import blocks
from srcgrad.transform.counters import counters_of
from srcgrad.transform.cut import Cut
from srcgrad.transform.iterations import Length, Loop, Numbering, numbering
from srcgrad.transform.kept_values import Candidates, KeptValue
from srcgrad.transform.memory import Memory, OwnMemory
from srcgrad.transform.one_sweep import OneSweep
from srcgrad.transform.scope import Scope
from srcgrad.transform.selections import Selections
from srcgrad.transform.snapshots import Access, Decision, Snapshots
from srcgrad.transform.storage import Listed, Storage, StorageChoice
from srcgrad.transform.taped_calls import marks_of

Policy = Literal["auto", "keep", "snapshot"]
Keeping = Literal["cost", "all", "none"]  # which values that can be computed again are kept
Site = ir.Load | ir.Draw | ir.Append | ir.Alloc | ir.Let


class Plan:
    """Everything that the reverse transformation must know.

    level[s]: the region whose run performs s for real (in which its memory lives).
    decision[s]: of a Load, an Append, a Draw, or what a call returns.
    numbering[loop]: what the rows of its iterations are.   rows[loop]: how many of them, for what enters an iteration.
    references[loop]: 'swap' (undo the permutation) or 'list' (keep the references).
    entries[loop]: the scalars, and the shadows of references, that are kept as they enter each iteration.
    snapshots[loop][root]: whether the body writes through root (then it is run on a copy of the row).
    refilled[c]: the loop's body that fills shared memory again.   left_out: stores that no run performs.
    escapes: allocations in a loop or branch that are carried out of it; their shadows are kept.
    values[v]: in what a value is kept, one row a visit, by the only run of the region around it that is run once, so
    that no later run computes it again; values_in[s]: those that are kept inside s, a statement of that region.
    values_of[s]: those that s binds in its own region.
    storage[s]: in what is kept what s loads, draws, appends or makes.   sites[s]: what is to be kept inside s, which
    stands where the memory's life ends: the arrays for it are made before s.
    marks[call]: where on the tape what the call keeps begins.
    one_sweep: the loops that run forward and backward at once.
    selections: the loops that look for something, of which one iteration alone is run again.
    made: all that is kept, in the order in which it is made, with the reasons.
    """

    def __init__(
        self,
        facts: Facts,
        policy: Policy = "auto",
        active: Sequence[Var] | None = None,
        memory: Memory | None = None,
        keeping: Keeping = "cost",
        at_once: bool = True,
    ) -> None:
        """active: by which parameters the function is differentiated, all floats if None.   at_once: whether loops may
        run forward and backward at once."""
        self._keeping = keeping
        self.facts, self.overwrites = facts, Overwrites(facts)
        self.memory: Memory = OwnMemory(facts) if memory is None else memory
        self.active = [p for p in facts.fun.params if p.type.is_float] if active is None else list(active)
        self.loops = [s for s in facts.where if isinstance(s, (ir.For, ir.While))]
        self.marks = marks_of(facts.fun)
        self._decide_all()
        self._refill()
        self.snapshots: dict[Loop, dict[Var, bool]] = {loop: {} for loop in self.loops}
        if policy != "keep" and self.memory.snapshots:
            self._choose_snapshots(policy)
        self.activity = Activity(facts, self.active, self._measured())
        loops = self.loops if at_once and policy == "auto" and memory is None else []
        self.one_sweep = OneSweep(facts, self.activity, self._kept_by, loops)
        self.selections = Selections(facts, self.activity, loops)
        self.scope = Scope(facts, self.activity, self.snapshots)
        self._store_all()

    @property
    def shapes(self) -> Shapes:
        """What is surely known of the function's shapes once it has run."""
        return self._choice.shapes

    def axes(self, site: Site) -> list[Loop]:
        """The loops with an axis in what is kept at site."""
        return self._choice.loops(site, self.level[site])

    def kept(self, stmt: Stmt) -> bool:
        return self.decision.get(stmt) == "keep"

    def _kept_by(self, stmt: Stmt, region: Region) -> bool:
        """Whether the run of the region keeps what the statement gives."""
        return self.kept(stmt) and self.level[stmt] is region

    def swaps(self, loop: Loop) -> bool:
        """Whether the references that the loop carries change places only, so that going back undoes it."""
        return self.references[loop] == "swap"

    def describe(self) -> Iterator[str]:
        """A line for each thing that is kept: its name in the generated code, the user's line, the reason."""
        yield from map(str, self.made)

    # ---- loads

    def _decide_all(self) -> None:
        facts = self.facts
        self.left_out = frozenset(s for s in facts.where if self.memory.left_out(s))
        self.level: dict[Stmt, Region] = {}
        self.decision: dict[Stmt, Decision] = {}
        self.references = {loop: _references(loop) for loop in self.loops}
        self.numbering: dict[Loop, Numbering] = {loop: numbering(loop) for loop in self.loops}
        self.counters: dict[Carry, Atom] = {}  # those that are told by the iteration, with what they go on by
        for loop in self.loops:
            self.counters |= counters_of(facts, loop)
        for stmt in facts.where:
            self._level(stmt)
        for stmt in facts.where:
            self._decide(stmt)

    def _level(self, stmt: Stmt) -> None:
        match stmt:
            case ir.Load() | ir.Store() | ir.Accumulate():
                self.level[stmt] = self.facts.level_of(stmt.ref)
            case ir.Append():
                self.level[stmt] = self.facts.bound[stmt.refs]
            case ir.Let() if is_held(stmt):
                self.level[stmt] = self.facts.top
            case ir.Draw():
                self.level[stmt] = self.facts.top  # as if loaded from memory that the next draw overwrites

    def _decide(self, stmt: Stmt) -> None:
        facts = self.facts
        if isinstance(stmt, ir.Load):
            level = self.level[stmt]
            if facts.where[stmt] is level:
                self.decision[stmt] = "named"
            elif self._visible(stmt, level) and not self.memory.overwritten_later(stmt, level):
                self.decision[stmt] = "reload"
            else:
                self.decision[stmt] = "keep"
        elif isinstance(stmt, (ir.Append, ir.Draw)) or is_held(stmt):
            self.decision[stmt] = "named" if facts.where[stmt] is self.level[stmt] else "keep"

    def _visible(self, load: ir.Load, region: Region) -> bool:
        """Whether the reference is a view of one that has a name in region (the views between are made again)."""
        ref = load.ref
        while ref in self.facts.base and not region.within(self.facts.bound[ref]):
            ref = self.facts.base[ref].base
        return region.within(self.facts.bound[ref])

    # ---- memory that lives in one iteration

    def _refill(self) -> None:
        """Let memory that a loop fills in each iteration live there, if something would be kept else."""
        self.refilled: dict[Var, Region] = {}
        for cls, loop in self.memory.refilled():
            inside = [s for s in self.level if isinstance(s, Access) and self.facts.classes.of(s.ref) is cls]
            if not any(map(self.kept, inside)):
                continue
            body = self.refilled[cls] = self.facts.region[loop, "body"]
            self.level.update(dict.fromkeys(inside, body))
            for access in inside:
                self._decide(access)

    def _choose_snapshots(self, policy: Policy) -> None:
        snapshots = Snapshots(self.facts, self.level, self.kept, self.swaps, always=policy == "snapshot")
        for loop in self.loops:
            choice = snapshots.choose(loop)
            self.snapshots[loop] = choice.roots
            self.level.update(dict.fromkeys(choice.accesses, self.facts.region[loop, "body"]))
            self.decision.update(choice.decisions)

    def _measured(self) -> Iterator[Var]:
        """References chosen at run time whose shape is asked for inside a loop or a branch, or that snapshots are taken
        of: when that is run again, only their shadows are there to tell it."""
        facts = self.facts
        for stmt, where in facts.where.items():
            for arg in stmt.args if isinstance(stmt, ir.Let) else ():
                if isinstance(arg, Var) and arg.type.ref and arg.type.is_float and not facts.classes.simple(arg):
                    if facts.level_of(arg) is not where:
                        yield arg
        yield from (root for roots in self.snapshots.values() for root in roots if not facts.classes.simple(root))

    # ---- values that could be computed again

    def _keep_values(self) -> None:
        facts = self.facts
        self.values: dict[Var, KeptValue] = {}
        self._costs: dict[Var, tuple[float, float]] = {}
        self.values_in: dict[Stmt, list[Var]] = {}
        self.values_of: dict[Stmt, list[Var]] = {}
        if self._keeping == "none" or self.memory.of_threads:
            return
        varying = self._choice.varying
        candidates = Candidates(facts, self._choice, varying, self.one_sweep).all()
        if self._keeping == "all":
            chosen = dict.fromkeys(candidates, (0.0, 0.0))
        else:
            chosen = Cut(facts, self, candidates, varying).chosen
        for var in candidates:
            made = facts.makes[var]
            if var not in chosen or (isinstance(made, ir.Load) and self.kept_at_once(made)):
                continue
            self.values[var] = candidates[var]
            self._costs[var] = chosen[var]
            self.values_in.setdefault(self._holder(facts.bound[var]), []).append(var)
            if facts.where[made] is facts.bound[var]:
                self.values_of.setdefault(made, []).append(var)

    def _holder(self, region: Region) -> Stmt:
        """The statement in which the region lies, of the innermost region that is run once."""
        while region.parent is not None and not self.one_sweep.performed(region.parent):
            region = region.parent
        assert region.stmt is not None
        return region.stmt

    def kept_at_once(self, load: ir.Load) -> bool:
        """Whether the load's value is kept by the only run of what holds its memory."""
        return self.kept(load) and self.one_sweep.performed(self.level[load])

    # ---- in what it is kept

    def _store_all(self) -> None:
        facts = self.facts
        self.escapes = frozenset(filter(self._escapes, facts.where))
        self.level.update({s: facts.level_of(s.target) for s in self.escapes if isinstance(s, ir.Alloc)})
        self.sites: dict[Stmt, list[Site]] = {}
        for site in facts.where:
            if isinstance(site, Site) and (site in self.escapes or self.kept(site)):
                _, holder = facts.chain(site, self.level[site])[0]
                self.sites.setdefault(holder, []).append(site)
        self._choice = StorageChoice(facts, self.scope, self.memory)
        self._keep_values()
        self.storage: dict[Site, Storage] = {}
        self.rows: dict[Loop, Length | None] = {}
        self.entries: dict[Loop, list[Carry]] = {}
        self.made: list[ir.Kept] = []
        self._store(facts.fun.body, facts.top)

    def _escapes(self, stmt: Stmt) -> bool:
        if not isinstance(stmt, ir.Alloc) or not self.scope.shadow_travels(stmt.target):
            return False
        return self.facts.level_of(stmt.target) is not self.facts.where[stmt]

    def _store(self, stmts: Sequence[Stmt], region: Region) -> None:
        """In the order of the emission: the region is run, then its statements' adjoints follow, last first."""
        for stmt in stmts:
            for var in self.values_in.get(stmt, ()) if self.one_sweep.performed(region) else ():
                self._note_value(var)
            for site in self.sites.get(stmt, ()):
                self.storage[site] = storage = self._choice.of(site, region)
                self._note(storage.name, storage.type, site, self._reason(site), shadow=isinstance(site, ir.Alloc))
                if isinstance(storage, Listed):
                    place, reason = storage.positions, f"the position in {storage.name} of what each visit keeps"
                    self._note(place.name, place.type, site, reason)
            if stmt in self.one_sweep.steps:
                self._store_inside(stmt)
            elif isinstance(stmt, (ir.For, ir.While)):
                self._store_entries(stmt, region)
        for stmt in reversed(stmts):
            if stmt not in self.one_sweep.steps:
                self._store_inside(stmt)

    def _store_inside(self, stmt: Stmt) -> None:
        for which, block in blocks(stmt):
            if which != "test":
                self._store(block, self.facts.region[stmt, which])

    def _store_entries(self, loop: Loop, region: Region) -> None:
        self.rows[loop] = self._choice.extent(loop, region)
        self.entries[loop] = []
        for carry in loop.carry:
            name, kind = carry.inner.name, carry.inner.type
            if carry in self.counters or carry.inner in self.values or not self.selections.enters(loop, carry):
                continue
            if not kind.ref:
                reason = "its value at the entry of each iteration, from which the body is run again"
                self._note(f"{name}_kept", ir.Type(kind.dtype, 1, ref=True), loop, reason)
            elif self.references[loop] == "list" and self.scope.halves(carry.inner, region)[1]:
                self.memory.check_lists(loop.span)
                reason = "its shadow at the entry of each iteration, for it is chosen at run time"
                self._note(f"{name}_bars", ir.Type(kind.dtype, kind.rank, many=True), loop, reason, shadow=True)
            else:
                continue
            self.entries[loop].append(carry)
        for root in self.snapshots[loop]:
            kind, reason = root.type, "a snapshot an iteration, for the loop's body rewrites it"
            self._note(f"{root.name}_kept", ir.Type(kind.dtype, 1 + kind.rank, ref=True), loop, reason)

    def _note_value(self, var: Var) -> None:
        rows, (again, keep) = self.values[var].rows, self._costs[var]
        reason = f"kept at each visit, for {keep:.0f}; to compute it again costs {again:.0f} (1: a multiplication)"
        self._note(rows.name, rows.type, self.facts.makes[var], reason)

    def _note(self, name: str, kind: ir.Type, stmt: Stmt, reason: str, shadow: bool = False) -> None:
        self.made.append(ir.Kept(name, kind, stmt.span.line if stmt.span else None, reason, shadow))

    def _reason(self, site: Site) -> str:
        match site:
            case ir.Load() if self._visible(site, self.level[site]):
                return f"kept at each load, for {site.ref.name} is overwritten later"
            case ir.Load():
                return f"kept at each load, for {site.ref.name} has no name outside the loop or branch"
            case ir.Let():
                return "kept at each call, which is not made again"
            case ir.Draw():
                return "kept at each draw, for another draw gives other numbers"
            case ir.Append():
                return "where in the list each visit has appended"
        return "the shadow of what each visit makes, for it is carried out of the loop or branch"


def _references(loop: Loop) -> Literal["swap", "list"]:
    entering = [c.inner for c in loop.carry if c.inner.type.ref]
    following = [c.next for c in loop.carry if c.inner.type.ref]
    swap = set(entering) == set(following) and len(set(following)) == len(entering)
    return "swap" if swap else "list"
