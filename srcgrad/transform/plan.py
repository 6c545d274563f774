"""The plan of a reverse sweep: what is named, loaded again or kept, and where references and snapshots go.

It decides and emits nothing. For each load from memory whose life ends in region q (its level): if the load stands
in q itself its value is still *named*; if nothing overwrites the memory later and the reference can be named from q,
it is loaded again (*reload*); else it is *kept*, one row a visit, in an array that lives as long as the memory.
Where a loop's body rewrites memory through nested loops or slices (time stepping), one *snapshot* a turn takes the
place of many kept loads: the body is run again on a local copy.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from srcgrad.analysis.effects import Facts, Region
from srcgrad.analysis.overwrites import Overwrites
from srcgrad.core import ir
from srcgrad.core.build import whole
from srcgrad.core.ir import Stmt, Var
from srcgrad.core.walk import walk

Loop = ir.For | ir.While
Access = ir.Load | ir.Store | ir.Accumulate
Decision = Literal["named", "reload", "keep"]
Policy = Literal["auto", "keep", "snapshot"]


class Plan:
    """Everything that the reverse transformation must know.

    level[s]: the region whose run performs s for real (in which its memory lives).
    decision[s]: of a Load, an Append or a Draw.
    references[loop]: 'swap' (undo the permutation) or 'list' (keep the references).
    snapshots[loop][root]: whether the body writes through root (then it is run on a copy of the row).
    """

    def __init__(self, facts: Facts, policy: Policy = "auto") -> None:
        self.facts, self.policy = facts, policy
        self.overwrites = Overwrites(facts)
        self.level: dict[Stmt, Region] = {}
        self.decision: dict[Stmt, Decision] = {}
        self.references: dict[Loop, Literal["swap", "list"]] = {}
        self.snapshots: dict[Loop, dict[Var, bool]] = {}
        for stmt in facts.where:
            self._level(stmt)
        self._sizes = set(self._fixed_integers())
        for stmt in facts.where:
            self._decide(stmt)
        for stmt in facts.where:
            if isinstance(stmt, (ir.For, ir.While)):
                self.snapshots[stmt] = {}
                if policy != "keep":
                    self._choose_snapshots(stmt)

    def kept(self, stmt: Stmt) -> bool:
        return self.decision.get(stmt) == "keep"

    def describe(self) -> Iterator[str]:
        """A line a kept load and a snapshot, with the reason."""
        for stmt, decision in self.decision.items():
            if decision == "keep" and isinstance(stmt, ir.Load):
                yield f"{stmt.ref.name}{_line(stmt)}: kept at each load, for it is overwritten later"
        for loop, roots in self.snapshots.items():
            for root in roots:
                yield f"{root.name}{_line(loop)}: a snapshot a turn, for the loop's body rewrites it"

    # ---- loads

    def _level(self, stmt: Stmt) -> None:
        facts = self.facts
        match stmt:
            case ir.Load() | ir.Store() | ir.Accumulate():
                self.level[stmt] = facts.level_of(stmt.ref)
            case ir.Append():
                self.level[stmt] = facts.bound[stmt.refs]
            case ir.Draw():
                self.level[stmt] = facts.top  # as if loaded from memory that the next draw overwrites
            case ir.For() | ir.While():
                heads = [c.inner for c in stmt.carry if c.inner.type.ref]
                nexts = [c.next for c in stmt.carry if c.inner.type.ref]
                swap = set(heads) == set(nexts) and len(set(nexts)) == len(heads)
                self.references[stmt] = "swap" if swap else "list"

    def _fixed_integers(self) -> Iterator[Var]:
        """Integers that depend on shapes, parameters and literals only."""
        fixed: set[ir.Atom] = {p for p in self.facts.fun.params if p.type == ir.I8}
        for stmt in self.facts.where:
            if not isinstance(stmt, ir.Let) or len(stmt.targets) != 1 or stmt.target.type != ir.I8:
                continue
            if all(isinstance(a, ir.Const) or a.type.ref or a in fixed for a in stmt.args):
                fixed.add(stmt.target)
                yield stmt.target

    def _decide(self, stmt: Stmt) -> None:
        facts = self.facts
        if isinstance(stmt, ir.Load):
            level = self.level[stmt]
            if facts.where[stmt] is level:
                self.decision[stmt] = "named"
            elif self._visible(stmt, level) and not self.overwritten_later(stmt, level):
                self.decision[stmt] = "reload"
            else:
                self.decision[stmt] = "keep"
        elif isinstance(stmt, (ir.Append, ir.Draw)):
            self.decision[stmt] = "named" if facts.where[stmt] is self.level[stmt] else "keep"

    def overwritten_later(self, load: ir.Load, level: Region) -> bool:
        """Whether what the load reads may be overwritten before the sweep back gets there."""
        return self.overwrites.overwritten_later(load, load.ref, level)

    def _visible(self, load: ir.Load, region: Region) -> bool:
        """Whether the reference is a view of one that has a name in region (the views between are made again)."""
        ref = load.ref
        while ref in self.facts.base and not region.within(self.facts.bound[ref]):
            ref = self.facts.base[ref].base
        return region.within(self.facts.bound[ref])

    # ---- snapshots

    def _choose_snapshots(self, loop: Loop) -> None:
        facts = self.facts
        body = facts.region[loop, "body"]
        groups: dict[Var, list[tuple[Access, Var | None]]] = {}
        for stmt in walk(loop.body):
            if isinstance(stmt, (ir.Load, ir.Store, ir.Accumulate)) and stmt.ref.type.is_float:
                if self.level[stmt] is facts.where[loop] and self.level[stmt] is facts.level_of(stmt.ref):
                    groups.setdefault(facts.classes.of(stmt.ref), []).append(
                        (stmt, self._seen_as(stmt.ref, loop, body))
                    )
        for cls, accesses in groups.items():
            if self._grows(cls):
                continue
            roots = self._snapshot_roots(loop, cls, accesses)
            if roots is not None and self._worthwhile(loop, [a for a, _ in accesses], body):
                self._take_snapshots(loop, roots, body)

    def _grows(self, cls: Var) -> bool:
        """Whether memory of the class grows: a row of a snapshot would have no fixed length."""
        facts = self.facts
        allocs = (s for s in facts.makes.values() if isinstance(s, ir.Alloc) and None in s.shape)
        return any(facts.classes.of(s.target) is cls for s in allocs)

    def _worthwhile(self, loop: Loop, accesses: list[Access], body: Region) -> bool:
        kept = [a for a in accesses if isinstance(a, ir.Load) and self.kept(a)]
        if self.policy == "snapshot":
            return bool(kept)
        if any(a.index == whole(a.ref) and self.facts.where[a] is body for a in kept):
            return True  # a row a turn is what a snapshot takes, and it serves all other loads
        dear = [a for a in kept if a.target.type.rank or self.facts.where[a] is not body]
        return len(dear) >= 2 and all(self._rectangular(a, body) for a in dear)

    def _snapshot_roots(
        self, loop: Loop, cls: Var, accesses: list[tuple[Access, Var | None]]
    ) -> dict[Access, Var] | None:
        """The memory that each access reaches, if that is sure: the class's one root, or a head of a pure swap."""
        facts = self.facts
        if facts.classes.simple(cls):
            (root, *more) = facts.roots[cls]
            return None if more or self._reshaped(cls) else {a: root for a, _ in accesses}
        heads = {c.inner for c in loop.carry}
        if self.references[loop] != "swap" or not self._distinct_inits(loop, cls) or self._reshaped(cls):
            return None
        roots = {a: seen for a, seen in accesses if seen in heads and seen is not None}
        return roots if len(roots) == len(accesses) else None

    def _reshaped(self, cls: Var) -> bool:
        """Views that a strided copy could not be given again."""
        classes = self.facts.classes
        return any(
            isinstance(v.how, ir.Reshape) for v in self.facts.base.values() if classes.of(v.target) is classes.of(cls)
        )

    def _take_snapshots(self, loop: Loop, roots: dict[Access, Var], body: Region) -> None:
        stored = {root for a, root in roots.items() if not isinstance(a, ir.Load)}
        wanted = {root for a, root in roots.items() if self.kept(a)}
        self.snapshots[loop].update({root: root in stored for root in wanted})
        inside = {a: root for a, root in roots.items() if root in wanted}
        for access in inside:
            self.level[access] = body
        for access, root in inside.items():
            if not isinstance(access, ir.Load):
                continue
            if self.facts.where[access] is body:
                self.decision[access] = "named"
            else:
                local = (a for a, r in inside.items() if r is root and not isinstance(a, ir.Load))
                again = any(self.overwrites.overwrites(store, access, access.ref, body) for store in local)
                self.decision[access] = "keep" if again else "reload"

    def _seen_as(self, ref: Var, loop: Loop, body: Region) -> Var | None:
        """Views inside the body followed to what the body sees from outside, or to a head."""
        facts = self.facts
        while ref in facts.base and facts.bound[ref].within(body):
            ref = facts.base[ref].base
        if not facts.bound[ref].within(body) or ref in {c.inner for c in loop.carry}:
            return ref
        return None

    def _rectangular(self, access: Access, body: Region) -> bool:
        """Whether the loops around access inside body have bounds that are known outside it."""

        def fixed(atom: ir.Atom) -> bool:
            return isinstance(atom, ir.Const) or not self.facts.bound[atom].within(body) or atom in self._sizes

        return all(
            isinstance(loop, ir.For) and loop.exit is None and all(map(fixed, (loop.start, loop.stop, loop.step)))
            for loop in self.facts.loops_between(access, body)
        )

    def _distinct_inits(self, loop: Loop, cls: Var) -> bool:
        """Whether the references that go round start as different, whole memories."""
        facts = self.facts
        inits = [c.init for c in loop.carry if c.inner.type.ref and facts.classes.of(c.inner) is cls]
        whole = {
            v
            for v in inits
            if isinstance(v, Var) and (v in facts.fun.params or isinstance(facts.makes.get(v), ir.Alloc))
        }
        return len(whole) == len(inits)


def _line(stmt: Stmt) -> str:
    return f" (line {stmt.span.line})" if stmt.span else ""
