"""Memory that every iteration of a loop fills before it reads it is made in the iteration.

`scratch = np.empty(n)` in front of the loop and in it are the same for the function. In front of it, the sweep back
would have to keep what every iteration has written; in it, the iteration is run again. (Before anything is printed,
memory that is made in loops goes in front of them again.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from srcgrad.core import ir
from srcgrad.core.aliases import Aliases, aliases_of
from srcgrad.core.ir import Alloc, Atom, Fun, Load, Stmt, Store, Var
from srcgrad.core.rewrite import Rewriter
from srcgrad.core.shapes import FULL
from srcgrad.core.walk import kept, kinds, used, used_inside, walk
from srcgrad.rules.language.integers import nonnegative
from srcgrad.rules.shapes.shape import dim

Loop = ir.For | ir.While
_TOUCH = (Load, Store, ir.Accumulate, ir.View, ir.Let)


def scratch_in_iterations(fun: Fun) -> Fun:
    """The function with such memory made where it is filled."""
    return _Scratch(fun).fun(fun) if Alloc in kinds(fun) and not kinds(fun).isdisjoint((ir.For, ir.While)) else fun


class _Scratch(Rewriter):
    def __init__(self, fun: Fun) -> None:
        super().__init__()
        self.classes: Aliases = aliases_of(fun)
        lets = (s for s in walk(fun.body) if isinstance(s, ir.Let))
        self.lengths: set[Atom | None] = {s.target for s in lets if s.op in (dim, nonnegative)}
        self.handed = {self.classes.of(r) for r in fun.results if isinstance(r, Var) and r.type.ref}

    def block(self, stmts: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
        made = list(stmts)
        for alloc in [s for s in stmts if isinstance(s, Alloc)]:
            place = self.reader(made, alloc)
            moved = None if place is None else self.moved(made[place], alloc)
            if place is not None and moved is not None:
                made[place] = moved
                made.remove(alloc)
        return super().block(kept(stmts, made))

    def moved(self, loop: Stmt, alloc: Alloc) -> Loop | None:
        """The loop, or one that alone in it has to do with the memory, with the memory made in its iterations."""
        if not isinstance(loop, (ir.For, ir.While)) or (isinstance(loop, ir.For) and loop.parallel):
            return None
        if isinstance(loop, ir.While) and any(self.mentions(s, alloc) for s in loop.test):
            return None
        body = list(loop.body)
        places = [k for k, s in enumerate(body) if self.mentions(s, alloc)]
        if self.fills(body[places[0]], alloc, {}):
            body.insert(places[0], replace(alloc, init=ir.Init.EMPTY))
        else:
            inner = self.moved(body[places[0]], alloc) if len(places) == 1 else None
            if inner is None:
                return None
            body[places[0]] = inner
        return replace(loop, body=tuple(body))

    def mentions(self, stmt: Stmt, alloc: Alloc) -> bool:
        cls = self.classes.of(alloc.target)
        return any(self.classes.of(v) is cls for s in walk((stmt,)) for v in _references(s))

    def reader(self, stmts: Sequence[Stmt], alloc: Alloc) -> int | None:
        """The place of the loop that alone has to do with the memory, which ends with it."""
        cls = self.classes.of(alloc.target)
        if not self.classes.simple(alloc.target) or cls in self.handed or None in alloc.shape or not alloc.shape:
            return None
        if not all(map(self.length, alloc.shape)) or (not isinstance(alloc.init, ir.Init) and alloc.init.type.rank):
            return None
        places = [k for k, s in enumerate(stmts) if s is not alloc and self.mentions(s, alloc)]
        if len(places) != 1:
            return None
        plain = all(
            isinstance(s, _TOUCH)
            for s in walk((stmts[places[0]],))
            if any(self.classes.of(v) is cls for v in _references(s))
        )
        return places[0] if plain else None

    def length(self, atom: Atom | None) -> bool:
        """Whether it is surely not negative: else an error would be raised where the loop may have no iteration."""
        return atom in self.lengths or (isinstance(atom, ir.Const) and atom.value.real >= 0)

    def fills(self, stmt: Stmt, alloc: Alloc, ranges: dict[Atom, Atom]) -> bool:
        """ranges: the indices of the loops around, each from 0 to its limit."""
        match stmt:
            case Store() if stmt.ref is alloc.target:
                if stmt.value.type.rank == 0 and all(i == FULL for i in stmt.index):
                    return True
                limits = [None if isinstance(i, ir.Slice) else ranges.get(i) for i in stmt.index]
                return len({*stmt.index}) == len(alloc.shape) and all(
                    have is not None and have == want for have, want in zip(limits, alloc.shape, strict=True)
                )
            case ir.For(exit=None, start=ir.Const(value=0), step=ir.Const(value=1)):
                inside = [k for k, s in enumerate(stmt.body) if self.mentions(s, alloc)]
                if not self.fills(stmt.body[inside[0]], alloc, {**ranges, stmt.index: stmt.stop}):
                    return False
                return all(
                    self.same_place(s, alloc, stmt.body[inside[0]]) for k in inside[1:] for s in walk((stmt.body[k],))
                )
        return False

    def same_place(self, stmt: Stmt, alloc: Alloc, store: Stmt) -> bool:
        """Whether a later statement of the iteration reads or writes what has been filled in it alone."""
        if not any(self.classes.of(v) is self.classes.of(alloc.target) for v in _references(stmt)):
            return True
        if not isinstance(stmt, (Load, Store, ir.Accumulate)) or not isinstance(store, Store):
            return False
        return stmt.ref is alloc.target and stmt.index == store.index


def _references(stmt: Stmt) -> Iterator[Var]:
    return (a for a in (*used(stmt), *used_inside(stmt)) if isinstance(a, Var) and (a.type.ref or a.type.many))
