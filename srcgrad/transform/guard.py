"""`np.where(c, a, b)`: the side not taken contributes exactly zero, even where its derivative is infinite or NaN.

The adjoint of a side is zero where the other side was taken; but zero times an infinite partial is NaN.
So products with the partials of what a side is made of are masked by the condition.
"""

from __future__ import annotations

from typing import Any

from srcgrad.core import ir
from srcgrad.core.ir import Atom, Var
from srcgrad.rules import registry
from srcgrad.rules.values import Val, emit
from srcgrad.transform.context import Context, zero

# Their partials are literals, so that zero stays zero.
SAFE = {"add", "subtract", "negative", "cast", "where", "broadcast_like", "unbroadcast"}

Guard = tuple[Atom, bool]  # the condition, and whether the value counts where it is true


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
        condition, side = self.guard
        none = Val(self.builder, zero(product.type))
        where = registry.PRIMITIVES["where"]
        sides = (product, none) if side else (none, product)
        return emit(where, Val(self.builder, condition), *sides)  # type: ignore[no-any-return]


class Guards:
    """Which values of a region count only under a condition."""

    def __init__(self) -> None:
        self._of: dict[Var, Guard] = {}

    def wrap(self, target: Var, bar: Val) -> Val:
        guard = self._of.get(target)
        if guard is None or (guard[0].type.rank and not bar.builder.same_shape(guard[0], bar.atom)):
            return bar
        return Guarded.make(bar, guard)

    def note(self, stmt: ir.Let, place: int, first: bool, ctx: Context) -> None:
        """stmt's argument at this place got a contribution; `first` of all."""
        arg = stmt.args[place]
        if not isinstance(arg, Var):
            return
        guard = self._of.get(stmt.targets[0])
        if stmt.op.name == "where" and place > 0:
            guard = (ctx(stmt.args[0]), place == 1)
        if guard is not None and first:
            self._of[arg] = guard
        elif guard is None or self._of.get(arg) != guard:
            self._of.pop(arg, None)
