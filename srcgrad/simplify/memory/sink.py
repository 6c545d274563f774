"""What is added up only on one side of a branch is added up there."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from srcgrad.core import ir, walk
from srcgrad.core.aliases import aliases_of
from srcgrad.core.ir import Accumulate, Const, Fun, If, Stmt, Var
from srcgrad.core.rewrite import GONE, Rewriter


def sink(fun: Fun) -> Fun:
    """`t = v if c else 0.0`, then `a[i] += t`, becomes `if c: a[i] += v`, where nothing between touches `a`.

    Not adding a zero may change the sign of a zero.
    """
    return _Sink(fun).fun(fun) if {If, Accumulate} <= walk.kinds(fun) else fun


class _Sink(Rewriter):
    def __init__(self, fun: Fun) -> None:
        super().__init__()
        self.classes = aliases_of(fun)
        atoms = (a for s in walk.walk(fun.body) for a in (*walk.used(s), *walk.used_inside(s)))
        self.uses = Counter(a for a in (*atoms, *fun.results) if isinstance(a, Var))

    def block(self, stmts: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
        made = list(super().block(stmts))
        chosen = {out.target for stmt in made if isinstance(stmt, If) for out in stmt.outs}
        for place, stmt in enumerate(made):
            if (
                isinstance(stmt, Accumulate)
                and isinstance(stmt.value, Var)
                and stmt.value in chosen
                and self.uses[stmt.value] == 1
                and _adds(stmt)
            ):
                self.move(made, place, stmt)
        return walk.kept(stmts, (s for s in made if s is not GONE))

    def move(self, stmts: list[Stmt], place: int, add: Accumulate) -> None:
        """Move the statement at this place into the branch that its value comes from, if it may."""
        for at in range(place - 1, -1, -1):
            stmt = stmts[at]
            if isinstance(stmt, If) and any(out.target is add.value for out in stmt.outs):
                moved = self.moved(stmt, add)
                if moved is not None:
                    stmts[at], stmts[place] = moved, GONE
                return
            if self.touches(stmt, add):
                return

    def touches(self, stmt: Stmt, add: Accumulate) -> bool:
        """Whether stmt may use the memory, or binds what the statement needs."""
        if any(isinstance(s, ir.Barrier) for s in walk.walk((stmt,))):
            return True
        needed = {add.ref, *walk.index_atoms(add.index)}
        if any(var in needed for var in walk.defined(stmt)):
            return True
        cls = self.classes.of(add.ref)
        atoms = (a for s in walk.walk((stmt,)) for a in walk.used(s) if isinstance(a, Var))
        return any((a.type.ref or a.type.many) and self.classes.of(a) is cls for a in atoms)

    def moved(self, branch: If, add: Accumulate) -> If | None:
        """The branch with the statement at the end of the side whose value is not zero."""
        out = next(o for o in branch.outs if o.target is add.value)
        outs = tuple(o for o in branch.outs if o is not out)
        if any(a.type.is_array_value for a in walk.index_atoms(add.index)):
            return None
        if any(o.target in (add.ref, *walk.index_atoms(add.index)) for o in outs):
            return None
        if _zero(out.orelse):
            return replace(branch, then=(*branch.then, replace(add, value=out.then)), outs=outs)
        if _zero(out.then):
            return replace(branch, orelse=(*branch.orelse, replace(add, value=out.orelse)), outs=outs)
        return None


def _adds(stmt: Accumulate) -> bool:
    return stmt.atomic in (None, ir.Atomic.ADD)


def _zero(atom: ir.Atom) -> bool:
    return isinstance(atom, Const) and atom.type.is_float and atom.value == 0.0
