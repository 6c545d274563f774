"""An array value and memory that is filled with it and never written are one: what reads the value reads the memory.

    t = x / y;  p = t.copy();  q = t * 2        becomes        p = x / y;  q = p * 2

The last pass before a program is printed: passes before it replace reads of memory by values wherever they can.
"""

from __future__ import annotations

from srcgrad.analysis.effects import Facts, facts_of
from srcgrad.core.build import whole
from srcgrad.core.ir import Alloc, Atom, Fun, Let, Load, Program, Stmt, Var
from srcgrad.core.rewrite import Rewriter, Rewritten
from srcgrad.core.walk import rebuild, used, walk


def read_values_from_memory(fun: Fun) -> Fun:
    """The function with such values read from their memory."""
    filled = any(isinstance(s, Alloc) and isinstance(s.init, Var) for s in walk(fun.body))
    return _Homes(facts_of(fun)).fun(fun) if filled else fun


class _Homes(Rewriter):
    """here: for values of the block at hand, the memory that holds them for good."""

    def __init__(self, facts: Facts) -> None:
        super().__init__()
        self.facts, self.here = facts, dict[Var, Alloc]()

    def block(self, stmts: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
        outer, self.here = self.here, self.homes(stmts)
        made = super().block(stmts)
        self.here = outer
        return made

    def one(self, stmt: Stmt) -> Rewritten:
        if isinstance(stmt, Alloc) and isinstance(stmt.init, Var) and self.here.get(stmt.init) is stmt:
            return ()
        new = self.inside(stmt)
        read = self.reading(new) if self.here else [new]
        if isinstance(stmt, Let) and len(stmt.targets) == 1 and stmt.target in self.here:
            read.append(self.here[stmt.target])
        return read

    def homes(self, stmts: tuple[Stmt, ...]) -> dict[Var, Alloc]:
        """For each value made here that is also used otherwise: the memory that holds it for good."""
        made = {s.target for s in stmts if isinstance(s, Let) and len(s.targets) == 1 and s.target.type.is_array_value}
        uses: dict[Atom, int] = {}
        for stmt in stmts:
            for atom in used(stmt):
                uses[atom] = uses.get(atom, 0) + 1
        found: dict[Var, Alloc] = {}
        for stmt in stmts:
            if not isinstance(stmt, Alloc) or not isinstance(stmt.init, Var) or stmt.init not in made:
                continue
            same = stmt.init.type == stmt.target.type.value()
            if same and uses[stmt.init] > 1 and not self.facts.written(stmt.target):
                found.setdefault(stmt.init, stmt)
        return found

    def reading(self, stmt: Stmt) -> list[Stmt]:
        """The statement, with loads in front of it in the place of such values."""
        loads: list[Stmt] = []
        homes = self.here

        def atom(a: Atom) -> Atom:
            home = homes.get(a) if isinstance(a, Var) else None
            if home is None:
                return a
            value = Var(home.target.name, home.target.type.value())
            loads.append(Load(value, home.target, whole(home.target), copy=False, span=stmt.span))
            return value

        if not any(isinstance(a, Var) and a in homes for a in used(stmt)):
            return [stmt]
        new = rebuild(stmt, atom, lambda v: v, lambda block: block)
        return [*loads, new]


# ---- the user's names


def name_values(program: Program) -> Program:
    """The program as it was lowered, array values called after the names that the user gave them.

    A named array is memory at first; where it becomes a value again, its name would else be lost.
    """
    callees = {name: _with_names(fun) for name, fun in program.callees.items()}
    return Program(_with_names(program.main), callees)


def _with_names(fun: Fun) -> Fun:
    fills = [s for s in walk(fun.body) if isinstance(s, Alloc) and isinstance(s.init, Var) and s.init.type.rank]
    made = [(s.init, s.target.name) for s in fills if isinstance(s.init, Var) and s.init.name in ("t", "draw")]
    return _Names({value: Var(name, value.type) for value, name in made}).fun(fun) if made else fun


class _Names(Rewriter):
    def __init__(self, names: dict[Var, Var]) -> None:
        super().__init__()
        self.names = names
        self.env.update(names)

    def bind(self, var: Var) -> Var:
        return self.names.get(var, var)
