"""`np.where(c, a, b)`: the side not taken contributes exactly zero, even where its derivative is infinite or NaN.

The adjoint of a side is zero where the other side was taken; but zero times an infinite partial is NaN.
So products with the partials of what a side is made of are masked by the condition.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.core.ir import Atom, Var
from srcgrad.rules import registry
from srcgrad.rules.declare import expand_to, sum_to
from srcgrad.rules.values import Val, emit
from srcgrad.transform.context import Bars, Context, zero

# operations whose adjoints move elements about and add them up, none being subtracted
MOVES = frozenset("reshape transpose unsqueeze squeeze broadcast_to roll sum cumsum concatenate part".split())


@dataclass(frozen=True)
class Guard:
    """A value counts where `condition`, of its shape or a scalar, is true (false, if not `side`)."""

    condition: Atom
    side: bool


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


def _where(guard: Guard, counts: Val, not_: Val) -> Val:
    sides = (counts, not_) if guard.side else (not_, counts)
    return emit(registry.PRIMITIVES["where"], Val(counts.builder, guard.condition), *sides)  # type: ignore[no-any-return]


class Guards:
    """Which values of a region count only under a condition."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._of: dict[Var, Guard] = {}
        self._parts: dict[Var, int] = {}  # how many contributions the guard is of

    def wrap(self, target: Var, bar: Val) -> Val:
        guard = self._of.get(target) if self._all_guarded(target) else None
        return bar if guard is None else Guarded.make(bar, guard)

    def _all_guarded(self, target: Var) -> bool:
        """Whether no other statement (a store, a branch, a loop) has contributed since."""
        return self._parts.get(target) == self._bars.parts[target]

    def note(self, stmt: ir.Let, place: int, part: Val, first: bool, ctx: Context) -> None:
        """stmt's argument at this place gets a contribution, `first` of all."""
        arg = stmt.args[place]
        if not isinstance(arg, Var):
            return
        guard = self._of.get(stmt.targets[0]) if self._all_guarded(stmt.targets[0]) else None
        if stmt.op.name == "where" and place > 0:
            condition = ctx(stmt.args[0])
            guard = Guard(condition, place == 1)
        whole = self._all_guarded(arg)
        old = self._of.pop(arg, None)
        old = old if whole else None
        self._parts[arg] = self._bars.parts[arg] + 1
        if guard is None or not (first or old):
            return
        fitting = _fitted(guard, stmt, place, part, ctx)
        if old is not None and fitting is not None and (old.condition, old.side) != (fitting.condition, fitting.side):
            fitting = _either(old, fitting, part)
        if fitting is not None:
            self._of[arg] = fitting


def _mask(amount: Val, like: Val) -> Guard:
    """The guard of what is counted a positive number of times."""
    none = Val(amount.builder, ir.Const(0.0, ir.F8))
    mask: Val = emit(registry.PRIMITIVES["greater"], amount, none)
    if isinstance(mask.atom, Var) and isinstance(like.atom, Var):
        amount.builder.copy_dims(mask.atom, like.atom)
    return Guard(mask.atom, True)


def _count(guard: Guard, builder: Builder) -> Val:
    one, none = (Val(builder, ir.Const(k, ir.F8)) for k in (1.0, 0.0))
    return _where(guard, one, none)


def _either(first: Guard, second: Guard, part: Val) -> Guard | None:
    """A value with contributions under two guards counts where either is met: everywhere, if they are opposites."""
    if first.condition is second.condition and first.side != second.side:
        return None
    return _mask(_count(first, part.builder) + _count(second, part.builder), part)


def _fitted(guard: Guard, stmt: ir.Let, place: int, part: Val, ctx: Context) -> Guard | None:
    """The guard of an argument whose adjoint is part: an element that is repeated, moved or added up counts where any
    of its copies does. None: an operation may mix the elements in any way."""
    if guard.condition.type.rank == 0:
        return guard
    builder = part.builder
    if stmt.op.name in MOVES:
        args = [Val(builder, ctx.bar[a] if a not in ctx.env and a in ctx.bar else ctx(a)) for a in stmt.args]
        outs = [Val(builder, ctx(stmt.targets[0]))]
        copies = stmt.op.vjp([_count(guard, builder)], args, outs, stmt.params)[place]  # type: ignore[misc]
        return None if copies is None else _mask(copies, part)
    if stmt.op.name != "broadcast_like" and not getattr(stmt.op.info, "elementwise", False):
        return None
    if builder.same_shape(guard.condition, part.atom):
        return guard
    copies = expand_to(_count(guard, builder), Val(builder, ctx(stmt.targets[0])))
    return _mask(sum_to(copies, part), part)
