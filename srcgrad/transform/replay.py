"""Running a region's statements again in generated code.

The forward sweep (the region is the function's body) and every recomputation (the region is a loop's body or a branch)
are one routine. The one rule against repeated effects: what writes to memory whose life ends outside the region
is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from srcgrad.analysis.activity import Activity
from srcgrad.analysis.effect_only import silent
from srcgrad.analysis.effects import Facts, Region
from srcgrad.analysis.reads import partly_read
from srcgrad.analysis.zeros import Zeros
from srcgrad.core import ir
from srcgrad.core.build import Builder, whole
from srcgrad.core.ir import Atom, Stmt, Var
from srcgrad.core.walk import instantiate, map_how, map_index, walk
from srcgrad.rules.language.integers import larger
from srcgrad.rules.scalar.arithmetic import add
from srcgrad.rules.shapes.shape import dim
from srcgrad.transform.context import Context, bar_name
from srcgrad.transform.custom_sharing import check_shared
from srcgrad.transform.plan import Loop, Plan
from srcgrad.transform.program_edits import calling_without_effects
from srcgrad.transform.random_draws import check_fixed
from srcgrad.transform.refuse import refuse_result, unsupported
from srcgrad.transform.tape import INT_ONE, INT_ZERO, Keeper, counted, row, step_of, visit

# What goes round one printed loop: (inner, init, the next once the body is there, out).
Round = tuple[Var, Atom, Callable[[], Atom], Var]


class Sweep:
    """Emits runs. `reverse.Reverse` adds the way back."""

    def __init__(self, fun: ir.Fun, active: list[Var], plan: Plan) -> None:
        self.fun, self.plan = fun, plan
        self.facts: Facts = plan.facts
        self.activity = Activity(self.facts, active, _measured(self.facts, plan))
        self.zeros = Zeros(fun, self.facts.classes, self.activity.varies, back=True)
        self.partly_read = partly_read(self.facts)
        self.b = Builder(fun)
        self.keeper = Keeper(self.b, plan)
        self.silent = silent(fun)
        self.escapes = {s for s in walk(fun.body) if self._escapes(s)}

    def _escapes(self, stmt: Stmt) -> bool:
        """An allocation in a loop or branch that is carried out of it."""
        if not isinstance(stmt, ir.Alloc) or not self.has_twin(stmt.target):
            return False
        return self.facts.level_of(stmt.target) is not self.facts.where[stmt]

    # ---- which half of a reference is there

    def has_twin(self, ref: Var) -> bool:
        """Whether ref's shadow travels with it in the forward sweep: its class is merged, and active."""
        return not self.facts.classes.simple(ref) and ref in self.activity

    def halves(self, ref: Var, region: Region) -> tuple[bool, bool]:
        """(the reference itself is there when region is run, its shadow travels along)."""
        level = self.facts.level_of(ref)
        return level.within(region), self.has_twin(ref) and region.within(level)

    # ---- running

    def run(self, stmts: tuple[Stmt, ...], region: Region, current: Region, ctx: Context) -> None:
        """Emit stmts, which stand in current (region itself or one inside it), as part of a run of region."""
        for stmt in stmts:
            if stmt in self.silent and region is not self.facts.top:
                continue
            if current is region:
                with self.b.at(None):
                    self.keeper.sites(stmt, region, self.escapes, ctx)
            with self.b.at(stmt.span):
                self._run_one(stmt, region, current, ctx)

    def _run_one(self, stmt: Stmt, region: Region, current: Region, ctx: Context) -> None:
        match stmt:
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
                again = region is not self.facts.top and isinstance(stmt, ir.Call)
                self._run_call(stmt, ctx, calling_without_effects(stmt) if again else stmt)  # type: ignore[arg-type]
            case ir.Draw():
                self._run_draw(stmt, region, current, ctx)
            case ir.Effect() | ir.Remark() | ir.Barrier():
                if region is self.facts.top:
                    args = tuple(map(ctx, stmt.args)) if isinstance(stmt, ir.Effect) else ()
                    self.b.put(replace(stmt, args=args) if isinstance(stmt, ir.Effect) else stmt)

    def argument(self, atom: Atom, ctx: Context) -> Atom:
        """An argument as it stands; where a reference is not there, its shadow tells the shape as well."""
        return ctx.bar[atom] if isinstance(atom, Var) and atom not in ctx.env and atom in ctx.bar else ctx(atom)

    def _run_let(self, stmt: ir.Let, ctx: Context) -> None:
        for arg in stmt.args:
            if isinstance(arg, Var) and arg.type.ref and arg not in ctx.env and arg not in ctx.bar:
                raise unsupported(
                    stmt.span,
                    f"the shape of `{arg.name}`, an array that is chosen at run time, is needed again",
                    "take its length before the loop or the branch",
                )
        args = tuple(self.argument(a, ctx) for a in stmt.args)
        if len(stmt.targets) > 1:
            targets = tuple(Var(t.name, t.type) for t in stmt.targets)
            self.b.put(ir.Let(targets, stmt.op, args, stmt.params, span=self.b.span))
            ctx.env.update(zip(stmt.targets, targets, strict=True))
            return
        ctx.env[stmt.target] = self.b.let(stmt.op, *args, name=stmt.target.name, **stmt.params)

    def _run_load(self, stmt: ir.Load, region: Region, current: Region, ctx: Context) -> None:
        level, kept = self.plan.level[stmt], self.plan.kept(stmt)
        if not level.within(region) and kept:
            ctx.env[stmt.target] = self._kept_value(stmt, level, ctx)
            return
        index = map_index(stmt.index, ctx)
        ctx.env[stmt.target] = value = self.b.load(ctx.ref(stmt.ref), index, stmt.target.name)
        if level is region and current is not region and kept:
            self._keep_value(stmt, level, value, ctx)

    def _run_draw(self, stmt: ir.Draw, region: Region, current: Region, ctx: Context) -> None:
        """Numbers are drawn in the forward sweep alone; every other run finds them kept."""
        top = self.facts.top
        if region is not top:
            ctx.env[stmt.target] = self._kept_value(stmt, top, ctx)
            return
        check_fixed(stmt, self.activity.varies)
        ctx.env[stmt.target] = drawn = self.b.draw(stmt.op, *map(ctx, stmt.args), name=stmt.target.name, **stmt.params)
        if current is not top:
            self._keep_value(stmt, top, drawn, ctx)

    def _kept_value(self, stmt: ir.Load | ir.Draw, level: Region, ctx: Context) -> Var:
        place = visit(self.facts, stmt, level, ctx)
        if not isinstance(ctx.kept[stmt], tuple):
            return self.b.load(ctx.kept[stmt], (*place, *whole(stmt.target)), stmt.target.name)
        refs, places = ctx.kept[stmt]
        return self.b.load(
            self.ref_at(refs, self.b.load(places, place, "place"), stmt.target.name), None, stmt.target.name
        )

    def _keep_value(self, stmt: ir.Load | ir.Draw, level: Region, value: Var, ctx: Context) -> None:
        place = visit(self.facts, stmt, level, ctx)
        if not isinstance(ctx.kept[stmt], tuple):
            self.b.store(ctx.kept[stmt], (*place, *whole(stmt.target)), value)
            return
        refs, places = ctx.kept[stmt]
        copy = self.b.alloc(value.type.dtype, (), value, stmt.target.name)
        self.b.store(places, place, self.append(refs, copy))

    def append(self, refs: Var, ref: Var) -> Var:
        pos = Var("place", ir.I8)
        self.b.put(ir.Append(refs, ref, pos))
        return pos

    def ref_at(self, refs: Var, pos: Atom, name: str) -> Var:
        target = Var(name, ir.Type(refs.type.dtype, refs.type.rank, ref=True))
        self.b.put(ir.RefAt(target, refs, pos))
        return target

    def shadow_of(self, ref: Var, name: str) -> Var:
        """New zeros in ref's shape."""
        dims = [self.b.let(dim, ref, axis=k, name="n") for k in range(ref.type.rank)]
        shadow = self.b.alloc(ref.type.dtype, dims, "zeros", name)
        self.b.copy_dims(shadow, ref)
        return shadow

    def _run_alloc(self, stmt: ir.Alloc, region: Region, current: Region, ctx: Context) -> None:
        level = self.facts.level_of(stmt.target)
        real, twin = self.halves(stmt.target, region)
        if real:
            init = stmt.init if isinstance(stmt.init, str) else ctx(stmt.init)
            shape = [None if n is None else ctx(n) for n in stmt.shape]
            ctx.env[stmt.target] = self.b.alloc(stmt.target.type.dtype, shape, init, stmt.target.name)
        if not twin:
            return
        place = visit(self.facts, stmt, level, ctx)
        if level is not region:
            refs, places = ctx.kept[stmt]
            ctx.bar[stmt.target] = self.ref_at(refs, self.b.load(places, place, "place"), bar_name(stmt.target))
            return
        ctx.bar[stmt.target] = shadow = self.shadow_of(ctx.ref(stmt.target), bar_name(stmt.target))
        if current is not region:
            refs, places = ctx.kept[stmt]
            self.b.store(places, place, self.append(refs, shadow))

    def _run_list(self, stmt: ir.NewList | ir.Append | ir.RefAt, region: Region, current: Region, ctx: Context) -> None:
        if isinstance(stmt, ir.NewList):
            like = ctx.env.get(stmt.like, ctx.bar.get(stmt.like))
            halves = [ctx.env, ctx.bar] if stmt.target in self.activity else [ctx.env]
            for half in halves:
                half[stmt.target] = target = Var(stmt.target.name, stmt.target.type)  # type: ignore[index]
                self.b.put(ir.NewList(target, like))  # type: ignore[arg-type]
        elif isinstance(stmt, ir.RefAt):
            real, twin = self.halves(stmt.target, region)
            pos = ctx(stmt.pos)
            if (real or not twin) and stmt.refs in ctx.env:  # where neither is there, for the shape's sake
                ctx.env[stmt.target] = self.ref_at(ctx.ref(stmt.refs), pos, stmt.target.name)
            if twin and stmt.refs in ctx.bar:
                ctx.bar[stmt.target] = self.ref_at(ctx.bar[stmt.refs], pos, bar_name(stmt.target))
        else:
            self._run_append(stmt, region, current, ctx)

    def _run_append(self, stmt: ir.Append, region: Region, current: Region, ctx: Context) -> None:
        level = self.plan.level[stmt]
        place = visit(self.facts, stmt, level, ctx)
        if not level.within(region):
            ctx.env[stmt.pos] = self.b.load(ctx.kept[stmt], place, stmt.pos.name)
            return
        for half in (ctx.env, ctx.bar):
            if stmt.refs in half and stmt.ref in half:
                ctx.env[stmt.pos] = self.append(half[stmt.refs], half[stmt.ref])  # type: ignore[arg-type]
        if level is region and current is not region:
            self.b.store(ctx.kept[stmt], place, ctx(stmt.pos))

    def _run_call(self, stmt: ir.Call | ir.Custom, ctx: Context, emitted: ir.Call | ir.Custom) -> None:
        active = any(t in self.activity for t in stmt.targets)
        for arg in stmt.args:
            if active and isinstance(arg, Var) and arg.type.ref:
                self._still_there(stmt, arg)
        if active and isinstance(stmt, ir.Custom):
            check_shared(stmt, self.facts)
        args = tuple(map(ctx, stmt.args))
        if isinstance(stmt, ir.Custom) and stmt.fwd is not None and active:
            body, results = instantiate(stmt.fwd, args)
            self.b.out.extend(body)
            ctx.residuals[stmt] = results[len(stmt.targets) :]
            ctx.env.update(zip(stmt.targets, results, strict=False))
        else:
            targets = tuple(Var(t.name, t.type) for t in stmt.targets)
            self.b.put(replace(emitted, args=args, targets=targets))
            ctx.env.update(zip(stmt.targets, targets, strict=True))
        for target in stmt.targets:
            if target.type.ref and self.has_twin(target):
                raise refuse_result(stmt)

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
            real, twin = self.halves(o.target, region) if o.target.type.ref else (True, False)
            if real or (not twin and o.then in then_ctx.env and o.orelse in else_ctx.env):
                ctx.env[o.target] = target = Var(o.target.name, o.target.type)
                outs.append(ir.Out(target, then_ctx(o.then), else_ctx(o.orelse)))
            if twin:
                ctx.bar[o.target] = shadow = Var(bar_name(o.target), o.target.type)
                outs.append(ir.Out(shadow, then_ctx.bar[o.then], else_ctx.bar[o.orelse]))  # type: ignore[index]
        self.b.put(ir.If(ctx(stmt.cond), tuple(then), tuple(orelse), tuple(outs), span=stmt.span))

    # ---- loops

    def _run_loop(self, stmt: Loop, region: Region, current: Region, ctx: Context) -> None:
        body = self.facts.region[stmt, "body"]
        inner = ctx.inner()
        child = current is region
        if child:
            self._keep_loop(stmt, region, ctx)
        rounds = self._rounds(stmt, region, ctx, inner)
        turn, turns = Var("turn", ir.I8), Var("turns", ir.I8)
        index = None
        if isinstance(stmt, ir.For):
            index = Var(stmt.index.name, ir.I8)
            inner.env[stmt.index] = index
        if child and counted(stmt):
            ctx.kept["turns", stmt] = turns
        inner.kept = dict(ctx.kept)
        with self.b.block() as out:
            self._head_of_turn(stmt, turn, child, ctx, inner)
            next_turn = self.b.let(add, turn, INT_ONE, name="turn") if counted(stmt) else turn
            self.run(stmt.body, region, body, inner)
        if counted(stmt):
            rounds.append((turn, INT_ZERO, lambda: next_turn, turns))
        carry = tuple(ir.Carry(v, init, nxt(), after) for v, init, nxt, after in rounds)
        exit = None if stmt.exit is None else inner(stmt.exit)
        if isinstance(stmt, ir.For):
            assert index is not None
            bounds = ctx(stmt.start), ctx(stmt.stop), ctx(stmt.step)
            self.b.put(ir.For(index, *bounds, carry, tuple(out), exit, stmt.parallel, span=stmt.span))
            return
        tested = inner.inner()
        for head in stmt.carry:
            if head.inner in inner.env:
                tested.env[head.inner] = inner.env[head.inner]
        with self.b.block() as test:
            self.run(stmt.test, region, self.facts.region[stmt, "test"], tested)
        self.b.put(ir.While(tuple(test), tested(stmt.cond), carry, tuple(out), exit, span=stmt.span))

    def _rounds(self, stmt: Loop, region: Region, ctx: Context, inner: Context) -> list[Round]:
        """The carry of the printed loop: scalars, the references that are there, and the shadows that travel."""
        rounds: list[Round] = []

        def put(head: ir.Carry, here: dict, there: dict, suffix: str) -> None:  # type: ignore[type-arg]
            var, after = Var(head.inner.name + suffix, head.inner.type), Var(head.out.name + suffix, head.out.type)
            init = here[head.init] if isinstance(head.init, Var) else head.init
            rounds.append((var, init, lambda: there[head.next] if isinstance(head.next, Var) else head.next, after))
            there[head.inner], here[head.out] = var, after

        for head in stmt.carry:
            real, twin = self.halves(head.inner, region) if head.inner.type.ref else (True, False)
            if real:
                put(head, ctx.env, inner.env, "")
            if twin:
                put(head, ctx.bar, inner.bar, "_bar")
        return rounds

    def _keep_loop(self, stmt: Loop, region: Region, ctx: Context) -> None:
        """Before a loop of the region that is being reversed: arrays for what the way back finds at the head of
        each turn."""
        with self.b.at(None):
            extent = self.keeper.extent(stmt, ctx)
            for head in stmt.carry:
                if not head.inner.type.ref:
                    name = f"{head.inner.name}_kept"
                    ctx.kept[stmt, head.inner] = self.b.alloc(head.inner.type.dtype, [extent], "empty", name)
                elif self.plan.references[stmt] == "list" and self.halves(head.inner, region)[1]:
                    ctx.kept[stmt, head.inner] = self.keeper.new_list(head.inner.type, f"{head.inner.name}_bars")
            for root in self.plan.snapshots[stmt]:
                lengths = [self._longest(stmt, root, axis, ctx) for axis in range(root.type.rank)]
                name = f"{root.name}_kept"
                ctx.kept[stmt, "snapshot", root] = self.b.alloc(root.type.dtype, [extent, *lengths], "empty", name)

    def _longest(self, stmt: Loop, root: Var, axis: int, ctx: Context) -> Atom:
        """The axis's length in a snapshot; swapped buffers may differ in it."""
        if root in ctx.env:
            return self.b.let(dim, ctx(root), axis=axis, name="n")
        of = self.facts.classes.of
        heads = [c for c in stmt.carry if c.inner.type == root.type and of(c.inner) is of(root)]
        first, *more = (self.b.let(dim, ctx(c.init), axis=axis, name="n") for c in heads)
        for other in more:
            first = self.b.let(larger, first, other, name="n")
        return first

    def _head_of_turn(self, stmt: Loop, turn: Var, child: bool, ctx: Context, inner: Context) -> None:
        with self.b.at(None):
            place: Atom = turn
            if isinstance(stmt, ir.For) and (not counted(stmt) or step_of(stmt) in (1, -1)):
                place = row(self.b, stmt, inner(stmt.index), ctx(stmt.start), ctx(stmt.step))
            inner.counters.append((stmt, place))
            if not child:
                return
            for head in stmt.carry:
                kept = ctx.kept.get((stmt, head.inner))
                if kept is not None and kept.type.many:
                    self.append(kept, inner.bar[head.inner])
                elif kept is not None:
                    self.b.store(kept, (place,), inner(head.inner))
            for root in self.plan.snapshots[stmt]:
                self._snapshot(ctx.kept[stmt, "snapshot", root], place, inner.ref(root))

    def _snapshot(self, kept: Var, place: Atom, ref: Var) -> None:
        lengths = [self.b.let(dim, ref, axis=k, name="n") for k in range(ref.type.rank)]
        index = (place, *(ir.Slice(None, n) for n in lengths))
        self.b.store(kept, index, self.b.load(ref, whole(ref), ref.name))


def _measured(facts: Facts, plan: Plan) -> Iterator[Var]:
    """References chosen at run time whose shape is asked for inside a loop or a branch, or that snapshots are taken of:
    when that is run again, only their shadows are there to tell it."""
    for stmt, where in facts.where.items():
        for arg in stmt.args if isinstance(stmt, ir.Let) else ():
            if isinstance(arg, Var) and arg.type.ref and arg.type.is_float and not facts.classes.simple(arg):
                if facts.level_of(arg) is not where:
                    yield arg
    yield from (root for roots in plan.snapshots.values() for root in roots if not facts.classes.simple(root))
