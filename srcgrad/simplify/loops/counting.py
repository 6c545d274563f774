"""`while i < n: ...; i += step` is `for i in range(i, n, step): ...`, whose turns are known beforehand; and a branch of
which only the other side does something is taken on the opposite comparison."""

from __future__ import annotations

from dataclasses import replace

from srcgrad.analysis.overwrites import positive
from srcgrad.core import ir
from srcgrad.core.ir import Atom, For, Fun, Stmt, Var, While
from srcgrad.core.walk import blocks, defined, rebuild, substitute, used, used_inside, walk
from srcgrad.rules.scalar.arithmetic import add
from srcgrad.rules.scalar.compare import OPPOSITE, less


def counting(fun: Fun) -> Fun:
    """The function with such loops counted, where the step is surely positive (by another, `range` may have a turn
    where the `while` has none); the same object if there are none."""
    counter = _Counting(fun)
    body = counter.block(fun.body)
    return replace(fun, body=body) if counter.changed else fun


class _Counting:
    def __init__(self, fun: Fun) -> None:
        stmts = list(walk(fun.body))
        atoms = (a for s in stmts for a in (*used(s), *used_inside(s)))
        self._makes: dict[Atom, Stmt] = {v: s for s in stmts for v in defined(s)}
        self._read = {a for a in (*atoms, *fun.results) if isinstance(a, Var)}
        self.changed = False

    def block(self, stmts: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
        out: list[Stmt] = []
        for stmt in stmts:
            new = rebuild(stmt, lambda a: a, lambda v: v, self.block) if blocks(stmt) else stmt
            counted = self._counted(new) if isinstance(new, While) else None
            if isinstance(new, ir.If) and not new.then and not new.outs:
                counted = self._turned(new)
            out.extend([new] if counted is None else counted)
        return tuple(out)

    def _turned(self, branch: ir.If) -> list[Stmt] | None:
        """`if i >= n: nothing, else: ...` as `if i < n: ...`; integers have no NaN."""
        test = self._makes.get(branch.cond)
        if not isinstance(test, ir.Let) or test.op not in OPPOSITE or any(a.type != ir.I8 for a in test.args):
            return None
        self.changed = True
        turned = ir.Let((Var(test.target.name, ir.B1),), OPPOSITE[test.op], test.args, span=test.span)
        return [turned, replace(branch, cond=turned.target, then=branch.orelse, orelse=())]

    def _counted(self, loop: While) -> list[Stmt] | None:
        *before, test = loop.test or (None,)
        if loop.exit is not None or not isinstance(test, ir.Let) or test.target is not loop.cond:
            return None
        inside = {v for s in walk(loop.body) for v in defined(s)} | {c.inner for c in loop.carry}
        index, bound = (test.args[0], test.args[1]) if test.op is less else (None, None)
        if not all(isinstance(s, ir.Let) and inside.isdisjoint(s.args) for s in before) or bound in inside:
            return None
        head = next((c for c in loop.carry if c.inner is index and c.inner.type == ir.I8), None)
        step = None if head is None else _step(head, loop.body)
        if step is None or step in inside or not positive(step, self._makes):
            return None
        if head is None or head.out in self._read:
            return None
        self.changed = True
        made = Var(head.inner.name, ir.I8)
        body = substitute(loop.body, {head.inner: made})
        rest = tuple(replace(c, next=made if c.next is head.inner else c.next) for c in loop.carry if c is not head)
        assert bound is not None
        return [*(s for s in before if s is not None), For(made, head.init, bound, step, rest, body, span=loop.span)]


def _step(head: ir.Carry, body: tuple[Stmt, ...]) -> Atom | None:
    """By how much the index goes on."""
    made = next((s for s in body if head.next in defined(s)), None)
    if not isinstance(made, ir.Let) or made.op is not add or head.inner not in made.args:
        return None
    first, second = made.args
    return second if first is head.inner else first
