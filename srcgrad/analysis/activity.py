"""Activity: which variables and which memory depend on the active parameters (varied) and reach a result (useful)."""

from __future__ import annotations

from collections.abc import Iterable

from srcgrad.analysis.effects import Facts
from srcgrad.core import ir
from srcgrad.core.aliases import Aliases
from srcgrad.core.ir import Atom, Fun, Stmt, Var
from srcgrad.core.walk import walk

Flow = tuple[Var, Var]


class Reached:
    """What a derivative reaches from `start` along `flows`: scalars, array values and classes of memory; floats only.

    Grows until nothing is added: a carried value that starts constant is reached if its next is.
    """

    def __init__(self, classes: Aliases, flows: list[Flow], start: Iterable[Var]) -> None:
        self._classes = classes
        self._found = {self._key(v) for v in start if _carries(v)}
        ways = [(self._key(a), self._key(b)) for a, b in flows if _carries(b)]
        size = -1
        while size != len(self._found):
            size = len(self._found)
            self._found.update(b for a, b in ways if a in self._found)

    def has(self, atom: Atom) -> bool:
        return isinstance(atom, Var) and _carries(atom) and self._key(atom) in self._found

    def _key(self, var: Var) -> Var:
        return self._classes.of(var) if var.type.ref or var.type.many else var


def varied(fun: Fun, classes: Aliases, active: Iterable[Var]) -> Reached:
    """What depends on the active parameters in a way that derivatives see."""
    return Reached(classes, _all_flows(fun), active)


class Activity:
    """What is both varied and useful; and `also`, whose shadows are wanted all the same."""

    def __init__(self, facts: Facts, active: Iterable[Var], also: Iterable[Var] = ()) -> None:
        self._classes = facts.classes
        self._also = {facts.classes.of(ref) for ref in also}
        flows = _all_flows(facts.fun)
        results = [r for r in facts.fun.results if isinstance(r, Var)]
        self._varied = Reached(facts.classes, flows, active)
        self._useful = Reached(facts.classes, [(target, source) for source, target in reversed(flows)], results)

    def __contains__(self, atom: Atom) -> bool:
        """Whether the variable, or the memory that it refers to, is active."""
        if self._varied.has(atom) and self._useful.has(atom):
            return True
        if not self._also or not isinstance(atom, Var) or not (atom.type.ref or atom.type.many):
            return False
        return self._classes.of(atom) in self._also

    def varies(self, atom: Atom) -> bool:
        """Whether the variable depends on the active parameters, useful or not."""
        return self._varied.has(atom)


def _carries(var: Var) -> bool:
    return var.type.dtype[0] in "fc"


def _all_flows(fun: Fun) -> list[Flow]:
    return [flow for stmt in walk(fun.body) for flow in flows_of(stmt)]


def flows_of(stmt: Stmt) -> list[Flow]:
    """(source, target) wherever a derivative can pass."""
    pairs: list[tuple[Atom, Var]] = []
    match stmt:
        case ir.Let():
            if stmt.op.differentiable:
                pairs = [(a, t) for a in stmt.args if not a.type.ref for t in stmt.targets]
        case ir.Load():
            pairs = [(stmt.ref, stmt.target)]
        case ir.Store() | ir.Accumulate():
            pairs = [(stmt.value, stmt.ref)]
        case ir.Alloc():
            pairs = [] if isinstance(stmt.init, ir.Init) else [(stmt.init, stmt.target)]
        case ir.For() | ir.While():
            pairs = [flow for c in stmt.carry for flow in ((c.init, c.inner), (c.next, c.inner), (c.inner, c.out))]
        case ir.If():
            pairs = [flow for o in stmt.outs for flow in ((o.then, o.target), (o.orelse, o.target))]
        case ir.Call() | ir.Custom():
            pairs = [(a, t) for a in stmt.args for t in stmt.targets]
    return [(source, target) for source, target in pairs if isinstance(source, Var)]
