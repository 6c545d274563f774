"""Memory that each iteration makes for itself lies in one buffer, made in front of the loop.

`simplify.memory.reuse` moves what has a length that is surely not negative. Here a length of unknown sign is made one,
and the error that such memory raises stays in the iteration; and buffers are filled anew by loops.
"""

from __future__ import annotations

from dataclasses import replace

from srcgrad.analysis.effects import Facts
from srcgrad.core import ir, walk
from srcgrad.core.build import const
from srcgrad.core.ir import Alloc, Atom, Fun, Let, Stmt, Var
from srcgrad.core.rewrite import Rewriter, Rewritten, rewrite
from srcgrad.core.shapes import FULL
from srcgrad.rules.language import registry
from srcgrad.rules.language.integers import nonnegative, trips
from srcgrad.rules.shapes.shape import dim
from srcgrad.schedule.elements import Place, Writer
from srcgrad.simplify.memory.reuse import reuse

NEGATIVE = "negative dimensions are not allowed"  # as NumPy says


def buffers_in_front(fun: Fun) -> Fun:
    """The function with scratch memory of loops made in front of them; the same object if there is none."""
    facts = Facts(fun)
    checked = {stmt.target for stmt in facts.where if isinstance(stmt, Alloc) and _unsure(facts, stmt)}
    while True:
        moved = reuse(_Checked(facts, checked).fun(fun) if checked else fun)
        inside = checked & _in_loops(moved.body)
        if not inside:
            return moved if moved is fun else _fills_as_loops(moved)
        checked -= inside  # they leave an iteration: the check would be for nothing


def _unsure(facts: Facts, alloc: Alloc) -> bool:
    """Whether a loop makes the memory, with a length from outside of it whose sign is not known."""
    region = facts.where[alloc]
    if not isinstance(region.stmt, (ir.For, ir.While)) or alloc.init is ir.Init.LOCAL:
        return False
    lengths = [n for n in alloc.shape if isinstance(n, Var)]
    outside = all(not facts.bound[n].within(region) and not _heads(facts.makes.get(n), n) for n in lengths)
    return outside and None not in alloc.shape and any(_sign_unknown(facts, n) for n in lengths)


def _heads(made: Stmt | None, var: Var) -> bool:
    """Whether a loop binds the variable at the head of its body."""
    return made is not None and var in walk.defined_inside(made)


def _sign_unknown(facts: Facts, length: Var) -> bool:
    made = facts.makes.get(length)
    return not isinstance(made, Let) or made.op not in (dim, nonnegative, trips)


def _in_loops(stmts: tuple[Stmt, ...]) -> set[Var]:
    """What loops allocate."""
    loops = [s for s in walk.walk(stmts) if isinstance(s, (ir.For, ir.While))]
    return {s.target for s in walk.walk(loops) if isinstance(s, Alloc)}


class _Checked(Rewriter):
    """Lengths of unknown sign as lengths, where they are bound, and in the iteration the error for a negative one."""

    def __init__(self, facts: Facts, allocs: set[Var]) -> None:
        super().__init__()
        self.allocs = allocs
        shapes = (s.shape for s in facts.where if isinstance(s, Alloc) and s.target in allocs)
        unsure = [n for shape in shapes for n in shape if isinstance(n, Var) and _sign_unknown(facts, n)]
        self.lengths = {n: Var(n.name, ir.I8) for n in unsure}
        self.always = {s for s, region in facts.where.items() if isinstance(s, Alloc) and region.stmt is None}
        self.natural: set[Atom | None] = set()  # the lengths of what the function has surely made

    def fun(self, fun: Fun) -> Fun:
        new = super().fun(fun)
        first = tuple(self.length(p) for p in fun.params if p in self.lengths)
        return replace(new, body=(*first, *new.body))

    def length(self, number: Var) -> Stmt:
        return Let((self.lengths[number],), nonnegative, (number,), {})

    def one(self, stmt: Stmt) -> Rewritten:
        if isinstance(stmt, Alloc) and stmt.target in self.allocs:
            return self.checked(stmt)
        if isinstance(stmt, Alloc) and stmt in self.always:
            self.natural.update(stmt.shape)
        return (self.inside(stmt), *(self.length(var) for var in walk.defined(stmt) if var in self.lengths))

    def checked(self, stmt: Alloc) -> list[Stmt]:
        out: list[Stmt] = []
        for n in dict.fromkeys(n for n in stmt.shape if n in self.lengths and n not in self.natural):
            bad = Var("bad", ir.B1)
            assert n is not None
            out.append(Let((bad,), registry.PRIMITIVES["less"], (n, const(0)), span=stmt.span))
            raised = ir.Raise("builtins", "ValueError", (NEGATIVE,), span=stmt.span)
            out.append(ir.If(bad, (raised,), (), span=stmt.span))
        shape = tuple(self.lengths.get(n, n) if isinstance(n, Var) else n for n in stmt.shape)
        return [*out, replace(stmt, shape=shape)]


def _fills_as_loops(fun: Fun) -> Fun:
    """Whole buffers that a number is stored to, element by element."""
    shapes: dict[Var, tuple[Atom, ...]] = {}
    for stmt in walk.walk(fun.body):
        if isinstance(stmt, Alloc) and stmt.shape and None not in stmt.shape:
            shapes[stmt.target] = tuple(n for n in stmt.shape if n is not None)

    def filled(stmt: Stmt) -> Rewritten:
        whole = isinstance(stmt, ir.Store) and stmt.value.type.is_scalar and all(item == FULL for item in stmt.index)
        if not isinstance(stmt, ir.Store) or not whole or stmt.ref not in shapes:
            return stmt
        writer, ref, value = Writer(), stmt.ref, stmt.value
        writer.builder.span = stmt.span

        def store(place: Place) -> None:
            writer.builder.store(ref, place, value)

        writer.nest(shapes[ref], store)
        return writer.builder.out

    return rewrite(fun, filled)
