"""Counters of one loop that always hold the same number are one."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from srcgrad.core import ir, walk
from srcgrad.core.ir import Atom, Carry, Fun, Stmt, Var
from srcgrad.core.rewrite import Rewriter, Rewritten
from srcgrad.rules.scalar.arithmetic import add


def merge_counters(fun: Fun) -> Fun:
    """`i` and `k` that begin with the same and both go on by the same, in each iteration, are `i`."""
    return _Merge(fun).fun(fun) if not {ir.For, ir.While}.isdisjoint(walk.kinds(fun)) else fun


class _Merge(Rewriter):
    def __init__(self, fun: Fun) -> None:
        super().__init__()
        stmts = list(walk.walk(fun.body))
        self._uses = Counter(a for s in stmts for a in (*walk.used(s), *walk.used_inside(s)))
        self._gone: set[Stmt] = set()  # what made the numbers of counters that are gone

    def one(self, stmt: Stmt) -> Rewritten:
        if stmt in self._gone:
            return ()
        if not isinstance(stmt, (ir.For, ir.While)) or len(stmt.carry) < 2:
            return self.inside(stmt)
        makes = {s.target: s for s in stmt.body if isinstance(s, ir.Let) and len(s.targets) == 1}
        first: dict[tuple[Atom, Atom], Carry] = {}
        kept = []
        for carry in stmt.carry:
            by = _by(carry, makes)
            twin = carry if by is None else first.setdefault((self.atom(carry.init), self.atom(by)), carry)
            if twin is carry:
                kept.append(carry)
            else:
                self.env[carry.inner], self.env[carry.out] = twin.inner, twin.out
                if self._uses[carry.next] == 1:
                    self._gone.add(makes[carry.next])  # type: ignore[index]
        return self.inside(stmt if len(kept) == len(stmt.carry) else replace(stmt, carry=tuple(kept)))


def _by(carry: Carry, makes: dict[Var, ir.Let]) -> Atom | None:
    """By what the carry goes on, if it is a counter."""
    made = makes.get(carry.next) if isinstance(carry.next, Var) and carry.inner.type == ir.I8 else None
    if made is None or made.op is not add or carry.inner not in made.args:
        return None
    by = made.args[1] if made.args[0] is carry.inner else made.args[0]
    return by if isinstance(by, ir.Const) else None
