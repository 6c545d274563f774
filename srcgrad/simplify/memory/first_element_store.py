"""Single elements of fresh memory: the first `a[1] += v` after `a = zeros(n)` is `a[1] = v`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from srcgrad.analysis.effects import Facts, facts_of
from srcgrad.core import ir, walk
from srcgrad.core.ir import Const, Fun, Stmt, Var
from srcgrad.core.rewrite import rewrite

Place = tuple[int, ...]


def store_first_elements(fun: Fun) -> Fun:
    """The function with first accumulations made stores; the same object if there are none.

    Adding to zeros may change the sign of a zero.
    """
    if ir.Accumulate not in walk.kinds(fun):
        return fun
    facts = facts_of(fun)
    firsts = {stmt for stmts in users(facts, fresh(facts)) for stmt in _firsts(stmts)}

    def stored(stmt: Stmt) -> Stmt:
        if isinstance(stmt, ir.Accumulate) and stmt in firsts:
            return ir.Store(stmt.ref, stmt.index, stmt.value, span=stmt.span)
        return stmt

    return rewrite(fun, stored) if firsts else fun


def fresh(facts: Facts) -> Iterator[ir.Alloc]:
    """Zeros that have one name."""
    for stmt in facts.where:
        if isinstance(stmt, ir.Alloc) and stmt.init is ir.Init.ZEROS and one_name(facts, stmt.target):
            yield stmt


def users(facts: Facts, allocs: Iterable[ir.Alloc]) -> Iterable[list[Stmt]]:
    """For each memory, the statements of its region that use it, or hold one that does (to ask for its shape does
    not)."""
    found: dict[Var, list[Stmt]] = {alloc.target: [] for alloc in allocs}
    for stmt in facts.where if found else ():
        if isinstance(stmt, ir.Let):
            continue
        for var in {a for a in (*walk.used(stmt), *walk.used_inside(stmt)) if isinstance(a, Var) and a in found}:
            holder = facts.chain(stmt, facts.bound[var])[0][1]
            if not found[var] or found[var][-1] is not holder:
                found[var].append(holder)
    return found.values()


def one_name(facts: Facts, var: Var) -> bool:
    """Whether the memory is reached by this variable only."""
    return facts.classes.simple(var) and facts.names[facts.classes.of(var)] == [var]


def place(index: ir.Index) -> Place | None:
    """The element at a literal index that does not count from the end."""
    if all(isinstance(i, Const) and i.value.real >= 0 for i in index):
        return tuple(int(i.value.real) for i in index if isinstance(i, Const))
    return None


def touches(stmt: Stmt, var: Var) -> bool:
    """Whether the statement, or one inside it, uses the memory (to ask for its shape does not)."""
    inside = (s for s in walk.walk((stmt,)) if not isinstance(s, ir.Let))
    return any(a is var for s in inside for a in (*walk.used(s), *walk.used_inside(s)))


def _firsts(stmts: list[Stmt]) -> Iterator[ir.Accumulate]:
    seen: set[Place] = set()
    for stmt in stmts:
        where = place(stmt.index) if isinstance(stmt, (ir.Load, ir.Store, ir.Accumulate)) else None
        if where is None:
            return
        if isinstance(stmt, ir.Accumulate) and where not in seen and stmt.atomic in (None, ir.Atomic.ADD):
            yield stmt
        seen.add(where)
