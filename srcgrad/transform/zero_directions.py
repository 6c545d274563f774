"""Loops that have nothing to do in a direction are left out: they only add up multiples of tangents that are all zero.

A loop is tested where all that it writes is added to memory, all that it adds is linear in tangents that the loop does
not change, and these are few: those that it loads at places that it does not go over, and scalars that come from in
front of it. Not for what is differentiated again: where a tangent is zero its own derivative need not be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from srcgrad.core import ir, walk
from srcgrad.core.aliases import aliases_of
from srcgrad.core.ir import Atom, Const, Fun, Stmt, Var
from srcgrad.rules.language import registry
from srcgrad.rules.scalar.arithmetic import add, divide, multiply, negative, subtract
from srcgrad.rules.scalar.compare import is_nonzero, where

FEW = 32  # numbers that are looked at
ENOUGH = 8  # iterations that are worth it


def skip_zeros(stmts: Iterable[Stmt], linear: frozenset[Var], fun: Fun) -> tuple[Stmt, ...]:
    """The statements with tests in front of such loops. linear: the variables that depend on the direction."""
    classes = aliases_of(fun)
    memory = frozenset(classes.of(v) for v in linear if v.type.ref)

    def one(stmt: Stmt) -> tuple[Stmt, ...]:
        if isinstance(stmt, ir.For) and stmt.index not in linear:
            found = _Inputs(linear, memory, classes.of, stmt)
            if found.all_known():
                return found.tested()
        return (walk.rebuild(stmt, lambda a: a, lambda v: v, block),) if walk.blocks(stmt) else (stmt,)

    def block(inner: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
        return walk.kept(inner, (new for stmt in inner for new in one(stmt)))

    return block(tuple(stmts))


def _is_zero(atom: Atom) -> bool:
    return isinstance(atom, Const) and atom.value == 0


@dataclass
class _Inputs:
    """What a loop is linear in. fixed: of inner loops of few iterations, the indices and where these end."""

    linear: frozenset[Var]
    memory: frozenset[Var]
    of: Callable[[Var], Var]
    loop: ir.For
    scalars: dict[Var, None] = field(default_factory=dict)
    loads: dict[tuple[Var, ir.Index], ir.Load] = field(default_factory=dict)
    fixed: dict[Var, int] = field(default_factory=dict)
    inside: set[Var] = field(default_factory=set)
    written: set[Var] = field(default_factory=set)

    def all_known(self) -> bool:
        loop = self.loop
        if loop.carry or loop.exit is not None or (isinstance(loop.stop, Const) and loop.stop.value < ENOUGH):  # type: ignore[operator]
            return False
        self.inside = {v for s in walk.walk((loop,)) for v in (*walk.defined(s), *walk.defined_inside(s))}
        if not self._block(loop.body) or any(self.of(ref) in self.written for ref, _ in self.loads):
            return False
        counts = [self._count(index) for _, index in self.loads]
        return 0 < len(self.scalars) + sum(counts) <= FEW and all(counts)

    def _count(self, index: ir.Index) -> int:
        """At how many places memory is read; 0 where that is not known in front of the loop."""
        places = 1
        for item in index:
            if isinstance(item, ir.Slice) or (item in self.inside and item not in self.fixed):
                return 0
            places *= self.fixed.get(item, 1) if isinstance(item, Var) else 1
        return places

    # ---- whether all that is added is linear

    def _block(self, stmts: Iterable[Stmt]) -> bool:
        return all(map(self._one, stmts))

    def _one(self, stmt: Stmt) -> bool:
        match stmt:
            case ir.Remark():
                return True
            case ir.Let():
                return self._let(stmt)
            case ir.Load():
                if self.of(stmt.ref) in self.memory:
                    self.loads[stmt.ref, stmt.index] = stmt
                return stmt.target.type.is_scalar
            case ir.Accumulate():
                self.written.add(self.of(stmt.ref))
                return self.of(stmt.ref) in self.memory and stmt.atomic is None and self._vanishes(stmt.value)
            case ir.If():
                outs = ((o.target, (o.then, o.orelse)) for o in stmt.outs)
                return (
                    stmt.cond not in self.linear
                    and self._tied(outs)
                    and all(self._block(b) for _, b in walk.blocks(stmt))
                )
            case ir.For():
                if stmt.start == Const(0, ir.I8) and stmt.step == Const(1, ir.I8) and isinstance(stmt.stop, Const):
                    self.fixed[stmt.index] = int(stmt.stop.value)  # type: ignore[arg-type]
                carried = ((c.inner, (c.init, c.next)) for c in stmt.carry)
                return stmt.exit is None and self._block(stmt.body) and self._tied(carried)
        return False

    def _tied(self, ties: Iterable[tuple[Var, tuple[Atom, ...]]]) -> bool:
        return all(all(map(self._vanishes, parts)) for var, parts in ties if var in self.linear)

    def _vanishes(self, atom: Atom) -> bool:
        """Whether the value is zero where all tangents are."""
        if atom in self.linear and atom not in self.inside:
            assert isinstance(atom, Var)
            self.scalars[atom] = None
            return atom.type.is_scalar
        return atom in self.linear or _is_zero(atom)

    def _let(self, stmt: ir.Let) -> bool:
        if not all(a.type.is_scalar or a.type.ref for a in (*stmt.targets, *stmt.args)):
            return False
        varied = [k for k, a in enumerate(stmt.args) if a in self.linear]
        if not varied:
            return not any(t in self.linear for t in stmt.targets)
        if stmt.op in (add, subtract, negative):
            parts: Iterable[Atom] = stmt.args
        elif stmt.op is where and 0 not in varied:
            parts = stmt.args[1:]
        elif (stmt.op is multiply and len(varied) == 1) or (stmt.op is divide and varied == [0]):
            parts = [stmt.args[varied[0]]]
        else:
            return False
        return all([self._vanishes(part) for part in parts])

    # ---- the test

    def tested(self) -> tuple[Stmt, ...]:
        """The loop behind a test of what it is linear in."""
        out: list[Stmt] = []
        live: Atom = Const(False, ir.B1)
        for scalar in self.scalars:
            live = _either(live, scalar, out)
        for (ref, index), load in self.loads.items():
            live = self._any(live, ref, index, [i for i in self.fixed if i in index], load, out)
        return (*out, ir.If(live, (self.loop,), ()))

    def _any(self, live: Atom, ref: Var, index: ir.Index, over: list[Var], load: ir.Load, out: list[Stmt]) -> Atom:
        """Whether `live` holds or any of the places is not zero."""
        if not over:
            dot = Var(load.target.name, load.target.type)
            out.append(replace(load, target=dot, index=index))
            return _either(live, dot, out)
        place, inner, after = Var(over[0].name, ir.I8), Var("live", ir.B1), Var("live", ir.B1)
        body: list[Stmt] = []
        index = tuple(place if item is over[0] else item for item in index)
        found = self._any(inner, ref, index, over[1:], load, body)
        stop = Const(self.fixed[over[0]], ir.I8)
        carry = (ir.Carry(inner, live, found, after),)
        out.append(ir.For(place, Const(0, ir.I8), stop, Const(1, ir.I8), carry, tuple(body)))
        return after


def _either(live: Atom, dot: Var, out: list[Stmt]) -> Atom:
    here, found = Var("live", ir.B1), Var("live", ir.B1)
    out.append(ir.Let((here,), is_nonzero, (dot,)))
    if live == Const(False, ir.B1):
        return here
    out.append(ir.Let((found,), registry.PRIMITIVES["logical_or"], (live, here)))
    return found
