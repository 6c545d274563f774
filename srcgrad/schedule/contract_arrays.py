"""Arrays that nobody outside one iteration looks at live in a scalar, or in what is left of their axes.

An array whose accesses all lie in one block, at one place of it each time that the block runs, is a scalar there. Where
only some of the axes are at one place, the others are left: a row that each iteration fills anew. What is stored and
loaded again in the same iteration is the value itself, also where the array stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from srcgrad.core import ir
from srcgrad.core.ir import Accumulate, Alloc, Atom, Const, For, Fun, If, Let, Load, Stmt, Store, Var
from srcgrad.core.rewrite import Renamed, Rewritten
from srcgrad.core.walk import used, used_inside, walk
from srcgrad.schedule.covering import Covering
from srcgrad.schedule.named_values import stored_values
from srcgrad.schedule.places import Places
from srcgrad.schedule.scalar_in_block import Plan, Unknown, planned
from srcgrad.simplify.loops.carried_sums import zero_of
from srcgrad.simplify.values.cse import cse
from srcgrad.simplify.values.dce import dce

Element = Load | Store | Accumulate


def contract_arrays(fun: Fun) -> Fun:
    """The function with such arrays contracted; the same object if there are none."""
    if fun.facts.kernel is not None:
        return fun
    forwarded = cse(fun)
    contracted = _Contraction(forwarded).made()
    return dce(contracted) if contracted is not fun else fun


class _Contraction:
    def __init__(self, fun: Fun) -> None:
        self._fun = fun
        self._accesses = reached_by_element(fun)
        self._plan = Plan()
        self._rows: dict[Var, tuple[Var, tuple[int, ...]]] = {}  # of an array: what is left of it, and which axes

    def made(self) -> Fun:
        if not self._accesses:
            return self._fun
        places = Places(self._fun)
        for alloc, stmts in self._accesses.items():
            self._contract(places, alloc, stmts)
        if not self._rows and not self._plan.instead:
            return self._fun
        return _Rewriter(self._fun, self._plan, self._rows, {a.target: a.shape for a in self._accesses}).fun(self._fun)

    def _contract(self, places: Places, alloc: Alloc, stmts: Sequence[Element]) -> None:
        region = places.common(alloc, stmts)
        single = places.single_axes(stmts, region)
        path = places.path(alloc, region)
        if len(single) == alloc.target.type.rank:
            holders = places.holders(stmts, region)
            first = start_of(alloc) if places.each_once(stmts[0], alloc, path) else None
            try:
                plan = planned(places.block(region), alloc.target, holders.__contains__, first)
            except Unknown:
                return
            plan.instead[alloc] = ()
            self._plan.join(plan)
        elif places.worth_a_row(stmts[0], single, path):
            covering = Covering(places, region, single)
            fresh = alloc.init is ir.Init.ZEROS and places.each_once(stmts[0], alloc, path)
            added = covering.first_addition(stmts) if fresh else None
            if not covering.covered(stmts, added):
                return
            if added is not None:  # to zeros
                self._plan.instead[added] = (Store(added.ref, added.index, added.value, span=added.span),)
            left = tuple(k for k in range(alloc.target.type.rank) if k not in single)
            row = Var(alloc.target.name, ir.Type(alloc.target.type.dtype, len(left), ref=True))
            self._rows[alloc.target] = row, left


def start_of(alloc: Alloc) -> Atom:
    """What new memory holds; of what nothing was put into, nobody reads."""
    kind = ir.Type(alloc.target.type.dtype)
    if isinstance(alloc.init, ir.Init):
        return Const(False, ir.B1) if kind == ir.B1 else zero_of(kind)
    return alloc.init


def reached_by_element(fun: Fun) -> dict[Alloc, list[Element]]:
    """Of each array that is reached by element only, in this function alone: where."""
    made: dict[Atom, Alloc] = {s.target: s for s in walk(fun.body) if isinstance(s, Alloc) and _plain(s)}
    found: dict[Alloc, list[Element]] = {alloc: [] for alloc in made.values()}
    for result in fun.results:
        found.pop(made[result], None) if result in made else None
    for stmt in walk(fun.body):
        for atom in (*used(stmt), *used_inside(stmt)):
            alloc = made.get(atom)
            if alloc is None or alloc not in found:
                continue
            if isinstance(stmt, (Load, Store, Accumulate)) and _by_element(stmt):
                found[alloc].append(stmt)
            elif not _asks_length(stmt, alloc):
                del found[alloc]
    return {alloc: stmts for alloc, stmts in found.items() if any(isinstance(s, Load) for s in stmts)}


def _plain(alloc: Alloc) -> bool:
    """Of lengths that are known, and of a kind that a scalar keeps as it is."""
    kind = ir.Type(alloc.target.type.dtype)
    if alloc.space is not None or None in alloc.shape or not alloc.shape or alloc.init is ir.Init.LOCAL:
        return False
    if not isinstance(alloc.init, ir.Init) and alloc.init.type != kind:
        return False
    return kind.is_float or kind in (ir.I8, ir.B1)


def _by_element(stmt: Element) -> bool:
    if isinstance(stmt, Accumulate) and (stmt.atomic is not None or stmt.value.type == ir.B1):
        return False
    kind = stmt.target.type if isinstance(stmt, Load) else stmt.value.type
    return kind == ir.Type(stmt.ref.type.dtype) and all(
        not isinstance(item, ir.Slice) and item.type == ir.I8 for item in stmt.index
    )


def _asks_length(stmt: Stmt, alloc: Alloc) -> bool:
    return isinstance(stmt, Let) and stmt.op.traits.measures and "axis" in stmt.params and len(stmt.args) == 1


class _Rewriter(Renamed):
    """Carries a plan out; what was stored in an array that is no more takes its name."""

    def __init__(
        self,
        fun: Fun,
        plan: Plan,
        rows: dict[Var, tuple[Var, tuple[int, ...]]],
        shapes: dict[Var, tuple[Atom | None, ...]],
    ) -> None:
        super().__init__(stored_values(fun, plan.instead))
        self.env.update(plan.values)
        self._plan, self._rows, self._shapes = plan, rows, shapes

    def one(self, stmt: Stmt) -> Rewritten:
        instead = self._plan.instead.get(stmt)
        if instead is not None:
            self.put_all(instead)
            return ()
        return self.changed(stmt)

    def changed(self, stmt: Stmt) -> Rewritten:
        match stmt:
            case Let():
                if stmt.op.traits.measures and stmt.args and stmt.args[0] in self._shapes:
                    length = self._shapes[stmt.args[0]][stmt.params["axis"]]
                    assert length is not None
                    self.env[stmt.target] = length
                    return ()
            case For() if stmt in self._plan.carries:
                return self.inside(replace(stmt, carry=(*stmt.carry, *self._plan.carries[stmt])))
            case If() if stmt in self._plan.outs:
                return self.inside(replace(stmt, outs=(*stmt.outs, *self._plan.outs[stmt])))
            case Alloc() if stmt.target in self._rows:
                row, left = self._rows[stmt.target]
                shape = tuple(stmt.shape[k] for k in left)
                init = ir.Init.EMPTY if isinstance(stmt.init, ir.Init) else stmt.init
                return self.inside(replace(stmt, target=row, shape=shape, init=init))
            case Load() | Store() | Accumulate() if stmt.ref in self._rows:
                row, left = self._rows[stmt.ref]
                return self.inside(replace(stmt, ref=row, index=tuple(stmt.index[k] for k in left)))
        return self.inside(stmt)
