"""Forward mode's side of `0 * inf`: where a tangent is a true zero, as nothing that it is made of is selected.

`max(v, 0.0)` at v < 0 has the tangent 0, and so has all that is made of it, whatever the slope: `sqrt(max(v, 0.0))`.
For values that a steep operation may follow, a condition is kept that says where the tangent counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from srcgrad.analysis.zeros import Zeros, at_infinity, steep
from srcgrad.core import ir
from srcgrad.core.ir import Atom, Const, Var
from srcgrad.rules.language import registry
from srcgrad.rules.language.declare import cast, expand_to
from srcgrad.rules.language.values import Val, emit
from srcgrad.rules.reductions.sums import cumsum
from srcgrad.rules.scalar.arithmetic import divide
from srcgrad.rules.scalar.compare import (
    equal,
    greater_equal,
    isinf,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    not_equal,
    where,
)
from srcgrad.rules.shapes.pieces import concatenate
from srcgrad.transform.where_guard import Guard, Guarded, TrueZero, Vanishing, at_corner

CHOSEN = {"larger": greater_equal, "smaller": less_equal}


class Live:
    """Where tangents count, by variable; None: perhaps everywhere."""

    def __init__(self, zeros: Zeros) -> None:
        self._zeros = zeros
        self._of: dict[Var, Val] = {}

    def get(self, atom: Atom) -> Val | None:
        return self._of.get(atom) if isinstance(atom, Var) else None

    def direction(self, target: Var, dot: Val) -> None:
        """A parameter's own tangent: some of its places may be 0."""
        if self._zeros.awaited(target) and not dot.type.is_complex:
            self._of[target] = not_equal(dot, 0.0)

    def branch(self, target: Var, cond: Val, side: bool) -> None:
        """What has a tangent on one side of a branch only: after it."""
        if self._zeros.awaited(target):
            self._of[target] = cond if side else logical_not(cond)

    # ---- what a statement makes of it

    def wrap(self, stmt: ir.Let, place: int, dot: Val, args: Sequence[Val]) -> Val:
        """The tangent of an argument: its zeros stay where they are true ones."""
        arg, zeros = stmt.args[place], self._zeros
        if dot.type.is_complex or isinstance(dot.atom, Const):
            return dot
        if steep(stmt):
            live = self.get(arg)
            if live is not None:
                return Guarded.make(dot, Guard(live.atom, True))
            if zeros.surely(arg, stmt):
                return TrueZero.make(dot)
        if place == 1 and at_infinity(stmt) and stmt.op is divide and zeros.only_grows(stmt.target):
            return Guarded.make(dot, Guard(isinf(args[0]).atom, False))  # an infinite dividend stays infinite
        return Vanishing.make(dot) if zeros.flattens(stmt, place) else dot

    def finished(self, stmt: ir.Let, tangents: Sequence[Val | None], args: Sequence[Val]) -> Sequence[Val | None]:
        """The tangents of what stmt makes: 0 at the corner of a size, however steep it is there."""
        if not stmt.op.traits.is_size or tangents[0] is None or not self._zeros.rooted(stmt.args[0]):
            return tangents
        return [at_corner(args, tangents[0])]

    def note(self, stmt: ir.Let, dots: Sequence[Val | None], args: Sequence[Val]) -> None:
        """Where the tangent of what stmt makes counts."""
        if len(stmt.targets) != 1 or not self._zeros.awaited(stmt.target) or stmt.target.type.is_complex:
            return
        active = [k for k, dot in enumerate(dots) if dot is not None]
        parts = [self._part(stmt, k, args) for k in active]
        if parts and None not in parts:
            self._of[stmt.target] = reduce(logical_or, [p for p in parts if p is not None])

    def _part(self, stmt: ir.Let, place: int, args: Sequence[Val]) -> Val | None:
        """Where the tangent of one argument counts in the result."""
        live, op, y = self.get(stmt.args[place]), stmt.op, Val(args[0].builder, stmt.target)
        elementwise = op.traits.elementwise
        moves = op.traits.moves and op not in (concatenate, cumsum)
        if moves or (op.traits.selects and not elementwise):
            return None if live is None or live.type.rank == 0 or place else _moved(stmt, live, args)
        if not elementwise:
            return None
        taken = self._taken(stmt, place, args, y)
        if taken is None or live is None:
            return taken or live
        return logical_and(taken, live)

    def _taken(self, stmt: ir.Let, place: int, args: Sequence[Val], y: Val) -> Val | None:
        """Where this argument is what is chosen."""
        op = stmt.op
        if self._zeros.truth(stmt):
            other = args[1 - place]
            return other if other.type.dtype == "b1" else not_equal(other, 0.0)
        if op is where:
            return args[0] if place == 1 else logical_not(args[0])
        if op.traits.chooses and len(args) == 2:
            return CHOSEN[op.traits.chooses](args[place], args[1 - place])
        if op.traits.is_size:
            return not_equal(args[0], 0.0)
        return equal(args[place], y) if op.traits.selects else None


def _moved(stmt: ir.Let, live: Val, args: Sequence[Val]) -> Val:
    """Of elements that are moved or added up: those of which any counts."""
    outs = [Val(live.builder, target) for target in stmt.targets]
    rest = [None] * (len(args) - 1)
    each = expand_to(cast(live, "f8"), args[0])
    (counts,) = stmt.op.jvp([each, *rest], args, outs, stmt.params)  # type: ignore[misc]
    return emit(registry.PRIMITIVES["greater"], counts, counts.lift(0.0))
