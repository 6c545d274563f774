"""What a run of a region finds under a name: values of the regions around it, references, and their shadows."""

from __future__ import annotations

from collections.abc import Mapping

from srcgrad.analysis.activity import Activity
from srcgrad.analysis.effect_only import silent
from srcgrad.analysis.effects import Facts, Region
from srcgrad.core import ir
from srcgrad.core.ir import Atom, Const, Stmt, Var


class Scope:
    """Answers for one function.

    snapshots: the memory of which each loop takes snapshots; a reference that the loop carries is then there in its
    body.
    """

    def __init__(self, facts: Facts, activity: Activity, snapshots: Mapping[ir.For | ir.While, Mapping[Var, bool]]):
        self._facts, self._activity, self._snapshots = facts, activity, snapshots
        self._effect_only = silent(facts.fun)

    def shadow_travels(self, ref: Var) -> bool:
        """Whether ref's shadow travels with it in the forward sweep: its class is merged, and active."""
        return not self._facts.classes.simple(ref) and ref in self._activity

    def halves(self, ref: Var, region: Region) -> tuple[bool, bool]:
        """(the reference itself is there when region is run, its shadow travels along)."""
        level = self._facts.level_of(ref)
        return level.within(region), self.shadow_travels(ref) and region.within(level)

    def has(self, atom: Atom, region: Region) -> bool:
        """Whether a run of region has the value, or the reference itself, that atom is."""
        if isinstance(atom, Const):
            return True
        bound, made = self._facts.bound.get(atom), self._facts.makes.get(atom)
        if bound is None or not region.within(bound):
            return False
        if made is None or bound is self._facts.top:
            return True
        if not atom.type.ref:
            return made not in self._effect_only
        return self._has_ref(atom, made, bound)

    def _has_ref(self, ref: Var, made: Stmt, bound: Region) -> bool:
        real, travels = self.halves(ref, bound)[0], self.shadow_travels(ref)
        match made:
            case ir.View():
                return self.has(made.base, bound)
            case ir.For() | ir.While() if bound is not self._facts.where[made]:
                return ref in self._snapshots[made]
            case ir.For() | ir.While() | ir.Alloc():
                return real
            case ir.If():
                (out,) = (o for o in made.outs if o.target is ref)
                sides = (out.then, self._facts.region[made, "then"]), (out.orelse, self._facts.region[made, "orelse"])
                return real or (not travels and all(self.has(*side) for side in sides))
            case ir.RefAt():
                return (real or not travels) and self.has(made.refs, bound)
        return True
