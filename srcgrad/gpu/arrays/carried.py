"""Arrays that a loop makes anew and hands to its next iteration.

On a GPU, what a statement makes lies at one place, however often it runs. So what such a loop carries cannot be a
reference: it is copied, at the end of each iteration, into an array that was made in front of the loop. Here is found
out for which references that is so, and where a copy would be something else than a further name.
"""

from __future__ import annotations

from srcgrad.analysis.effects import Facts, Region
from srcgrad.core import ir, walk
from srcgrad.core.ir import Atom, Carry, Fun, Stmt, Var

Loop = ir.For | ir.While


class Carried:
    """What is known of the references that a function's loops carry."""

    def __init__(self, fun: Fun) -> None:
        self.results, self.facts = fun.results, Facts(fun)
        self.of = self.facts.classes.of

    def anew(self, loop: Loop) -> tuple[Carry, ...]:
        """The references that may reach memory which an iteration of the loop makes."""
        if not any(c.inner.type.ref for c in loop.carry):
            return ()
        made = {self.of(s.target) for s in walk.walk((loop,)) if isinstance(s, ir.Alloc)}
        return tuple(c for c in loop.carry if c.inner.type.ref and self.of(c.inner) in made)

    def alone(self, loop: Loop, carry: Carry) -> bool:
        """Whether nobody but the loop asks for the memory that it starts with, from there on."""
        return not self._several(loop, carry) and not self._asking(loop, carry)

    def written(self, loop: Loop, carry: Carry) -> Stmt | None:
        """What writes into memory that the loop carries, if another name of it would have to show that."""
        facts, own = self.facts, self.of(carry.inner)
        region, _ = self._lives(loop, own)
        several, asking = self._several(loop, carry), self._asking(loop, carry)
        for store in facts.stores.get(own, ()):
            root = facts.root(store.ref)
            made = facts.bound[root] if isinstance(facts.makes.get(root), ir.Alloc) else region
            here = made if made.within(region) else region
            if not all(facts.where[s].within(here) for s in (loop, store)) or not facts.runs_after(store, loop, here):
                continue  # to an array that nobody else holds yet, or holds any more
            if several or store in asking or any(facts.runs_after(s, store, region) for s in asking):
                return store
        return None

    def _lives(self, loop: Loop, own: Var) -> tuple[Region, tuple[Atom, ...]]:
        """The region to whose end the names of the carried memory live, and what is handed on there: the body of the
        loop around, if that carries such memory itself and so copies it; else where all memory of the class lives."""
        facts = self.facts
        around = facts.loops_between(loop, facts.level[own])
        if around and any(c.inner.type.ref and self.of(c.inner) is own for c in around[-1].carry):
            body = facts.region[around[-1], "body"]
            if facts.where[loop].within(body):
                return body, tuple(walk.used_inside(around[-1]))
        return facts.level[own], self.results

    def _several(self, loop: Loop, carry: Carry) -> bool:
        """Whether the memory may have more names than the one before the loop, and that in it and after it."""
        own = self.of(carry.inner)
        region, ends = self._lives(loop, own)
        members = [c for c in loop.carry if c.inner.type.ref and self.of(c.inner) is own]
        again = bool(self.facts.loops_between(loop, region))
        return again or len(members) > 1 or any(self._old(r, own, self._later(loop, own)) for r in ends)

    def _later(self, loop: Loop, own: Var) -> set[Stmt]:
        """The loop, and what runs in it and after it as long as the names of the memory live."""
        facts, (region, _) = self.facts, self._lives(loop, own)
        return {s for s, at in facts.where.items() if at.within(region) and facts.runs_after(s, loop, region)}

    def _asking(self, loop: Loop, carry: Carry) -> set[Stmt]:
        """What asks for the memory from the loop on by a name that it had before."""
        own = self.of(carry.inner)
        later = self._later(loop, own)

        def asks(stmt: Stmt) -> bool:
            used = (*(() if stmt is loop else walk.used(stmt)), *walk.used_inside(stmt))
            return any(self._old(a, own, later) for a in used)

        return set(filter(asks, later))

    def _old(self, atom: Atom, own: Var, later: set[Stmt]) -> bool:
        """Whether this is a name of memory of the class that is not bound in or after the loop."""
        if not isinstance(atom, Var) or not atom.type.ref or self.of(atom) is not own:
            return False
        return self.facts.makes.get(atom) not in later
