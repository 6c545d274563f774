"""Which loops can be run again from a snapshot of their state, and what that state is."""

from __future__ import annotations

from collections.abc import Iterator

from srcgrad.analysis.effects import Facts
from srcgrad.analysis.kept_shapes import lengths
from srcgrad.core import ir
from srcgrad.core.ir import Atom, Carry, Stmt, Var
from srcgrad.core.walk import used, used_inside, walk
from srcgrad.transform.iterations import Loop
from srcgrad.transform.outlined_loops import Outlined


class NotAgain(Exception):
    """The loop cannot be run again from a snapshot: why, and what to write instead."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


def outlined(facts: Facts, loop: Loop) -> Outlined:
    """The loop as a thing of its own; it raises NotAgain."""
    return _Outlining(facts, loop).done()


class _Outlining:
    def __init__(self, facts: Facts, loop: Loop) -> None:
        self.facts, self.loop = facts, loop
        self.inside = dict.fromkeys(walk((loop,)))  # in their order
        self.stores = {facts.classes.of(s.ref) for s in self.inside if isinstance(s, (ir.Store, ir.Accumulate))}
        self.roots: dict[Var, None] = {}
        self.views: dict[ir.View, None] = {}
        self.given: dict[Var, None] = {}

    def done(self) -> Outlined:
        self.check_statements()
        numbers = tuple(c for c in self.loop.carry if not c.inner.type.ref)
        references = tuple(c for c in self.loop.carry if c.inner.type.ref)
        self.check_references(references)
        for var in self.free():
            if not var.type.ref:
                self.given[var] = None
            elif self.facts.classes.of(var) in self.stores:
                self.written(var)
            else:
                self.given[var] = None
        order = {stmt: k for k, stmt in enumerate(self.facts.where)}
        views = tuple(sorted(self.views, key=order.__getitem__))
        stays = lengths(self.facts.fun).stays if references else set()
        unsure = tuple(c for c in references if c not in stays)
        return Outlined(self.loop, numbers, references, tuple(self.roots), views, tuple(self.given), unsure)

    def check_statements(self) -> None:
        for stmt in self.inside:
            if isinstance(stmt, (ir.Draw, ir.Seed)):
                raise NotAgain("it draws random numbers", "draw them in front of the loop, into an array")
            if isinstance(stmt, (ir.Return, ir.Barrier)):
                raise NotAgain("it is part of a kernel", "leave checkpoint out")
        effects = (ir.Store, ir.Accumulate, ir.Append)
        if isinstance(self.loop, ir.While) and any(isinstance(s, effects) for s in walk(self.loop.test)):
            raise NotAgain("its condition changes something", "change it in the body: `while True` and `break`")

    def free(self) -> Iterator[Var]:
        """What is read inside and bound outside, inits apart."""
        loop, bound = self.loop, self.facts.bound
        blocks = [self.facts.region[loop, which] for which in ("body", "test") if (loop, which) in self.facts.region]

        def outside(atom: Atom) -> bool:
            return isinstance(atom, Var) and not any(bound[atom].within(block) for block in blocks)

        heads: tuple[Atom, ...] = (loop.start, loop.stop, loop.step) if isinstance(loop, ir.For) else ()
        read = list(heads) + list(used_inside(loop))
        for stmt in walk((loop,)):
            read += () if stmt is loop else (*used(stmt), *used_inside(stmt))
        for atom in dict.fromkeys(filter(outside, read)):
            assert isinstance(atom, Var)
            if atom.type.many or any(
                a is atom for s in self.inside if isinstance(s, ir.Append) for a in (s.ref, s.refs)
            ):
                raise NotAgain("it changes a list from outside of it", "fill an array of the final length instead")
            yield atom

    def written(self, ref: Var) -> None:
        """Memory from outside that the loop writes into: its root, and the views of it that the loop uses."""
        facts = self.facts
        if not facts.classes.simple(ref):
            raise NotAgain(
                f"it writes into `{ref.name}`, which is one of several arrays", "write into a copy: `.copy()`"
            )
        while ref in facts.base:
            view = facts.base[ref]
            self.views[view] = None
            for atom in used(view):
                if isinstance(atom, Var) and not atom.type.ref:
                    self.given[atom] = None
            ref = view.base
        if isinstance(facts.makes.get(ref), ir.Alloc) and not self.is_whole(ref):
            raise NotAgain(f"`{ref.name}` grows in it", "fill an array of the final length instead")
        self.roots[ref] = None

    # ---- references that go round

    def check_references(self, carries: tuple[Carry, ...]) -> None:
        """Whether what goes round is told by the contents of these arrays: nothing is ever written into them, or each
        is memory of its own that is known by no other name."""
        facts, of = self.facts, self.facts.classes.of
        classes = {of(c.inner) for c in carries if facts.written(c.inner)}
        if not classes:
            return
        changed = [c for c in carries if of(c.inner) in classes]
        name = changed[0].inner.name
        whole = {c.init for c in changed if isinstance(c.init, Var) and self.is_whole(c.init)}
        if {c.inner for c in changed} != {c.next for c in changed} or len(whole) != len(changed):
            raise NotAgain(f"`{name}` is another array in each iteration", f"write into it in place: `{name}[:] = ...`")
        for var in self.free():
            if var.type.ref and of(var) in classes:
                raise NotAgain(f"it swaps `{var.name}` and uses it by another name", "use one name inside of the loop")
        outs = self.names_of(c.out for c in changed)
        given_back = (r for r in facts.fun.results if isinstance(r, Var) and r.type.ref)
        if any(self.seen_after(stmt, classes, outs) for stmt in facts.where) or any(
            of(r) in classes and r not in outs for r in given_back
        ):
            raise NotAgain(
                f"an array that it swaps (`{name}`) is used by another name after it", "use the swapped names alone"
            )

    def is_whole(self, ref: Var) -> bool:
        """Whether it is memory of its own, of a fixed length."""
        made = self.facts.makes.get(ref)
        return isinstance(made, ir.Alloc) and None not in made.shape

    def names_of(self, refs: Iterator[Var]) -> set[Var]:
        """References and the views of them."""
        names = set(refs)
        for stmt in self.facts.where:
            if isinstance(stmt, ir.View) and stmt.base in names:
                names.add(stmt.target)
        return names

    def seen_after(self, stmt: Stmt, classes: set[Var], outs: set[Var]) -> bool:
        if stmt in self.inside:
            return False
        refs = (a for a in (*used(stmt), *used_inside(stmt)) if isinstance(a, Var) and (a.type.ref or a.type.many))
        seen = any(self.facts.classes.of(a) in classes and a not in outs for a in refs)
        return seen and self.facts.runs_after(stmt, self.loop, self.facts.top)
