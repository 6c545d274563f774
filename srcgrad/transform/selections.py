"""Loops that look for something: `if d < best: best = d`. Adjoints pass through the last iteration that took it alone.

The loop notes which iteration that was: what came before it was overwritten, and what came after was not taken. If the
loop does nothing else that adjoints pass through, that iteration alone is run again on the way back. Else all are, and
the index tells the one that took it.
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
    """Answers for one function.

    found: its loops that do nothing else.   beside: those that do more, with the branches in which something is taken.
    """

    def __init__(self, facts: Facts, activity: Activity, loops: Iterable[Loop]) -> None:
        self._facts, self._activity = facts, activity
        self._users: dict[Var, list[Stmt]] = {}
        for stmt in facts.where:
            for atom in {*used(stmt), *used_inside(stmt)}:
                if isinstance(atom, Var):
                    self._users.setdefault(atom, []).append(stmt)
        self.found: dict[Stmt, Selection] = {}
        self.beside: dict[Stmt, tuple[Branch, ...]] = {}
        for loop in loops:
            if not isinstance(loop, ir.For) or not self._numbered(loop):
                continue
            if (selection := self._selection(loop)) is not None:
                self.found[loop] = selection
            elif (path := self._one_of_several(loop)) is not None:
                self.beside[loop] = path

    def path(self, loop: Stmt) -> tuple[Branch, ...]:
        """The branches in which the loop takes what it looks for; none if it looks for nothing."""
        return self.found[loop].path if loop in self.found else self.beside.get(loop, ())

    def enters(self, loop: Loop, carry: Carry) -> bool:
        """Whether it must be known what an iteration of the loop has begun with."""
        return loop not in self.found or carry.inner not in self.found[loop].unread

    def _numbered(self, loop: ir.For) -> bool:
        """Whether the index tells the iteration."""
        return not loop.parallel and bool(step_of(loop)) and numbering(loop) is not Numbering.COUNT

    def _selection(self, loop: ir.For) -> Selection | None:
        active = [c for c in loop.carry if c.inner in self._activity]
        if not active or any(c.inner.type.ref or c.inner.type.many for c in loop.carry):
            return None
        body = self._facts.region[loop, "body"]
        if not all(self._fits(stmt, body) for stmt in walk(loop.body)):
            return None
        path, *more = (self._taken(c, loop) for c in active)
        if path is None or any(other != path for other in more):
            return None
        return Selection(path, self._unread(loop, path))

    def _one_of_several(self, loop: ir.For) -> tuple[Branch, ...] | None:
        """The branches in which something is taken, if adjoints pass through them for nothing else."""
        active = [c for c in loop.carry if c.inner in self._activity and not c.inner.type.ref]
        paths = [path for c in active if (path := self._taken(c, loop)) is not None]
        for path in dict.fromkeys(paths):
            if all(self._for_these(branch, paths.count(path), loop) for branch, _ in path):
                return path
        return None

    def _for_these(self, branch: ir.If, count: int, loop: ir.For) -> bool:
        """Whether all that adjoints pass through in the branch is what so many carries take in it, and hand on."""
        active = [o.target for o in branch.outs if o.target in self._activity]
        if len(active) != count or not all(self._handed_on(v, loop) for v in active):
            return False
        writes = (s.ref for s in walk((branch,)) if isinstance(s, (ir.Store, ir.Accumulate)))
        return not any(ref in self._activity for ref in writes)

    def _handed_on(self, var: Var, loop: ir.For) -> bool:
        """Whether the loop's next iteration, or a branch around, alone uses it where adjoints pass."""
        for user in self._users.get(var, ()):
            if user is loop:
                if sum(c.next is var for c in loop.carry) > 1:
                    return False
            elif not isinstance(user, (ir.If, ir.Let, ir.Effect)) or (
                isinstance(user, ir.Let) and any(t in self._activity for t in user.targets)
            ):
                return False
        return True

    def _taken(self, carry: Carry, loop: ir.For) -> tuple[Branch, ...] | None:
        """The branches of a carry that hands on what an iteration enters with, or takes something else."""
        path = self._path(carry, self._facts.region[loop, "body"])
        branches = {branch for branch, _ in path or ()}
        passed = all(self._passes(user, carry, branches) for user in self._users.get(carry.inner, ()))
        return path if passed else None

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

    def _passes(self, user: Stmt, carry: Carry, branches: set[ir.If]) -> bool:
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
