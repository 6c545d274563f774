"""Calls whose adjoint follows: what they return is kept, and each says where what it keeps itself begins on the tape.

`f_taped(args) -> (*results, mark)` runs f, and `f_rev(mark, args, cotangents) -> adjoints` is its adjoint, which goes
through what f_taped kept from the mark on. As core functions both are pure: f_taped is f with a mark that says nothing,
f_rev runs f again. So they can be differentiated, and what is differentiated again forgets the marks. What is printed
in their places are functions with tapes (`transform/sweeps`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from srcgrad.analysis.activity import Activity
from srcgrad.analysis.effects import Facts
from srcgrad.core import ir
from srcgrad.core.held import HOLD
from srcgrad.core.ir import Atom, Const, Fun, Let, Program, Stmt, Var
from srcgrad.core.rewrite import Rewritten, rewrite
from srcgrad.core.walk import kinds, substitute, walk

TAPED, ADJOINT, QUIET = "_taped", "_rev", "_quiet"
NOWHERE = Const(-1, ir.I8)  # the mark of what keeps nothing


def taped_name(callee: str) -> str:
    return callee + TAPED


def adjoint_name(callee: str) -> str:
    return callee.removesuffix(TAPED) + ADJOINT


def with_marks(fun: Fun, active: Iterable[Var]) -> Fun:
    """The function with marks for its active calls, and with what they return kept."""
    if ir.Call not in kinds(fun):
        return fun
    activity = Activity(Facts(fun), active)
    tested = {s for loop in walk(fun.body) if isinstance(loop, ir.While) for s in walk(loop.test)}

    def marked(stmt: Stmt) -> Rewritten:
        if not isinstance(stmt, ir.Call) or stmt in tested or not any(t in activity for t in stmt.targets):
            return stmt
        given = [Var(t.name, t.type) if t.type.is_scalar else t for t in stmt.targets]
        holds = [Let((t,), HOLD, (g,), span=stmt.span) for t, g in zip(stmt.targets, given, strict=True) if g is not t]
        mark, kept = Var("mark", ir.I8), Var("mark", ir.I8)
        call = replace(stmt, targets=(*given, mark), callee=taped_name(stmt.callee))
        return (call, *holds, Let((kept,), HOLD, (mark,), span=stmt.span))

    return rewrite(fun, marked)


def marks_of(fun: Fun) -> Mapping[Stmt, Var]:
    """The marks of the calls that have one, as they are kept."""
    held = {stmt.args[0]: stmt.target for stmt in walk(fun.body) if isinstance(stmt, Let) and stmt.op is HOLD}
    calls = (s for s in walk(fun.body) if isinstance(s, ir.Call) and s.callee.endswith(TAPED))
    return {call: held[call.targets[-1]] for call in calls}


def taped(name: str, fun: Fun) -> Fun:
    """The function of this name: fun, with a mark that says nothing."""
    params = tuple(Var(p.name, p.type) for p in fun.params)
    targets = tuple(Var("value", r.type) for r in fun.results)
    loud = any(isinstance(s, ir.Effect) or (isinstance(s, ir.Call) and s.loud) for s in walk(fun.body))
    return Fun(name, params, (ir.Call(targets, fun.name, params, loud=loud),), (*targets, NOWHERE))


def without_marks(program: Program) -> Program:
    """The program as it is differentiated again: no call has a mark."""
    calls = (s.callee for f in (program.main, *program.callees.values()) for s in walk(f.body) if type(s) is ir.Call)
    if not any(callee.endswith((TAPED, ADJOINT)) for callee in calls):
        return program
    callees = {n: _without(f) for n, f in program.callees.items() if not n.removesuffix(QUIET).endswith(TAPED)}
    return Program(_without(program.main), callees)


def _without(fun: Fun) -> Fun:
    marks: dict[Var, Atom] = {}

    def unmarked(stmt: Stmt) -> Rewritten:
        if not isinstance(stmt, ir.Call):
            return stmt
        end = QUIET if stmt.callee.endswith(TAPED + QUIET) else ""
        name = stmt.callee.removesuffix(end)
        if name.endswith(TAPED):
            *targets, mark = stmt.targets
            marks[mark] = NOWHERE
            return replace(stmt, targets=tuple(targets), callee=name.removesuffix(TAPED) + end)
        if name.endswith(ADJOINT):
            return replace(stmt, args=(NOWHERE, *stmt.args[1:]))
        return stmt

    new = rewrite(fun, unmarked)
    if not marks:
        return new
    return replace(new, body=substitute(new.body, marks))
