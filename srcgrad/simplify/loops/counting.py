"""`while i < n: ...; i += step` is `for i in range(i, n, step): ...`, whose iterations are known beforehand; and a
branch of which only the other side does something is taken on the opposite comparison."""

from __future__ import annotations

from dataclasses import replace

from srcgrad.analysis.overwrites import positive
from srcgrad.core import ir
from srcgrad.core.ir import Atom, For, Fun, Stmt, Var, While
from srcgrad.core.rewrite import Rewriter, Rewritten
from srcgrad.core.walk import defined, substitute, used, used_inside, walk
from srcgrad.rules.scalar.arithmetic import add
from srcgrad.rules.scalar.compare import OPPOSITE, less


def count_loops(fun: Fun) -> Fun:
    """The function with such loops counted, where the step is surely positive (by another, `range` may have an
    iteration where the `while` has none); the same object if there are none."""
    return _Counting(fun).fun(fun)


class _Counting(Rewriter):
    def __init__(self, fun: Fun) -> None:
        super().__init__()
        stmts = list(walk(fun.body))
        atoms = (a for s in stmts for a in (*used(s), *used_inside(s)))
        self._makes: dict[Atom, Stmt] = {v: s for s in stmts for v in defined(s)}
        self._read = {a for a in (*atoms, *fun.results) if isinstance(a, Var)}

    def one(self, stmt: Stmt) -> Rewritten:
        match new := self.inside(stmt):
            case While():
                return self._counted(new)
            case ir.If(then=(), outs=()):
                return self._turned(new)
        return new

    def _turned(self, branch: ir.If) -> Rewritten:
        """`if i >= n: nothing, else: ...` as `if i < n: ...`; integers have no NaN."""
        test = self._makes.get(branch.cond)
        if not isinstance(test, ir.Let) or test.op not in OPPOSITE or any(a.type != ir.I8 for a in test.args):
            return branch
        turned = ir.Let((Var(test.target.name, ir.B1),), OPPOSITE[test.op], test.args, span=test.span)
        return [turned, replace(branch, cond=turned.target, then=branch.orelse, orelse=())]

    def _counted(self, loop: While) -> Rewritten:
        *before, test = loop.test or (None,)
        if loop.exit is not None or not isinstance(test, ir.Let) or test.target is not loop.cond:
            return loop
        inside = {v for s in walk(loop.body) for v in defined(s)} | {c.inner for c in loop.carry}
        index, bound = (test.args[0], test.args[1]) if test.op is less else (None, None)
        if not all(isinstance(s, ir.Let) and inside.isdisjoint(s.args) for s in before) or bound in inside:
            return loop
        head = next((c for c in loop.carry if c.inner is index and c.inner.type == ir.I8), None)
        step = None if head is None else _step(head, loop.body)
        if step is None or step in inside or not positive(step, self._makes):
            return loop
        if head is None or head.out in self._read:
            return loop
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
