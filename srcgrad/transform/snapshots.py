"""Of which memory a loop takes a snapshot in each iteration, so that its body is run again on a local copy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from srcgrad.analysis.effects import Facts, Region
from srcgrad.analysis.overwrites import Overwrites
from srcgrad.core import ir
from srcgrad.core.build import whole
from srcgrad.core.ir import Stmt, Var
from srcgrad.core.walk import walk
from srcgrad.transform.iterations import Loop

Access = ir.Load | ir.Store | ir.Accumulate
Decision = Literal["named", "reload", "keep"]


@dataclass
class Choice:
    """The snapshots of one loop: of which memory (and whether the body writes through it), and what is decided of the
    accesses to it."""

    roots: dict[Var, bool] = field(default_factory=dict)
    accesses: list[Access] = field(default_factory=list)  # their memory now lives in one iteration
    decisions: dict[Stmt, Decision] = field(default_factory=dict)


class Snapshots:
    """Answers for the loops of one function.

    level, kept, swapped: what has been decided so far; of the loops around one that is asked for, they must be settled.
    always: whether to take one wherever anything would be kept.
    """

    def __init__(
        self,
        facts: Facts,
        level: Mapping[Stmt, Region],
        kept: Callable[[Stmt], bool],
        swapped: Callable[[Loop], bool],
        always: bool,
    ) -> None:
        self._facts, self._level, self._kept, self._swapped, self._always = facts, level, kept, swapped, always
        self._overwrites = Overwrites(facts)
        self._sizes = set(self._fixed_integers())

    def choose(self, loop: Loop) -> Choice:
        facts, made = self._facts, Choice()
        body = facts.region[loop, "body"]
        groups: dict[Var, list[tuple[Access, Var | None]]] = {}
        for stmt in walk(loop.body):
            if isinstance(stmt, (ir.Load, ir.Store, ir.Accumulate)) and stmt.ref.type.is_float:
                if self._level[stmt] is facts.where[loop] and self._level[stmt] is facts.level_of(stmt.ref):
                    group = groups.setdefault(facts.classes.of(stmt.ref), [])
                    group.append((stmt, self._seen_as(stmt.ref, loop, body)))
        for cls, accesses in groups.items():
            if self._grows(cls):
                continue
            roots = self._roots(loop, cls, accesses)
            if roots is not None and self._worthwhile([a for a, _ in accesses], body):
                self._take(made, roots, body)
        return made

    def _fixed_integers(self) -> Iterator[Var]:
        """Integers that depend on shapes, parameters and literals only."""
        fixed: set[ir.Atom] = {p for p in self._facts.fun.params if p.type == ir.I8}
        for stmt in self._facts.where:
            if not isinstance(stmt, ir.Let) or len(stmt.targets) != 1 or stmt.target.type != ir.I8:
                continue
            if all(isinstance(a, ir.Const) or a.type.ref or a in fixed for a in stmt.args):
                fixed.add(stmt.target)
                yield stmt.target

    def _grows(self, cls: Var) -> bool:
        """Whether memory of the class grows: a row of a snapshot would have no fixed length."""
        facts = self._facts
        allocs = (s for s in facts.makes.values() if isinstance(s, ir.Alloc) and None in s.shape)
        return any(facts.classes.of(s.target) is cls for s in allocs)

    def _worthwhile(self, accesses: list[Access], body: Region) -> bool:
        kept = [a for a in accesses if isinstance(a, ir.Load) and self._kept(a)]
        if self._always:
            return bool(kept)
        if any(a.index == whole(a.ref) and self._facts.where[a] is body for a in kept):
            return True  # a row an iteration is what a snapshot takes, and it serves all other loads
        dear = [a for a in kept if a.target.type.rank or self._facts.where[a] is not body]
        return len(dear) >= 2 and all(self._rectangular(a, body) for a in dear)

    def _roots(self, loop: Loop, cls: Var, accesses: list[tuple[Access, Var | None]]) -> dict[Access, Var] | None:
        """The memory that each access reaches, if that is sure: the class's one root, or what enters an iteration of a
        loop that only swaps."""
        facts = self._facts
        if facts.classes.simple(cls):
            (root, *more) = facts.roots[cls]
            return None if more or self._reshaped(cls) else {a: root for a, _ in accesses}
        entries = {c.inner for c in loop.carry}
        if not self._swapped(loop) or not self._distinct_inits(loop, cls) or self._reshaped(cls):
            return None
        roots = {a: seen for a, seen in accesses if seen in entries and seen is not None}
        return roots if len(roots) == len(accesses) else None

    def _reshaped(self, cls: Var) -> bool:
        """Views that a strided copy could not be given again."""
        classes = self._facts.classes
        return any(
            isinstance(v.how, ir.Reshape) for v in self._facts.base.values() if classes.of(v.target) is classes.of(cls)
        )

    def _take(self, made: Choice, roots: dict[Access, Var], body: Region) -> None:
        stored = {root for a, root in roots.items() if not isinstance(a, ir.Load)}
        wanted = dict.fromkeys(root for a, root in roots.items() if self._kept(a))
        made.roots.update({root: root in stored for root in wanted})
        inside = {a: root for a, root in roots.items() if root in wanted}
        made.accesses += inside
        for access, root in inside.items():
            if not isinstance(access, ir.Load):
                continue
            if self._facts.where[access] is body:
                made.decisions[access] = "named"
            else:
                local = (a for a, r in inside.items() if r is root and not isinstance(a, ir.Load))
                again = any(self._overwrites.overwrites(store, access, access.ref, body) for store in local)
                made.decisions[access] = "keep" if again else "reload"

    def _seen_as(self, ref: Var, loop: Loop, body: Region) -> Var | None:
        """Views inside the body followed to what the body sees from outside, or to what enters the iteration."""
        facts = self._facts
        while ref in facts.base and facts.bound[ref].within(body):
            ref = facts.base[ref].base
        if not facts.bound[ref].within(body) or ref in {c.inner for c in loop.carry}:
            return ref
        return None

    def _rectangular(self, access: Access, body: Region) -> bool:
        """Whether the loops around access inside body have bounds that are known outside it."""

        def fixed(atom: ir.Atom) -> bool:
            return isinstance(atom, ir.Const) or not self._facts.bound[atom].within(body) or atom in self._sizes

        return all(
            isinstance(loop, ir.For) and loop.exit is None and all(map(fixed, (loop.start, loop.stop, loop.step)))
            for loop in self._facts.loops_between(access, body)
        )

    def _distinct_inits(self, loop: Loop, cls: Var) -> bool:
        """Whether the references that the loop carries start as different, whole memories."""
        facts = self._facts
        inits = [c.init for c in loop.carry if c.inner.type.ref and facts.classes.of(c.inner) is cls]
        whole = {
            v
            for v in inits
            if isinstance(v, Var) and (v in facts.fun.params or isinstance(facts.makes.get(v), ir.Alloc))
        }
        return len(whole) == len(inits)
