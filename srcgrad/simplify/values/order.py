"""Whether statements may change places."""

from __future__ import annotations

from dataclasses import dataclass, field

from srcgrad.core import ir, walk
from srcgrad.core.aliases import Aliases
from srcgrad.core.ir import Atom, Stmt, Var

_ORDERED = (ir.Effect, ir.Draw, ir.Barrier, ir.Call, ir.Custom, ir.Append, ir.NewList, ir.RefAt, ir.Passing)


@dataclass(slots=True)
class Footprint:
    """What a statement, with all that is in it, uses, binds, reads and writes (classes of memory).

    ordered: it does more than that, and keeps its place.
    """

    uses: set[Atom] = field(default_factory=set)
    binds: set[Var] = field(default_factory=set)
    reads: set[Var] = field(default_factory=set)
    writes: set[Var] = field(default_factory=set)
    ordered: bool = False

    def take(self, inner: Footprint) -> None:
        """Add what a statement inside does."""
        self.uses |= inner.uses
        self.binds |= inner.binds
        self.reads |= inner.reads
        self.writes |= inner.writes
        self.ordered = self.ordered or inner.ordered

    def apart(self, other: Footprint) -> bool:
        """Whether the two may change places."""
        return not (
            self.ordered
            or other.ordered
            or not self.binds.isdisjoint(other.uses)
            or not other.binds.isdisjoint(self.uses)
            or not self.writes.isdisjoint(other.reads | other.writes)
            or not other.writes.isdisjoint(self.reads)
        )


def footprint(stmt: Stmt, classes: Aliases, known: dict[Stmt, Footprint] | None = None) -> Footprint:
    """known: those of statements inside of others that have been asked for, to which these are added."""
    known = {} if known is None else known
    if stmt in known:
        return known[stmt]
    found = Footprint()
    atoms = (*walk.used(stmt), *walk.used_inside(stmt))
    found.uses.update(atoms)
    found.binds.update(walk.defined(stmt))
    found.reads.update(classes.of(a) for a in atoms if isinstance(a, Var) and (a.type.ref or a.type.many))
    if isinstance(stmt, (ir.Store, ir.Accumulate)):
        found.writes.add(classes.of(stmt.ref))
    found.ordered = isinstance(stmt, _ORDERED) or (isinstance(stmt, ir.Remark) and stmt.opens)
    blocks = walk.blocks(stmt)
    for _, block in blocks:
        for inner in block:
            found.take(footprint(inner, classes, known))
    if blocks:
        known[stmt] = found
    return found
