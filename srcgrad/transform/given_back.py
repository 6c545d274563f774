"""What a function gives back of what it was given, its callers have already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeGuard

from srcgrad.core import ir
from srcgrad.core.ir import Atom, Fun, Program, Stmt, Var
from srcgrad.core.rewrite import rewrite
from srcgrad.core.walk import substitute, walk


def keep_what_is_given(program: Program) -> Program:
    """The program in which functions that write into arrays do not give them back: what is printed."""
    given = {s.callee: s.given for f in (program.main, *program.callees.values()) for s in walk(f.body) if _gives(s)}
    if not given:
        return program
    callees = {name: _kept(fun, given.get(name, 0)) for name, fun in program.callees.items()}
    return Program(_kept(program.main, 0), callees)


def _gives(stmt: Stmt) -> TypeGuard[ir.Call]:
    return isinstance(stmt, ir.Call) and stmt.given > 0


def _kept(fun: Fun, given: int) -> Fun:
    env: dict[Var, Atom] = {}

    def called(stmt: Stmt) -> Stmt:
        if not _gives(stmt):
            return stmt
        env.update(zip(stmt.targets[-stmt.given :], stmt.args[-stmt.given :], strict=True))
        return replace(stmt, targets=stmt.targets[: -stmt.given], given=0, writes=stmt.given)

    new = rewrite(fun, called)
    if not env and not given:
        return new
    final = {v: _last(env, a) for v, a in env.items()}
    results = (final.get(r, r) if isinstance(r, Var) else r for r in new.results[: len(new.results) - given])
    return replace(new, body=substitute(new.body, final), results=tuple(results))


def _last(env: Mapping[Var, Atom], atom: Atom) -> Atom:
    while isinstance(atom, Var) and atom in env:
        atom = env[atom]
    return atom
