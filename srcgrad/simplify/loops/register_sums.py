"""What the iterations of a loop add to one place of memory of others is summed in a register, and added once, after
it."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import replace

from srcgrad.analysis.effects import Facts
from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.core.ir import Accumulate, Const, For, Fun, Stmt, Var
from srcgrad.core.rewrite import Rewriter, Rewritten
from srcgrad.core.walk import defined, defined_inside, index_atoms, walk
from srcgrad.rules.scalar.arithmetic import add
from srcgrad.rules.scalar.compare import greater, less
from srcgrad.simplify.values.common import key


def sum_in_registers(fun: Fun) -> Fun:
    """The function with such sums; the same object if there are none. For kernels only: what others read of the memory
    while the loop runs, they would read at an unknown time anyhow."""
    return _Sums(Facts(fun)).fun(fun)


class _Sums(Rewriter):
    def __init__(self, facts: Facts) -> None:
        super().__init__()
        self._facts = facts
        self._of_others = {facts.classes.of(v) for v in _visible(facts)}

    def one(self, stmt: Stmt) -> Rewritten:
        new = self.inside(stmt)
        return self.loop(new) if isinstance(new, For) else new

    def loop(self, loop: For) -> list[Stmt]:
        """The loop, and what follows it."""
        found = {s for s in loop.body if isinstance(s, Accumulate) and self._movable(s, loop)}
        if not found:
            return [loop]
        heads: dict[Hashable, Accumulate] = {}
        inners: dict[Hashable, Var] = {}
        so_far: dict[Hashable, Var] = {}
        body: list[Stmt] = []
        for stmt in loop.body:
            if not isinstance(stmt, Accumulate) or stmt not in found:
                body.append(stmt)
                continue
            place = (stmt.ref, *map(key, stmt.index))
            if place not in heads:
                heads[place], inners[place] = stmt, Var(f"{stmt.ref.name}_sum", stmt.value.type)
                so_far[place] = inners[place]
            more = Var(f"{stmt.ref.name}_sum", stmt.value.type)
            body.append(ir.Let((more,), add, (so_far[place], stmt.value), span=stmt.span))
            so_far[place] = more
        totals = {place: Var(inner.name, inner.type) for place, inner in inners.items()}
        sums = [ir.Carry(inner, Const(0.0, inner.type), so_far[p], totals[p]) for p, inner in inners.items()]
        after = tuple(replace(head, value=totals[place]) for place, head in heads.items())
        return [*_if_any(replace(loop, body=tuple(body), carry=(*loop.carry, *sums)), after)]

    def _movable(self, stmt: Accumulate, loop: For) -> bool:
        facts, cls = self._facts, self._facts.classes.of(stmt.ref)
        if stmt.atomic not in (None, ir.Atomic.ADD) or cls not in self._of_others:
            return False
        if loop.exit is not None or not isinstance(loop.step, Const):
            return False
        if stmt.value.type != ir.Type(stmt.ref.type.dtype) or not stmt.value.type.is_float:
            return False
        inside = {*defined_inside(loop), *(v for s in walk(loop.body) for v in (*defined(s), *defined_inside(s)))}
        if any(atom in inside for atom in (stmt.ref, *index_atoms(stmt.index))):
            return False
        for other in walk(loop.body):
            if isinstance(other, (ir.Load, ir.Store)) and facts.classes.of(other.ref) is cls:
                return False
            if isinstance(other, Accumulate) and other.atomic in (ir.Atomic.MAX, ir.Atomic.MIN):
                return False
            if isinstance(other, (ir.Barrier, ir.Call, ir.Custom)):
                return False
        return True


def _visible(facts: Facts) -> Iterator[Var]:
    yield from (p for p in facts.fun.params if p.type.ref)
    yield from (s.target for s in facts.where if isinstance(s, ir.Alloc) and s.space is ir.Space.SHARED)


def _if_any(loop: For, after: tuple[Stmt, ...]) -> Iterator[Stmt]:
    """The loop, and then what a loop without an iteration would not have done: its places may not exist."""
    yield loop
    if isinstance(loop.start, Const) and isinstance(loop.stop, Const) and isinstance(loop.step, Const):
        turns = range(int(loop.start.value.real), int(loop.stop.value.real), int(loop.step.value.real))
        yield from after if turns else ()
        return
    builder = Builder()
    assert isinstance(loop.step, Const)
    some = builder.let(less if loop.step.value.real > 0 else greater, loop.start, loop.stop, name="some")
    yield from builder.out
    yield ir.If(some, after, (), span=loop.span)
