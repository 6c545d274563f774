"""Loops that look for something: `if d < best: best = d`. Adjoints pass through the last iteration that took it alone.

The loop notes which iteration that was, and on the way back only that one is run again: what came before it was
overwritten, and what came after was not taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from srcgrad.analysis.activity import Activity
from srcgrad.analysis.effects import Facts, Region
from srcgrad.core import ir
from srcgrad.core.ir import Carry, Stmt, Var
from srcgrad.core.walk import defined, used, used_inside, walk
from srcgrad.transform.iterations import Loop, Numbering, numbering, step_of

_PLAIN = (ir.Let, ir.Load, ir.Store, ir.Accumulate, ir.Alloc, ir.View, ir.For, ir.While, ir.If, ir.Remark)
_SAYS = (ir.Raise, ir.Assert, ir.Print)


Branch = tuple[ir.If, str]  # and the side of it that is run


@dataclass(frozen=True)
class Selection:
    """path: the branches in which something is taken, outermost first.   unread: what need not be computed for an
    iteration that took something: their conditions, what serves these alone, and what enters for them alone."""

    path: tuple[Branch, ...]
    unread: frozenset[Var]


class Selections:
    """Answers for one function.   found: its loops of that kind."""

    def __init__(self, facts: Facts, activity: Activity, loops: Iterable[Loop]) -> None:
        self._facts, self._activity = facts, activity
        self._users: dict[Var, list[Stmt]] = {}
        for stmt in facts.where:
            for atom in {*used(stmt), *used_inside(stmt)}:
                if isinstance(atom, Var):
                    self._users.setdefault(atom, []).append(stmt)
        self.found: dict[Stmt, Selection] = {}
        for loop in loops:
            if isinstance(loop, ir.For) and (selection := self._selection(loop)) is not None:
                self.found[loop] = selection

    def enters(self, loop: Loop, carry: Carry) -> bool:
        """Whether it must be known what an iteration of the loop has begun with."""
        return loop not in self.found or carry.inner not in self.found[loop].unread

    def _selection(self, loop: ir.For) -> Selection | None:
        active = [c for c in loop.carry if c.inner in self._activity]
        if not active or loop.parallel or not step_of(loop) or numbering(loop) is Numbering.COUNT:
            return None
        if any(c.inner.type.ref or c.inner.type.many for c in loop.carry):
            return None
        body = self._facts.region[loop, "body"]
        if not all(self._fits(stmt, body) for stmt in walk(loop.body)):
            return None
        path, *more = (self._path(c, body) for c in active)
        if path is None or any(other != path for other in more):
            return None
        branches = {branch for branch, _ in path}
        if not all(self._passes(user, c, loop, branches) for c in active for user in self._users.get(c.inner, ())):
            return None
        return Selection(path, self._unread(loop, path))

    def _fits(self, stmt: Stmt, body: Region) -> bool:
        """Whether the statement writes nothing around the loop that adjoints pass through."""
        match stmt:
            case ir.Store() | ir.Accumulate():
                return self._facts.level_of(stmt.ref).within(body) or stmt.ref not in self._activity
            case ir.Alloc():
                return self._facts.level_of(stmt.target).within(body)
        return isinstance(stmt, (*_PLAIN, *_SAYS))

    def _path(self, carry: Carry, body: Region) -> tuple[Branch, ...] | None:
        """The branches that choose between what is taken and what the iteration entered with."""
        path: list[Branch] = []
        atom, region = carry.next, body
        while isinstance(atom, Var) and atom is not carry.inner:
            made = self._facts.makes.get(atom)
            if not isinstance(made, ir.If) or self._facts.where[made] is not region:
                break
            out = next(o for o in made.outs if o.target is atom)
            if (out.then is carry.inner) == (out.orelse is carry.inner):
                break
            side = "orelse" if out.then is carry.inner else "then"
            path.append((made, side))
            atom, region = getattr(out, side), self._facts.region[made, side]
        return tuple(path) or None

    def _passes(self, user: Stmt, carry: Carry, loop: ir.For, branches: set[ir.If]) -> bool:
        """Whether a use of what an iteration enters with passes no derivative, or passes it on untouched."""
        match user:
            case ir.Let():
                return not any(t in self._activity for t in user.targets)
            case ir.Effect():
                return True
            case ir.If() if user in branches:
                outs = [o for o in user.outs if carry.inner in (o.then, o.orelse)]
                return all(self._leads(o.target, carry) for o in outs)
        return False

    def _leads(self, target: Var, carry: Carry) -> bool:
        """Whether a branch's result is nothing but what the iteration leaves in the carry."""
        if target is carry.next:
            return True
        users = self._users.get(target, ())
        return (
            len(users) == 1
            and isinstance(users[0], ir.If)
            and any(self._leads(o.target, carry) for o in users[0].outs if target in (o.then, o.orelse))
        )

    def _unread(self, loop: ir.For, path: Sequence[Branch]) -> frozenset[Var]:
        """What serves conditions that are known alone."""
        sides = dict(path)
        found = {branch.cond for branch in sides if isinstance(branch.cond, Var)}
        stmts, size = list(walk(loop.body)), 0
        while len(found) != size:
            size = len(found)
            for stmt in reversed(stmts):
                targets = defined(stmt)
                if targets and self._idle(stmt, sides) and all(self._serves(t, found, sides) for t in targets):
                    found.update(targets)
        found.update(c.inner for c in loop.carry if self._serves(c.inner, found, sides))
        return frozenset(found)

    def _idle(self, stmt: Stmt, sides: Mapping[ir.If, str]) -> bool:
        """Whether the statement gives nothing but values that no adjoint passes through."""
        if any(t in self._activity for t in defined(stmt)):
            return False
        if isinstance(stmt, ir.If):
            return stmt not in sides and all(isinstance(s, (ir.Let, ir.Load)) for s in walk((*stmt.then, *stmt.orelse)))
        return isinstance(stmt, ir.Let)

    def _serves(self, var: Var, found: set[Var], sides: Mapping[ir.If, str]) -> bool:
        """Whether all uses of var serve known conditions alone, or pass it on where the other side is taken."""
        for user in self._users.get(var, ()):
            if isinstance(user, ir.If) and user in sides:
                if any(getattr(o, sides[user]) is var for o in user.outs):
                    return False
            elif not isinstance(user, (ir.Let, ir.If)) or not all(t in found for t in defined(user)):
                return False
        return True
