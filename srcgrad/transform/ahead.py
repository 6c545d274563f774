"""Runs of regions whose adjoint follows: loops whose adjoint is known before run forward and backward at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from srcgrad.analysis.effects import Region
from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.core.ir import Atom, Const, Stmt, Var
from srcgrad.core.walk import map_how, walk
from srcgrad.rules.language.values import Val
from srcgrad.rules.scalar.arithmetic import add, divide, multiply, negative
from srcgrad.rules.scalar.compare import not_equal
from srcgrad.transform.context import Bars, Context, bar_name, zero
from srcgrad.transform.iterations import row
from srcgrad.transform.memory import Shadows
from srcgrad.transform.one_sweep import Step
from srcgrad.transform.plan import Plan
from srcgrad.transform.replay import Replay

Back = Callable[[Sequence[Stmt], Region, Context, Bars], None]


class Ahead:
    """Emits such runs.   back: emits the adjoint of a region that has been run."""

    def __init__(self, builder: Builder, plan: Plan, replay: Replay, shadows: Shadows, back: Back) -> None:
        self.b, self.plan, self.replay, self.shadows, self.back = builder, plan, replay, shadows, back
        self.facts, self.activity = plan.facts, plan.activity
        self._totals: dict[Stmt, list[tuple[Var, Var]]] = {}  # adjoints of what a loop finds around it, by variable

    def run(self, stmts: Sequence[Stmt], region: Region, ctx: Context, bars: Bars) -> None:
        """The region, with the adjoints of what leaves it."""
        steps, begun = self.plan.one_sweep.steps, dict(bars.own)
        for stmt in stmts:
            if isinstance(stmt, ir.For) and stmt in steps:
                with self.b.at(stmt.span):
                    self._both(stmt, ctx, self._known(steps[stmt], begun, ctx))
            else:
                self.replay.run((stmt,), region, region, ctx)

    def gone_back(self, loop: ir.For, bars: Bars) -> None:
        """What such a loop adds to the adjoints of what stands before it."""
        for carry in loop.carry:
            if carry.inner in self.activity:
                bars.add(carry.init, bars.take(carry.out))
        for var, total in self._totals[loop]:
            bars.add(var, total)

    def _known(self, steps: Sequence[Step], ends: dict[Var, Atom], ctx: Context) -> dict[Var, Atom]:
        """The adjoints of a loop's sums, from those of what leaves the region."""
        bars = {var: Val(self.b, bar) for var, bar in ends.items()}
        for step in reversed(steps):
            if step.target in bars:
                part = self._through(step, bars[step.target], ctx)
                bars[step.source] = bars[step.source] + part if step.source in bars else part
        return {var: bar.atom for var, bar in bars.items()}

    def _through(self, step: Step, bar: Val, ctx: Context) -> Val:
        let = step.stmt
        if not isinstance(let, ir.Let) or let.op is add:
            return bar
        if let.op in (multiply, divide):
            other = Val(self.b, ctx(let.args[1 - step.place]))
            return bar * other if let.op is multiply else bar / other
        return -bar if let.op is negative or step.place == 1 else bar

    # ---- one loop

    def _both(self, loop: ir.For, ctx: Context, bars: dict[Var, Atom]) -> None:
        body = self.facts.region[loop, "body"]
        self._make_shadows(loop, body, ctx)
        inner, own = ctx.inner(), Bars(self.b, self.facts, self.activity, body, True)
        index = Var(loop.index.name, ir.I8)
        inner.env[loop.index] = index
        heads = [Var(c.inner.name, c.inner.type) for c in loop.carry]
        inner.env.update(zip((c.inner for c in loop.carry), heads, strict=True))
        with self.b.block() as out:
            self._number(loop, index, ctx, inner)
            for carry in loop.carry:
                if carry.inner in self.activity:
                    own.add(carry.next, bars.get(carry.out, zero(carry.out.type)))
            self.run(loop.body, body, inner, own)
            self.back(loop.body, body, inner, own)
        carries = []
        for carry, head in zip(loop.carry, heads, strict=True):
            after = Var(carry.out.name, carry.out.type)
            carries.append(ir.Carry(head, ctx(carry.init), inner(carry.next), after))
        outs = {c.out: done.out for c, done in zip(loop.carry, carries, strict=True)}
        self._totals[loop] = []
        for var, incoming in own.incoming.items():
            total = Var(incoming.name, incoming.type)
            carries.append(ir.Carry(incoming, zero(var.type), own.own[var], total))
            self._totals[loop].append((var, total))
        exit = None if loop.exit is None else inner(loop.exit)
        bounds = ctx(loop.start), ctx(loop.stop), ctx(loop.step)
        self.b.put(ir.For(index, *bounds, tuple(carries), tuple(out), exit, span=loop.span))
        ctx.env.update(outs)

    def _number(self, loop: ir.For, index: Var, ctx: Context, inner: Context) -> None:
        """The iteration's row in what runs of outer regions have kept."""
        with self.b.at(None):
            place = row(self.b, self.plan.numbering[loop], index, ctx(loop.start), ctx(loop.step))
        inner.counters.append((loop, place))

    def _make_shadows(self, loop: ir.For, body: Region, ctx: Context) -> None:
        """Zeros for the adjoints of the memory that the loop reads, where they are not there yet."""
        for stmt in walk(loop.body):
            ref = stmt.ref if isinstance(stmt, ir.Load) else stmt.base if isinstance(stmt, ir.View) else None
            if ref is not None and ref in self.activity and not self.facts.bound[ref].within(body):
                with self.b.at(None):
                    self._shadow(ref, ctx)

    def _shadow(self, ref: Var, ctx: Context) -> Var:
        if ref not in ctx.bar:
            view = self.facts.base.get(ref)
            if view is None:
                ctx.bar[ref] = self.shadows.zeros_like(ctx.ref(ref), bar_name(ref))
            else:
                base = self._shadow(view.base, ctx)
                ctx.bar[ref] = self.b.view(base, map_how(view.how, ctx), bar_name(ref))
        return ctx.bar[ref]

    # ---- a loop that looks for something

    def back_to_taken(self, loop: ir.For, ctx: Context, bars: Bars) -> None:
        """Adjoints pass through the last iteration that took something, which is run again; else to what the loop
        began with."""
        sums = [c for c in loop.carry if c.inner in self.activity and bars.take(c.out) is not None]
        if not sums:
            return
        body, tape = self.facts.region[loop, "body"], self.replay.tape
        with self.b.at(None):
            found = self.b.let(not_equal, tape.taken(loop), tape.none_taken(loop, ctx), name="found")
        inner, own = ctx.inner(), Bars(self.b, self.facts, self.activity, body, False)
        with self.b.block() as out:
            self._enter_taken(loop, ctx, inner)
            for carry in sums:
                own.add(carry.next, bars.take(carry.out))
            outer, self.replay.known = self.replay.known, {**self.replay.known, **self._known_in(loop)}
            self.run(loop.body, body, inner, own)
            self.back(loop.body, body, inner, own)
            self.replay.known = outer
        outs = {v: ir.Out(_bar(v), bar, zero(v.type)) for v, bar in own.own.items() if self._outside(v, body)}
        begun = [
            (c.init, ir.Out(_bar(c.init), zero(c.init.type), bars.take(c.out) or zero(c.init.type)))
            for c in sums
            if isinstance(c.init, Var)
        ]
        merged = (*outs.values(), *(o for _, o in begun))
        self.b.put(ir.If(found, tuple(out), (), merged))
        for var, one in (*outs.items(), *begun):
            bars.add(var, one.target)

    def _enter_taken(self, loop: ir.For, ctx: Context, inner: Context) -> None:
        taken, tape = self.replay.tape.taken(loop), self.replay.tape
        inner.env[loop.index] = taken
        self._number(loop, taken, ctx, inner)
        _, place = inner.counters[-1]
        for carry in loop.carry:
            read = self.plan.selections.enters(loop, carry)
            with self.b.at(None):
                inner.env[carry.inner] = tape.entry(loop, carry, place, inner) if read else Const(0, carry.inner.type)

    def _known_in(self, loop: ir.For) -> dict[Var, Atom]:
        """The conditions of the branches in which something is taken; what serves them alone is of no account."""
        selection = self.plan.selections.found[loop]
        nothing = {v: Const(0, v.type) for v in selection.unread}
        sides = {b.cond: Const(side == "then", ir.B1) for b, side in selection.path if isinstance(b.cond, Var)}
        return {**nothing, **sides}

    def _outside(self, var: Var, body: Region) -> bool:
        return not self.facts.bound[var].within(body)


def _bar(var: Var) -> Var:
    return Var(bar_name(var), var.type)
