"""`np.where(c, a, b)`, `max(a, b)`: the side not taken contributes exactly zero, even where its derivative is infinite.

The adjoint of a side is zero where the other side was taken; but zero times an infinite partial is NaN.
So products with the partials of what a side is made of are masked by the condition: those of what `np.where` chooses
all, those of other selections where a slope may be infinite.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from srcgrad.analysis.zeros import Zeros, at_infinity, steep
from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.core.ir import Atom, Var
from srcgrad.core.walk import map_how, map_index
from srcgrad.rules.language import registry
from srcgrad.rules.language.declare import expand_to, static, sum_to
from srcgrad.rules.language.values import Val, emit
from srcgrad.rules.scalar.arithmetic import divide
from srcgrad.rules.scalar.compare import (
    equal,
    greater,
    greater_equal,
    isfinite,
    less,
    less_equal,
    logical_and,
    logical_not,
    not_equal,
    where,
)
from srcgrad.rules.shapes.broadcast import broadcast_like
from srcgrad.rules.shapes.shape import dim
from srcgrad.transform.context import Bars, Context, zero

# of pairs of which one is chosen: what comes before the first, so that it is not it; and what says that the second is
BEFORE = {"larger": (greater, greater_equal), "smaller": (less, less_equal)}


@dataclass(frozen=True)
class Guard:
    """A value counts where `condition`, of its shape or a scalar, is true (false, if not `side`)."""

    condition: Atom
    side: bool
    every: bool = False  # whether to mask all products, not only those with slopes that may be infinite


class Guarded(Val):
    """An adjoint whose products are masked."""

    __slots__ = ("guard",)
    guard: Guard

    @staticmethod
    def make(value: Val, guard: Guard) -> Guarded:
        out = Guarded(value.builder, value.atom)
        object.__setattr__(out, "guard", guard)
        return out

    def _binary(self, name: str, left: Any, right: Any) -> Val:
        return self._masked(super()._binary(name, left, right))

    def _masked(self, product: Val) -> Val:
        return _where(self.guard, product, Val(self.builder, zero(product.type)))


_AGAIN: ContextVar[bool] = ContextVar("_AGAIN", default=False)


@contextmanager
def differentiated_again(whether: bool) -> Iterator[None]:
    """Whether derivatives that are made inside are differentiated once more: then a zero of this point only must not
    hide how it moves."""
    token = _AGAIN.set(whether)
    try:
        yield
    finally:
        _AGAIN.reset(token)


class TrueZero(Val):
    """A tangent or adjoint whose zeros stay, whatever they are multiplied with."""

    __slots__ = ("here", "where")
    where: Val | None
    here: bool

    @staticmethod
    def make(value: Val, where: Val | None = None, here: bool = False) -> TrueZero:
        """where: where they do; then quotients are as they are. here: they may be zeros at this point only, which move
        with the point, so that only products with infinite slopes are left out."""
        out = TrueZero(value.builder, value.atom)
        object.__setattr__(out, "where", where)
        object.__setattr__(out, "here", here)
        return out

    def _binary(self, name: str, left: Any, right: Any) -> Val:
        got = super()._binary(name, left, right)
        slope = static(right if left is self else left)
        if slope is not None and (slope != 0 if name == "divide" else math.isfinite(abs(slope))):
            return got
        none = equal(Val(self.builder, self.atom), 0.0)
        slope = right if left is self else left
        if self.here and _AGAIN.get() and isinstance(slope, Val):
            none = logical_and(none, logical_not(isfinite(slope)))
        if self.where is not None:
            if name == "divide":
                return got
            none = logical_and(none, self.where)
        return where(none, got.lift(0.0), got)


class Vanishing(Val):
    """A tangent that counts nothing where the slope is 0, however large it is."""

    __slots__ = ()

    @staticmethod
    def make(value: Val) -> Vanishing:
        return Vanishing(value.builder, value.atom)

    def _binary(self, name: str, left: Any, right: Any) -> Val:
        got, slope = super()._binary(name, left, right), right if left is self else left
        if name != "multiply" or not isinstance(slope, Val):
            return got
        return where(equal(slope, 0.0), got.lift(0.0), got)


def at_corner(args: Sequence[Val], part: Val) -> Val:
    """What goes through the size of something: 0 at 0, however large it is."""
    return where(equal(args[0], 0.0), part.lift(0.0), part)


def _where(guard: Guard, counts: Val, not_: Val) -> Val:
    sides = (counts, not_) if guard.side else (not_, counts)
    return emit(registry.PRIMITIVES["where"], Val(counts.builder, guard.condition), *sides)


class Guards:
    """Which values of a region count only under a condition."""

    def __init__(self, bars: Bars, zeros: Zeros) -> None:
        self._bars, self._zeros = bars, zeros
        self._of: dict[Var, Guard] = {}
        self._parts: dict[Var, int] = {}  # how many contributions the guard is of

    def wrap(self, stmt: ir.Let, target: Var, bar: Val, args: Sequence[Val]) -> Val:
        guard = self._of.get(target) if self._all_guarded(target) else None
        if guard is not None and (guard.every or steep(stmt) or at_infinity(stmt)):
            return Guarded.make(bar, guard)
        if bar.type.is_complex:
            return bar
        return self._kept(stmt, bar, args)

    def _kept(self, stmt: ir.Let, bar: Val, args: Sequence[Val]) -> Val:
        """The adjoint, whose zeros stay where they are true ones."""
        zeros = self._zeros
        if steep(stmt) and zeros.surely(stmt.target, stmt):
            return TrueZero.make(bar)
        if steep(stmt) and zeros.outgrown(stmt):
            return TrueZero.make(bar, here=True)
        if zeros.truth(stmt) and zeros.awaited(stmt.target):
            return Vanishing.make(bar)
        if not at_infinity(stmt) or not zeros.flat(stmt):
            return bar
        # a divisor of 0 is another thing than an infinite dividend: there the quotient is infinite at this point only
        return TrueZero.make(bar, not_equal(args[1], 0.0) if stmt.op is divide else None, here=True)

    def _all_guarded(self, target: Var) -> bool:
        """Whether no other statement (a store, a branch, a loop) has contributed since."""
        return self._parts.get(target) == self._bars.parts[target]

    def note(self, stmt: ir.Let, place: int, part: Val, first: bool, ctx: Context) -> None:
        """stmt's argument at this place gets a contribution, `first` of all."""
        arg = stmt.args[place]
        if not isinstance(arg, Var):
            return
        guard = self._of.get(stmt.targets[0]) if self._all_guarded(stmt.targets[0]) else None
        if stmt.op is where and place > 0 and (guard is None or not self._zeros.pointed(arg)):
            condition = ctx(stmt.args[0])
            guard = Guard(condition, place == 1, every=True)
        elif self._picks(stmt, guard) and self._zeros.pointed(arg):
            guard = _chosen(guard, stmt, place, part, ctx)
            if guard is not None:
                self._enter(arg, guard, first, part)
            return
        fitting = None if guard is None else _fitted(guard, stmt, place, part, ctx)
        self._enter(arg, fitting, first, part)

    def _picks(self, stmt: ir.Let, guard: Guard | None) -> bool:
        return stmt.op.traits.selects or (guard is None and stmt.op.traits.leaves_out)

    def read(self, value: Var, shadow: Var, readers: Sequence[ir.Load | ir.View], part: Val, ctx: Context) -> None:
        """value gets what memory that began with it has gathered: only where one of its readers has read it."""
        if not self._zeros.pointed(value) or value.type.is_complex:
            return self._enter(value, None, True, part)
        builder = part.builder
        seen = {value: builder.alloc("f8", _shape(builder, shadow), ir.Init.ZEROS, f"{value.name}_read")}
        refs = {readers[0].ref if isinstance(readers[0], ir.Load) else readers[0].base: seen[value]}
        for reader in readers:
            if isinstance(reader, ir.View):
                refs[reader.target] = builder.view(refs[reader.base], map_how(reader.how, ctx))
            else:
                builder.store(refs[reader.ref], map_index(reader.index, ctx), ir.Const(1.0, ir.F8))
        counts = Val(builder, builder.load(seen[value]))
        self._enter(value, _mask(counts, part, every=False), self._bars.take(value) is None, part)

    def _enter(self, arg: Var, guard: Guard | None, first: bool, part: Val) -> None:
        """The next contribution to arg is under this guard, or under none."""
        old = self._of.pop(arg, None) if self._all_guarded(arg) else None
        self._parts[arg] = self._bars.parts[arg] + 1
        if guard is None or not (first or old):
            return
        if old is not None and (old.condition, old.side) != (guard.condition, guard.side):
            guard = _either(old, guard, part)
        if guard is not None:
            self._of[arg] = guard


