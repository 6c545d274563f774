"""Loops that do no more than to copy or to fill a whole array are one statement.

    u = np.empty_like(x)                    u = x.copy()
    for i in range(n):
        u[i] = x[i]
    for i in range(n):                      b[:] = 0.0
        b[i] = 0.0

They are compiled in less time than the loops, and take as long. (A copy into memory that is there is not: the text of
its error takes seconds.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from srcgrad.core import ir
from srcgrad.core.build import FULL, const
from srcgrad.core.ir import Alloc, Atom, Const, For, Fun, Let, Load, Stmt, Store, Var
from srcgrad.core.rewrite import GONE, Rewriter, Rewritten
from srcgrad.core.walk import kinds, used, used_inside, walk
from srcgrad.rules.shapes.shape import dim


def whole_arrays(fun: Fun) -> Fun:
    """The function with such statements; the same object if there is none."""
    return _Whole(fun).fun(fun) if For in kinds(fun) and fun.facts.kernel is None else fun


@dataclass(frozen=True, slots=True)
class _Nest:
    """Loops from 0 by steps of 1, outermost first, with what stands in the innermost alone."""

    indices: tuple[Var, ...]
    stops: tuple[Atom, ...]
    body: tuple[Stmt, ...]


class _Whole(Rewriter):
    """shapes: of memory.   empty: of the block at hand, memory that holds nothing yet, by where it is made."""

    def __init__(self, fun: Fun) -> None:
        super().__init__()
        self.shapes: dict[Var, dict[int, set[Atom]]] = {}
        for stmt in walk(fun.body):
            self.note(stmt)
        self.empty: dict[Var, int] = {}

    def note(self, stmt: Stmt) -> None:
        match stmt:
            case Alloc(target, shape):
                for axis, n in enumerate(shape):
                    if n is not None:
                        self.shapes.setdefault(target, {}).setdefault(axis, set()).add(n)
            case Let((target,), op, (Var() as array, *_), params) if op is dim:
                self.shapes.setdefault(array, {}).setdefault(params["axis"], set()).add(target)

    def region(self, stmts: tuple[Stmt, ...]) -> None:
        outer, self.empty = self.empty, {}
        super().region(stmts)
        self.empty = outer

    def one(self, stmt: Stmt) -> Rewritten:
        nest = _nest(stmt)
        made = None if nest is None else self.whole(nest, stmt)
        return self.inside(stmt) if made is None else made

    def put(self, stmt: Stmt) -> None:
        for inner in walk((stmt,)):
            for var in (*used(inner), *used_inside(inner)):
                self.empty.pop(var, None)  # type: ignore[arg-type]
        if isinstance(stmt, Alloc) and stmt.init is ir.Init.EMPTY and None not in stmt.shape and stmt.shape:
            self.empty[stmt.target] = len(self.out)
        super().put(stmt)

    def whole(self, nest: _Nest, loop: Stmt) -> Rewritten | None:
        match nest.body:
            case (Store(ref, index, value),) if value not in nest.indices and self.covers(ref, index, nest):
                there = index[: len(index) - len(nest.indices)]
                if not {*there, value}.isdisjoint(nest.indices):
                    return None
                return Store(ref, (*there, *(FULL,) * len(nest.indices)), value, span=loop.span)
            case (Load(target, source, here), Store(ref, there, value)) if value is target and here == there:
                if ref in self.empty and source.type == ref.type and len(here) == len(nest.indices):
                    if self.covers(ref, there, nest) and self.covers(source, here, nest):
                        return self.copied(source, ref, loop)
        return None

    def covers(self, ref: Var, index: ir.Index, nest: _Nest) -> bool:
        """Whether the last items of the index are those of the nest, which goes along the whole of these axes."""
        first = len(index) - len(nest.indices)
        if first < 0 or any(isinstance(i, ir.Slice) or i.type.rank for i in index) or index[first:] != nest.indices:
            return False
        known = self.shapes.get(ref, {})
        return all(n in known.get(first + k, ()) for k, n in enumerate(nest.stops))

    def copied(self, source: Var, ref: Var, loop: Stmt) -> Sequence[Stmt]:
        """The new memory is made where it is filled."""
        self.out[self.empty.pop(ref)] = GONE
        value = Var(ref.name, ir.Type(ref.type.dtype, ref.type.rank))
        load = Load(value, source, (FULL,) * ref.type.rank, span=loop.span)
        return load, Alloc(ref, (), value, span=loop.span)


def _nest(stmt: Stmt) -> _Nest | None:
    indices, stops = [], []
    while isinstance(stmt, For):
        plain = stmt.start == const(0) and stmt.step == const(1) and not stmt.carry and stmt.exit is None
        if not plain or stmt.parallel or isinstance(stmt.stop, Const):
            return None
        indices.append(stmt.index)
        stops.append(stmt.stop)
        if len(stmt.body) != 1 or not isinstance(stmt.body[0], For):
            return _Nest(tuple(indices), tuple(stops), stmt.body)
        stmt = stmt.body[0]
    return None
