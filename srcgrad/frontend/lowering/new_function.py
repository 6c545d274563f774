"""A function of the program in the making: its parameters, copies of those that it writes into, what its body gives."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from srcgrad.core import ir
from srcgrad.core.ir import Atom, Var
from srcgrad.frontend.lowering import values
from srcgrad.frontend.lowering.capture import Captured
from srcgrad.frontend.lowering.paths import Lowering
from srcgrad.frontend.lowering.state import Reported
from srcgrad.frontend.lowering.values import Value


@dataclass(eq=False)
class NewFunction:
    """One attempt to lower a whole function: it has a lowering of its own. copies: what stands for those parameters
    that the function writes into."""

    low: Lowering
    params: list[Var] = field(default_factory=list)
    copies: dict[Atom, Var] = field(default_factory=dict)

    def copy_overwritten(self, overwritten: Collection[int], ordered: Collection[int] = ()) -> None:
        """Copy the parameters at these positions; those that are reshaped too in C order."""
        for k, param in enumerate(self.params):
            if k in overwritten:
                self.copies[param] = copy_of(self.low, param)
                if k in ordered:
                    self.low.b.layouts.assume_ordered(self.copies[param])

    def run(self, body: Callable[[], Value]) -> Value:
        """What the body returns; if anything was refused in it, all of that at once."""
        self.low.retry.born = values.now()
        try:
            value = body()
        except Reported:
            self.low.raise_refusals()
            raise
        self.low.raise_refusals()
        return value

    @property
    def changes_older(self) -> bool:
        """Whether it changes objects that it has not made."""
        return any(struct.born < self.low.retry.born for struct in self.low.retry.changed)

    @property
    def captured(self) -> tuple[Captured, ...]:
        return tuple(self.low.captures.entries.values())

    def finished(self, name: str, results: Sequence[Atom], facts: ir.FunFacts = ir.FunFacts()) -> ir.Fun:  # noqa: B008
        """The function; what it captures are further parameters."""
        params = (*self.params, *(c.param for c in self.captured))
        return ir.Fun(name, params, tuple(self.low.b.out), tuple(results), facts)


def copy_of(low: Lowering, ref: Var) -> Var:
    """Memory of its own with what an array holds."""
    return low.b.alloc(ref.type.dtype, (), init=low.b.load(ref), name=ref.name)
