"""Errors that an iteration of a parallel loop may raise: they are looked for in a loop in front, one iteration after
another.

Numba does not run a loop in parallel that raises, and loses what a function that is called there raises.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from srcgrad.analysis.effects import Facts, Region
from srcgrad.core import ir
from srcgrad.core.ir import Fun, Stmt, Var
from srcgrad.core.rewrite import Rewritten, rewrite_block
from srcgrad.core.walk import defined, defined_inside, instantiate, used, used_inside, walk
from srcgrad.simplify.loops.shared_by_iterations import Serial
from srcgrad.simplify.values.dce import dce

DEAR = 4  # how many times as much as the checks the rest of an iteration must do, if they compute with floats


def checks_first(facts: Facts, loop: ir.For) -> tuple[tuple[Stmt, ...], ir.For]:
    """What goes before the loop, and the loop without statements that raise."""
    effects = [s for s in walk(loop.body) if isinstance(s, ir.Effect)]
    if not effects:
        return (), loop
    if any(isinstance(effect, ir.Print) for effect in effects):
        raise Serial("it prints")
    if any(isinstance(s, (ir.Append, ir.RefAt)) for s in walk(loop.body)):
        raise Serial("arrays are gathered in a list")
    inside = facts.region[loop, "body"]
    alone = replace(loop, carry=(), body=_without_stores(facts, inside, loop.body), parallel=False)
    checks = dce(Fun("checks", (), (alone,), ())).body
    _check_independent(facts, inside, loop, checks)
    rest = rewrite_block(loop.body, lambda stmt: () if isinstance(stmt, ir.Effect) else stmt)
    if not (_cheap(checks) or DEAR * _weight(checks) <= _weight(rest)):
        raise Serial("an iteration may raise an error, and most of its work is to find that out")
    free = tuple(_free(checks))
    return instantiate(Fun("checks", free, checks, ()), free)[0], replace(loop, body=rest)


def _without_stores(facts: Facts, inside: Region, stmts: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
    """Without what is written to memory from outside."""

    def left(stmt: Stmt) -> Rewritten:
        return () if isinstance(stmt, (ir.Store, ir.Accumulate)) and not own(stmt.ref) else stmt

    def own(ref: Var) -> bool:
        return facts.level_of(ref).within(inside)

    return rewrite_block(stmts, left)


def _check_independent(facts: Facts, inside: Region, loop: ir.For, checks: Sequence[Stmt]) -> None:
    """The checks need nothing that iterations leave for others."""
    carried = {c.inner for c in loop.carry}
    stores = [s for s in walk(loop.body) if isinstance(s, (ir.Store, ir.Accumulate))]
    written = {facts.classes.of(s.ref) for s in stores if not facts.level_of(s.ref).within(inside)}
    for stmt in walk(checks):
        atoms = [a for a in (*used(stmt), *used_inside(stmt)) if isinstance(a, Var)]
        read = [a for a in atoms if a.type.ref and not isinstance(stmt, (ir.Let, ir.View))]
        if not carried.isdisjoint(atoms) or any(facts.classes.of(a) in written for a in read):
            raise Serial("whether an iteration raises an error depends on what other iterations did")


def _cheap(stmts: Sequence[Stmt]) -> bool:
    """Whether only integers are looked at, without inner loops."""
    inner = [s for loop in stmts if isinstance(loop, ir.For) for s in walk(loop.body)]
    floats = (s for s in inner if isinstance(s, ir.Let) and any(a.type.is_float and not a.type.ref for a in s.args))
    return not any(isinstance(s, (ir.For, ir.While, ir.Call)) for s in inner) and not any(True for _ in floats)


def _weight(stmts: Sequence[Stmt], times: int = 1) -> int:
    """About how much is done; each inner loop is taken to make eight iterations."""
    total = 0
    for stmt in stmts:
        match stmt:
            case ir.For() | ir.While():
                total += _weight(stmt.body, 8 * times)
            case ir.If():
                total += _weight((*stmt.then, *stmt.orelse), times)
            case _:
                total += times
    return total


def _free(stmts: Sequence[Stmt]) -> list[Var]:
    """The variables that are read and not bound here."""
    inner = list(walk(stmts))
    bound = {v for s in inner for v in (*defined(s), *defined_inside(s))}
    read = (a for s in inner for a in (*used(s), *used_inside(s)) if isinstance(a, Var))
    return [v for v in dict.fromkeys(read) if v not in bound]
