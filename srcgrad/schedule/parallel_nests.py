"""Nests of loops over elements as parts for threads, where they are long enough; the last but memory in front of loops.

    for i in range(n):                        parts = 16 if n * m > 32768 else 1
        for j in range(m):         becomes    parallel for part in range(parts):
            y[i, j] = ...                         for i in range(n * part // parts, n * (part + 1) // parts):
                                                      ...

Iterations must be surely apart: each writes rows of its own, and nothing is carried or added up. What the loop alone
uses, and each iteration fills anew, becomes memory of each part. So the results are the same whatever threads there
are.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import replace

from srcgrad.core import ir, walk
from srcgrad.core.build import Builder, const
from srcgrad.core.ir import Alloc, Atom, For, Fun, Stmt, Var
from srcgrad.rules.language import registry
from srcgrad.schedule.contract_arrays import reached_by_element
from srcgrad.schedule.covering import Covering
from srcgrad.schedule.dependences import Dependences
from srcgrad.schedule.places import Element, Places

LONG = 32_768  # innermost iterations from which threads pay: starting them takes as long as some thousands
PARTS = 16
ZERO, ONE, MINUS_ONE = const(0), const(1), const(-1)
PLAIN = (ir.Let, ir.Load, ir.Store, ir.Accumulate, ir.For, ir.If, ir.Remark)


def parallel_nests(fun: Fun, long: int = LONG) -> Fun:
    """The function with such nests; the same object if there are none."""
    if fun.facts.kernel is not None or any(isinstance(s, (ir.NewList, ir.Append)) for s in walk.walk(fun.body)):
        return fun  # beside lists Numba drops stores of parallel loops
    return _Nests(fun, long).whole()


class _Nests:
    """private: memory that becomes that of each part, by the loop that alone uses it."""

    def __init__(self, fun: Fun, long: int) -> None:
        self.fun, self.long = fun, long
        self.dependences = Dependences(fun)
        self.places = Places(fun)
        self.facts = self.places.facts
        self.private: dict[For, list[Alloc]] = {}
        self.users: dict[Atom, list[Stmt]] = {}
        for stmt in walk.walk(fun.body):
            for atom in {*walk.used(stmt), *walk.used_inside(stmt)}:
                self.users.setdefault(atom, []).append(stmt)
        for alloc, stmts in reached_by_element(fun).items():
            self._find_user(alloc, stmts)

    def whole(self) -> Fun:
        body = self.block(self.fun.body)
        return self.fun if body is self.fun.body else replace(self.fun, body=body)

    def block(self, stmts: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
        moved: set[Stmt] = set()
        made: list[Stmt] = []
        for stmt in stmts:
            made += self.one(stmt, moved)
        return walk.kept(stmts, [s for s in made if s not in moved])

    def one(self, stmt: Stmt, moved: set[Stmt]) -> Sequence[Stmt]:
        if isinstance(stmt, For):
            private = [a for a in self.private.get(stmt, ()) if self.facts.where[a] is self.facts.where[stmt]]
            work = self._work(stmt)
            own = frozenset(a.target for a in private)
            if work is not None and self.dependences.iterations_apart(stmt, own):
                moved.update(private)
                return list(self._in_parts(stmt, work, private))
            if stmt.parallel:
                return [stmt]
        return [walk.rebuild(stmt, lambda a: a, lambda v: v, self.block) if walk.blocks(stmt) else stmt]

    # ---- whether it may be, and pays

    def _find_user(self, alloc: Alloc, stmts: Sequence[Element]) -> None:
        """The loop beside memory that alone uses it, if each iteration stores whatever it reads."""
        here = self.facts.where[alloc]
        if any(not self.facts.where[s].within(here) for s in stmts) or alloc.init is not ir.Init.EMPTY:
            return
        users = {self.facts.chain(s, here)[0][1] for s in stmts}
        user = users.pop()
        alone = len(self.users[alloc.target]) == len(stmts)  # nobody asks for its length
        if users or not isinstance(user, For) or not alone:
            return
        if Covering(self.places, self.facts.region[user, "body"], set()).covered(stmts):
            self.private.setdefault(user, []).append(alloc)

    def _work(self, loop: For) -> tuple[Atom, ...] | None:
        """The numbers of iterations of the inner loops of a nest, if it is of a kind that parts can be made of."""
        upward = loop.start == ZERO and loop.step == ONE
        if loop.parallel or loop.exit is not None or loop.carry or not (upward or _downward(loop)):
            return None
        if not all(isinstance(s, PLAIN) and not _of_arrays(s) for s in walk.walk(loop.body)):
            return None
        inside = {*walk.defined_inside(loop), *(v for s in walk.walk(loop.body) for v in _bound(s))}
        inner = [s for s in walk.walk(loop.body) if isinstance(s, For)]
        if not any(isinstance(s, ir.Let) and s.targets[0].type.is_float for s in walk.walk(loop.body)):
            return None  # copies wait for memory, not for threads
        first = next((s for s in inner if s.start == ZERO and s.stop not in inside), None)
        if first is None or any(s.exit is not None for s in inner):
            return None
        deeper = next((s for s in first.body if isinstance(s, For) and s.start == ZERO and s.stop not in inside), None)
        return (first.stop,) if deeper is None else (first.stop, deeper.stop)

    # ---- the parts

    def _in_parts(self, loop: For, work: Sequence[Atom], private: Sequence[Alloc]) -> Iterator[Stmt]:
        b = Builder()
        rows = self._op(b, "add", loop.start, ONE) if _downward(loop) else loop.stop
        total = functools.reduce(lambda a, n: self._op(b, "multiply", a, n), work, rows)
        parts = self._op(b, "where", self._op(b, "greater", total, const(self.long)), const(PARTS), ONE, name="parts")
        yield from b.out
        part, inner = Var("part", ir.I8), Builder()
        ends = []
        for k in (part, self._op(inner, "add", part, ONE)):
            ends.append(self._op(inner, "floor_divide", self._op(inner, "multiply", rows, k), parts))
        body = (*private, *inner.out, replace(loop, start=ends[0], stop=ends[1], step=ONE))
        yield For(part, ZERO, parts, ONE, (), body, parallel=True, outlined=True, span=loop.span)

    def _op(self, builder: Builder, op: str, *args: Atom, name: str = "t") -> Atom:
        return builder.let(registry.PRIMITIVES[op], *args, name=name)


def _downward(loop: For) -> bool:
    """Whether it goes from its start down to 0; iterations that are apart may as well be made the other way."""
    return loop.stop == MINUS_ONE == loop.step


def _of_arrays(stmt: Stmt) -> bool:
    return any(v.type.rank and not v.type.ref for v in (*walk.defined(stmt), *walk.used(stmt)) if isinstance(v, Var))


def _bound(stmt: Stmt) -> tuple[Var, ...]:
    return (*walk.defined(stmt), *walk.defined_inside(stmt))
