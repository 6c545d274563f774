"""A sweep works in the buffers of the one before: memory of the same name and shape is made once.

p = np.empty((n, n))                    p = np.empty((n, n))
for t in range(steps): ...              for t in range(steps): ...
p = np.empty((n, n))                    for t in range(steps - 1, -1, -1): ...
for t in range(steps - 1, -1, -1): ...
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from srcgrad.core import ir
from srcgrad.core.aliases import aliases_of, makes_fresh
from srcgrad.core.ir import Alloc, Atom, Fun, Stmt, Var
from srcgrad.core.rewrite import GONE, Renamed, Rewritten
from srcgrad.core.walk import defined, used, used_inside, walk


def share_buffers(fun: Fun) -> Fun:
    """The function with such memory made once; the same object if there is none."""
    if sum(isinstance(s, Alloc) for s in fun.body) < 2:
        return fun
    last = _last_mentions(fun)
    aliases = aliases_of(fun)
    taken: dict[Var, Var] = {}  # memory that is made no more -> that in whose place it is
    free: list[Alloc] = []
    for place, stmt in enumerate(fun.body):
        if not isinstance(stmt, Alloc) or not stmt.shape or not aliases.simple(stmt.target):
            continue
        end = last[aliases.of(stmt.target)]
        found = next((a for a in free if _fits(a, stmt) and last[aliases.of(a.target)] < place), None)
        if found is not None and stmt.init is ir.Init.EMPTY and end < len(fun.body):
            taken[stmt.target] = found.target
            last[aliases.of(found.target)] = end
        else:
            free.append(stmt)
    if not taken:
        return fun
    made = _Shared(taken).fun(fun)
    results = frozenset(taken.get(ref, ref) for ref in fun.facts.results)
    return replace(made, facts=replace(made.facts, results=results))


def _fits(one: Alloc, other: Alloc) -> bool:
    """Whether they are named alike, and of one shape."""
    same = one.target.name == other.target.name and one.target.type == other.target.type
    return same and one.shape == other.shape and None not in one.shape and one.space is other.space is None


def _last_mentions(fun: Fun) -> dict[Var, int]:
    """Of each class of memory, the last statement of the body that mentions it, or a value that may lie in it; how many
    there are if it is a result."""
    aliases = aliases_of(fun)
    holders: dict[Var, set[Var]] = {}  # of an array value: the classes that it may lie in
    last: dict[Var, int] = {}

    def classes(atom: Atom) -> set[Var]:
        if not isinstance(atom, Var):
            return set()
        return {aliases.of(atom)} if atom.type.ref or atom.type.many else holders.get(atom, set())

    def mention(atoms: Iterator[Atom], place: int) -> set[Var]:
        found = set().union(*map(classes, atoms))
        last.update(dict.fromkeys(found, place))
        return found

    for place, stmt in enumerate(fun.body):
        for inner in walk((stmt,)):
            read = mention(_mentioned(inner), place)
            for var in defined(inner) if read and not (isinstance(inner, ir.Let) and makes_fresh(inner)) else ():
                if var.type.is_array_value:
                    holders[var] = read
    mention(iter(fun.results), len(fun.body))
    return last


def _mentioned(stmt: Stmt) -> Iterator[Atom]:
    yield from (*used(stmt), *used_inside(stmt), *defined(stmt))


class _Shared(Renamed):
    def one(self, stmt: Stmt) -> Rewritten:
        gone = isinstance(stmt, Alloc) and stmt.target in self.names
        return GONE if gone else self.inside(stmt)
