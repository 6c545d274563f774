"""Rewriting programs: a pass says what becomes of one statement, and the way through the blocks is the same for all.

What does not change stays the very same object: a statement whose blocks stay, a block whose statements stay, a
function whose body stays. So a pass that finds nothing to do gives back the function that it was given, and its caller
sees that.

    rewrite(fun, lambda stmt: () if isinstance(stmt, ir.Remark) else stmt)        # the function without remarks
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Union

from srcgrad.core.ir import Atom, Fun, Stmt, Var
from srcgrad.core.shapes import Shapes
from srcgrad.core.walk import WITH_BLOCKS, kept, rebuild

Rewritten = Union[Stmt, Iterable[Stmt]]  # what takes a statement's place: the same or another one, several, or none
GONE = Stmt()  # put into `out` in the place of a statement that turned out to be needless


class Rewriter:
    """Goes through the blocks of a function in order; a subclass says in `one` what takes a statement's place.

    out: what the block at hand has become so far.   env: what takes the places of variables, from here on.
    """

    def __init__(self) -> None:
        self.out: list[Stmt] = []
        self.env: dict[Var, Atom] = {}

    def one(self, stmt: Stmt) -> Rewritten:
        """What takes the statement's place: by itself only its blocks change."""
        return self.inside(stmt)

    def fun(self, fun: Fun) -> Fun:
        body = self.block(fun.body)
        results = kept(fun.results, map(self.atom, fun.results))
        return fun if body is fun.body and results is fun.results else replace(fun, body=body, results=results)

    def block(self, stmts: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
        outer, self.out = self.out, []
        self.region(stmts)
        made, self.out = self.out, outer
        return kept(stmts, [stmt for stmt in made if stmt is not GONE] if GONE in made else made)

    def put_all(self, stmts: tuple[Stmt, ...]) -> None:
        """What takes these statements' places, into the block at hand."""
        one, put = self.one, self.put
        for stmt in stmts:
            new = one(stmt)
            if isinstance(new, Stmt):
                put(new)
            else:
                for several in new:
                    put(several)

    def inside(self, stmt: Stmt) -> Stmt:
        """The statement with its blocks rewritten, and its atoms as `env` says."""
        if type(stmt) in WITH_BLOCKS:
            self.enter(stmt)
        elif not self.env:
            return stmt
        return rebuild(stmt, self.atom, self.bind, self.block)

    def put(self, stmt: Stmt) -> None:
        """A statement of the block at hand, as it has become."""
        self.out.append(stmt)

    def region(self, stmts: tuple[Stmt, ...]) -> None:
        """The statements of one block: a subclass opens and closes here what it knows inside one block only."""
        self.put_all(stmts)

    def enter(self, stmt: Stmt) -> None:
        """For what a subclass knows of the variables at the head of a loop's blocks."""

    def atom(self, a: Atom) -> Atom:
        env = self.env
        while type(a) is Var and a in env:
            a = env[a]
        return a

    def bind(self, var: Var) -> Var:
        """The variable that is bound in the place of this one."""
        return var


class Renamed(Rewriter):
    """Binds other variables in the place of these."""

    def __init__(self, names: Mapping[Var, Var]) -> None:
        super().__init__()
        self.names = names
        self.env.update(names)

    def bind(self, var: Var) -> Var:
        return self.names.get(var, var)


class ShapeRewriter(Rewriter):
    """A rewriter that knows, wherever it is, what has been learned of shapes up to there."""

    def __init__(self, shapes: Shapes) -> None:
        super().__init__()
        self.shapes = shapes

    def region(self, stmts: tuple[Stmt, ...]) -> None:
        with self.shapes.region():
            super().region(stmts)

    def enter(self, stmt: Stmt) -> None:
        self.shapes.enter(stmt)

    def put(self, stmt: Stmt) -> None:
        self.out.append(stmt)
        self.shapes.note(stmt)


class _ByFunction(Rewriter):
    def __init__(self, change: Callable[[Stmt], Rewritten]) -> None:
        super().__init__()
        self._change = change

    def one(self, stmt: Stmt) -> Rewritten:
        return self._change(self.inside(stmt))


def rewrite(fun: Fun, change: Callable[[Stmt], Rewritten]) -> Fun:
    """The function with what `change` puts in each statement's place, asked of the inner ones first."""
    return _ByFunction(change).fun(fun)


def rewrite_block(stmts: tuple[Stmt, ...], change: Callable[[Stmt], Rewritten]) -> tuple[Stmt, ...]:
    """The same of statements."""
    return _ByFunction(change).block(stmts)
