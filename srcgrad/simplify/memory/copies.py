"""Loads of arrays need no copy where nothing can write to the memory while the value lives."""

from __future__ import annotations

from dataclasses import dataclass, field

from srcgrad.core import ir, walk
from srcgrad.core.aliases import aliases_of, makes_fresh
from srcgrad.core.ir import Fun, Load, Stmt, Var
from srcgrad.core.rewrite import Rewriter, Rewritten
from srcgrad.simplify.values.common import written


def mark_needed_copies(fun: Fun) -> Fun:
    """The function with `Load.copy` set where, and only where, it may matter."""
    return _Copies(fun).fun(fun) if Load in walk.kinds(fun) else fun


@dataclass
class _Life:
    """A loaded value and what may share its storage."""

    start: int
    last: int
    cls: Var
    owned: bool = False  # something else may hold on to it
    names: set[Var] = field(default_factory=set)


class _Copies(Rewriter):
    """lives: of the values of the block at hand.   writes: which memory it writes, and at which statement."""

    def __init__(self, fun: Fun) -> None:
        super().__init__()
        self.lives: dict[Var, _Life] = {}
        self.writes: list[tuple[int, Var]] = []
        self.classes = aliases_of(fun)
        self.results = {r for r in fun.results if isinstance(r, Var)}

    def block(self, stmts: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
        outer = self.lives, self.writes
        self.lives, self.writes = {}, []
        for place, stmt in enumerate(stmts):
            self.writes.extend((place, self.classes.of(ref)) for ref in written(stmt))
            self.follow(place, stmt)
        made = super().block(stmts)
        self.lives, self.writes = outer
        return made

    def follow(self, place: int, stmt: Stmt) -> None:
        """Prolong the lives of what stmt uses; begin one if it loads an array."""
        lives = self.lives
        for atom in walk.used(stmt):
            if isinstance(atom, Var) and atom in lives:
                life = lives[atom]
                life.last = place
                life.owned = life.owned or _owns(stmt)
                if _shares(stmt, atom):
                    for target in walk.defined(stmt):
                        lives[target] = life
                        life.names.add(target)
        if isinstance(stmt, Load) and stmt.target.type.is_array_value:
            lives[stmt.target] = _Life(place, place, self.classes.of(stmt.ref), names={stmt.target})

    def one(self, stmt: Stmt) -> Rewritten:
        if isinstance(stmt, Load) and stmt.target in self.lives:
            return walk.changed(stmt, copy=self.needed(self.lives[stmt.target]))
        return self.inside(stmt)

    def needed(self, life: _Life) -> bool:
        overwritten = any(life.start < place <= life.last and cls is life.cls for place, cls in self.writes)
        return life.owned or overwritten or not self.results.isdisjoint(life.names)


def _owns(stmt: Stmt) -> bool:
    """Whether the statement hands the value on to code that is not seen here. New memory that is filled with it is a
    copy in any case."""
    return isinstance(stmt, (ir.Call, ir.Custom, ir.Effect))


def _shares(stmt: Stmt, operand: Var) -> bool:
    """Whether what the statement binds may share storage with this operand."""
    if not isinstance(stmt, ir.Let) or not any(t.is_array_value for t in (v.type for v in stmt.targets)):
        return False
    if stmt.op.traits.form == "linear" and operand is not stmt.args[0]:  # it only says how
        return False
    return not makes_fresh(stmt)
