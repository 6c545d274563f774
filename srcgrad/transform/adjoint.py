"""The reverse sweep over one region: each statement's adjoint, in reverse order, after the region's run.

It reads the plan and decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from srcgrad.analysis.effect_only import silent
from srcgrad.analysis.effects import Region
from srcgrad.analysis.reads import partly_read
from srcgrad.analysis.zeros import Zeros
from srcgrad.core import ir
from srcgrad.core.build import Builder, const
from srcgrad.core.ir import Atom, Fun, Stmt, Var
from srcgrad.core.walk import instantiate, map_how, map_index
from srcgrad.rules.language.declare import cast, sum_to
from srcgrad.rules.language.integers import trips
from srcgrad.rules.language.values import Val
from srcgrad.rules.scalar.arithmetic import add, multiply, subtract
from srcgrad.rules.scalar.compare import equal, not_equal
from srcgrad.rules.shapes.shape import dim
from srcgrad.transform.ahead import Ahead
from srcgrad.transform.context import Bars, Context, bar_name, zero
from srcgrad.transform.counters import counts_iterations
from srcgrad.transform.iterations import INT_ONE, Loop, Numbering, row, step_of
from srcgrad.transform.memory import Shadows
from srcgrad.transform.plan import Plan
from srcgrad.transform.refuse import no_rule, refuse_arguments, refuse_fixed, unsupported
from srcgrad.transform.replay import Replay
from srcgrad.transform.tape import Tape
from srcgrad.transform.taped_calls import NOWHERE, adjoint_name
from srcgrad.transform.where_guard import Guards, at_corner

# The adjoint of another function, by these parameters: its bars alone.
Transpose = Callable[[Fun, Sequence[Var]], Fun]


@dataclass
class Entering:
    """The adjoints that a loop of the reverse sweep carries: of scalars, and the shadows of references.

    scalars: with the bar that an iteration begins with, and the first.   shadows: with what stands for them there.
    """

    scalars: list[tuple[ir.Carry, Var, Atom]] = field(default_factory=list)
    shadows: list[tuple[ir.Carry, Var]] = field(default_factory=list)


class Adjoint:
    """Emits runs of regions, and the adjoints of regions that have been run."""

    def __init__(self, builder: Builder, plan: Plan, shadows: Shadows, transpose: Transpose) -> None:
        self.b, self.plan, self.shadows = builder, plan, shadows
        self.facts, self.activity = plan.facts, plan.activity
        self.tape = Tape(builder, plan)
        self.replay = Replay(builder, plan, self.tape, shadows)
        self.ahead = Ahead(builder, plan, self.replay, shadows, self.back)
        fun = plan.facts.fun
        self.zeros = Zeros(fun, self.facts.classes, self.activity.varies, back=True)
        self._partly_read = partly_read(self.facts)
        self._effect_only = silent(fun)
        self._transpose = transpose
        self.kept_by_rules: list[ir.Kept] = []  # what the transposes of users' rules keep

    def back(self, stmts: Sequence[Stmt], region: Region, ctx: Context, bars: Bars) -> None:
        guards = Guards(bars, self.zeros)
        self.create_shadows(stmts, ctx)
        for stmt in reversed(stmts):
            if stmt not in self._effect_only:
                with self.b.at(stmt.span and replace(stmt.span, back=True)):
                    self._back_one(stmt, region, ctx, bars, guards)

    def create_shadows(self, stmts: Sequence[Stmt], ctx: Context) -> None:
        for stmt in stmts:
            with self.b.at(stmt.span):
                self._create_shadow(stmt, ctx)

    def _create_shadow(self, stmt: Stmt, ctx: Context) -> None:
        """Shadows of simple memory that lives and dies in the region begin here, as zeros."""
        match stmt:
            case ir.Alloc() if stmt.target in self.activity and stmt.target not in ctx.bar and stmt.target in ctx.env:
                ctx.bar[stmt.target] = self.shadows.zeros_like(ctx.ref(stmt.target), bar_name(stmt.target))
            case ir.Call() | ir.Custom():
                for target in stmt.targets:
                    if target.type.ref and target in self.activity and target not in ctx.bar:
                        ctx.bar[target] = self.shadows.zeros_like(ctx.ref(target), bar_name(target))
            case ir.View() if stmt.target in self.activity and stmt.target not in ctx.bar and stmt.base in ctx.bar:
                how = map_how(stmt.how, ctx)
                ctx.bar[stmt.target] = self.b.view(ctx.bar[stmt.base], how, bar_name(stmt.target))

    def _back_one(self, stmt: Stmt, region: Region, ctx: Context, bars: Bars, guards: Guards) -> None:
        match stmt:
            case ir.Let():
                self._back_let(stmt, ctx, bars, guards)
            case ir.Load():
                self._back_load(stmt, ctx, bars)
            case ir.Accumulate() if self.facts.fun.facts.kernel and stmt.ref in self.facts.fun.facts.kernel.counted:
                self.b.put(replace(stmt, index=map_index(stmt.index, ctx)))  # here is where it is looked who won
            case ir.Store() | ir.Accumulate() if stmt.ref in self.activity:
                self._back_store(stmt, ctx, bars)
            case ir.Alloc(init=ir.Var() as init) if init in self.activity and stmt.target in self.activity:
                if readers := self._only_read(stmt, region):
                    guards.read(init, ctx.bar[stmt.target], readers, Val(self.b, ctx(init)), ctx)
                self._add_contents(init, ctx.bar[stmt.target], None, ctx, bars)
            case ir.If():
                self._back_if(stmt, ctx, bars)
            case ir.For() if stmt in self.plan.one_sweep.steps:
                self.ahead.gone_back(stmt, bars)
            case ir.For() if stmt in self.plan.selections.found:
                self.ahead.back_to_taken(stmt, ctx, bars)
            case ir.For() | ir.While():
                self._back_loop(stmt, ctx, bars)
            case ir.Call():
                self._back_call(stmt, ctx, bars)
            case ir.Custom():
                self._back_custom(stmt, ctx, bars)
            case ir.Barrier():
                self.b.put(ir.Barrier(span=self.b.span))

    def _back_load(self, stmt: ir.Load, ctx: Context, bars: Bars) -> None:
        bar = bars.take(stmt.target)
        if bar is not None:
            atomic = ir.Atomic.ADD if self.plan.memory.of_others(stmt.ref) else None
            index = map_index(stmt.index, ctx)
            self.b.put(ir.Accumulate(ctx.bar[stmt.ref], index, bar, atomic, span=self.b.span))

    def _back_let(self, stmt: ir.Let, ctx: Context, bars: Bars, guards: Guards) -> None:
        if not any(t in self.activity for t in stmt.targets) or stmt.op.vjp is None:
            return
        got = [bars.take(t) for t in stmt.targets]
        if all(bar is None for bar in got):
            return
        refuse_arguments(stmt, [a in self.activity for a in stmt.args])
        args = [Val(self.b, ctx.argument(a)) for a in stmt.args]
        vals = [
            None if bar is None else guards.wrap(stmt, t, Val(self.b, bar), args)
            for t, bar in zip(stmt.targets, got, strict=True)
        ]
        outs = [Val(self.b, ctx(t)) for t in stmt.targets]
        self._note_shapes(stmt, args, got[0])
        parts = stmt.op.vjp(vals, args, outs, stmt.params)
        if stmt.op.traits.is_size and parts[0] is not None and self.zeros.awaited(stmt.target):
            parts = [at_corner(args, parts[0])]
        for place, (arg, part) in enumerate(zip(stmt.args, parts, strict=True)):
            if part is not None and arg in self.activity:
                guards.note(stmt, place, part, bars.take(arg) is None, ctx)
                bars.add(arg, part.atom)

    def _note_shapes(self, stmt: ir.Let, args: Sequence[Val], bar: Atom | None) -> None:
        """Tell that what was not repeated in an elementwise operation has its adjoint's shape, which what is kept in a
        list does not say."""
        if not isinstance(bar, Var) or not stmt.op.traits.elementwise:
            return
        for arg, val in zip(stmt.args, args, strict=True):
            alike = arg.type.rank and self.plan.shapes.same(arg, stmt.target)
            if alike and isinstance(val.atom, Var) and not self.b.same_shape(val.atom, bar):
                self.b.copy_dims(val.atom, bar)

    def _only_read(self, alloc: ir.Alloc, region: Region) -> Sequence[ir.Load | ir.View]:
        """The readers of memory that is only read after it was made, in its own region, and not as a whole."""
        if alloc not in self._partly_read:
            return ()
        readers = self._partly_read[alloc]
        return readers if all(self.facts.where[r] is region for r in readers) else ()

    def _add_contents(
        self, value: Atom, shadow: Var, index: ir.Index | None, ctx: Context, bars: Bars, repeated: bool = True
    ) -> None:
        """value's adjoint takes what the shadow holds at index, summed over what value was broadcast to, if it was."""
        name = bar_name(value) if isinstance(value, Var) else shadow.name
        bar = Val(self.b, self.b.load(shadow, index, name))
        if repeated:
            bar = sum_to(bar, Val(self.b, ctx(value)))
        bar = cast(bar, value.type.dtype)
        bars.add(value, bar.atom)

    def _back_store(self, stmt: ir.Store | ir.Accumulate, ctx: Context, bars: Bars) -> None:
        if isinstance(stmt, ir.Accumulate) and stmt.atomic in (ir.Atomic.MAX, ir.Atomic.MIN):
            raise unsupported(
                stmt.span,
                f"cuda.atomic.{stmt.atomic.value} of floats that are differentiated",
                "write what is compared into an array, and reduce it in a kernel of its own",
            )
        shadow, index = ctx.bar[stmt.ref], map_index(stmt.index, ctx)
        if isinstance(stmt, ir.Store) and any(not isinstance(i, ir.Slice) and i.type.rank for i in index):
            raise unsupported(
                stmt.span,
                "a store through an array of indices may write one place twice",
                "write a loop over the indices",
            )
        if stmt.value in self.activity:
            self._add_contents(stmt.value, shadow, index, ctx, bars, repeated=not self._fits(stmt))
        if isinstance(stmt, ir.Store):
            self.b.store(shadow, index, zero(shadow.type))

    def _fits(self, stmt: ir.Store | ir.Accumulate) -> bool:
        """Whether the value surely has the shape of the place that it is stored to."""
        shapes = self.plan.shapes
        given, place = shapes.dims(stmt.value), shapes.sliced(stmt.ref, stmt.index)
        return len(given) == len(place) and all(map(shapes.equal, given, place))

    # ---- branches

    def _back_if(self, stmt: ir.If, ctx: Context, bars: Bars) -> None:
        done: list[tuple[list[Stmt], Bars]] = []
        for which, block in (("then", stmt.then), ("orelse", stmt.orelse)):
            passed = [(getattr(o, which), bars.take(o.target)) for o in stmt.outs]
            done.append(self._back_side(block, self.facts.region[stmt, which], passed, ctx))
        (then, then_bars), (orelse, else_bars) = done
        inside = {self.facts.region[stmt, which] for which in ("then", "orelse")}
        touched = [x for x in dict.fromkeys([*then_bars.own, *else_bars.own]) if self.facts.bound[x] not in inside]
        outs = []
        for var in touched:
            target = Var(bar_name(var), var.type)
            outs.append(ir.Out(target, then_bars.own.get(var, zero(var.type)), else_bars.own.get(var, zero(var.type))))
        cond = self._taken(*self.replay.taken[stmt]) if stmt in self.replay.taken else self.replay.condition(stmt, ctx)
        self.b.put(ir.If(cond, tuple(then), tuple(orelse), tuple(outs), span=self.b.span))
        for var, merged in zip(touched, outs, strict=True):
            bars.add(var, merged.target)

    def _taken(self, index: Atom, taken: Atom, side: str) -> Atom:
        """Whether an iteration is the last that took something."""
        truth: Atom = self.b.let(equal if side == "then" else not_equal, index, taken, name="taken")
        return truth

    def _back_side(
        self, block: tuple[Stmt, ...], region: Region, passed: Sequence[tuple[Atom, Atom | None]], ctx: Context
    ) -> tuple[list[Stmt], Bars]:
        """One side of a branch, and the bars that it leaves; `passed`: those of what comes out of it."""
        own = Bars(self.b, self.facts, self.activity, region, False)
        inner = ctx.inner()
        with self.b.block() as out:
            for atom, bar in passed:
                own.add(atom, bar)
            self.ahead.run(block, region, inner, own)
            self.back(block, region, inner, own)
        return out, own

    # ---- loops

    def _back_loop(self, stmt: Loop, ctx: Context, bars: Bars) -> None:
        region = self.facts.region[stmt, "body"]
        inner = ctx.inner()
        own = Bars(self.b, self.facts, self.activity, region, True)
        with self.b.at(None):
            index, bounds = self._reversed_range(stmt, ctx)
        with self.b.block() as out:
            with self.b.at(None):
                place = self._enter_iteration(stmt, index, ctx, inner)
                entering = self._enter(stmt, place, ctx, inner, bars)
                for root, written in self.plan.snapshots[stmt].items():
                    self._restore(stmt, root, written, place, inner)
            for branch, side in self.plan.selections.path(stmt):
                assert isinstance(stmt, ir.For)
                self.replay.taken[branch] = inner(stmt.index), self.tape.taken(stmt), side
            for carry, bar, _ in entering.scalars:
                own.add(carry.next, bar)
            self.ahead.run(stmt.body, region, inner, own)
            self.back(stmt.body, region, inner, own)
        scalars = [
            ir.Carry(bar, init, own.own.get(carry.inner, zero(bar.type)), Var(bar.name, bar.type))
            for carry, bar, init in entering.scalars
        ]
        carries = scalars + [
            ir.Carry(var, ctx.bar[carry.out], inner.bar[carry.inner], Var(var.name, var.type))
            for carry, var in entering.shadows
        ]
        for var, incoming in own.incoming.items():
            total = Var(incoming.name, incoming.type)
            carries.append(ir.Carry(incoming, bars.touch(var), own.own[var], total))
            bars.own[var] = total
        self.b.put(
            ir.For(index, *bounds, tuple(carries), tuple(out), parallel=isinstance(stmt, ir.For) and stmt.parallel)
        )
        for (carry, _, _), done in zip(entering.scalars, scalars, strict=True):
            bars.add(carry.init, done.out)

    def _reversed_range(self, stmt: Loop, ctx: Context) -> tuple[Var, tuple[Atom, Atom, Atom]]:
        """The printed index, and the range that goes over the iterations made, last first.

        The index is the primal's if its step is 1 or -1.
        """
        count: Atom | None = self.tape.count(stmt)
        one = step_of(stmt)
        if isinstance(stmt, ir.For) and one in (1, -1):
            start, stop, step = ctx(stmt.start), ctx(stmt.stop), const(-(one or 0))
            if count is not None:
                stop = self.b.let(add if one == 1 else subtract, start, count, name="end")
            return Var(stmt.index.name, ir.I8), (
                self.b.let(subtract, stop, const(one or 0), name="last"),
                self.b.let(subtract, start, const(one or 0), name="before"),
                step,
            )
        if count is None:
            assert isinstance(stmt, ir.For)
            count = self.b.let(trips, ctx(stmt.start), ctx(stmt.stop), ctx(stmt.step), name="turns")
        name = next((c.inner.name for c in stmt.carry if counts_iterations(c, self.plan.counters)), "turn")
        return Var(name, ir.I8), (self.b.let(subtract, count, INT_ONE, name="last"), const(-1), const(-1))

    def _enter_iteration(self, stmt: Loop, index: Var, ctx: Context, inner: Context) -> Atom:
        """Bind the primal's index; the row of kept arrays."""
        place: Atom = index
        if isinstance(stmt, ir.For):
            if step_of(stmt) in (1, -1):
                inner.env[stmt.index] = index
                place = row(self.b, self.plan.numbering[stmt], index, ctx(stmt.start), ctx(stmt.step))
            else:
                offset = self.b.let(multiply, index, ctx(stmt.step), name=stmt.index.name)
                inner.env[stmt.index] = self.b.let(add, ctx(stmt.start), offset, name=stmt.index.name)
        inner.counters.append((stmt, place))
        return place

    def _enter(self, stmt: Loop, place: Atom, ctx: Context, inner: Context, bars: Bars) -> Entering:
        """Find what the iteration began with: scalars in their kept arrays, shadows in their lists or by undoing the
        permutation."""
        found = Entering()
        for carry in stmt.carry:
            name = bar_name(carry.inner)
            if not carry.inner.type.ref:
                inner.env[carry.inner] = self.tape.entry(stmt, carry, place, inner)
                if carry.inner in self.activity:
                    bar = Var(name, carry.inner.type)
                    found.scalars.append((carry, bar, bars.take(carry.out) or zero(bar.type)))
            elif carry in self.plan.entries[stmt]:
                number = place
                if isinstance(stmt, ir.For) and self.plan.numbering[stmt] is Numbering.INDEX:
                    number = self.b.let(subtract, place, stmt.start, name="turn")
                inner.bar[carry.inner] = self.tape.shadow(carry, number, name)
            elif carry.out in ctx.bar:
                assert isinstance(carry.next, Var)
                var = Var(bar_name(carry.next), carry.inner.type)
                found.shadows.append((carry, var))
                inner.bar[carry.next] = var
        return found

    def _restore(self, stmt: Loop, root: Var, written: bool, place: Atom, inner: Context) -> None:
        """Bind root to its row of the snapshot, or to a copy if the body writes to it; make its outer views again."""
        swapped = any(root is c.inner for c in stmt.carry)
        lengths = [
            self.b.let(dim, inner.bar[root], axis=k, name="n") if swapped else None for k in range(root.type.rank)
        ]
        kept = self.tape.snapshot(stmt, root)
        local = self.b.view(kept, (place, *(ir.Slice(None, n) for n in lengths)), root.name)
        if written:
            local = self.b.alloc(root.type.dtype, (), self.b.load(local, None, root.name), root.name)
        inner.env[root] = local
        body = self.facts.region[stmt, "body"]
        for view in self.facts.views_of(root):
            if not self.facts.bound[view.target].within(body) and view.target in inner.env and view.base in inner.env:
                how = map_how(view.how, inner)
                inner.env[view.target] = self.b.view(inner.ref(view.base), how, view.target.name)

    # ---- calls

    def _back_call(self, stmt: ir.Call, ctx: Context, bars: Bars) -> None:
        if not any(t in self.activity for t in stmt.targets):
            return
        seeds = [self._cotangent(t, ctx, bars) for t in stmt.targets if t.type.is_float]
        floats = [a for a in stmt.args if a.type.is_float]
        targets = tuple(Var(bar_name(a) if isinstance(a, Var) else "unused_bar", a.type) for a in floats)
        mark = self.plan.marks.get(stmt)
        args = (NOWHERE if mark is None else ctx(mark), *map(ctx, stmt.args), *seeds)
        self.b.put(ir.Call(targets, adjoint_name(stmt.callee), args, span=self.b.span))
        self._spread(floats, targets, ctx, bars)

    def _cotangent(self, target: Var, ctx: Context, bars: Bars) -> Atom:
        if target.type.ref:
            return ctx.bar[target] if target in ctx.bar else self.shadows.zeros_like(ctx.ref(target), bar_name(target))
        return bars.take(target) or zero(target.type)

    def _spread(self, args: Sequence[Atom], got: Sequence[Atom], ctx: Context, bars: Bars) -> None:
        """Add the adjoints that a call gave to those of its arguments."""
        for arg, bar in zip(args, got, strict=True):
            if arg not in self.activity or not isinstance(arg, Var):
                continue
            value: Atom = self.b.load(bar, None, bar.name) if isinstance(bar, Var) and bar.type.ref else bar
            if arg.type.ref:
                self.b.accumulate(ctx.bar[arg], None, value)
            else:
                bars.add(arg, value)

    def _back_custom(self, stmt: ir.Custom, ctx: Context, bars: Bars) -> None:
        if not any(t in self.activity for t in stmt.targets):
            return
        if stmt.jvp is None and stmt.bwd is None:
            raise no_rule(stmt)
        refuse_fixed(stmt, lambda arg: arg in self.activity)
        seeds = [self._cotangent(t, ctx, bars) for t in stmt.targets if t.type.is_float]
        floats = [a for a in stmt.args if a.type.is_float]
        if stmt.bwd is not None:
            body, results = instantiate(stmt.bwd, (*ctx.residuals[stmt], *seeds))
        else:
            body, results = self._transposed(stmt, floats, seeds, ctx)
        self.b.out.extend(body)
        self._spread(floats, results, ctx, bars)

    def _transposed(
        self, stmt: ir.Custom, floats: list[Atom], seeds: list[Atom], ctx: Context
    ) -> tuple[tuple[Stmt, ...], tuple[Atom, ...]]:
        """The transpose of the user's jvp: the adjoint of its tangents, which it is linear in, taken at zero."""
        assert stmt.jvp is not None
        count = len(stmt.args)
        adjoint = self._transpose(stmt.jvp, stmt.jvp.params[count:])
        self.kept_by_rules += adjoint.facts.plan
        dots = [self._zeros(ctx(arg), "zero_dot") for arg in floats]
        values = [self._zeros(seed, "zero_bar") for seed in seeds]
        return instantiate(adjoint, (*map(ctx, stmt.args), *dots, *values, *seeds))

    def _zeros(self, like: Atom, name: str) -> Atom:
        return self.shadows.zeros_like(like, name) if isinstance(like, Var) and like.type.ref else zero(like.type)
