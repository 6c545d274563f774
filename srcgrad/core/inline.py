"""Putting primals in the place of calls with the user's own rules, once all differentiation is done."""

from __future__ import annotations

from dataclasses import replace

from srcgrad.core import ir, walk
from srcgrad.core.ir import Atom, Fun, Program, Stmt, Var


def inline(program: Program) -> Program:
    """The program without `Custom` statements."""
    callees = {name: inlined(fun) for name, fun in program.callees.items()}
    return Program(inlined(program.main), callees)


def inlined(fun: Fun) -> Fun:
    """The function with the primals of its `Custom` statements in place; the same object if it has none."""
    if not any(isinstance(stmt, ir.Custom) for stmt in walk.walk(fun.body)):
        return fun
    env: dict[Var, Atom] = {}

    def atom(a: Atom) -> Atom:
        return env.get(a, a) if isinstance(a, Var) else a

    def block(stmts: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
        out: list[Stmt] = []
        for stmt in stmts:
            if isinstance(stmt, ir.Custom):
                body, results = walk.instantiate(inlined(stmt.primal), map(atom, stmt.args))
                out.extend(body)
                env.update(zip(stmt.targets, results, strict=True))
            else:
                out.append(walk.rebuild(stmt, atom, lambda v: v, block))
        return tuple(out)

    body = block(fun.body)
    return replace(fun, body=body, results=tuple(map(atom, fun.results)))
