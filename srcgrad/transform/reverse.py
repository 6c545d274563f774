"""Reverse mode: a program and the parameters to differentiate with respect to -> the program that gives their adjoints.

`f(params) -> results` becomes `f_rev(params, one bar a float result) -> results, one bar an active parameter`.
Arrays' bars are references: those that come in are read, those that go out are fresh. The result is a pure
core program again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace

from srcgrad.analysis.effects import Facts
from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.core.ir import Atom, Fun, Program, Var
from srcgrad.core.walk import walk
from srcgrad.transform.adjoint import Adjoint
from srcgrad.transform.checkpoints import checkpointed
from srcgrad.transform.context import Bars, Context, bar_name, named, zero
from srcgrad.transform.lists_as_rows import lists_as_rows
from srcgrad.transform.loop_buffers import carried_arrays_to_buffers
from srcgrad.transform.memory import OwnShadows
from srcgrad.transform.plan import Keeping, Plan, Policy
from srcgrad.transform.program_edits import expect_shape, function, without_effects
from srcgrad.transform.quotients import gather_quotients, take_quotients_apart
from srcgrad.transform.random_draws import check_single
from srcgrad.transform.scratch_in_iterations import scratch_in_iterations
from srcgrad.transform.taped_calls import ADJOINT, QUIET, TAPED, adjoint_name, taped, with_marks, without_marks


class Reverse:
    """Builds the adjoint of one function: its parameters, the cotangents of its results, and what comes out."""

    def __init__(self, plan: Plan, into: Sequence[Var] = ()) -> None:
        """into: arrays among the parameters whose adjoints are in memory that comes in as further parameters: what it
        holds is that of their contents at the end, and in the end that of their contents at first."""
        self.into = {p: Var(bar_name(p), p.type) for p in into}
        self.plan, self.fun, self.activity = plan, plan.facts.fun, plan.activity
        self.b = Builder(self.fun)
        self.shadows = OwnShadows(self.b)
        self.adjoint = Adjoint(self.b, plan, self.shadows, transposed)

    def build(self, name: str, bars_only: bool = False, checked: bool = False, in_sweeps: bool = False) -> Fun:
        """checked: the cotangents come from outside, perhaps in another shape than that of the results.   in_sweeps: a
        barrier parts the two sweeps."""
        fun, top = self.fun, self.plan.facts.top
        ctx = Context({p: p for p in fun.params})
        for param, shadow in self.into.items() if in_sweeps else ():
            self.b.copy_dims(shadow, param)
        bars = Bars(self.b, self.plan.facts, self.activity, top, False)
        self._shadow_params(ctx, merged=True)
        seeds = self._seeds()
        self._seed_numbers(seeds, bars)
        self.adjoint.ahead.run(fun.body, top, ctx, bars)
        results = tuple(map(ctx, fun.results))
        for k, seed in seeds.items() if checked else ():
            if seed.type.ref and isinstance(results[k], Var):
                expect_shape(self.b, seed, results[k], "the cotangent has not the shape of the value")  # type: ignore[arg-type]
        self.b.put(ir.Barrier() if in_sweeps else ir.Remark("reverse", opens=True))
        self._shadow_params(ctx, merged=False)
        like = tuple((seed, r) for k, seed in seeds.items() if seed.type.ref and isinstance(r := results[k], Var))
        for seed, result in like:
            self.b.copy_dims(seed, result)
        self.adjoint.create_shadows(fun.body, ctx)
        self._seed_arrays(seeds, ctx, bars)
        self.adjoint.back(fun.body, top, ctx, bars)
        got = tuple(self._bar_of(p, ctx, bars) for p in self.plan.active)
        kept = (*fun.facts.plan, *self.plan.made, *self.adjoint.kept_by_rules)
        facts = replace(fun.facts, plan=kept, same_shapes=(*fun.facts.same_shapes, *like))
        params = (*fun.params, *seeds.values(), *self.into.values())
        made = Fun(name, params, tuple(self.b.out), got if bars_only else (*results, *got), facts)
        return named(made, self.b.wishes)

    def _shadow_params(self, ctx: Context, merged: bool) -> None:
        """Zeros for the active array parameters: at the start where references are chosen at run time (`merged`),
        else where the reverse sweep begins."""
        for param in self.fun.params:
            if param in self.into:
                ctx.bar[param] = self.into[param]
            known = not param.type.ref or param not in self.activity or param in ctx.bar
            if not known and self.plan.scope.shadow_travels(param) == merged:
                ctx.bar[param] = self.shadows.zeros_like(param, bar_name(param))

    def _seeds(self) -> dict[int, Var]:
        floats = [k for k, r in enumerate(self.fun.results) if r.type.is_float and r not in self.into]
        names = ["value_bar"] if len(floats) == 1 else [f"value_bar_{k}" for k in floats]
        types = [self.fun.results[k].type for k in floats]
        return {k: Var(n, t.memory() if t.rank or t.ref else t) for k, n, t in zip(floats, names, types, strict=True)}

    def _seed_numbers(self, seeds: Mapping[int, Var], bars: Bars) -> None:
        for place, seed in seeds.items():
            if not seed.type.ref:
                bars.add(self.fun.results[place], seed)

    def _seed_arrays(self, seeds: Mapping[int, Var], ctx: Context, bars: Bars) -> None:
        for place, seed in seeds.items():
            result = self.fun.results[place]
            if not seed.type.ref or result not in self.activity or not isinstance(result, Var):
                continue
            value = self.b.load(seed, None, seed.name)
            if result.type.ref:
                self.b.accumulate(ctx.bar[result], None, value)
            else:
                bars.add(result, value)

    def _bar_of(self, param: Var, ctx: Context, bars: Bars) -> Atom:
        if not param.type.ref:
            return bars.take(param) or zero(param.type)
        return ctx.bar[param] if param in ctx.bar else self.shadows.zeros_like(param, bar_name(param))


_KEEPING: ContextVar[Keeping] = ContextVar("_KEEPING", default="cost")


@contextmanager
def keep_values(which: Keeping) -> Iterator[None]:
    """Which values the adjoints that are made inside keep of those that could be computed again."""
    token = _KEEPING.set(which)
    try:
        yield
    finally:
        _KEEPING.reset(token)


def reverse(program: Program, active: Iterable[int], policy: Policy = "auto", checked: bool = False) -> Program:
    """The adjoint program with respect to the parameters at the places `active`; checked: it looks at the cotangents'
    shapes."""
    check_single(program)
    program = without_marks(program)
    main = carried_arrays_to_buffers(lists_as_rows(program.main))
    if policy == "auto":
        main = scratch_in_iterations(main)
    wanted = [main.params[k] for k in sorted(active)]
    main = with_marks(gather_quotients(checkpointed(main, wanted, _transposed_into)), wanted)
    adjoint = Reverse(_plan(main, policy, wanted)).build(adjoint_name(main.name), checked=checked)
    built = take_quotients_apart(adjoint)
    callees, limit = dict(program.callees), program.main.facts.checkpoint
    pending = _missing(built, callees)
    while pending:
        name = pending.pop(0)
        callees[name] = _made(name, callees, policy, limit)
        pending += [n for n in _missing(callees[name], callees) if n not in pending]
    return Program(built, callees)


def _made(name: str, callees: Mapping[str, Fun], policy: Policy, limit: ir.Checkpoints | None) -> Fun:
    """A function that is called and not there yet: one with a mark, or without effects, or an adjoint."""
    if name.endswith(TAPED):
        base = name.removesuffix(TAPED)
        return taped(name, callees[base] if base in callees else _made(base, callees, policy, limit))
    if name.endswith(QUIET):
        base = name.removesuffix(QUIET)
        loud = callees[base] if base in callees else _made(base, callees, policy, limit)
        return function({**callees, base: loud}, name)
    return _adjoint(name, callees, policy, limit)


def _plan(fun: Fun, policy: Policy = "auto", active: Sequence[Var] | None = None) -> Plan:
    return Plan(Facts(fun), policy, active, keeping=_KEEPING.get())


def _adjoint(name: str, callees: Mapping[str, Fun], policy: Policy, limit: ir.Checkpoints | None) -> Fun:
    """The adjoint of a called function, which has run before: what it prints and raises is done."""
    primal = without_effects(function(callees, name.removesuffix(ADJOINT)))
    floats = [p for p in primal.params if p.type.is_float]
    if limit is not None:
        primal = replace(primal, facts=replace(primal.facts, checkpoint=replace(limit, strict=False)))
        primal = checkpointed(primal, floats, _transposed_into)
    primal = with_marks(gather_quotients(primal), floats)
    made = take_quotients_apart(Reverse(_plan(primal, policy)).build(name, bars_only=True))
    return replace(made, params=(Var("mark", ir.I8), *made.params))


def transposed(fun: Fun, active: Sequence[Var]) -> Fun:
    """The adjoint of a function by these parameters, its bars alone: of a user's rule for tangents, its transpose."""
    return Reverse(_plan(fun, active=active)).build("transposed", bars_only=True)


def _transposed_into(fun: Fun, active: Sequence[Var], into: Sequence[Var]) -> Fun:
    """The adjoint of a function by these parameters, its bars alone; those of the arrays `into`, which it may write
    into, are in memory that comes in."""
    plan = _plan(gather_quotients(fun), active=[*active, *into])
    return take_quotients_apart(Reverse(plan, into).build("steps_back", bars_only=True))


def _missing(fun: Fun, callees: Mapping[str, Fun]) -> list[str]:
    called = dict.fromkeys(s.callee for s in walk(fun.body) if isinstance(s, ir.Call))
    return [name for name in called if name not in callees]
