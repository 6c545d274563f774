"""The two sweeps of a loop that is run again from snapshots.

Forward, the loop itself runs, and its state is copied at the head of some iterations. Back, the iterations are reversed
some at once, last first: from the newest snapshot before them the loop is run on, with more snapshots on the way where
some are free, and then these iterations once more, keeping what their adjoint needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import FULL, Builder, const
from srcgrad.core.ir import Atom, Carry, Fun, Var
from srcgrad.core.walk import instantiate
from srcgrad.rules.language.checkpoints import next_snapshot, snapshot_count, snapshot_distance
from srcgrad.rules.language.integers import other_length, smaller, trips
from srcgrad.rules.scalar.arithmetic import add, floor_divide, multiply, subtract
from srcgrad.rules.scalar.compare import equal, less
from srcgrad.rules.shapes.shape import dim
from srcgrad.transform.context import bar_name, zero
from srcgrad.transform.iterations import INT_ONE, INT_ZERO
from srcgrad.transform.outlined_loops import Env, Outlined

TAKEN = "taken"  # the name of the array with the iterations of the snapshots
UNKNOWN = const(2**20)  # iterations that a loop is taken to have if it does not tell


@dataclass(frozen=True)
class Adjoint:
    """The adjoint of some iterations (`first`, `last`, the state, what is given; a bar for each active part of what is
    carried; memory for those of active arrays beside, which is changed in place) -> a bar for each of the former, then
    one for each active given number."""

    fun: Fun
    step: Fun | None  # of the parameters without the bars: how many bytes one iteration keeps


class Sweeps:
    """Of one loop. active: of its state and of what it is given, what is differentiated."""

    def __init__(
        self, loop: Outlined, active: Callable[[Atom], bool], limit: ir.Checkpoints, adjoint: Adjoint, name: str
    ) -> None:
        self.o, self.limit, self.adjoint, self.name = loop, limit, adjoint, name
        self.active_state = [v for v in loop.state if active(v)]
        self.active_given = [v for v in loop.given if active(v)]
        self.online = loop.loop.exit is not None or isinstance(loop.loop, ir.While)
        self.args = (*loop.state, *loop.given)

    # ---- the loop as a function

    @cached_property
    def primal(self) -> Fun:
        b, env = self._entry(copied=True)
        left, _ = self.o.first_run(b, env)
        return Fun(self.name, self._params(env), tuple(b.out), (*left, *self._roots(env)))

    def _entry(self, copied: bool = False) -> tuple[Builder, dict[Var, Atom]]:
        """A builder, and parameters for the arguments (copies of those that the loop writes into)."""
        b = Builder()
        self._entered = {v: Var(v.name, v.type) for v in self.args}
        env: dict[Var, Atom] = dict(self._entered)
        for v in self.o.state if copied else ():
            if v.type.ref:
                env[v] = b.alloc(v.type.dtype, (), b.load(self._entered[v]), v.name)
        return b, env

    def _params(self, env: Env) -> tuple[Var, ...]:
        return tuple(self._entered[v] for v in self.args)

    def _roots(self, env: Env) -> list[Atom]:
        return [env[v] for v in self.o.roots]

    # ---- forward

    @cached_property
    def forward(self) -> Fun:
        """The arguments, of which the state's arrays are its own to write into -> what the loop leaves, and what the
        sweep back needs."""
        b, env = self._entry()
        o = self.o
        turns: Atom = UNKNOWN if self.online else self._trips(b, env)
        slots, length = self._plan(b, env, turns)
        kept = self._make(b, env, slots)
        integers = [("snapshots", INT_ZERO), ("following", INT_ZERO), *[("distance", length)] * self.online]

        def head(turn: Atom, inner: Env, integers: Sequence[Atom]) -> Sequence[Atom]:
            self._expect_shapes(b, env, {c: inner[c.inner] for c in o.unsure})
            if self.online:
                return self._online(b, kept, slots, turn, inner, integers)
            return self._placed(b, kept, slots, length, turns, turn, inner, integers)

        left, ends = o.first_run(b, env, integers, head)
        self._expect_shapes(b, env, {c: out for c, out in zip(o.carried, left, strict=True) if c in o.unsure})
        if o.counts:
            turns = ends.pop(0)
        results = (*left, *self._roots(env), ends[0], turns, slots, length, *kept, *(env[v] for v in o.given))
        return Fun(self.name, self._params(env), tuple(b.out), results)

    def _expect_shapes(self, b: Builder, env: Env, now: Mapping[Carry, Atom]) -> None:
        """Raise ValueError where an array that goes round has not the shape that it had in front of the loop."""
        for carry, ref in now.items():
            message = f"the shape of `{carry.inner.name}` changes in a loop that is checkpointed"
            failure = ir.Failure("ValueError", message, message, "leave checkpoint out", self.o.loop.span)
            for axis, n in enumerate(self._lengths(b, env[carry.inner])):
                wrong = b.let(other_length, ref, n, axis=axis, name="wrong")
                b.put(ir.If(wrong, (ir.failing(failure),), ()))

    def _trips(self, b: Builder, env: Env) -> Atom:
        loop = self.o.loop
        assert isinstance(loop, ir.For)
        start, stop, step = (env[a] if isinstance(a, Var) else a for a in (loop.start, loop.stop, loop.step))
        if step != INT_ONE:
            made: Atom = b.let(trips, start, stop, step, name="turns")
        else:  # if this is negative, nothing is run
            made = stop if start == INT_ZERO else b.let(subtract, stop, start, name="turns")
        return made

    def _plan(self, b: Builder, env: Env, turns: Atom) -> tuple[Atom, Atom]:
        """How many snapshots there can be, and how many iterations are reversed at once."""
        if self.limit.snapshots:
            return const(self.limit.snapshots), INT_ONE
        limit = const(self.limit.bytes)
        state = self._bytes(b, env)
        assert self.adjoint.step is not None
        stmts, (step,) = instantiate(self.adjoint.step, (INT_ZERO, INT_ONE, *(env[v] for v in self.args)))
        for stmt in stmts:
            b.put(stmt)
        length: Atom = b.let(snapshot_distance, limit, turns, state, step, name="distance")
        slots: Atom = b.let(snapshot_count, limit, turns, length, state, step, name="most")
        return slots, length

    def _bytes(self, b: Builder, env: Env) -> Atom:
        """How many bytes a snapshot takes."""
        total: Atom = const(8 + sum(size_of(v) for v in self.o.state if not v.type.ref))
        for v in self.o.state:
            if v.type.ref:
                size: Atom = const(size_of(v))
                for n in self._lengths(b, env[v]):
                    size = b.let(multiply, size, n, name="size")
                total = b.let(add, total, size, name="state_bytes")
        return total

    def _lengths(self, b: Builder, ref: Atom, skipped: int = 0) -> list[Atom]:
        return [b.let(dim, ref, axis=k, name="n") for k in range(skipped, ref.type.rank)]

    def _make(self, b: Builder, env: Env, slots: Atom) -> list[Var]:
        """The arrays of the snapshots: the numbers of their iterations, and a row of each part of the state."""
        kept = [b.alloc("i8", [slots], ir.Init.EMPTY, TAKEN)]
        for v in self.o.state:
            lengths = self._lengths(b, env[v]) if v.type.ref else []
            kept.append(b.alloc(v.type.dtype, [slots, *lengths], ir.Init.EMPTY, f"{v.name}_snapshots"))
        return kept

    def _take(self, b: Builder, kept: Sequence[Var], row: Atom, turn: Atom, env: Env) -> None:
        b.store(kept[0], (row,), turn)
        for v, rows in zip(self.o.state, kept[1:], strict=True):
            now = env[v]
            value = b.load(now) if isinstance(now, Var) and now.type.ref else now
            b.store(rows, (row, *(FULL,) * (rows.type.rank - 1)), value)

    def _placed(
        self,
        b: Builder,
        kept: Sequence[Var],
        slots: Atom,
        length: Atom,
        turns: Atom,
        turn: Atom,
        env: Env,
        integers: Sequence[Atom],
    ) -> list[Atom]:
        """A snapshot where the iteration is the one for it, and which is the next for it: binomially."""
        held, following = integers
        with b.block() as then:
            self._take(b, kept, held, turn, env)
            free = b.let(subtract, slots, held, name="free")
            later = b.let(next_snapshot, turn, turns, length, free, name="following")
            more = b.let(add, held, INT_ONE, name="snapshots")
        outs = [ir.Out(Var(n, ir.I8), a, z) for n, a, z in (("snapshots", more, held), ("following", later, following))]
        b.put(ir.If(b.let(equal, turn, following), tuple(then), (), tuple(outs)))
        return [out.target for out in outs]

    def _online(
        self, b: Builder, kept: Sequence[Var], slots: Atom, turn: Atom, env: Env, integers: Sequence[Atom]
    ) -> list[Atom]:
        """The same where nobody knows how many iterations there will be: once all are taken, every second one goes, and
        they come at twice the distance from there on."""
        held, following, distance = integers
        with b.block() as then:
            left, apart = self._thinned(b, kept, slots, held, distance)
            with b.block() as taking:
                self._take(b, kept, left, turn, env)
                more = b.let(add, left, INT_ONE, name="snapshots")
            count = Var("snapshots", ir.I8)
            b.put(ir.If(b.let(less, left, slots), tuple(taking), (), (ir.Out(count, more, left),)))
            later = b.let(add, turn, apart, name="following")
        news = (count, later, apart)
        outs = [ir.Out(Var(a.name, ir.I8), n, a) for n, a in zip(news, integers, strict=True)]  # type: ignore[union-attr]
        b.put(ir.If(b.let(equal, turn, following), tuple(then), (), tuple(outs)))
        return [out.target for out in outs]

    def _thinned(self, b: Builder, kept: Sequence[Var], slots: Atom, held: Atom, distance: Atom) -> tuple[Var, Var]:
        row = Var("k", ir.I8)
        with b.block() as thinning:
            half = b.let(floor_divide, b.let(add, held, INT_ONE), const(2), name="snapshots")
            with b.block() as moving:
                source = b.let(multiply, const(2), row, name="k")
                for rows in kept:
                    rest = (FULL,) * (rows.type.rank - 1)
                    b.store(rows, (row, *rest), b.load(rows, (source, *rest)))
            b.put(ir.For(row, INT_ONE, half, INT_ONE, (), tuple(moving)))
            twice = b.let(multiply, const(2), distance, name="distance")
        left, apart = Var("snapshots", ir.I8), Var("distance", ir.I8)
        outs = (ir.Out(left, half, held), ir.Out(apart, twice, distance))
        b.put(ir.If(b.let(equal, held, slots), tuple(thinning), (), outs))
        return left, apart

    # ---- back

    @cached_property
    def back(self) -> Fun:
        """What the sweep forward has left, and the bars of what the loop leaves -> one bar a float argument."""
        forward, o = self.forward, self.o
        b = Builder()
        results = forward.results[len(o.state) :]
        residuals = [Var(getattr(a, "name", "count"), a.type) for a in results]
        held, turns, slots, length, *rest = residuals
        kept, given = rest[: 1 + len(o.state)], rest[1 + len(o.state) :]
        floats = [v for v in o.state if v.type.is_float]
        seeds = [Var(bar_name(v), v.type) for v in floats]
        env: dict[Var, Atom] = dict(zip(o.given, given, strict=True))
        step: Atom = INT_ONE if self.limit.snapshots else length
        bars = self._bars(b, env, dict(zip(floats, seeds, strict=True)))
        local = {
            v: b.alloc(v.type.dtype, self._lengths(b, rows, 1), ir.Init.EMPTY, v.name)
            for v, rows in zip(o.state, kept[1:], strict=True)
            if v.type.ref
        }
        self._reverse_loop(b, env, local, bars, (held, turns, slots, step), kept)
        out = [self._result(b, v, env, local, bars) for v in self.args if v.type.is_float]
        return Fun(f"{self.name}_back", (*residuals, *seeds), tuple(b.out), tuple(out))

    def _bars(self, b: Builder, env: Env, seeds: Mapping[Var, Var]) -> dict[Var, Atom]:
        """The adjoints as they are at first: memory for those of arrays."""
        bars: dict[Var, Atom] = {}
        for v in self.active_state:
            seed = seeds[v]
            bars[v] = b.alloc(v.type.dtype, (), b.load(seed), bar_name(v)) if v.type.ref else seed
        for v in self.active_given:
            ref = env[v]
            lengths = self._lengths(b, ref) if v.type.ref else []
            bars[v] = b.alloc(v.type.dtype, lengths, ir.Init.ZEROS, bar_name(v)) if v.type.ref else zero(v.type)
        return bars

    def _reverse_loop(
        self,
        b: Builder,
        env: Env,
        local: Mapping[Var, Var],
        bars: dict[Var, Atom],
        plan: tuple[Atom, Atom, Atom, Atom],
        kept: Sequence[Var],
    ) -> None:
        held, turns, slots, step = plan
        numbers = [v for v in (*self.active_state, *self.active_given) if not v.type.ref]
        entering = {v: Var(bar_name(v), v.type) for v in numbers}
        count, begin = Var("snapshots", ir.I8), Var("begin" if step != INT_ONE else self.o.numbered, ir.I8)
        with b.block() as body:
            inside = {**bars, **entering}
            left = self._step_back(b, {**env, **local}, inside, (count, turns, slots, step), begin, kept)
        carries = [Carry(count, held, left, Var("snapshots", ir.I8))]
        for v in numbers:
            carries.append(Carry(entering[v], bars[v], inside[v], Var(bar_name(v), v.type)))
            bars[v] = carries[-1].out
        steps = turns if step == INT_ONE else b.let(trips, INT_ZERO, turns, step, name="steps")
        last = b.let(subtract, steps, INT_ONE, name="last")
        if step != INT_ONE:
            last = b.let(multiply, last, step, name="last")
        back = b.let(subtract, INT_ZERO, step, name="back")
        b.put(ir.For(begin, last, const(-1), back, tuple(carries), tuple(body)))

    def _step_back(
        self,
        b: Builder,
        env: dict[Var, Atom],
        bars: dict[Var, Atom],
        plan: tuple[Atom, Atom, Atom, Atom],
        begin: Var,
        kept: Sequence[Var],
    ) -> Atom:
        """Reverse the iterations from begin on, and tell how many snapshots are left. bars: before and after."""
        held, turns, slots, step = plan
        b.put(ir.Remark("from the newest snapshot"))
        top = b.let(subtract, held, INT_ONE, name="newest")
        first = b.load(kept[0], (top,), "first")
        self._restore(b, env, kept, top)
        free = b.let(subtract, slots, top, name="free")
        end = b.let(add, begin, INT_ONE, name="end")
        following = b.let(next_snapshot, first, end, step, free, name="following")

        def head(turn: Atom, inner: Env, integers: Sequence[Atom]) -> Sequence[Atom]:
            return self._placed(b, kept, slots, step, end, turn, inner, integers)

        left, (now, _) = self.o.run(b, first, begin, env, [("snapshots", held), ("following", following)], head)
        env.update(zip((c.inner for c in self.o.carried), left, strict=True))
        b.put(ir.Remark("and back"))
        if step != INT_ONE:
            end = b.let(smaller, b.let(add, begin, step, name="end"), turns, name="end")
        self._reverse(b, begin, end, env, bars)
        used = Var("snapshots", ir.I8)
        with b.block() as then:
            fewer = b.let(subtract, now, INT_ONE, name="snapshots")
        b.put(ir.If(b.let(equal, first, begin), tuple(then), (), (ir.Out(used, fewer, now),)))
        return used

    def _restore(self, b: Builder, env: dict[Var, Atom], kept: Sequence[Var], row: Atom) -> None:
        """The state of this snapshot, in memory that is written into."""
        for v, rows in zip(self.o.state, kept[1:], strict=True):
            value = b.load(rows, (row, *(FULL,) * (rows.type.rank - 1)), v.name)
            ref = env.get(v)
            if isinstance(ref, Var) and v.type.ref:
                b.store(ref, None, value)
            else:
                env[v] = value

    def _reverse(self, b: Builder, begin: Atom, end: Atom, env: Env, bars: dict[Var, Atom]) -> None:
        carried = [v for v in self.active_state if v not in self.o.roots]
        seeds = [bars[v] for v in carried]
        memory = [bars[v] for v in (*self.o.roots, *self.active_given) if v in bars and v.type.ref]
        args = (begin, end, *(env[v] for v in self.args), *seeds, *memory)
        stmts, results = instantiate(self.adjoint.fun, args)
        for stmt in stmts:
            if not isinstance(stmt, ir.Remark):
                b.put(stmt)
        numbers = [v for v in self.active_given if not v.type.ref]
        for v, got in zip((*carried, *numbers), results, strict=False):
            into = bars[v]
            if v in numbers:
                bars[v] = b.let(add, into, got, name=bar_name(v))
            elif v.type.ref:
                assert isinstance(into, Var) and isinstance(got, Var)
                b.store(into, None, b.load(got))
            else:
                bars[v] = got

    def _result(self, b: Builder, v: Var, env: Env, local: Mapping[Var, Var], bars: Mapping[Var, Atom]) -> Atom:
        if v in bars:
            return bars[v]
        if not v.type.ref:
            return zero(v.type)
        like = local[v] if v in local else env[v]
        return b.alloc(v.type.dtype, self._lengths(b, like), ir.Init.ZEROS, bar_name(v))


def size_of(var: Var) -> int:
    """The bytes of a number, or of each element of an array."""
    return int(np.dtype(var.type.dtype).itemsize)
