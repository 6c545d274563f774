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


def footprint(stmt: Stmt, classes: Aliases) -> Footprint:
    found = Footprint()
    for inner in walk.walk((stmt,)):
        atoms = (*walk.used(inner), *walk.used_inside(inner))
        found.uses.update(atoms)
        found.binds.update(walk.defined(inner))
        found.reads.update(classes.of(a) for a in atoms if isinstance(a, Var) and (a.type.ref or a.type.many))
        if isinstance(inner, (ir.Store, ir.Accumulate)):
            found.writes.add(classes.of(inner.ref))
        opens = isinstance(inner, ir.Remark) and inner.opens
        found.ordered = found.ordered or opens or isinstance(inner, _ORDERED)
    return found
