"""Values without a name are called after what they are stored in: `q_i` is what becomes q[i]."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TypeGuard

from srcgrad.core import walk
from srcgrad.core.ir import Accumulate, For, Fun, Index, Stmt, Store, Var
from srcgrad.core.rewrite import Renamed
from srcgrad.printer.names import ANONYMOUS, element_name

GENERIC = frozenset((ANONYMOUS, "total", "best", "count", "a"))  # names that loops over elements give


def renamed(fun: Fun, wishes: Mapping[Var, str]) -> Fun:
    """The function with these variables named so, and what becomes one of them by going round a loop."""
    names = dict(wishes)
    for stmt in walk.walk(fun.body):
        for carry in stmt.carry if isinstance(stmt, For) else ():
            for part in (carry.inner, carry.next) if carry.out in names else ():
                if isinstance(part, Var) and part.name in GENERIC:
                    names[part] = names[carry.out]
    return Renamed({var: Var(name, var.type) for var, name in names.items()}).fun(fun)


def name_stored_values(fun: Fun) -> Fun:
    """The function with such values named, where they are not only stored; the same object if there are none."""
    uses = Counter(a for s in walk.walk(fun.body) for a in (*walk.used(s), *walk.used_inside(s)))
    names: dict[Var, Var] = {}
    for stmt in walk.walk(fun.body):
        if not _names(stmt) or (value := stmt.value) in names or value in fun.params:
            continue
        if uses[value] == 1:
            names[value] = Var(ANONYMOUS, value.type)
        elif isinstance(stmt, Store):
            names[value] = Var(element_name(stmt.ref.name, stmt.index), value.type)
    return Renamed(names).fun(fun) if names else fun


def stored_values(fun: Fun, stmts: Iterable[Stmt]) -> dict[Var, Var]:
    """For each value without a name that these statements of the function store, a variable that has the array's."""
    found = (s for s in stmts if isinstance(s, Store) and _names(s) and s.value.name == ANONYMOUS)
    return {s.value: Var(s.ref.name, s.value.type) for s in found if s.value not in fun.params}


def _names(stmt: Stmt) -> TypeGuard[_Named]:
    """Whether it stores, or adds, a value that has no name, or that of the array."""
    if not isinstance(stmt, (Store, Accumulate)) or not isinstance(stmt.value, Var) or stmt.value.type.rank:
        return False
    return stmt.value.name in (ANONYMOUS, stmt.ref.name) and stmt.ref.name != ANONYMOUS


class _Named(Stmt):
    ref: Var
    index: Index
    value: Var
