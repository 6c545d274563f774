"""Branches of one block that the same truth value decides become one, where what stands between them allows it."""

from __future__ import annotations

from collections.abc import Callable

from srcgrad.core import ir, walk
from srcgrad.core.aliases import aliases_of
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

    def block(self, stmts: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
        made = super().block(stmts)
        conditions = [s.cond for s in made if isinstance(s, If) and isinstance(s.cond, Var)]
        if len(conditions) == len(set(conditions)):
            return made
        out: list[Stmt] = []
        for stmt in made:
            if not isinstance(stmt, If) or not self.joined(stmt, out):
                out.append(stmt)
        return walk.kept(stmts, out)

    def joined(self, branch: If, out: list[Stmt]) -> bool:
        """Put the branch into an earlier one that is decided alike, if one of the two may be moved to the other."""
        at = next((k for k in range(len(out) - 1, -1, -1) if _alike(out[k], branch)), None)
        if at is None:
            return False
        first = out[at]
        assert isinstance(first, If)
        one, other = footprint(first, self.classes), footprint(branch, self.classes)
        between = [footprint(s, self.classes) for s in out[at + 1 :]]
        if one.ordered or other.ordered:
            return False
        if _past(other, between):
            out[at] = _merged(first, branch)
        elif _past(one, between):
            del out[at]
            out.append(_merged(first, branch))
        else:
            return False
        return True


def _alike(stmt: Stmt, branch: If) -> bool:
    return isinstance(stmt, If) and stmt.cond is branch.cond


def _past(moved: Footprint, between: list[Footprint]) -> bool:
    return all(moved.apart(other) for other in between)


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
