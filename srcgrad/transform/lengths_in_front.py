"""Lengths that a loop does not change are computed in front of it, so that memory of such lengths can be made there."""

from __future__ import annotations

from srcgrad.core import ir, walk
from srcgrad.core.ir import Fun, Let, Stmt, Var
from srcgrad.core.rewrite import Rewritten, rewrite
from srcgrad.rules.shapes.shape import dim

TOTAL = frozenset({"add", "subtract", "multiply", "larger", "smaller", "nonnegative", "where", "less", "equal"})


def lengths_in_front(fun: Fun) -> Fun:
    """The function with integers moved out of its loops that are the same in each iteration."""
    return rewrite(fun, _moved)


def _moved(stmt: Stmt) -> Rewritten:
    if not isinstance(stmt, (ir.For, ir.While)):
        return stmt
    changing: set[Var] = {*walk.defined_inside(stmt)}
    found: list[Stmt] = []
    blocks: dict[str, tuple[Stmt, ...]] = {}
    for name, block in walk.blocks(stmt):
        left = []
        for inner in block:
            if isinstance(inner, Let) and _is_length(inner) and not any(a in changing for a in inner.args):
                found.append(inner)
                continue
            left.append(inner)
            changing.update(v for s in walk.walk((inner,)) for v in walk.defined(s))
        blocks[name] = walk.kept(block, left)
    return (*found, walk.changed(stmt, **blocks)) if found else stmt


def _is_length(let: Let) -> bool:
    """Whether it is an integer, or a truth about integers, that is defined for all operands."""
    if let.op is dim:
        return True
    types = [v.type for v in (*let.targets, *let.args)]
    return let.op.name in TOTAL and len(let.targets) == 1 and all(t in (ir.I8, ir.B1) for t in types)
