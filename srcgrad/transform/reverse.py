"""Reverse mode: a program and the parameters to differentiate with respect to -> the program that gives their adjoints.

`f(params) -> results` becomes `f_rev(params, one bar a float result) -> results, one bar an active parameter`.
Arrays' bars are references: those that come in are read, those that go out are fresh. The result is a pure
core program again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from srcgrad.analysis.effects import Facts
from srcgrad.core import ir
from srcgrad.core.ir import Atom, Fun, Program, Var
from srcgrad.core.walk import walk
from srcgrad.transform.adjoint import Adjoint, adjoint_name
from srcgrad.transform.context import Bars, Context, bar_name, zero
from srcgrad.transform.loop_buffers import carried_arrays_to_buffers
from srcgrad.transform.plan import Plan, Policy
from srcgrad.transform.program_edits import QUIET, expect_shape, function, without_effects
from srcgrad.transform.quotients import gather_quotients, take_quotients_apart
from srcgrad.transform.random_draws import check_single


class Reverse(Adjoint):
    """Builds the adjoint of one function."""

    def __init__(self, fun: Fun, active: list[Var], plan: Plan) -> None:
        super().__init__(fun, active, plan)
        self._active = active

    def build(self, name: str, bars_only: bool = False, checked: bool = False) -> Fun:
        """checked: the cotangents come from outside, perhaps in another shape than that of the results."""
        fun, top = self.fun, self.facts.top
        ctx = Context({p: p for p in fun.params})
        bars = Bars(self.b, self.facts, self.activity, top, False)
        self._shadow_params(ctx, merged=True)
        self.run(fun.body, top, top, ctx)
        seeds, results = self._seeds(), tuple(map(ctx, fun.results))
        for k, seed in seeds.items() if checked else ():
            if seed.type.ref and isinstance(results[k], Var):
                expect_shape(self.b, seed, results[k], "the cotangent has not the shape of the value")  # type: ignore[arg-type]
        self.b.put(ir.Remark("reverse", opens=True))
        self._shadow_params(ctx, merged=False)
        like = tuple((seed, r) for k, seed in seeds.items() if seed.type.ref and isinstance(r := results[k], Var))
        for seed, result in like:
            self.b.copy_dims(seed, result)
        self._bear_views_first(ctx)
        self._seed(seeds, ctx, bars)
        self.back(fun.body, top, ctx, bars)
        got = tuple(self._bar_of(p, ctx, bars) for p in self._active)
        shapes = (*fun.facts.same_shapes, *like)
        facts = replace(fun.facts, plan=tuple(map(str, self.plan.describe())), same_shapes=shapes)
        params = (*fun.params, *seeds.values())
        return Fun(name, params, tuple(self.b.out), got if bars_only else (*results, *got), facts)

    def _shadow_params(self, ctx: Context, merged: bool) -> None:
        """Zeros for the active array parameters: at the start where references are chosen at run time (`merged`),
        else where the way back begins."""
        for param in self.fun.params:
            if param.type.ref and param in self.activity and self.has_twin(param) == merged:
                ctx.bar[param] = self.shadow_of(param, bar_name(param))

    def _bear_views_first(self, ctx: Context) -> None:
        for stmt in self.fun.body:
            with self.b.at(stmt.span):
                self._bear_shadow(stmt, ctx)

    def _seeds(self) -> dict[int, Var]:
        floats = [k for k, r in enumerate(self.fun.results) if r.type.is_float]
        names = ["value_bar"] if len(floats) == 1 else [f"value_bar_{k}" for k in floats]
        types = [self.fun.results[k].type for k in floats]
        return {k: Var(n, t.memory() if t.rank or t.ref else t) for k, n, t in zip(floats, names, types, strict=True)}

    def _seed(self, seeds: Mapping[int, Var], ctx: Context, bars: Bars) -> None:
        for place, seed in seeds.items():
            result = self.fun.results[place]
            if result not in self.activity or not isinstance(result, Var):
                continue
            value: Atom = self.b.load(seed, None, seed.name) if seed.type.ref else seed
            if result.type.ref:
                self.b.accumulate(ctx.bar[result], None, value)
            else:
                bars.add(result, value)

    def _bar_of(self, param: Var, ctx: Context, bars: Bars) -> Atom:
        if not param.type.ref:
            return bars.take(param) or zero(param.type)
        return ctx.bar[param] if param in ctx.bar else self.shadow_of(param, bar_name(param))


def reverse(program: Program, active: Iterable[int], policy: Policy = "auto", checked: bool = False) -> Program:
    """The adjoint program with respect to the parameters at the places `active`; checked: it looks at the cotangents'
    shapes."""
    check_single(program)
    main = gather_quotients(carried_arrays_to_buffers(program.main))
    wanted = [main.params[k] for k in sorted(active)]
    adjoint = Reverse(main, wanted, Plan(Facts(main), policy)).build(adjoint_name(main.name), checked=checked)
    built = take_quotients_apart(adjoint)
    callees = dict(program.callees)
    pending = _missing(built, callees)
    while pending:
        name = pending.pop()
        if name.endswith(QUIET):
            callees[name] = function(callees, name)
        else:  # the function itself has run before: what it prints and raises is done
            primal = gather_quotients(without_effects(function(callees, name.removesuffix(adjoint_name("")))))
            floats = [p for p in primal.params if p.type.is_float]
            adjoint = Reverse(primal, floats, Plan(Facts(primal), policy)).build(name, bars_only=True)
            callees[name] = take_quotients_apart(adjoint)
        pending |= _missing(callees[name], callees)
    return Program(built, callees)


def _missing(fun: Fun, callees: Mapping[str, Fun]) -> set[str]:
    return {s.callee for s in walk(fun.body) if isinstance(s, ir.Call)} - set(callees)
