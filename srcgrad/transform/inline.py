"""Putting primals in the place of calls with the user's own rules, once all differentiation is done."""
from __future__ import annotations

from dataclasses import replace

from srcgrad.core import ir, walk
from srcgrad.core.ir import Atom, Fun, Program, Stmt, Var


def inline(program: Program) -> Program:
    """The program without `Custom` statements."""
    callees = {name: _inlined(fun) for name, fun in program.callees.items()}
    return Program(_inlined(program.main), callees)


def _inlined(fun: Fun) -> Fun:
    if not any(isinstance(stmt, ir.Custom) for stmt in walk.walk(fun.body)):
        return fun
    env: dict[Var, Atom] = {}

    def atom(a: Atom) -> Atom:
        return env.get(a, a) if isinstance(a, Var) else a

    def block(stmts: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
        out: list[Stmt] = []
        for stmt in stmts:
            if isinstance(stmt, ir.Custom):
                body, results = walk.instantiate(_inlined(stmt.primal), map(atom, stmt.args))
                out.extend(body)
                env.update(zip(stmt.targets, results, strict=True))
            else:
                out.append(walk.rebuild(stmt, atom, lambda v: v, block))
        return tuple(out)

    body = block(fun.body)
    return replace(fun, body=body, results=tuple(map(atom, fun.results)))
