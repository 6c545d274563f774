"""Stores that nothing reads after: memory is dead where its last reader has passed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import takewhile

from srcgrad.analysis.effects import Facts, facts_of
from srcgrad.core import ir
from srcgrad.core.ir import Fun, Stmt, Var
from srcgrad.core.rewrite import rewrite
from srcgrad.core.walk import kinds, used
from srcgrad.simplify.values.common import growing


def remove_dead_stores(fun: Fun) -> Fun:
    """The function without its dead stores; the same object if there are none."""
    if kinds(fun).isdisjoint((ir.Store, ir.Accumulate)):
        return fun
    facts = facts_of(fun)
    dead = set(_dead(facts))
    return rewrite(fun, lambda stmt: () if stmt in dead else stmt) if dead else fun


def _dead(facts: Facts) -> Iterator[Stmt]:
    readers: dict[Var, list[Stmt]] = {}
    place: dict[Stmt, int] = {}
    for stmt in facts.where:
        place[stmt] = len(place)
        for ref in read_by(stmt):
            readers.setdefault(facts.classes.of(ref), []).append(stmt)
    shaped = growing(facts.fun, facts.classes)
    returned = {facts.classes.of(r) for r in facts.fun.results if isinstance(r, Var) and r.type.ref}
    for cls, written in facts.stores.items():
        if cls in shaped or cls in returned:
            continue
        level = facts.level[cls]
        for store in written:
            later: Iterator[Stmt] = reversed(readers.get(cls, []))
            if not facts.loops_between(store, level):  # then only what stands behind it runs after it
                later = takewhile(partial(_behind, place, store), later)
            if not any(facts.runs_after(reader, store, level) for reader in later):
                yield store


def _behind(place: Mapping[Stmt, int], store: Stmt, reader: Stmt) -> bool:
    return place[reader] > place[store]


def read_by(stmt: Stmt) -> Iterator[Var]:
    """The references whose contents the statement reads."""
    match stmt:
        case ir.Load():
            yield stmt.ref
        case ir.Call() | ir.Custom() | ir.Effect():
            yield from (a for a in used(stmt) if isinstance(a, Var) and a.type.ref)
