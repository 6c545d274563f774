"""Where on the tape each call begins: the position goes through loops and branches, from one call to the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from srcgrad.core import ir
from srcgrad.core.ir import Atom, Stmt, Var
from srcgrad.core.walk import rebuild, walk

# A call that keeps something, with the position before it -> what takes its place, with the position after it.
Called = Callable[[ir.Call, Atom], tuple[Sequence[Stmt], Atom]]


@dataclass(eq=False)
class Positions:
    """Rewrites statements. keeps: whether a call keeps something.   env: the marks of calls, as they have become.
    joined: the positions behind branches."""

    keeps: Callable[[Stmt], bool]
    called: Called
    env: dict[Var, Atom] = field(default_factory=dict)
    joined: set[Var] = field(default_factory=set)

    def atom(self, a: Atom) -> Atom:
        return self.env.get(a, a) if isinstance(a, Var) else a

    def block(self, stmts: Sequence[Stmt], pos: Atom) -> tuple[list[Stmt], Atom]:
        out: list[Stmt] = []
        for stmt in stmts:
            new, pos = self.one(stmt, pos)
            out.extend(new)
        return out, pos

    def one(self, stmt: Stmt, pos: Atom) -> tuple[Sequence[Stmt], Atom]:
        if not any(map(self.keeps, walk((stmt,)))):
            return [self.inside(stmt)], pos
        match stmt:
            case ir.Call():
                call = self.inside(stmt)
                assert isinstance(call, ir.Call)
                self.env[call.targets[-1]] = pos
                return self.called(call, pos)
            case ir.If():
                return self.branch(stmt, pos)
            case ir.For() | ir.While():
                return self.loop(stmt, pos)
        raise TypeError(type(stmt).__name__)

    def inside(self, stmt: Stmt) -> Stmt:
        def block(stmts: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
            return tuple(map(self.inside, stmts))

        return rebuild(stmt, self.atom, lambda v: v, block)

    def branch(self, stmt: ir.If, pos: Atom) -> tuple[Sequence[Stmt], Atom]:
        (then, after), (orelse, other) = self.block(stmt.then, pos), self.block(stmt.orelse, pos)
        end = Var("pos", ir.I8)
        self.joined.add(end)
        outs = (
            *(ir.Out(o.target, self.atom(o.then), self.atom(o.orelse)) for o in stmt.outs),
            ir.Out(end, after, other),
        )
        return [replace(stmt, cond=self.atom(stmt.cond), then=tuple(then), orelse=tuple(orelse), outs=outs)], end

    def loop(self, stmt: ir.For | ir.While, pos: Atom) -> tuple[Sequence[Stmt], Atom]:
        inner, end = Var("pos", ir.I8), Var("pos", ir.I8)
        body, after = self.block(stmt.body, inner)
        whole = self.inside(replace(stmt, body=()))
        assert isinstance(whole, (ir.For, ir.While))
        return [replace(whole, body=tuple(body), carry=(*whole.carry, ir.Carry(inner, pos, after, end)))], end
