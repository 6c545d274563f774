"""Branches of one block that the same truth value decides become one, where what stands between them allows it."""

from __future__ import annotations

from collections.abc import Callable

from srcgrad.core import ir, walk
from srcgrad.core.aliases import Aliases, aliases_of
from srcgrad.core.ir import Atom, Fun, If, Stmt, Var
from srcgrad.core.rewrite import Rewriter
from srcgrad.simplify.values.order import Footprint, footprint


def merge_branches(fun: Fun) -> Fun:
    """`if c: a = f()`, then `if c: b = g(a)`, becomes `if c: a = f(); b = g(a)`."""
    return _Merge(fun).fun(fun) if If in walk.kinds(fun) else fun


class _Merge(Rewriter):
    def __init__(self, fun: Fun) -> None:
        super().__init__()
        self.classes = aliases_of(fun)
        self.known: dict[Stmt, Footprint] = {}

    def block(self, stmts: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
        made = super().block(stmts)
        conditions = [s.cond for s in made if isinstance(s, If) and isinstance(s.cond, Var)]
        if len(conditions) == len(set(conditions)):
            return made
        block = _Block(self.classes, self.known)
        for stmt in made:
            if not isinstance(stmt, If) or not block.joined(stmt):
                block.put(stmt)
        return walk.kept(stmts, block.statements())


class _Block:
    """The statements so far, what each does where that was asked, and the last branch that each value decides."""

    def __init__(self, classes: Aliases, known: dict[Stmt, Footprint]) -> None:
        self.classes, self.known = classes, known
        self.out: list[Stmt | None] = []  # None where a branch stood that was moved
        self.done: dict[int, Footprint] = {}
        self.last: dict[Atom, int] = {}

    def statements(self) -> list[Stmt]:
        return [stmt for stmt in self.out if stmt is not None]

    def put(self, stmt: Stmt) -> None:
        if isinstance(stmt, If) and isinstance(stmt.cond, Var):
            self.last[stmt.cond] = len(self.out)
        self.out.append(stmt)

    def joined(self, branch: If) -> bool:
        """Put the branch into an earlier one that is decided alike, if one of the two may be moved to the other."""
        at = self.last.get(branch.cond)
        if at is None:
            return False
        first = self.out[at]
        assert isinstance(first, If)
        one, other = self.footprint(at), footprint(branch, self.classes, self.known)
        if one.ordered or other.ordered:
            return False
        if self.past(other, range(len(self.out) - 1, at, -1)):
            self.out[at] = _merged(first, branch)
            del self.done[at]
        elif self.past(one, range(at + 1, len(self.out))):
            self.out[at] = None
            self.put(_merged(first, branch))
        else:
            return False
        return True

    def past(self, moved: Footprint, places: range) -> bool:
        """Whether a statement may be moved past those at these places, the nearest first."""
        return all(self.out[k] is None or moved.apart(self.footprint(k)) for k in places)

    def footprint(self, at: int) -> Footprint:
        found = self.done.get(at)
        if found is None:
            stmt = self.out[at]
            assert stmt is not None
            found = self.done[at] = footprint(stmt, self.classes, self.known)
        return found


def _merged(first: If, second: If) -> If:
    then, then_of = _after(first, second, "then")
    orelse, orelse_of = _after(first, second, "orelse")
    outs = (ir.Out(o.target, then_of(o.then), orelse_of(o.orelse)) for o in second.outs)
    return ir.If(first.cond, then, orelse, (*first.outs, *outs), span=first.span)


def _after(first: If, second: If, side: str) -> tuple[tuple[Stmt, ...], Callable[[Atom], Atom]]:
    """One side of both, and what an atom of the second is there."""
    known: dict[Atom, Atom] = {o.target: getattr(o, side) for o in first.outs}
    stmts = walk.substitute(getattr(second, side), {o.target: getattr(o, side) for o in first.outs})
    return (*getattr(first, side), *stmts), lambda a: known.get(a, a)
