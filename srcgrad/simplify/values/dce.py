"""Dead code: variables nobody reads, carries that feed only themselves, memory whose contents nobody reads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from srcgrad.core import ir, walk
from srcgrad.core.aliases import aliases_of
from srcgrad.core.ir import Atom, Fun, Stmt, Var
from srcgrad.core.rewrite import Rewriter, Rewritten
from srcgrad.simplify.values.common import growing

_PURE = frozenset({ir.Let, ir.Load, ir.Alloc, ir.View, ir.RefAt, ir.NewList})

# Where something later in a walk backwards may need what was passed; without them, one walk sees all.
_LATER = frozenset({ir.For, ir.While, ir.Store, ir.Accumulate, ir.Append})


def dce(fun: Fun) -> Fun:
    """The function without what does not reach its results or its effects (assert, raise, print)."""
    swept = _Sweep(_Liveness(fun)).fun(fun)
    body = _without_first_remarks(swept.body)
    return swept if body is swept.body else replace(swept, body=body)


def _without_first_remarks(stmts: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
    """What opens a part says nothing where nothing stands before it."""
    first = next((k for k, s in enumerate(stmts) if not isinstance(s, ir.Remark) or not s.opens), len(stmts))
    return stmts[first:] if first else stmts


class _Liveness:
    """What is read: variables (`live`) and the contents of memory by alias class (`held`).

    Both only grow, from nothing, until a walk adds no more: a value that goes round a loop and reaches nothing
    else stays dead.
    """

    def __init__(self, fun: Fun) -> None:
        self.classes = aliases_of(fun)
        self.live: set[Var] = set()
        self.held: set[Var] = set()
        # the shape of growing memory is made by the stores to it
        self.growing = growing(fun, self.classes)
        # a list that is carried or chosen has several names: an append through one is seen through the others
        blocks = (s for s in walk.walk(fun.body) if isinstance(s, (ir.For, ir.While, ir.If)))
        self.lists_move = any(var.type.many for stmt in blocks for var in walk.defined(stmt))
        self.use(fun.results)
        for result in fun.results:
            self.read(result)
        if walk.kinds(fun).isdisjoint(_LATER):
            self.mark(fun.body)
            return
        size = -1
        while size != len(self.live) + len(self.held):
            size = len(self.live) + len(self.held)
            self.mark(fun.body)

    def use(self, atoms: Iterable[Atom]) -> None:
        self.live.update(a for a in atoms if isinstance(a, Var))

    def read(self, atom: Atom) -> None:
        """The contents of this memory are read, if it is memory."""
        if isinstance(atom, Var) and (atom.type.ref or atom.type.many):
            self.held.add(self.classes.of(atom))

    # ---- which statements are needed

    def needed(self, stmt: Stmt) -> bool:
        if type(stmt) in _PURE:  # nearly all: asked of each several times
            return not self.live.isdisjoint(walk.defined(stmt))
        match stmt:
            case ir.Store() | ir.Accumulate():
                return self.classes.of(stmt.ref) in self.held
            case ir.Append():
                return stmt.refs in self.live or stmt.pos in self.live or (self.lists_move and self.lists_live())
            case ir.Effect() | ir.Draw() | ir.Barrier() | ir.Call(loud=True):
                return True
            case ir.Remark():
                return False
        return any(target in self.live for target in walk.defined(stmt))

    def lists_live(self) -> bool:
        return any(var.type.many for var in self.live)

    def mark(self, stmts: tuple[Stmt, ...]) -> bool:
        """Walk backwards; whether anything here is needed."""
        return any([self.mark_one(stmt) for stmt in reversed(stmts)])

    def mark_one(self, stmt: Stmt) -> bool:
        if isinstance(stmt, (ir.For, ir.While)):
            return self.mark_loop(stmt)
        if isinstance(stmt, ir.If):
            return self.mark_branch(stmt)
        needed = self.needed(stmt)
        if needed:
            self.use(walk.used(stmt))
            self.reads(stmt)
        return needed

    def mark_branch(self, stmt: ir.If) -> bool:
        outs = [out for out in stmt.outs if out.target in self.live]
        self.use(atom for out in outs for atom in (out.then, out.orelse))
        needed = any([bool(outs), self.mark(stmt.then), self.mark(stmt.orelse)])
        if needed:
            self.use((stmt.cond,))
        return needed

    def mark_loop(self, loop: ir.For | ir.While) -> bool:
        carried = [c for c in loop.carry if c.out in self.live or c.inner in self.live]
        for c in carried:
            self.use((c.inner, c.init, c.next, c.out))
        needed = any([bool(carried), *(self.mark(block) for _, block in walk.blocks(loop))])
        if needed:
            if loop.exit is not None:
                self.use((loop.exit,))
            self.use((loop.cond,) if isinstance(loop, ir.While) else (loop.start, loop.stop, loop.step))
        return needed

    def reads(self, stmt: Stmt) -> None:
        """Note the memory whose contents a needed statement reads."""
        match stmt:
            case ir.Load():
                self.read(stmt.ref)
            case ir.Call() | ir.Custom() | ir.Effect():
                for atom in walk.used(stmt):
                    self.read(atom)
            case ir.Let():
                for atom in stmt.args:
                    self.read_if_growing(atom)
            case ir.View():
                self.read_if_growing(stmt.base)

    def read_if_growing(self, atom: Atom) -> None:
        if isinstance(atom, Var) and atom.type.ref and self.classes.of(atom) in self.growing:
            self.read(atom)


class _Sweep(Rewriter):
    """Leaves out what is not needed, and remarks that nothing follows."""

    def __init__(self, live: _Liveness) -> None:
        super().__init__()
        self.needed, self.live = live.needed, live.live

    def block(self, stmts: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
        made = super().block(stmts)
        end = len(made)
        while end and isinstance(made[end - 1], ir.Remark):
            end -= 1
        return made if end == len(made) else made[:end]

    def one(self, stmt: Stmt) -> Rewritten:
        match stmt:
            case ir.Remark():
                return stmt
            case ir.If():
                outs = walk.kept(stmt.outs, (out for out in stmt.outs if out.target in self.live))
                return self.unless_empty(walk.changed(stmt, outs=outs), outs)
            case ir.For() | ir.While():
                carry = walk.kept(stmt.carry, (c for c in stmt.carry if c.out in self.live or c.inner in self.live))
                return self.unless_empty(walk.changed(stmt, carry=carry), carry)
        return stmt if self.needed(stmt) else ()

    def unless_empty(self, stmt: Stmt, bound: tuple[object, ...]) -> Rewritten:
        new = self.inside(stmt)
        return new if bound or any(block for _, block in walk.blocks(new)) else ()
