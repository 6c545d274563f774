"""Stores of what the memory holds already: `t = a[i]; a[i] = t`, the same store twice, zeros put into zeros."""

from __future__ import annotations

from collections.abc import Hashable

from srcgrad.core import ir, walk
from srcgrad.core.aliases import aliases_of
from srcgrad.core.ir import Fun, Stmt, Var
from srcgrad.core.rewrite import Rewriter, Rewritten
from srcgrad.simplify.values.common import growing, key

ZEROS = "zeros"


def remove_repeated_stores(fun: Fun) -> Fun:
    """The function without such stores; the same object if there are none."""
    return _RepeatedStores(fun).fun(fun) if ir.Store in walk.kinds(fun) else fun


class _RepeatedStores(Rewriter):
    """version: of each class of memory, new where something may write to it; under None, of all memory.   held: what
    each place holds, of this version; under ZEROS, that all of it is zero."""

    def __init__(self, fun: Fun) -> None:
        super().__init__()
        self.classes = aliases_of(fun)
        self.growing = growing(fun, self.classes)
        self.version: dict[Var | None, int] = {}
        self.stamp = 0
        self.held: dict[Hashable, Hashable] = {}

    def region(self, stmts: tuple[Stmt, ...]) -> None:
        outer = dict(self.version)
        super().region(stmts)
        self.version = outer

    def one(self, stmt: Stmt) -> Rewritten:
        if isinstance(stmt, ir.Store) and self.holds(stmt):
            return ()
        if isinstance(stmt, (ir.For, ir.While)):
            self.touch(stmt)  # what an iteration writes, the next one finds
        return self.inside(stmt)

    def put(self, stmt: Stmt) -> None:
        super().put(stmt)
        self.touch(stmt)
        match stmt:
            case ir.Load():
                self.held[self.place(stmt.ref, key(stmt.index))] = stmt.target
            case ir.Store():
                self.held[self.place(stmt.ref, key(stmt.index))] = key(stmt.value)
            case ir.Alloc(init=ir.Init.ZEROS):
                self.held[self.place(stmt.target, ZEROS)] = True

    def holds(self, store: ir.Store) -> bool:
        if self.classes.of(store.ref) in self.growing:  # to store there may make it longer
            return False
        if self.held.get(self.place(store.ref, key(store.index))) == key(store.value):
            return True
        zero = isinstance(store.value, ir.Const) and repr(store.value.value) in ("0", "0.0", "0j", "False")
        return zero and self.place(store.ref, ZEROS) in self.held

    def place(self, ref: Var, where: Hashable) -> Hashable:
        return ref, where, self.version.get(self.classes.of(ref)), self.version.get(None)

    def touch(self, stmt: Stmt) -> None:
        """What the statement, or one inside it, may write to; after a barrier, other threads may have written."""
        for inner in walk.walk((stmt,)):
            if isinstance(inner, (ir.Store, ir.Accumulate, ir.Barrier)):
                self.stamp += 1
                self.version[None if isinstance(inner, ir.Barrier) else self.classes.of(inner.ref)] = self.stamp
