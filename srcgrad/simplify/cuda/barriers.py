"""Barriers that order nothing: before the first access to memory that threads share, after the last, or one after
another."""

from __future__ import annotations

from dataclasses import replace

from srcgrad.analysis.effects import Facts
from srcgrad.core import ir
from srcgrad.core.ir import Fun, Stmt, Var
from srcgrad.core.walk import blocks, rebuild, walk


def barriers(fun: Fun) -> Fun:
    """The function without such barriers; the same object if there are none."""
    if not _waits(fun.body):
        return fun
    facts = Facts(fun)
    shared = [s.target for s in facts.where if isinstance(s, ir.Alloc) and s.space is ir.Space.SHARED]
    visible = {facts.classes.of(v) for v in (*shared, *fun.params)} & _ordered(facts)
    body = _Pass(facts, visible).block(fun.body, dirty=False, more=False)
    return replace(fun, body=body)


def _ordered(facts: Facts) -> set[Var]:
    """The memory that is written, but for what is only updated atomically: in any order."""
    read = {facts.classes.of(s.ref) for s in facts.where if isinstance(s, ir.Load)}
    atomic = {
        cls: {s.atomic if isinstance(s, ir.Accumulate) else None for s in stores}
        for cls, stores in facts.stores.items()
    }
    return {cls for cls, ways in atomic.items() if cls in read or None in ways or len(ways) > 1}


def _waits(stmts: tuple[Stmt, ...]) -> bool:
    return any(isinstance(s, ir.Barrier) for s in walk(stmts))


class _Pass:
    def __init__(self, facts: Facts, visible: set[Var]) -> None:
        self._facts, self._visible = facts, visible

    def touches(self, *stmts: Stmt) -> bool:
        """Whether something here reads or writes what other threads write or read."""
        accesses = (s for s in walk(stmts) if isinstance(s, (ir.Load, ir.Store, ir.Accumulate)))
        return any(self._facts.classes.of(s.ref) in self._visible for s in accesses)

    def block(self, stmts: tuple[Stmt, ...], dirty: bool, more: bool) -> tuple[Stmt, ...]:
        """dirty: whether such memory may have been touched since the last barrier; more: whether it may be later."""
        out: list[Stmt] = []
        for at, stmt in enumerate(stmts):
            waits, touches = _waits((stmt,)), self.touches(stmt)
            if waits and not touches:
                if dirty and (more or self.touches(*stmts[at + 1 :])):
                    out.append(ir.Barrier(span=stmt.span))
                    dirty = False
                if blocks(stmt):
                    out.append(rebuild(stmt, lambda a: a, lambda v: v, _without))
                continue
            if waits:
                stmt = rebuild(stmt, lambda a: a, lambda v: v, lambda inner: self.block(inner, True, True))
            out.append(stmt)
            dirty = dirty or touches
        return tuple(out)


def _without(stmts: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
    kept = (s for s in stmts if not isinstance(s, ir.Barrier))
    return tuple(rebuild(s, lambda a: a, lambda v: v, _without) if blocks(s) else s for s in kept)
