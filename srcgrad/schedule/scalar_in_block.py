"""One element of memory that one block alone has to do with, as a value: what each load of it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from srcgrad.core import ir
from srcgrad.core.ir import Accumulate, Atom, Carry, For, If, Load, Out, Stmt, Store, Var
from srcgrad.core.walk import blocks
from srcgrad.rules.scalar.arithmetic import add


class Unknown(Exception):
    """What the element holds is not known where it is read."""


@dataclass(eq=False, slots=True)
class Plan:
    """What becomes of statements.   values: what stands for what loads bind.   instead: what takes a statement's place.
    carries, outs: what loops and branches have beside their own."""

    values: dict[Var, Atom] = field(default_factory=dict)
    instead: dict[Stmt, tuple[Stmt, ...]] = field(default_factory=dict)
    carries: dict[For, list[Carry]] = field(default_factory=dict)
    outs: dict[If, list[Out]] = field(default_factory=dict)

    def join(self, other: Plan) -> None:
        self.values.update(other.values)
        self.instead.update(other.instead)
        for loop, carries in other.carries.items():
            self.carries.setdefault(loop, []).extend(carries)
        for branch, outs in other.outs.items():
            self.outs.setdefault(branch, []).extend(outs)


def planned(stmts: Sequence[Stmt], ref: Var, holders: Callable[[Stmt], bool], first: Atom | None) -> Plan:
    """The plan for a block in which ref has one element.

    holders: whether a statement has accesses in it.   first: what the element holds where the block begins, None where
    that is not known. Raises `Unknown`.
    """
    element = _Element(ref, holders)
    element.block(stmts, first)
    return element.plan


class _Element:
    def __init__(self, ref: Var, holders: Callable[[Stmt], bool]) -> None:
        self.plan = Plan()
        self._ref, self._holders = ref, holders
        self._type = ir.Type(ref.type.dtype)

    def block(self, stmts: Sequence[Stmt], now: Atom | None) -> Atom | None:
        """What the element holds behind the statements."""
        for stmt in stmts:
            if self._holders(stmt):
                now = self.one(stmt, now)
        return now

    def one(self, stmt: Stmt, now: Atom | None) -> Atom | None:
        match stmt:
            case Load():
                self.plan.values[stmt.target] = self._known(now)
                self.plan.instead[stmt] = ()
                return now
            case Store():
                self.plan.instead[stmt] = ()
                return self._fitting(stmt.value)
            case Accumulate():
                total = Var(self._ref.name, self._type)
                let = ir.Let((total,), add, (self._known(now), self._fitting(stmt.value)), span=stmt.span)
                self.plan.instead[stmt] = (let,)
                return total
            case If():
                return self._branch(stmt, now)
            case For():
                return self._loop(stmt, now)
        return self._reading(stmt, now)

    def _known(self, now: Atom | None) -> Atom:
        if now is None:
            raise Unknown
        return now

    def _fitting(self, value: Atom) -> Atom:
        if value.type != self._type:
            raise Unknown
        return value

    def _branch(self, stmt: If, now: Atom | None) -> Atom | None:
        then, orelse = self.block(stmt.then, now), self.block(stmt.orelse, now)
        if then is orelse:
            return then
        if then is None or orelse is None:
            return None
        out = Var(self._ref.name, self._type)
        self.plan.outs.setdefault(stmt, []).append(Out(out, then, orelse))
        return out

    def _loop(self, stmt: For, now: Atom | None) -> Atom | None:
        if not self._writes(stmt):
            self.block(stmt.body, now)
            return now
        if stmt.parallel:
            raise Unknown
        if now is None:
            self.block(stmt.body, None)
            return None  # the loop may have had no iteration
        inner, out = Var(self._ref.name, self._type), Var(self._ref.name, self._type)
        end = self.block(stmt.body, inner)
        self.plan.carries.setdefault(stmt, []).append(Carry(inner, now, self._known(end), out))
        return out

    def _reading(self, stmt: Stmt, now: Atom | None) -> Atom | None:
        """Of a `while`: it may only read."""
        if self._writes(stmt):
            raise Unknown
        for _, block in blocks(stmt):
            self.block(block, now)
        return now

    def _writes(self, stmt: Stmt) -> bool:
        if isinstance(stmt, (Store, Accumulate)):
            return self._holders(stmt)
        return any(self._writes(inner) for _, block in blocks(stmt) for inner in block if self._holders(inner))
