"""Statements that serve nothing but what passes through (raise, assert, print): the sweep back leaves them out."""

from __future__ import annotations

from srcgrad.core import ir, walk
from srcgrad.core.held import is_held
from srcgrad.core.ir import Atom, Fun, Stmt


def silent(fun: Fun) -> frozenset[Stmt]:
    """The branches that hold nothing else, and the pure statements whose results nothing else reads."""
    found: set[Stmt] = set()
    used: set[Atom] = set(fun.results)
    _scan(fun.body, found, used)
    return frozenset(found)


def _scan(stmts: tuple[Stmt, ...], found: set[Stmt], used: set[Atom]) -> None:
    """Backwards, with what is used by statements that are not silent."""
    for stmt in reversed(stmts):
        used.update(walk.used_inside(stmt))
        for _, block in reversed(walk.blocks(stmt)):
            _scan(block, found, used)
        match stmt:
            case ir.Effect():
                quiet = True
            case ir.If():
                quiet = not stmt.outs and all(inner in found for inner in (*stmt.then, *stmt.orelse))
            case ir.Let() if not is_held(stmt):
                quiet = not any(target in used for target in stmt.targets)
            case _:
                quiet = False
        if quiet:
            found.add(stmt)
        else:
            used.update(walk.used(stmt))
