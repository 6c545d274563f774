"""Common subexpressions: equal pure values are computed once, equal loads with no store between are loaded once, and a
load of what was just stored is the stored value."""

from __future__ import annotations

from collections.abc import Hashable

from srcgrad.analysis.kept_shapes import shapes_of
from srcgrad.core import ir, walk
from srcgrad.core.aliases import aliases_of
from srcgrad.core.ir import Atom, Fun, Stmt, Var
from srcgrad.core.rewrite import Rewritten, ShapeRewriter
from srcgrad.core.shapes import FULL
from srcgrad.simplify.values.common import growing, key, written


def cse(fun: Fun) -> Fun:
    """The function with repeated values replaced by the first of them."""
    return _Cse(fun).fun(fun)


class _Scope:
    """Values known in a block; those of the blocks around are seen, except array values, which stay in their region."""

    def __init__(self, outer: _Scope | None) -> None:
        self.outer = outer
        self.known: dict[Hashable, Atom] = {}

    def find(self, what: Hashable) -> Atom | None:
        if what in self.known:
            return self.known[what]
        scope = self.outer
        while scope is not None:
            atom = scope.known.get(what)
            if atom is not None:
                return None if atom.type.is_array_value else atom
            scope = scope.outer
        return None


class _Cse(ShapeRewriter):
    """One walk. A class of memory has a version, new after each store: a load is known by reference, index, version."""

    def __init__(self, fun: Fun) -> None:
        super().__init__(shapes_of(fun))
        self.classes = aliases_of(fun)
        self.scope = _Scope(None)
        self.version: dict[Var | None, int] = {}
        self.stamp = 0
        self.growing = growing(fun, self.classes)

    def now(self, ref: Var) -> tuple[int, int]:
        return self.version.get(self.classes.of(ref), 0), self.version.get(None, 0)

    def touch(self, stmt: Stmt) -> None:
        """The memory that stmt writes holds something else from here on; after a barrier, all memory may."""
        if any(isinstance(s, ir.Barrier) for s in walk.walk((stmt,))):
            self.stamp += 1
            self.version[None] = self.stamp
        for ref in written(stmt):
            self.stamp += 1
            self.version[self.classes.of(ref)] = self.stamp

    def region(self, stmts: tuple[Stmt, ...]) -> None:
        outer, versions = self.scope, dict(self.version)
        self.scope = _Scope(outer)
        super().region(stmts)
        self.scope, self.version = outer, versions

    def one(self, stmt: Stmt) -> Rewritten:
        if isinstance(stmt, (ir.For, ir.While)):
            self.touch(stmt)
        new = self.inside(stmt)
        if isinstance(stmt, (ir.For, ir.While, ir.If, ir.Store, ir.Accumulate, ir.Barrier)):
            self.touch(stmt)
        what = self.key(new)
        if what is not None and self.known_before(what, walk.defined(new)):
            return ()
        return new

    def put(self, stmt: Stmt) -> None:
        super().put(stmt)
        self.remember_written(stmt)

    def known_before(self, what: Hashable, targets: tuple[Var, ...]) -> bool:
        """Whether the targets, in their order, are known under other names, which then stand for them."""
        found = [self.scope.find((what, k)) for k in range(len(targets))]
        known = [f for f, t in zip(found, targets, strict=True) if f is not None and f.type == t.type]
        if len(known) == len(targets):
            self.env.update(zip(targets, known, strict=True))
            return True
        self.scope.known.update({(what, k): t for k, t in enumerate(targets)})
        return False

    def key(self, stmt: Stmt) -> Hashable | None:
        match stmt:
            case ir.Let():
                shapes = tuple(self.now(a) for a in stmt.args if isinstance(a, Var) and a.type.ref and self.grows(a))
                args: Hashable = tuple(map(key, stmt.args))
                if stmt.op.traits.commutative:
                    args = frozenset(map(key, stmt.args))
                return (stmt.op, args, key(stmt.params), shapes)
            case ir.Load():
                return self.place(stmt.ref, stmt.index)
            case ir.View() if not self.grows(stmt.base):
                return ("view", stmt.base, key(stmt.how))
            case ir.RefAt():
                return ("at", stmt.refs, key(stmt.pos))
        return None

    def grows(self, ref: Var) -> bool:
        return self.classes.of(ref) in self.growing

    def place(self, ref: Var, index: ir.Index) -> Hashable:
        return ("load", ref, key(index), self.now(ref))

    def remember_written(self, stmt: Stmt) -> None:
        """A load of what was just stored is the stored value, where the types show that nothing was converted."""
        match stmt:
            case ir.Store() if all(not isinstance(i, ir.Slice) and i.type.is_scalar for i in stmt.index):
                if stmt.value.type == ir.Type(stmt.ref.type.dtype):
                    self.scope.known[self.place(stmt.ref, stmt.index), 0] = stmt.value
            case ir.Store() if stmt.value.type == stmt.ref.type.value() and all(i == FULL for i in stmt.index):
                if stmt.ref.type.rank and self.shapes.same(stmt.value, stmt.ref):
                    self.scope.known[self.place(stmt.ref, stmt.index), 0] = stmt.value
            case ir.Alloc() if not isinstance(stmt.init, ir.Init) and stmt.init.type == stmt.target.type.value():
                if stmt.init.type.rank:
                    self.scope.known[self.place(stmt.target, (FULL,) * stmt.init.type.rank), 0] = stmt.init