def _shape(builder: Builder, like: Var) -> list[Atom]:
    return [builder.let(dim, like, axis=axis, name="n") for axis in range(like.type.rank)]


def _mask(amount: Val, like: Val, every: bool) -> Guard:
    """The guard of what is counted a positive number of times."""
    none = Val(amount.builder, ir.Const(0.0, ir.F8))
    mask: Val = emit(registry.PRIMITIVES["greater"], amount, none)
    if isinstance(mask.atom, Var) and isinstance(like.atom, Var):
        amount.builder.copy_dims(mask.atom, like.atom)
    return Guard(mask.atom, True, every)


def _count(guard: Guard, builder: Builder) -> Val:
    one, none = (Val(builder, ir.Const(k, ir.F8)) for k in (1.0, 0.0))
    return _where(guard, one, none)


def _either(first: Guard, second: Guard, part: Val) -> Guard | None:
    """A value with contributions under two guards counts where either is met: everywhere, if they are opposites."""
    if first.condition is second.condition and first.side != second.side:
        return None
    counts = _count(first, part.builder) + _count(second, part.builder)
    return _mask(counts, part, first.every or second.every)


def _chosen(guard: Guard | None, stmt: ir.Let, place: int, part: Val, ctx: Context) -> Guard | None:
    """The guard of an argument of a selection: what of it is chosen, and counts in what it is chosen for."""
    builder = part.builder
    args, outs = [Val(builder, ctx(a)) for a in stmt.args], [Val(builder, ctx(t)) for t in stmt.targets]
    if guard is None and stmt.op.traits.chooses and len(args) == 2:
        before, not_after = BEFORE[stmt.op.traits.chooses]
        taken = not_after(args[1], args[0]) if place else before(args[1], args[0])
        return _fitted(Guard(taken.atom, bool(place)), stmt, place, part, ctx)
    one = Val(builder, ir.Const(1.0, ir.Type(outs[0].type.dtype)))
    count = one if guard is None else _count(guard, builder)
    copies = stmt.op.vjp([expand_to(count, outs[0])], args, outs, stmt.params)[place]  # type: ignore[misc]
    return None if copies is None else _mask(copies, part, every=stmt.op is where)


def _fitted(guard: Guard, stmt: ir.Let, place: int, part: Val, ctx: Context) -> Guard | None:
    """The guard of an argument whose adjoint is part: an element that is repeated, moved or added up counts where any
    of its copies does. None: an operation may mix the elements in any way."""
    if guard.condition.type.rank == 0:
        return guard
    builder = part.builder
    if stmt.op.traits.moves:
        args = [Val(builder, ctx.argument(a)) for a in stmt.args]
        outs = [Val(builder, ctx(stmt.targets[0]))]
        copies = stmt.op.vjp([_count(guard, builder)], args, outs, stmt.params)[place]  # type: ignore[misc]
        return None if copies is None else _mask(copies, part, guard.every)
    if stmt.op is not broadcast_like and not stmt.op.traits.elementwise:
        return None
    if builder.same_shape(guard.condition, part.atom):
        return guard
    copies = expand_to(_count(guard, builder), Val(builder, ctx(stmt.targets[0])))
    return _mask(sum_to(copies, part), part, guard.every)
