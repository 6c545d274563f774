"""Barriers that order nothing: before the first access to memory that threads share, after the last, or one after
another."""

from __future__ import annotations

from srcgrad.analysis.effects import Facts
from srcgrad.core import ir
from srcgrad.core.ir import Fun, Stmt, Var
from srcgrad.core.rewrite import Rewriter, Rewritten, rewrite_block
from srcgrad.core.walk import walk


def remove_barriers(fun: Fun) -> Fun:
    """The function without such barriers; the same object if there are none."""
    if not _waits(fun.body):
        return fun
    facts = Facts(fun)
    shared = [s.target for s in facts.where if isinstance(s, ir.Alloc) and s.space is ir.Space.SHARED]
    visible = {facts.classes.of(v) for v in (*shared, *fun.params)} & _ordered(facts)
    return _Pass(facts, visible).fun(fun)


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


class _Pass(Rewriter):
    """visible: the memory that other threads see.   dirty: whether such memory may have been touched since the last
    barrier.   followed: before which statements it is touched again in their own block.   within: whether the block at
    hand stands in another statement, where it may have been touched before and may be after."""

    def __init__(self, facts: Facts, visible: set[Var]) -> None:
        super().__init__()
        self._facts, self._visible = facts, visible
        self.dirty, self.within, self.followed = False, False, set[Stmt]()

    def touches(self, *stmts: Stmt) -> bool:
        """Whether something here reads or writes what other threads write or read."""
        accesses = (s for s in walk(stmts) if isinstance(s, (ir.Load, ir.Store, ir.Accumulate)))
        return any(self._facts.classes.of(s.ref) in self._visible for s in accesses)

    def block(self, stmts: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
        last = max((at for at, stmt in enumerate(stmts) if self.touches(stmt)), default=0)
        self.followed.update(stmts[:last])
        self.dirty = self.within
        return super().block(stmts)

    def one(self, stmt: Stmt) -> Rewritten:
        waits, touches = _waits((stmt,)), self.touches(stmt)
        if waits and not touches:
            needed = self.dirty and (self.within or stmt in self.followed)
            self.dirty = self.dirty and not needed
            if isinstance(stmt, ir.Barrier):
                return stmt if needed else ()
            return (*((ir.Barrier(span=stmt.span),) if needed else ()), *rewrite_block((stmt,), _without_barrier))
        if waits:
            outer, self.within = self.within, True
            stmt = self.inside(stmt)
            self.within = outer
        self.dirty = self.dirty or touches
        return stmt


def _without_barrier(stmt: Stmt) -> Rewritten:
    return () if isinstance(stmt, ir.Barrier) else stmt
