"""What must hold where a statement is run, as lowering writes it down before it is proved or tested."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, Union

from srcgrad.core import ir
from srcgrad.core.ir import Atom, Const, Var


@dataclass(frozen=True, slots=True)
class Length:
    """The length of an axis of memory or of an array value."""

    of: Var
    axis: int


Measure = Union[Var, Const, Length]
Demand = Literal["index", "equal", "broadcast", "into", "nonnegative", "nonzero"]


@dataclass(frozen=True, eq=False)
class Check(ir.Passing):
    """What must hold here, else the failure is raised. Lowering proves it, moves it in front of loops, or makes a
    branch of it (`bounds/insert_checks.py`).

    index: -right <= left < right (of every element, if left is an array value).   equal: left == right.
    broadcast: equal, or one of them is 1.   into: equal, or left is 1.   nonnegative, nonzero: of left; right is 0.
    """

    demand: Demand
    left: Measure
    right: Measure
    failure: ir.Failure

    def atoms(self) -> tuple[Atom, ...]:
        return measured(self.left), measured(self.right)

    def mapped(self, f: Callable[[Atom], Atom]) -> Check:
        return replace(self, left=_mapped(self.left, f), right=_mapped(self.right, f))


def measured(measure: Measure) -> Atom:
    """What a measure is read from."""
    return measure.of if isinstance(measure, Length) else measure


def _mapped(measure: Measure, f: Callable[[Atom], Atom]) -> Measure:
    if not isinstance(measure, Length):
        return f(measure)
    of = f(measure.of)
    assert isinstance(of, Var)
    return Length(of, measure.axis)
