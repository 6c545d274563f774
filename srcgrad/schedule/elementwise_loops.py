"""Loops in which how elements are reached is most of the work, and which a compiler may vectorise."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from srcgrad.core import ir, walk
from srcgrad.core.ir import Atom, Stmt, Var

SUMS = {"add", "subtract", "min", "max", "minimum", "maximum", "larger", "fmin", "fmax", "logical_and", "logical_or"}


def steps_along(loop: ir.For) -> bool:
    """Whether it is an innermost loop that goes through elements, and no iteration waits for what the one before has
    computed: at most it adds to that. (One that does takes as long as its operations, whatever its subscripts.)"""
    if loop.parallel or loop.exit is not None or not all(map(_plain, walk.walk(loop.body))):
        return False
    readers: defaultdict[Atom, list[Stmt]] = defaultdict(list)
    for stmt in walk.walk(loop.body):
        for atom in {*walk.used(stmt), *walk.used_inside(stmt)}:
            readers[atom].append(stmt)
    return all(_is_sum(c, readers) or _is_handed_on(c, readers) for c in loop.carry)


def _plain(stmt: Stmt) -> bool:
    match stmt:
        case ir.Let(targets=targets):
            return all(t.type.is_scalar for t in targets)
        case ir.Load(target=target):
            return target.type.is_scalar
        case ir.Store() | ir.Accumulate():
            return stmt.value.type.is_scalar and all(isinstance(i, (Var, ir.Const)) for i in stmt.index)
        case ir.If() | ir.Remark() | ir.View():
            return True
    return False


def _is_sum(carry: ir.Carry, readers: Mapping[Atom, Sequence[Stmt]]) -> bool:
    """Whether what is carried is only added to, or compared with, on the way to its next value."""
    atom: Atom = carry.inner
    while atom is not carry.next:
        (*others, stmt) = readers.get(atom, [None])
        if others or not isinstance(stmt, ir.Let) or stmt.op.name.rstrip("_2345678") not in SUMS:
            return False
        atom = stmt.target
    return True


def _is_handed_on(carry: ir.Carry, readers: Mapping[Atom, Sequence[Stmt]]) -> bool:
    """Whether each iteration hands on what it has computed without what it was handed itself."""
    reached: set[Atom] = {carry.inner}
    waiting: list[Atom] = [carry.inner]
    while waiting:
        for stmt in readers.get(waiting.pop(), ()):
            new = {v for v in (*walk.defined(stmt), *walk.defined_inside(stmt)) if v not in reached}
            reached |= new
            waiting += new
    return carry.next not in reached
