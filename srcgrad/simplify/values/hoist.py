"""Expensive scalar functions of what a loop does not change are computed once, before it."""

from __future__ import annotations

from srcgrad.core import ir, walk
from srcgrad.core.ir import Fun, Let, Stmt, Var
from srcgrad.core.rewrite import Rewritten, rewrite


def hoist(fun: Fun) -> Fun:
    """The function with such values moved out of its loops.

    Only what is computed in every iteration, from scalars, and cannot raise (floats: a loop may have no iteration at
    all).
    """
    return fun if walk.kinds(fun).isdisjoint((ir.For, ir.While)) else rewrite(fun, _hoisted)


def _hoisted(stmt: Stmt) -> Rewritten:
    if not isinstance(stmt, (ir.For, ir.While)):
        return stmt
    moved = _movable(stmt)
    return (*moved, _without(stmt, set(moved)))


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
    left = {name: walk.kept(block, (s for s in block if s not in moved)) for name, block in walk.blocks(loop)}
    return walk.changed(loop, **left)
