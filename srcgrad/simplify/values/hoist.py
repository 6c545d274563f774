"""Expensive scalar functions of what a loop does not change are computed once, before it."""

from __future__ import annotations

from dataclasses import replace

from srcgrad.core import ir, walk
from srcgrad.core.ir import Fun, Let, Stmt, Var
from srcgrad.simplify.values.common import replaced, same


def hoist(fun: Fun) -> Fun:
    """The function with such values moved out of its loops.

    Only what is computed in every turn, from scalars, and cannot raise (floats: a loop may have no turn at all).
    """
    body = _block(fun.body)
    return fun if body is fun.body else replace(fun, body=body)


def _block(stmts: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
    out: list[Stmt] = []
    for stmt in stmts:
        blocks = walk.blocks(stmt)
        made = {name: _block(block) for name, block in blocks}
        new = stmt if all(made[name] is block for name, block in blocks) else replaced(stmt, **made)
        if isinstance(new, (ir.For, ir.While)):
            moved = _movable(new)
            out.extend(moved)
            new = _without(new, set(moved))
        out.append(new)
    return stmts if same(out, stmts) else tuple(out)


def _movable(loop: ir.For | ir.While) -> list[Let]:
    """The statements to put before the loop: the expensive ones, and the cheap ones that they need."""
    changing = {*walk.defined_inside(loop)}
    candidates: dict[Var, Let] = {}
    for _, block in walk.blocks(loop):
        for stmt in block:
            if isinstance(stmt, Let) and _total(stmt) and not any(a in changing for a in stmt.args):
                candidates[stmt.target] = stmt
            else:
                changing.update(v for s in walk.walk((stmt,)) for v in walk.defined(s))
    wanted: set[Var] = set()
    for target, let in reversed(candidates.items()):
        if target in wanted or let.op.traits.effort == "much":
            wanted.update(a for a in let.args if isinstance(a, Var))
            wanted.add(target)
    return [let for target, let in candidates.items() if target in wanted]


def _total(let: Let) -> bool:
    """A float function of scalars, element by element: defined for all floats, if only as NaN."""
    types = [t.type for t in (*let.targets, *let.args)]
    elementwise = let.op.traits.elementwise and let.op.traits.form != "zero"
    return len(let.targets) == 1 and elementwise and all(t.is_scalar for t in types) and let.target.type.is_float


def _without(loop: ir.For | ir.While, moved: set[Let]) -> Stmt:
    if not moved:
        return loop
    return replaced(loop, **{name: tuple(s for s in block if s not in moved) for name, block in walk.blocks(loop)})
