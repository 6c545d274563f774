"""Memory of lengths that only the run tells: given by the caller, who learns the lengths from a program that counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from srcgrad.core import ir, walk
from srcgrad.core.ir import Atom, Fun, Stmt, Var
from srcgrad.core.rewrite import rewrite
from srcgrad.rules.language import registry
from srcgrad.schedule.elements import ONE, ZERO
from srcgrad.transform.refuse import unsupported


@dataclass(frozen=True, slots=True)
class Work:
    """An array that the caller gives beside what the function returns."""

    name: str
    dtype: str
    rank: int


def allocations(fun: Fun) -> list[ir.Alloc]:
    """What makes memory that is not a thread's own."""
    return [s for s in walk.walk(fun.body) if isinstance(s, ir.Alloc) and s.init is not ir.Init.LOCAL and not s.space]


def given(fun: Fun) -> tuple[Fun, tuple[Work, ...]]:
    """The function with a parameter in the place of each allocation."""
    found = allocations(fun)
    targets = [s.target for s in found]
    body = rewrite(fun, lambda stmt: () if stmt in found else stmt).body
    works = tuple(Work(v.name, v.type.dtype, v.type.rank) for v in targets)
    return replace(fun, params=(*fun.params, *targets), body=body), works


def counting(fun: Fun) -> Fun:
    """The function that gives the lengths of all allocations, one axis after the other: the largest of each that the
    run comes to. Passes drop what these do not depend on."""
    counters = _Counters(fun)
    body, ends = counters.block(fun.body, [ZERO] * counters.count)
    return replace(fun, name=f"{fun.name}_count", body=body, results=tuple(ends))


class _Counters:
    """Threads a counter for each axis through loops and branches."""

    def __init__(self, fun: Fun) -> None:
        self.first: dict[Var, int] = {}
        self.grows: dict[Var, list[int]] = {}
        self.count = 0
        for alloc in allocations(fun):
            self.first[alloc.target] = self.count
            self.grows[alloc.target] = [k for k, n in enumerate(alloc.shape) if n is None]
            self.count += len(alloc.shape)

    def touches(self, stmt: Stmt) -> bool:
        """Whether a counter may change in the statement."""
        return any(
            (isinstance(s, ir.Alloc) and s.target in self.first)
            or (isinstance(s, (ir.Store, ir.Accumulate)) and bool(self.grows.get(s.ref)))
            for s in walk.walk((stmt,))
        )

    def block(self, stmts: Sequence[Stmt], state: list[Atom]) -> tuple[tuple[Stmt, ...], list[Atom]]:
        out: list[Stmt] = []
        for stmt in stmts:
            if not self.touches(stmt):
                out.append(stmt)
                continue
            match stmt:
                case ir.For() | ir.While():
                    made, state = self.loop(stmt, state)
                    out.append(made)
                case ir.If():
                    made, state = self.branch(stmt, state)
                    out.append(made)
                case _:
                    state = self.counted(stmt, list(state), out)
                    out.append(stmt)
        return tuple(out), state

    def reached(self, stmt: ir.Store | ir.Accumulate, out: list[Stmt]) -> dict[int, Atom]:
        """How long memory that grows must be for a store, by axis."""
        lengths: dict[int, Atom] = {}
        for axis in self.grows[stmt.ref]:
            item = stmt.index[axis]
            if isinstance(item, ir.Slice):
                raise unsupported(stmt.span, "memory that grows is stored to as a whole", 'use target="cpu"')
            lengths[axis] = Var("n", ir.I8)
            out.append(ir.Let((lengths[axis],), registry.PRIMITIVES["add"], (item, ONE)))  # type: ignore[arg-type]
        return lengths

    def counted(self, stmt: Stmt, state: list[Atom], out: list[Stmt]) -> list[Atom]:
        """The counters after an allocation, or a store to memory that grows."""
        if isinstance(stmt, ir.Alloc):
            lengths: dict[int, Atom] = {k: n for k, n in enumerate(stmt.shape) if n is not None}
            first = self.first[stmt.target]
        else:
            assert isinstance(stmt, (ir.Store, ir.Accumulate))
            first, lengths = self.first[stmt.ref], self.reached(stmt, out)
        for axis, n in lengths.items():
            more = Var("n", ir.I8)
            out.append(ir.Let((more,), registry.PRIMITIVES["larger"], (state[first + axis], n)))
            state[first + axis] = more
        return state

    def loop(self, stmt: ir.For | ir.While, state: list[Atom]) -> tuple[Stmt, list[Atom]]:
        inners = [Var("n", ir.I8) for _ in state]
        body, nexts = self.block(stmt.body, list(inners))
        outs = [Var("n", ir.I8) for _ in state]
        carry = tuple(ir.Carry(i, s, n, o) for i, s, n, o in zip(inners, state, nexts, outs, strict=True))
        return replace(stmt, body=body, carry=(*stmt.carry, *carry)), list(outs)

    def branch(self, stmt: ir.If, state: list[Atom]) -> tuple[Stmt, list[Atom]]:
        then, first = self.block(stmt.then, state)
        orelse, second = self.block(stmt.orelse, state)
        targets = [Var("n", ir.I8) for _ in state]
        outs = tuple(ir.Out(t, a, b) for t, a, b in zip(targets, first, second, strict=True))
        return replace(stmt, then=then, orelse=orelse, outs=(*stmt.outs, *outs)), list(targets)
