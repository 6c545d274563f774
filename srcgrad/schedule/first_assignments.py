"""What a loop adds first to an array of zeros, at each place once, it assigns.

    a = np.zeros(n)                   a = np.empty(n)
    for i in range(n):                for i in range(n):
        a[i] += x[i]                      a[i] = x[i]

Where the loop does not go through the whole array, the zeros stay.
"""

from __future__ import annotations

from dataclasses import replace

from srcgrad.core import ir, walk
from srcgrad.core.affine import Poly
from srcgrad.core.build import const
from srcgrad.core.ir import Accumulate, Alloc, Atom, For, Fun, Stmt, Store, Var
from srcgrad.core.rewrite import Rewritten, rewrite
from srcgrad.schedule.covering import Covering
from srcgrad.schedule.places import Places


def assign_first(fun: Fun) -> Fun:
    """The function with such additions as assignments; the same object if there are none."""
    zeros = [s for s in walk.walk(fun.body) if isinstance(s, Alloc) and s.init is ir.Init.ZEROS and s.shape]
    if not zeros or Accumulate not in walk.kinds(fun) or fun.facts.kernel is not None:
        return fun
    users: dict[Atom, list[Stmt]] = {}
    for stmt in walk.walk(fun.body):
        for atom in (*walk.used(stmt), *walk.used_inside(stmt)):
            users.setdefault(atom, []).append(stmt)
    places, instead = Places(fun), dict[Stmt, Stmt]()
    for alloc in zeros:
        first = _first(places, alloc, users.get(alloc.target, []))
        if first is not None:
            instead[first] = Store(first.ref, first.index, first.value, span=first.span)
            if _goes_through(places, alloc, first):
                instead[alloc] = replace(alloc, init=ir.Init.EMPTY)
    return rewrite(fun, lambda stmt: _changed(stmt, instead)) if instead else fun


def _changed(stmt: Stmt, instead: dict[Stmt, Stmt]) -> Rewritten:
    return instead.get(stmt, stmt)


def _first(places: Places, alloc: Alloc, users: list[Stmt]) -> Accumulate | None:
    """What adds once to each place that it reaches, in front of all else that has to do with the array."""
    facts, region, kind = places.facts, places.facts.where[alloc], ir.Type(alloc.target.type.dtype)
    looking = [s for s in users if not (isinstance(s, ir.Let) and s.op.traits.measures)]
    if not looking or None in alloc.shape or alloc.space is not None or not kind.is_float:
        return None
    if not all(facts.where[s].within(region) for s in looking):
        return None  # it goes round a loop, or out of a branch
    order = sorted(looking, key=lambda s: facts.order[facts.chain(s, region)[0][1]])
    first, heads = order[0], [facts.chain(s, region)[0][1] for s in order[:2]]
    if not isinstance(first, Accumulate) or first.atomic is not None or first.value.type != kind:
        return None
    if len({*heads}) < len(heads) or any(isinstance(i, ir.Slice) or i.type != ir.I8 for i in first.index):
        return None
    single = {k for k, value in enumerate(places.place(first)) if places.fixed(value, region)}
    return Covering(places, region, single).adds_once(first)


def _goes_through(places: Places, alloc: Alloc, first: Accumulate) -> bool:
    """Whether the loops around are those over all places of the array."""
    loops = places.loops_around(first, places.facts.where[alloc]) or []
    left: dict[Var, For] = {loop.index: loop for loop in loops}
    for item, n in zip(first.index, alloc.shape, strict=True):
        loop = left.pop(item, None) if isinstance(item, Var) else None
        if loop is None or loop.start != const(0) or loop.step != const(1) or n is None:
            return False
        if loop.stop != n and places.integers.of(loop.stop).key != Poly.of(n).key:
            return False
    return not left
