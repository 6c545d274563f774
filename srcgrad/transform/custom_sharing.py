"""Memory that a function with the user's own rule shares with what it was given: `def f(x): return x`."""

from __future__ import annotations

from srcgrad.analysis.effects import Facts
from srcgrad.core import ir
from srcgrad.core.aliases import aliases_of
from srcgrad.core.ir import Var
from srcgrad.transform.refuse import unsupported


def check_shared(stmt: ir.Custom, facts: Facts) -> None:
    """Refuse a statement whose results share memory with an argument, with each other or with what its rule keeps, if
    that memory is written: the rule takes them for different things."""
    for fun in (stmt.primal, stmt.fwd, stmt.jvp):
        for together in [] if fun is None else _together(stmt, fun):
            if any(facts.written(ref) for ref in together):
                raise unsupported(
                    stmt.span,
                    "a function with a rule of its own returns an array that it was given, and that is overwritten",
                    "return a copy from it: x.copy()",
                )


def _together(stmt: ir.Custom, fun: ir.Fun) -> list[list[Var]]:
    """The statement's arguments and targets that are one memory inside fun, where a target is among them."""
    classes = aliases_of(fun)
    outer: dict[Var, list[Var]] = {}
    counts: dict[Var, int] = {}
    for inner, arg in zip(fun.params, stmt.args, strict=False):
        if inner.type.ref and isinstance(arg, Var):
            outer.setdefault(classes.of(inner), []).append(arg)
    for place, result in enumerate(fun.results):
        if isinstance(result, Var) and result.type.ref:
            cls = classes.of(result)
            counts[cls] = counts.get(cls, 0) + 1
            if place < len(stmt.targets):
                outer.setdefault(cls, []).append(stmt.targets[place])
    targets = set(stmt.targets)
    return [
        refs
        for cls, refs in outer.items()
        if not targets.isdisjoint(refs) and (len(refs) > 1 or counts.get(cls, 0) > 1)
    ]
