"""Running a region's statements again in generated code.

The forward sweep (the region is the function's body) and every recomputation (the region is a loop's body or a branch)
are one routine. The one rule against repeated effects: what writes to memory whose life ends outside the region
is dropped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from srcgrad.analysis.effect_only import silent
from srcgrad.analysis.effects import Region
from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.core.held import is_held
from srcgrad.core.ir import Atom, Stmt, Var
from srcgrad.core.walk import defined, instantiate, map_how, map_index, rebuild
from srcgrad.rules.scalar.arithmetic import add
from srcgrad.transform.context import Context, bar_name
from srcgrad.transform.custom_sharing import check_shared
from srcgrad.transform.iterations import INT_ONE, INT_ZERO, Loop, Numbering, counted, row
from srcgrad.transform.memory import Shadows
from srcgrad.transform.plan import Plan
from srcgrad.transform.program_edits import calling_without_effects, without_effects
from srcgrad.transform.random_draws import check_fixed
from srcgrad.transform.refuse import refuse_result, unsupported
from srcgrad.transform.tape import Tape, append, reference_at

# What one emitted loop carries: (inner, init, the next once the body is there, out).
Carried = tuple[Var, Atom, Callable[[], Atom], Var]


class Replay:
    """Emits runs of regions, and keeps on the tape what the plan says."""

    def __init__(self, builder: Builder, plan: Plan, tape: Tape, shadows: Shadows) -> None:
        self.b, self.plan, self.tape, self.shadows = builder, plan, tape, shadows
        self.facts, self.activity, self.scope = plan.facts, plan.activity, plan.scope
        self.effect_only = silent(plan.facts.fun)
        self.known: dict[Var, Atom] = {}  # what is not computed in the iteration that is run again
        self.taken: dict[Stmt, tuple[Atom, Atom, str]] = {}  # of branches that take something: the index, its, the side
        self._sides: dict[Stmt, str] = {}  # of loops that look for something, the branches in which it is taken
        self._marks: list[Atom] = []  # the index of the iteration at hand, and that of the last that took something

    def run(self, stmts: tuple[Stmt, ...], region: Region, current: Region, ctx: Context) -> None:
        """Emit stmts, which stand in current (region itself or one inside it), as part of a run of region."""
        for stmt in stmts:
            if stmt in self.effect_only and not self.plan.one_sweep.performed(region):
                continue
            if current is region:
                with self.b.at(None):
                    if self.plan.one_sweep.performed(region):
                        self.tape.make_values(stmt, ctx)
                    self.tape.make_sites(stmt, ctx)
            if stmt not in self.plan.left_out:
                with self.b.at(stmt.span):
                    self._run_or_find(stmt, region, current, ctx)

    def _run_or_find(self, stmt: Stmt, region: Region, current: Region, ctx: Context) -> None:
        """What the forward sweep has kept is found; what it keeps is put away."""
        kept, forward = self.plan.values_of.get(stmt, ()), self.plan.one_sweep.performed(region)
        if not kept or forward or not isinstance(stmt, (ir.Let, ir.Load)):
            self._run_one(stmt, region, current, ctx)
        for var in kept:
            self._keep_or_find(var, forward, ctx)

    def _keep_or_find(self, var: Var, forward: bool, ctx: Context) -> None:
        if forward:
            self.tape.keep(var, ctx)
        else:
            ctx.env[var] = self.tape.kept(var, ctx)

    def _run_one(self, stmt: Stmt, region: Region, current: Region, ctx: Context) -> None:
        match stmt:
            case ir.Let() if is_held(stmt):
                self._run_held(stmt, region, current, ctx)
            case ir.Let() | ir.If() if (
                self.known and (targets := defined(stmt)) and all(t in self.known for t in targets)
            ):
                ctx.env.update((t, self.known[t]) for t in targets)
            case ir.Let():
                self._run_let(stmt, ctx)
            case ir.Load():
                self._run_load(stmt, region, current, ctx)
            case ir.Store() | ir.Accumulate():
                if self.plan.level[stmt].within(region):
                    index, value = map_index(stmt.index, ctx), ctx(stmt.value)
                    self.b.put(replace(stmt, ref=ctx.ref(stmt.ref), index=index, value=value))
            case ir.Alloc():
                self._run_alloc(stmt, region, current, ctx)
            case ir.View():
                how = map_how(stmt.how, ctx)
                if stmt.base in ctx.env:
                    ctx.env[stmt.target] = self.b.view(ctx.ref(stmt.base), how, stmt.target.name)
                if stmt.base in ctx.bar:
                    ctx.bar[stmt.target] = self.b.view(ctx.bar[stmt.base], how, bar_name(stmt.target))
            case ir.NewList() | ir.Append() | ir.RefAt():
                self._run_list(stmt, region, current, ctx)
            case ir.If():
                self._run_if(stmt, region, ctx)
            case ir.For() | ir.While():
                self._run_loop(stmt, region, current, ctx)
            case ir.Call() | ir.Custom():
                self._run_call(stmt, ctx, again=not self.plan.one_sweep.performed(region))
            case ir.Draw():
                self._run_draw(stmt, region, current, ctx)
            case ir.Barrier():
                if region is self.facts.top or region in self.plan.refilled.values():
                    self.b.put(ir.Barrier(span=stmt.span))
            case ir.Effect() | ir.Remark():
                if self.plan.one_sweep.performed(region):
                    self.b.put(rebuild(stmt, ctx, lambda v: v, lambda block: block))

    def _run_let(self, stmt: ir.Let, ctx: Context) -> None:
        for arg in stmt.args:
            if isinstance(arg, Var) and arg.type.ref and arg not in ctx.env and arg not in ctx.bar:
                raise unsupported(
                    stmt.span,
                    f"the shape of `{arg.name}`, an array that is chosen at run time, is needed again",
                    "take its length before the loop or the branch",
                )
        args = tuple(map(ctx.argument, stmt.args))
        if len(stmt.targets) > 1:
            targets = tuple(Var(t.name, t.type) for t in stmt.targets)
            self.b.put(ir.Let(targets, stmt.op, args, stmt.params, span=self.b.span))
            ctx.env.update(zip(stmt.targets, targets, strict=True))
            return
        ctx.env[stmt.target] = self.b.let(stmt.op, *args, name=stmt.target.name, **stmt.params)

    def _run_load(self, stmt: ir.Load, region: Region, current: Region, ctx: Context) -> None:
        level, kept = self.plan.level[stmt], self.plan.kept(stmt)
        if not level.within(region) and kept:
            ctx.env[stmt.target] = self.tape.value(stmt, ctx)
            return
        index = map_index(stmt.index, ctx)
        ctx.env[stmt.target] = value = self.b.load(ctx.ref(stmt.ref), index, stmt.target.name)
        if level is region and current is not region and kept:
            self.tape.put_value(stmt, value, ctx)

    def _run_held(self, stmt: ir.Let, region: Region, current: Region, ctx: Context) -> None:
        """What calls return is made in the forward sweep alone; every other run finds it kept."""
        top = self.facts.top
        if region is not top:
            ctx.env[stmt.target] = self.tape.value(stmt, ctx)
            return
        ctx.env[stmt.target] = ctx(stmt.args[0])
        if current is not top:
            self.tape.put_value(stmt, ctx(stmt.args[0]), ctx)

    def _run_draw(self, stmt: ir.Draw, region: Region, current: Region, ctx: Context) -> None:
        """Numbers are drawn in the forward sweep alone; every other run finds them kept."""
        top = self.facts.top
        if region is not top:
            ctx.env[stmt.target] = self.tape.value(stmt, ctx)
            return
        check_fixed(stmt, self.activity.varies)
        ctx.env[stmt.target] = drawn = self.b.draw(stmt.op, *map(ctx, stmt.args), name=stmt.target.name, **stmt.params)
        if current is not top:
            self.tape.put_value(stmt, drawn, ctx)

    def _run_alloc(self, stmt: ir.Alloc, region: Region, current: Region, ctx: Context) -> None:
        itself, shadow = self.scope.halves(stmt.target, region)
        if itself:
            target = Var(stmt.target.name, stmt.target.type)
            init = stmt.init if isinstance(stmt.init, ir.Init) else ctx(stmt.init)
            shape = tuple(None if n is None else ctx(n) for n in stmt.shape)
            self.b.put(replace(stmt, target=target, shape=shape, init=init))
            self.shadows.note(target, stmt)
            ctx.env[stmt.target] = target
        if not shadow:
            return
        if self.facts.level_of(stmt.target) is not region:
            ctx.bar[stmt.target] = self.tape.reference(stmt, bar_name(stmt.target), ctx)
            return
        ctx.bar[stmt.target] = made = self.shadows.zeros_like(ctx.ref(stmt.target), bar_name(stmt.target))
        if current is not region:
            self.tape.put_reference(stmt, made, ctx)

    def _run_list(self, stmt: ir.NewList | ir.Append | ir.RefAt, region: Region, current: Region, ctx: Context) -> None:
        if isinstance(stmt, ir.NewList):
            like = ctx.env.get(stmt.like, ctx.bar.get(stmt.like))
            halves = [ctx.env, ctx.bar] if stmt.target in self.activity else [ctx.env]
            for half in halves:
                half[stmt.target] = target = Var(stmt.target.name, stmt.target.type)  # type: ignore[index]
                self.b.put(ir.NewList(target, like))  # type: ignore[arg-type]
        elif isinstance(stmt, ir.RefAt):
            itself, shadow = self.scope.halves(stmt.target, region)
            pos = ctx(stmt.pos)
            if (itself or not shadow) and stmt.refs in ctx.env:  # where neither is there, for the shape's sake
                ctx.env[stmt.target] = reference_at(self.b, ctx.ref(stmt.refs), pos, stmt.target.name)
            if shadow and stmt.refs in ctx.bar:
                ctx.bar[stmt.target] = reference_at(self.b, ctx.bar[stmt.refs], pos, bar_name(stmt.target))
        else:
            self._run_append(stmt, region, current, ctx)

    def _run_append(self, stmt: ir.Append, region: Region, current: Region, ctx: Context) -> None:
        level = self.plan.level[stmt]
        if not level.within(region):
            ctx.env[stmt.pos] = self.tape.position(stmt, ctx)
            return
        for half in (ctx.env, ctx.bar):
            if stmt.refs in half and stmt.ref in half:
                ctx.env[stmt.pos] = append(self.b, half[stmt.refs], half[stmt.ref])  # type: ignore[arg-type]
        if level is region and current is not region:
            self.tape.put_position(stmt, ctx(stmt.pos), ctx)

    def _run_call(self, stmt: ir.Call | ir.Custom, ctx: Context, again: bool) -> None:
        active = self._active_call(stmt)
        args = tuple(map(ctx, stmt.args))
        if isinstance(stmt, ir.Custom) and stmt.fwd is not None and active:
            body, results = instantiate(without_effects(stmt.fwd) if again else stmt.fwd, args)
            self.b.out.extend(body)
            ctx.residuals[stmt] = results[len(stmt.targets) :]
            ctx.env.update(zip(stmt.targets, results, strict=False))
        else:
            targets = tuple(Var(t.name, t.type) for t in stmt.targets)
            emitted = calling_without_effects(stmt) if again and isinstance(stmt, ir.Call) else stmt
            self.b.put(replace(emitted, args=args, targets=targets))
            ctx.env.update(zip(stmt.targets, targets, strict=True))
        for target in stmt.targets:
            if target.type.ref and self.scope.shadow_travels(target):
                raise refuse_result(stmt)

    def _active_call(self, stmt: ir.Call | ir.Custom) -> bool:
        """Whether derivatives pass the call; what it is given must then be there on the way back."""
        active = any(t in self.activity for t in stmt.targets)
        for arg in stmt.args:
            if active and isinstance(arg, Var) and arg.type.ref:
                self._still_there(stmt, arg)
        if active and isinstance(stmt, ir.Custom):
            check_shared(stmt, self.facts)
        return active

    def _still_there(self, stmt: Stmt, ref: Var) -> None:
        """The adjoint of a call reads its arguments again: they must not have been overwritten."""
        level = self.facts.level_of(ref)
        if self.plan.overwrites.overwritten_later(stmt, ref, level) or not self.facts.classes.simple(ref):
            raise unsupported(
                stmt.span,
                f"`{ref.name}` is overwritten after it was handed to this call",
                f"hand over a copy: `{ref.name}.copy()`",
            )

    def _run_if(self, stmt: ir.If, region: Region, ctx: Context) -> None:
        sides: list[tuple[list[Stmt], Context]] = []
        for which, block in (("then", stmt.then), ("orelse", stmt.orelse)):
            inner = ctx.inner()
            with self.b.block() as out:
                self.run(block, region, self.facts.region[stmt, which], inner)
            sides.append((out, inner))
        (then, then_ctx), (orelse, else_ctx) = sides
        outs: list[ir.Out] = []
        for o in stmt.outs:
            itself, shadow = self.scope.halves(o.target, region) if o.target.type.ref else (True, False)
            if itself or (not shadow and o.then in then_ctx.env and o.orelse in else_ctx.env):
                ctx.env[o.target] = target = Var(o.target.name, o.target.type)
                outs.append(ir.Out(target, then_ctx(o.then), else_ctx(o.orelse)))
            if shadow:
                ctx.bar[o.target] = bar = Var(bar_name(o.target), o.target.type)
                outs.append(ir.Out(bar, then_ctx.bar[o.then], else_ctx.bar[o.orelse]))  # type: ignore[index]
        if stmt in self._sides:
            outs.append(self._marked(self._sides[stmt]))
        self.b.put(ir.If(self.condition(stmt, ctx), tuple(then), tuple(orelse), tuple(outs), span=stmt.span))

    def condition(self, stmt: ir.If, ctx: Context) -> Atom:
        known = self.known.get(stmt.cond) if isinstance(stmt.cond, Var) else None
        return ctx(stmt.cond) if known is None else known

    def _marked(self, side: str) -> ir.Out:
        """The index of the last iteration that took something, behind a branch in which the one at hand may."""
        taken, before = self._marks
        mark = Var(before.name, ir.I8)  # type: ignore[union-attr]
        self._marks[0] = mark
        return ir.Out(mark, *((taken, before) if side == "then" else (before, taken)))

    # ---- loops

    def _run_loop(self, stmt: Loop, region: Region, current: Region, ctx: Context) -> None:
        body = self.facts.region[stmt, "body"]
        inner = ctx.inner()
        child = current is region
        if child:
            with self.b.at(None):
                self.tape.make_entries(stmt, ctx)
        carried = self._carried(stmt, region, ctx, inner)
        marks = child and bool(self.plan.selections.path(stmt))
        before = self.tape.none_taken(stmt, ctx) if marks else None  # type: ignore[arg-type]
        number, count = Var("turn", ir.I8), Var("turns", ir.I8)
        index = None
        if isinstance(stmt, ir.For):
            index = Var(stmt.index.name, ir.I8)
            inner.env[stmt.index] = index
        if child and counted(stmt):
            self.tape.put_count(stmt, count)
        with self.b.block() as out:
            self._begin_iteration(stmt, number, child, ctx, inner)
            for carry in stmt.carry:
                if carry.inner in self.plan.values:
                    self._keep_or_find(carry.inner, self.plan.one_sweep.performed(region), inner)
            following = self.b.let(add, number, INT_ONE, name="turn") if counted(stmt) else number
            if before is not None:
                carried.append(self._run_marking(stmt, region, inner, before))
            else:
                self.run(stmt.body, region, body, inner)
        if counted(stmt):
            carried.append((number, INT_ZERO, lambda: following, count))
        carries = tuple(ir.Carry(v, init, nxt(), after) for v, init, nxt, after in carried)
        exit = None if stmt.exit is None else inner(stmt.exit)
        if isinstance(stmt, ir.For):
            assert index is not None
            bounds = ctx(stmt.start), ctx(stmt.stop), ctx(stmt.step)
            self.b.put(ir.For(index, *bounds, carries, tuple(out), exit, stmt.parallel, span=stmt.span))
            return
        tested = inner.inner()
        for carry in stmt.carry:
            if carry.inner in inner.env:
                tested.env[carry.inner] = inner.env[carry.inner]
        with self.b.block() as test:
            self.run(stmt.test, region, self.facts.region[stmt, "test"], tested)
        self.b.put(ir.While(tuple(test), tested(stmt.cond), carries, tuple(out), exit, span=stmt.span))

    def _run_marking(self, stmt: Loop, region: Region, inner: Context, before: Atom) -> Carried:
        """Run the body of a loop that looks for something, and note which iteration was the last to take it."""
        assert isinstance(stmt, ir.For)
        path = self.plan.selections.path(stmt)
        name = f"{next(c.inner.name for c in stmt.carry if any(o.target is c.next for o in path[0][0].outs))}_at"
        head, after = Var(name, ir.I8), Var(name, ir.I8)
        outer = self._sides, self._marks
        self._sides, self._marks = dict(path), [inner(stmt.index), head]
        self.run(stmt.body, region, self.facts.region[stmt, "body"], inner)
        mark = self._marks[0]
        self._sides, self._marks = outer
        self.tape.put_taken(stmt, after)
        return head, before, lambda: mark, after

    def _carried(self, stmt: Loop, region: Region, ctx: Context, inner: Context) -> list[Carried]:
        """The carry of the printed loop: scalars, the references that are there, and the shadows that travel."""
        carried: list[Carried] = []

        def put(carry: ir.Carry, here: dict, there: dict, suffix: str) -> None:  # type: ignore[type-arg]
            var, out = Var(carry.inner.name + suffix, carry.inner.type), Var(carry.out.name + suffix, carry.out.type)
            init = here[carry.init] if isinstance(carry.init, Var) else carry.init
            carried.append((var, init, lambda: there[carry.next] if isinstance(carry.next, Var) else carry.next, out))
            there[carry.inner], here[carry.out] = var, out

        for carry in stmt.carry:
            itself, shadow = self.scope.halves(carry.inner, region) if carry.inner.type.ref else (True, False)
            if itself:
                put(carry, ctx.env, inner.env, "")
            if shadow:
                put(carry, ctx.bar, inner.bar, "_bar")
        return carried

    def _begin_iteration(self, stmt: Loop, number: Var, child: bool, ctx: Context, inner: Context) -> None:
        """Note the iteration's row, and keep what enters it, if the loop stands in the region that is run."""
        with self.b.at(None):
            place: Atom = number
            how = self.plan.numbering[stmt]
            if isinstance(stmt, ir.For) and how is not Numbering.COUNT:
                place = row(self.b, how, inner(stmt.index), ctx(stmt.start), ctx(stmt.step))
            inner.counters.append((stmt, place))
            if child:
                self.tape.put_entries(stmt, place, inner)
