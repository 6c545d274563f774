"""Putting primals in the place of calls with the user's own rules, once all differentiation is done."""

from __future__ import annotations

from srcgrad.core import ir, walk
from srcgrad.core.ir import Fun, Program, Stmt
from srcgrad.core.rewrite import Rewriter, Rewritten


def inline(program: Program) -> Program:
    """The program without `Custom` statements."""
    callees = {name: inlined(fun) for name, fun in program.callees.items()}
    return Program(inlined(program.main), callees)


def inlined(fun: Fun) -> Fun:
    """The function with the primals of its `Custom` statements in place; the same object if it has none."""
    if not any(isinstance(stmt, ir.Custom) for stmt in walk.walk(fun.body)):
        return fun
    return _Inliner().fun(fun)


class _Inliner(Rewriter):
    def one(self, stmt: Stmt) -> Rewritten:
        if not isinstance(stmt, ir.Custom):
            return self.inside(stmt)
        body, results = walk.instantiate(inlined(stmt.primal), map(self.atom, stmt.args))
        self.env.update(zip(stmt.targets, results, strict=True))
        return body
