"""The variables that statements read and do not bind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from srcgrad.core.ir import Atom, Stmt, Var
from srcgrad.core.walk import defined, defined_inside, used, used_inside, walk


def free_of(stmts: Sequence[Stmt], results: Sequence[Atom] = ()) -> Iterator[Var]:
    """The variables that statements and results read and do not bind, in the order in which they are met."""
    bound: set[Var] = set()
    seen: dict[Var, None] = {}
    for stmt in walk(stmts):
        bound.update(defined(stmt))
        bound.update(defined_inside(stmt))
        seen.update((a, None) for a in (*used(stmt), *used_inside(stmt)) if isinstance(a, Var))
    seen.update((a, None) for a in results if isinstance(a, Var))
    return (var for var in seen if var not in bound)
