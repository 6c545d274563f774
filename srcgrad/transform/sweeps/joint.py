"""One way through a function with its adjoint, as one function that a barrier parts into two sweeps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from srcgrad.analysis.effects import Facts
from srcgrad.core import ir
from srcgrad.core.ir import Atom, Fun, Stmt, Var
from srcgrad.core.rewrite import rewrite
from srcgrad.core.walk import used, used_inside, walk
from srcgrad.transform.plan import Plan
from srcgrad.transform.quotients import gather_quotients, take_quotients_apart
from srcgrad.transform.reverse import Reverse
from srcgrad.transform.sweeps.in_place import Signatures, add_in_place
from srcgrad.transform.sweeps.marks import marks_as_floats
from srcgrad.transform.taped_calls import QUIET, TAPED, with_marks

Tidy = Callable[[Fun], Fun]


class NotPairedError(Exception):
    """A function cannot be a pair of sweeps: its adjoint runs it again."""


@dataclass(frozen=True, eq=False)
class Joint:
    """forth and back: the statements of the sweeps.   values: what the function returns.   bars: the adjoints of the
    scalar parameters that are wanted.   seeds: the cotangents.   shadows: of array parameters, to be added to."""

    params: tuple[Var, ...]
    forth: tuple[Stmt, ...]
    back: tuple[Stmt, ...]
    values: tuple[Atom, ...]
    bars: tuple[Atom, ...]
    seeds: tuple[Var, ...]
    shadows: tuple[Var, ...]


def joint(fun: Fun, wanted: Sequence[int], signatures: Signatures, tidy: Tidy) -> Joint:
    """wanted: the parameters, by place, whose adjoints somebody asks for."""
    primal = gather_quotients(fun)
    active = [primal.params[k] for k in wanted]
    primal = with_marks(primal, active)
    plan = Plan(Facts(primal), active=active, at_once=False)
    into = [p for p in active if p.type.ref]
    made = take_quotients_apart(Reverse(plan, into).build(fun.name, in_sweeps=True))
    count, places = len(fun.results), len(fun.params)
    shadows = tuple(r for r in made.results[count:] if r.type.ref and isinstance(r, Var))
    seeds = tuple(p for p in made.params[places:] if p not in shadows)
    made = tidy(keeping_nothing(add_in_place(made, shadows, signatures)))
    (middle,) = (k for k, s in enumerate(made.body) if isinstance(s, ir.Barrier))
    forth, back = marks_as_floats(made.body[:middle], made.body[middle + 1 :], _keeps)
    if any(isinstance(s, (ir.Draw, ir.Seed, ir.NewList)) for s in walk(made.body)):
        raise NotPairedError
    bars = tuple(r for r in made.results[count:] if not r.type.ref)
    if any(isinstance(s, ir.Call) and s.callee.removesuffix(QUIET).endswith(TAPED) for s in walk(back)):
        raise NotPairedError
    return Joint(made.params[:places], forth, back, made.results[:count], bars, seeds, shadows)


def _keeps(call: ir.Call) -> bool:
    return call.callee.removesuffix(QUIET).endswith(TAPED)


def keeping_nothing(fun: Fun) -> Fun:
    """The function with calls that keep nothing where nobody reads what they would keep."""
    read = {a for s in walk(fun.body) for a in (*used(s), *used_inside(s))}

    def one(stmt: Stmt) -> Stmt:
        if not isinstance(stmt, ir.Call) or not stmt.callee.removesuffix(QUIET).endswith(TAPED):
            return stmt
        if stmt.targets[-1] in read:
            return stmt
        end = QUIET if stmt.callee.endswith(QUIET) else ""
        return replace(stmt, targets=stmt.targets[:-1], callee=stmt.callee.removesuffix(end).removesuffix(TAPED) + end)

    return rewrite(fun, one)
