"""Which values the forward sweep may keep, one row a visit, so that no later run computes them again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from srcgrad.analysis.effect_only import silent
from srcgrad.analysis.effects import Facts, Region
from srcgrad.analysis.varying import Varying, loops_around
from srcgrad.core import ir
from srcgrad.core.ir import Var
from srcgrad.core.walk import defined
from srcgrad.transform.iterations import INT_ONE, Length, Loop
from srcgrad.transform.one_sweep import OneSweep
from srcgrad.transform.storage import Rows, StorageChoice


@dataclass(frozen=True)
class KeptValue:
    """In what a value is kept, and the loops with an axis there: those in which it changes."""

    rows: Rows
    loops: tuple[Loop, ...]


class Candidates:
    """The values of one function that can be kept in arrays whose lengths are known before their loops."""

    def __init__(self, facts: Facts, choice: StorageChoice, varying: Varying, one_sweep: OneSweep) -> None:
        self._facts, self._choice, self._varying, self._one_sweep = facts, choice, varying, one_sweep
        self._lengths: dict[Loop, Length | None] = {}

    def all(self) -> dict[Var, KeptValue]:
        return {var: kept for var, region in self._values() if (kept := self._kept(var, region)) is not None}

    def _values(self) -> Iterator[tuple[Var, Region]]:
        """With the regions that bind them; not of one that is run once."""
        facts, quiet = self._facts, silent(self._facts.fun)
        for stmt, region in facts.where.items():
            if self._one_sweep.performed(region) or _tested(region) or stmt in quiet:
                continue
            if isinstance(stmt, ir.Let) and len(stmt.targets) == 1:
                yield stmt.target, region
            elif isinstance(stmt, (ir.Load, ir.If, ir.For, ir.While)):
                yield from ((v, region) for v in defined(stmt) if v.type.is_scalar)
            if isinstance(stmt, ir.For):
                yield from ((c.inner, facts.region[stmt, "body"]) for c in stmt.carry if c.inner.type.is_scalar)

    def _kept(self, var: Var, region: Region) -> KeptValue | None:
        changes, once = self._varying.of(var), self._one_sweep.forward(region)
        outer = loops_around(once)
        loops = tuple(loop for loop in loops_around(region) if loop in changes and loop not in outer)
        lengths = [self._length(loop, once) for loop in loops] or [INT_ONE]
        lengths += self._choice.lengths(var, once) if var.type.rank else ()
        known = tuple(n for n in lengths if n is not None)
        if len(known) < len(lengths):
            return None
        return KeptValue(Rows(f"{var.name}_kept", var.type.dtype, known), loops)

    def _length(self, loop: Loop, region: Region) -> Length | None:
        if loop not in self._lengths:
            self._lengths[loop] = self._choice.extent(loop, region)
        return self._lengths[loop]


def _tested(region: Region) -> bool:
    """Whether the region is a test of a loop, or lies in one: no sweep goes back through it."""
    here: Region | None = region
    while here is not None and here.which != "test":
        here = here.parent
    return here is not None
