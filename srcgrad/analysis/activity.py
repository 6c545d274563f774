"""Activity: which variables and which memory depend on the active parameters (varied) and reach a result (useful)."""

from __future__ import annotations

from collections.abc import Iterable

from srcgrad.analysis.effects import Facts
from srcgrad.core import ir
from srcgrad.core.ir import Atom, Stmt, Var
from srcgrad.core.walk import defined, used, walk


class Activity:
    """Two fixed points over scalars, array values and classes of memory; only floats can be active."""

    def __init__(self, facts: Facts, active: Iterable[Var]) -> None:
        self._facts = facts
        flows = [flow for stmt in walk(facts.fun.body) for flow in _flows(stmt)]
        self._varied = self._close(flows, active)
        results = [r for r in facts.fun.results if isinstance(r, Var)]
        self._useful = self._close([(target, source) for source, target in reversed(flows)], results)

    def __contains__(self, atom: Atom) -> bool:
        """Whether the variable, or the memory that it refers to, is active."""
        if not isinstance(atom, Var) or not _carries(atom):
            return False
        key = self._key(atom)
        return key in self._varied and key in self._useful

    def varied(self, atom: Atom) -> bool:
        return isinstance(atom, Var) and self._key(atom) in self._varied

    def _key(self, var: Var) -> Var:
        return self._facts.classes.of(var) if var.type.ref or var.type.many else var

    def _close(self, flows: list[tuple[Var, Var]], start: Iterable[Var]) -> set[Var]:
        found = {self._key(v) for v in start if _carries(v)}
        size = -1
        while size != len(found):
            size = len(found)
            found.update(self._key(b) for a, b in flows if _carries(b) and self._key(a) in found)
        return found


def _carries(var: Var) -> bool:
    return var.type.dtype[0] in "fc"


def _flows(stmt: Stmt) -> Iterable[tuple[Var, Var]]:
    """(source, target) wherever a derivative can pass."""
    pairs: list[tuple[Atom, Var]] = []
    match stmt:
        case ir.Let():
            if stmt.op.differentiable:
                pairs = [(a, t) for a in stmt.args for t in stmt.targets]
        case ir.Load():
            pairs = [(stmt.ref, stmt.target)]
        case ir.Store() | ir.Accumulate():
            pairs = [(stmt.value, stmt.ref)]
        case ir.Alloc():
            pairs = [] if isinstance(stmt.init, str) else [(stmt.init, stmt.target)]
        case ir.For() | ir.While():
            pairs = [flow for c in stmt.carry for flow in ((c.init, c.inner), (c.next, c.inner), (c.inner, c.out))]
        case ir.If():
            pairs = [flow for o in stmt.outs for flow in ((o.then, o.target), (o.orelse, o.target))]
        case ir.Call() | ir.Custom():
            pairs = [(a, t) for a in used(stmt) for t in defined(stmt)]
    return [(source, target) for source, target in pairs if isinstance(source, Var)]
