"""In which of the loops around it a value changes."""

from __future__ import annotations

from collections.abc import Iterable

from srcgrad.analysis.effects import Facts, Region
from srcgrad.core import ir
from srcgrad.core.ir import Atom, Stmt, Var
from srcgrad.core.walk import defined, used

Loop = ir.For | ir.While
Loops = frozenset[Loop]
NONE: Loops = frozenset()


def loops_around(region: Region) -> list[Loop]:
    """The loops in whose bodies or tests the region lies, outermost first."""
    found: list[Loop] = []
    here: Region | None = region
    while here is not None:
        if isinstance(here.stmt, (ir.For, ir.While)):
            found.append(here.stmt)
        here = here.parent
    return found[::-1]


class Varying:
    """Answers for one function: two visits that differ only in the iteration of a loop that is not among a value's find
    the same."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._around: dict[Region, Loops] = {}
        self._memory = self._changed_in()
        self._of: dict[Var, Loops] = {}
        while any([self._grow(stmt) for stmt in facts.where]):  # all of them, until nothing grows
            pass

    def of(self, atom: Atom) -> Loops:
        return self._of.get(atom, NONE) if isinstance(atom, Var) else NONE

    def around(self, region: Region) -> Loops:
        if region not in self._around:
            self._around[region] = frozenset(loops_around(region))
        return self._around[region]

    def _changed_in(self) -> dict[Var, Loops]:
        """Of each class of memory, the loops in which it is made or written."""
        facts, found = self._facts, dict[Var, Loops]()
        for stmt, region in facts.where.items():
            match stmt:
                case ir.Store() | ir.Accumulate():
                    written: tuple[Var, ...] = (stmt.ref,)
                case ir.View():
                    continue
                case ir.Append():
                    written = (stmt.ref,)
                case _:
                    written = tuple(v for v in defined(stmt) if v.type.ref or v.type.many)
            for ref in written:
                cls = facts.classes.of(ref)
                found[cls] = found.get(cls, NONE) | self.around(region)
        return found

    def _changes(self, ref: Var) -> Loops:
        return self._memory.get(self._facts.classes.of(ref), NONE)

    def _grow(self, stmt: Stmt) -> bool:
        """Note of what the statement binds in which loops it changes; whether that is news."""
        match stmt:
            case ir.Let():
                lengths = [self._changes(a) for a in stmt.args if isinstance(a, Var) and a.type.ref]
                return self._add(stmt.targets, self._all(stmt.args).union(*lengths))
            case ir.Load():
                return self._add((stmt.target,), self._all(used(stmt)) | self._changes(stmt.ref))
            case ir.View():
                return self._add((stmt.target,), self._all(used(stmt)))
            case ir.If():
                return any([self._add((o.target,), self._all((stmt.cond, o.then, o.orelse))) for o in stmt.outs])
            case ir.For() | ir.While():
                return self._grow_loop(stmt)
        return self._add(defined(stmt), self.around(self._facts.where[stmt]))

    def _grow_loop(self, loop: Loop) -> bool:
        own = frozenset([loop])
        ends = (loop.cond, loop.exit) if isinstance(loop, ir.While) else (loop.start, loop.stop, loop.step, loop.exit)
        bounds = self._all(a for a in ends if a is not None)
        grown = [self._add((loop.index,), self._all((loop.start, loop.step)) | own)] if isinstance(loop, ir.For) else []
        for carry in loop.carry:
            inside = self._all((carry.init, carry.next)) | own
            grown.append(self._add((carry.inner,), inside))
            grown.append(self._add((carry.out,), (inside | bounds) - own))
        return any(grown)

    def _all(self, atoms: Iterable[Atom]) -> Loops:
        return NONE.union(*map(self.of, atoms))

    def _add(self, targets: Iterable[Var], loops: Loops) -> bool:
        grown = False
        for var in targets:
            before = self._of.get(var)
            if before is None or not loops <= before:
                self._of[var] = loops if before is None else before | loops
                grown = True
        return grown
