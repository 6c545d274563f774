"""Where an array lies in a list that each iteration appends to once is told by the iteration, and need not be kept.

for k in range(n):                       for k in range(n):
    place = len(rows)                        rows.append(row)
    rows.append(row)
    place_kept[k] = place
for k in range(n - 1, -1, -1):           for k in range(n - 1, -1, -1):
    row = rows[place_kept[k]]                row = rows[k]
"""

from __future__ import annotations

from collections.abc import Iterator

from srcgrad.analysis.effects import Facts, facts_of
from srcgrad.core import ir, walk
from srcgrad.core.build import const
from srcgrad.core.ir import Alloc, Append, Atom, For, Fun, Load, NewList, RefAt, Stmt, Store, Var, While
from srcgrad.core.rewrite import Rewriter, Rewritten
from srcgrad.rules.language.integers import nonnegative, trips
from srcgrad.rules.scalar.arithmetic import add
from srcgrad.rules.shapes.shape import dim
from srcgrad.schedule.lowering import is_natural

Users = dict[Atom, list[Stmt]]
Told = dict[Var, list[Atom]]  # of a place: the variables that are the same number


def places_in_lists(fun: Fun) -> Fun:
    """The function with such places told by their iterations; the same object if there are none."""
    if Append not in walk.kinds(fun):
        return fun
    facts, users = facts_of(fun), Users()
    for stmt in walk.walk(fun.body):
        for atom in (*walk.used(stmt), *walk.used_inside(stmt)):
            users.setdefault(atom, []).append(stmt)
    for atom in fun.results:
        users.setdefault(atom, []).append(ir.Stmt())
    told = {place: turns for place, turns in _told(facts, users) if turns and users.get(place)}
    if not told:
        return fun
    kept = {ref for ref in _stored(users, told) if _keeps_places(facts, users, told, ref)}
    return _Replaced(told, kept).fun(fun)


def _told(facts: Facts, users: Users) -> Iterator[tuple[Var, list[Atom]]]:
    """Places of appends, each with what holds the number of its iteration, from 0."""
    for made, region in facts.where.items():
        if not isinstance(made, NewList):
            continue
        mine = users.get(made.target, [])
        appends = [s for s in mine if isinstance(s, Append) and s.refs is made.target]
        others = [s for s in mine if not isinstance(s, (Append, RefAt))]
        if len(appends) != 1 or others:
            continue
        inner = facts.where[appends[0]]
        loop = inner.stmt
        if isinstance(loop, (For, While)) and inner.which == "body" and facts.where[loop] is region:
            if facts.order[made] < facts.order[loop]:
                yield appends[0].pos, [*_turns(facts, loop)]


def _turns(facts: Facts, loop: For | While) -> Iterator[Atom]:
    """The variables that hold the number of a loop's iteration, from 0."""
    if isinstance(loop, For) and loop.start == const(0) and loop.step == const(1):
        yield loop.index
    for carry in loop.carry:
        made = facts.makes.get(carry.next) if isinstance(carry.next, Var) else None
        counts = isinstance(made, ir.Let) and made.op is add and set(made.args) == {carry.inner, const(1)}
        if counts and carry.init == const(0) and made in loop.body:
            yield carry.inner


def _stored(users: Users, told: Told) -> set[Var]:
    return {s.ref for place in told for s in users[place] if isinstance(s, Store) and s.value is place}


def _keeps_places(facts: Facts, users: Users, told: Told, ref: Var) -> bool:
    """Whether memory holds k at each place k that is ever read."""
    made, mine = facts.makes.get(ref), users[ref]
    alone = len(facts.names[facts.classes.of(ref)]) == 1 and facts.classes.simple(ref)
    if not isinstance(made, Alloc) or made.init is not ir.Init.EMPTY or ref.type != ir.Type("i8", 1, True) or not alone:
        return False
    if not all(n is None or _is_length(facts, n) for n in made.shape):
        return False  # to make it may be an error
    stores = [s for s in mine if isinstance(s, Store)]
    loads = [s for s in mine if isinstance(s, Load)]
    if len(stores) != 1 or len(loads) + 1 != len(mine):
        return False
    (store,) = stores
    turns = told.get(store.value, []) if isinstance(store.value, Var) else []
    return store.index[0] in turns and all(_natural(facts, s.index[0]) for s in loads)


def _is_length(facts: Facts, n: Atom) -> bool:
    if isinstance(n, ir.Const):
        return n.value.real >= 0
    made = facts.makes.get(n)
    return isinstance(made, ir.Let) and made.op in (dim, nonnegative, trips)


def _natural(facts: Facts, item: ir.Item) -> bool:
    loop = facts.makes.get(item) if isinstance(item, Var) else None
    return isinstance(loop, For) and loop.index is item and is_natural(loop)


class _Replaced(Rewriter):
    def __init__(self, told: Told, kept: set[Var]) -> None:
        super().__init__()
        self.env.update({place: turns[0] for place, turns in told.items()})
        self.kept = kept

    def one(self, stmt: Stmt) -> Rewritten:
        match stmt:
            case Load(target, ref, (place,)) if ref in self.kept and isinstance(place, Var):
                self.env[target] = self.atom(place)
                return ()
            case Store(ref) | Alloc(ref) if ref in self.kept:
                return ()
            case Append(refs, ref, pos):
                return Append(self.atom(refs), self.atom(ref), pos, span=stmt.span)  # type: ignore[arg-type]
        return self.inside(stmt)
