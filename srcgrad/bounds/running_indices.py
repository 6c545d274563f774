"""Counters that go along with a loop's index: `at += 1` in a counted loop is told by the index, and so need not be
carried from one iteration to the next, nor kept for the sweep back."""

from __future__ import annotations

from dataclasses import replace

from srcgrad.core import ir, walk
from srcgrad.core.build import const
from srcgrad.core.ir import Atom, Const, For, Fun, Stmt, Var
from srcgrad.core.rewrite import Rewriter, Rewritten
from srcgrad.core.walk import defined, defined_inside, used, used_inside
from srcgrad.rules.language.integers import nonnegative
from srcgrad.rules.scalar.arithmetic import add, multiply, subtract


def told_by_indices(fun: Fun) -> Fun:
    """The function with such counters computed of the indices; the same object if there are none."""
    return _Told(fun).fun(fun) if ir.For in walk.kinds(fun) else fun


class _Told(Rewriter):
    def __init__(self, fun: Fun) -> None:
        super().__init__()
        stmts = list(walk.walk(fun.body))
        atoms = (a for s in stmts for a in (*used(s), *used_inside(s)))
        self._makes: dict[Atom, Stmt] = {v: s for s in stmts for v in defined(s)}
        self._read = {a for a in (*atoms, *fun.results) if isinstance(a, Var)}

    def one(self, stmt: Stmt) -> Rewritten:
        if not isinstance(stmt, For) or stmt.step not in (const(1), const(-1)):
            return self.inside(stmt)
        counters = {c: by for c in stmt.carry if (by := self._by(c, stmt)) is not None}
        if not counters:
            return self.inside(stmt)
        before: list[Stmt] = []
        head: list[Stmt] = []
        for carry, by in counters.items():
            self._tell(carry, by, stmt, before, head)
        rest = tuple(c for c in stmt.carry if c not in counters)
        made = self.inside(replace(stmt, carry=rest))
        assert isinstance(made, For)
        return [*before, replace(made, body=(*head, *made.body))]

    def _by(self, carry: ir.Carry, loop: For) -> Atom | None:
        """By how much the counter goes on, if it is one: the same in each iteration."""
        made = self._makes.get(carry.next)
        if carry.inner.type != ir.I8 or not isinstance(made, ir.Let) or carry.inner not in made.args:
            return None
        if made not in loop.body or (loop.exit is not None and carry.out in self._read):
            return None
        first, second = made.args if made.op in (add, subtract) else (None, None)
        by = second if first is carry.inner else first if made.op is add else None
        if by is None or by.type != ir.I8 or by is carry.inner:
            return None
        inside = {v for s in walk.walk((loop,)) for v in (*defined(s), *defined_inside(s))}
        if by in inside:
            return None
        return by if made.op is add else Const(-by.value, ir.I8) if isinstance(by, Const) else None

    def _tell(self, carry: ir.Carry, by: Atom, loop: For, before: list[Stmt], head: list[Stmt]) -> None:
        """The counter in an iteration, at the head of the body; and what it is after the loop, in front of it."""
        up = loop.step == const(1)
        init, start, stop, by = self.atom(carry.init), self.atom(loop.start), self.atom(loop.stop), self.atom(by)
        steps = _let(head, subtract, loop.index, start) if up else _let(head, subtract, start, loop.index)
        self.env[carry.inner] = _let(head, add, init, _let(head, multiply, by, steps), carry.inner.name)
        if carry.out in self._read:
            left = _let(before, subtract, stop, start) if up else _let(before, subtract, start, stop)
            trips = _let(before, nonnegative, left)
            self.env[carry.out] = _let(before, add, init, _let(before, multiply, by, trips), carry.out.name)


def _let(out: list[Stmt], op: ir.Primitive, first: Atom, second: Atom | None = None, name: str = "t") -> Atom:
    """The result of an operation on integers, without what is idle."""
    args = (first,) if second is None else (first, second)
    if all(isinstance(a, Const) for a in args):
        return Const(int(op.evaluate(*(a.value for a in args if isinstance(a, Const)))), ir.I8)
    if second == const(0) and op in (add, subtract):
        return first
    if second is not None and ((op is add and first == const(0)) or (op is multiply and first == const(1))):
        return second
    target = Var(name, ir.I8)
    out.append(ir.Let((target,), op, args))
    return target
