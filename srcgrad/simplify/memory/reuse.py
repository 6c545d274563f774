"""Scratch memory of a loop's body is allocated once, before the loop, and made new at each iteration in place.

Only after all differentiation: memory that is overwritten at each iteration would have to be kept again.
"""

from __future__ import annotations

from dataclasses import replace

from srcgrad.analysis.effects import Facts, Region, facts_of
from srcgrad.core import ir
from srcgrad.core.build import const, whole
from srcgrad.core.ir import Atom, Const, Fun, Stmt, Var
from srcgrad.core.rewrite import Rewriter, Rewritten
from srcgrad.core.walk import changed, kept, kinds, walk
from srcgrad.rules.language.integers import nonnegative, trips
from srcgrad.rules.shapes.shape import dim
from srcgrad.simplify.memory.first_element_store import Place, one_name, place, touches


def reuse(fun: Fun) -> Fun:
    """The function with loop-invariant allocations moved out of loops; the same object if there are none."""
    if ir.Alloc not in kinds(fun) or kinds(fun).isdisjoint((ir.For, ir.While)):
        return fun
    return _Reuser(facts_of(fun)).fun(fun)


class _Reuser(Rewriter):
    def __init__(self, facts: Facts) -> None:
        super().__init__()
        self._facts = facts

    def one(self, stmt: Stmt) -> Rewritten:
        return self._loop(stmt) if isinstance(stmt, (ir.For, ir.While)) else self.inside(stmt)

    def _loop(self, loop: ir.For | ir.While) -> list[Stmt]:
        """What goes before the loop, and the loop. Inner loops first: what leaves them may leave this one too."""
        before: list[Stmt] = []
        body: list[Stmt] = []
        own = isinstance(loop, ir.For) and loop.parallel  # each iteration needs its own
        for stmt in self.block(loop.body):
            shape = self._shape_before(stmt, loop, before) if isinstance(stmt, ir.Alloc) and not own else None
            if shape is not None and isinstance(stmt, ir.Alloc):
                tidy = stmt.init is ir.Init.ZEROS and self._cleans_up(stmt, loop)
                init = ir.Init.ZEROS if tidy else ir.Init.EMPTY
                before.append(replace(stmt, shape=shape, init=init, span=None))
                body.extend([] if tidy else _refresh(stmt))
            else:
                body.append(stmt)
        return [*before, changed(loop, body=kept(loop.body, body))]

    def _cleans_up(self, alloc: ir.Alloc, loop: ir.For | ir.While) -> bool:
        """Whether each iteration stores anew whatever it changes before it looks: then zeros stay where zeros were."""
        facts, var = self._facts, alloc.target
        writes = [s for s in facts.stores.get(facts.classes.of(var), ())]
        places = {place(s.index) for s in writes}
        called = any(isinstance(s, ir.Call) and var in s.args for s in walk(loop.body))
        if called or None in places or not one_name(facts, var):
            return False
        if facts.where.get(alloc) is not facts.region[loop, "body"]:
            return False
        stored: set[Place | None] = set()
        for stmt in loop.body[facts.order[alloc] + 1 :]:
            if not touches(stmt, var) or stored == places:
                continue
            where = place(stmt.index) if isinstance(stmt, (ir.Load, ir.Store, ir.Accumulate)) else None
            if isinstance(stmt, ir.Store):
                stored.add(where)
            elif where is None or where not in stored:
                return False
        return stored == places

    def _shape_before(self, alloc: ir.Alloc, loop: ir.For | ir.While, before: list[Stmt]) -> tuple[Atom, ...] | None:
        """The shape as known before the loop; None if the memory must be allocated at each iteration."""
        facts, inside = self._facts, self._facts.region[loop, "body"]
        if not facts.classes.simple(alloc.target) or not facts.level_of(alloc.target).within(inside):
            return None
        if alloc.init is ir.Init.LOCAL:
            return None
        if not isinstance(alloc.init, ir.Init) and (alloc.init.type.rank or not self._outside(alloc.init, inside)):
            return None
        shape = [None if n is None else self._length_before(n, inside, before) for n in alloc.shape]
        return None if None in shape else tuple(n for n in shape if n is not None)

    def _outside(self, atom: Atom, inside: Region) -> bool:
        return isinstance(atom, Const) or not self._facts.bound[atom].within(inside)

    def _length_before(self, length: Atom, inside: Region, before: list[Stmt]) -> Atom | None:
        """The length as known before the loop and surely not negative (the loop may make no iteration)."""
        if isinstance(length, Const):
            return length if length.value.real >= 0 else None
        made = self._facts.makes.get(length)
        if not isinstance(made, ir.Let) or made.op not in (dim, nonnegative, trips):
            return None
        if self._outside(length, inside):
            return length
        if made.op is dim and self._outside(made.args[0], inside):
            same = Var(length.name, length.type)
            before.append(replace(made, targets=(same,), span=None))
            return same
        return None


def _refresh(alloc: ir.Alloc) -> list[Stmt]:
    """What makes the memory new at the head of an iteration."""
    if alloc.init is ir.Init.EMPTY:
        return []
    value = const(0.0, ir.Type(alloc.target.type.dtype)) if isinstance(alloc.init, ir.Init) else alloc.init
    if isinstance(value, Const) and alloc.target.type.dtype[0] in "iub":
        value = Const(int(value.value.real), ir.I8 if alloc.target.type.dtype[0] != "b" else ir.B1)
    return [ir.Store(alloc.target, whole(alloc.target), value, span=alloc.span)]
