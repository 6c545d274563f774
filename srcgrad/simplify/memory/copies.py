"""Loads of arrays need no copy where nothing can write to the memory while the value lives."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from srcgrad.core import ir, walk
from srcgrad.core.aliases import aliases_of, makes_fresh
from srcgrad.core.ir import Fun, Load, Stmt, Var
from srcgrad.simplify.values.common import replaced, same, written


def copies(fun: Fun) -> Fun:
    """The function with `Load.copy` set where, and only where, it may matter."""
    pass_ = _Copies(fun)
    body = pass_.block(fun.body)
    return fun if body is fun.body else replace(fun, body=body)


@dataclass
class _Life:
    """A loaded value and what may share its storage."""

    start: int
    last: int
    cls: Var
    owned: bool = False  # something else may hold on to it
    names: set[Var] = field(default_factory=set)


class _Copies:
    def __init__(self, fun: Fun) -> None:
        self.classes = aliases_of(fun)
        self.results = {r for r in fun.results if isinstance(r, Var)}

    def block(self, stmts: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
        lives: dict[Var, _Life] = {}
        writes: list[tuple[int, Var]] = []
        for place, stmt in enumerate(stmts):
            writes.extend((place, self.classes.of(ref)) for ref in written(stmt))
            self.follow(place, stmt, lives)
        made = [self.one(stmt, lives, writes) for stmt in stmts]
        return stmts if same(made, stmts) else tuple(made)

    def follow(self, place: int, stmt: Stmt, lives: dict[Var, _Life]) -> None:
        """Prolong the lives of what stmt uses; begin one if it loads an array."""
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

    def one(self, stmt: Stmt, lives: dict[Var, _Life], writes: list[tuple[int, Var]]) -> Stmt:
        if isinstance(stmt, Load) and stmt.target in lives:
            needed = self.needed(lives[stmt.target], writes)
            return stmt if stmt.copy is needed else replace(stmt, copy=needed)
        blocks = walk.blocks(stmt)
        made = {name: self.block(block) for name, block in blocks}
        if all(made[name] is block for name, block in blocks):
            return stmt
        return replaced(stmt, **made)

    def needed(self, life: _Life, writes: list[tuple[int, Var]]) -> bool:
        overwritten = any(life.start < place <= life.last and cls is life.cls for place, cls in writes)
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
