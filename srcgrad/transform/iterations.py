"""How the iterations of a loop are numbered, as rows of kept arrays, and how many rows that takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from srcgrad.core import ir
from srcgrad.core.build import Builder, const
from srcgrad.core.ir import Atom, Const, Stmt, Var
from srcgrad.rules.language.integers import nonnegative, trips
from srcgrad.rules.scalar.arithmetic import add, subtract

Loop = ir.For | ir.While
INT_ZERO, INT_ONE = const(0), const(1)


class Numbering(Enum):
    """What the row of an iteration is."""

    INDEX = "the loop's index"
    UPWARD = "the index less the first"
    DOWNWARD = "the first index less this one"
    STEPS = "how many steps the index is from the first"
    COUNT = "a count that the loop carries"


def step_of(loop: Stmt) -> int | None:
    """The loop's step if it is a literal."""
    if isinstance(loop, ir.For) and isinstance(loop.step, Const):
        return int(loop.step.value.real)
    return None


def counted(loop: Loop) -> bool:
    """Whether the number of iterations is known only after the loop."""
    return isinstance(loop, ir.While) or loop.exit is not None


def numbering(loop: Loop) -> Numbering:
    """By the index wherever it tells the row; an index from a small literal serves as it is."""
    one = step_of(loop)
    if isinstance(loop, ir.For) and one in (1, -1):
        small = isinstance(loop.start, Const) and 0 <= loop.start.value.real <= 8
        return Numbering.DOWNWARD if one == -1 else Numbering.INDEX if small else Numbering.UPWARD
    return Numbering.COUNT if counted(loop) else Numbering.STEPS


def row(builder: Builder, how: Numbering, index: Atom, start: Atom, step: Atom) -> Atom:
    """The row of the iteration at this index, of a loop that is numbered by it."""
    if how is Numbering.INDEX:
        return index
    first, last = (start, index) if how is Numbering.DOWNWARD else (index, start)
    difference: Atom = builder.let(subtract, first, last, name="row")
    if how is not Numbering.STEPS:
        return difference
    steps: Atom = builder.let(trips, INT_ZERO, difference, step, name="row")
    return steps


# ---- lengths that are computed where they are needed


@dataclass(frozen=True)
class Computed:
    """A length that is computed of others."""

    op: ir.Primitive
    args: tuple[Length, ...]
    name: str
    params: dict[str, Any] = field(default_factory=dict)


Length = Atom | Computed


def computed(op: ir.Primitive, *args: Length, name: str, **params: Any) -> Length:
    """The length; operations on literals are done at once."""
    literals = tuple(a for a in args if isinstance(a, Const))
    if literals and len(literals) == len(args):
        done: Atom = Builder().let(op, *literals, **params)
        return done
    return Computed(op, args, name, params)


def emit_length(builder: Builder, length: Length, value: Callable[[Atom], Atom]) -> Atom:
    """The length as an integer of the emitted program, in which the primal's variables have these values."""
    if not isinstance(length, Computed):
        return value(length)
    args = [emit_length(builder, arg, value) for arg in length.args]
    made: Atom = builder.let(length.op, *args, name=length.name, **length.params)
    return made


class Extents:
    """How many rows a loop may need, of what is in scope."""

    def __init__(self, makes: dict[Var, Stmt], in_scope: Callable[[Atom], bool]) -> None:
        self._makes, self._in_scope = makes, in_scope

    def of(self, loop: Loop) -> Length | None:
        """None: it is not known before the loop; the array grows."""
        if isinstance(loop, ir.While):
            return None
        start, stop, how = loop.start, loop.stop, numbering(loop)
        if how is Numbering.INDEX:
            top = self._bound(stop, 1)
            return None if top is None else computed(nonnegative, top, name="rows")
        if how in (Numbering.UPWARD, Numbering.DOWNWARD):
            first, last = (start, stop) if how is Numbering.UPWARD else (stop, start)
            low, high = self._bound(first, -1), self._bound(last, 1)
            if low is None or high is None:
                return None
            return computed(nonnegative, computed(subtract, high, low, name="rows"), name="rows")
        bounds = (start, stop, loop.step)
        return computed(trips, *bounds, name="rows") if all(map(self._in_scope, bounds)) else None

    def _bound(self, atom: Atom, sign: int) -> Length | None:
        """An upper (sign 1) or lower (-1) bound of an integer."""
        if self._in_scope(atom):
            return atom
        made = self._makes.get(atom) if isinstance(atom, Var) else None
        if isinstance(made, ir.For) and made.index is atom and (step := step_of(made)) is not None:
            to_stop = (step > 0) == (sign > 0)
            bound = self._bound(made.stop if to_stop else made.start, sign)
            return bound if bound is None or not to_stop else computed(subtract, bound, const(sign), name="rows")
        if isinstance(made, ir.Let) and made.op in (add, subtract) and isinstance(made.args[1], Const):
            bound = self._bound(made.args[0], sign)
            return None if bound is None else computed(made.op, bound, made.args[1], name="rows")
        return None
