"""Emits what a CPU runs: loops whose arrays lie in memory that the function makes, behind tests of their lengths."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from srcgrad.core import ir
from srcgrad.core.ir import Atom, Var
from srcgrad.printer.names import ANONYMOUS
from srcgrad.schedule.cpu_expansions import lying
from srcgrad.schedule.elements import FEW, MESSAGE, ONE, ZERO, At, Elements, Place, Writer

LONG = 60  # characters of a line that are told
HINT = "lengths must be equal, or one of them 1 where that is repeated"


class CpuWriter(Writer):
    """fitting: of pairs of lengths that have been tested, those that may be 1 instead of being equal to the other."""

    def __init__(self) -> None:
        super().__init__()
        self.fitting: dict[frozenset[Atom], tuple[frozenset[Atom], ...]] = {}

    def local(self, dtype: str, dims: Sequence[Atom], name: str) -> Var:
        return self.builder.alloc(dtype, dims, ir.Init.EMPTY, name)

    def held(self, value: Elements, name: str = "t") -> Elements:
        ref = self.local(value.dtype, value.dims, name)
        self.fill(ref, value)
        return lying(self, ref, value.dims)

    def repeated(self, own: Atom, index: Atom) -> Atom:
        """By a step of 0 or 1: of a choice for each element, compiled code would have a copy of the loop for each
        side, and of several choices for each combination."""
        return self.times(index, self.op("where", self.op("equal", own, ONE), ZERO, ONE, called="step"))

    def cheap(self, value: Elements, repeated: bool = True) -> Elements:
        return self.held(value) if repeated and value.cost > FEW else value

    def called(self, name: str, at: At) -> At:
        """What computes an element, which has this name if it has none of its own."""

        def named(place: Place) -> Atom:
            before, element = len(self.builder.out), at(place)
            last = self.builder.out[-1] if len(self.builder.out) > before else None
            if not isinstance(last, ir.Let) or last.targets != (element,) or last.target.name != ANONYMOUS:
                return element
            var = Var(name, element.type)
            self.builder.out[-1] = replace(last, targets=(var,))
            self.builder.renamed(last.target, var)
            return var

        return named

    @contextmanager
    def region(self) -> Iterator[None]:
        """What is tested inside may not have been, outside."""
        kept = dict(self.fitting)
        yield
        self.fitting = kept

    def demand(self, a: Atom, b: Atom, *repeated: Atom) -> None:
        pair, free = frozenset((a, b)), frozenset(repeated)
        tested = self.fitting.get(pair, ())
        if a == b or ONE in repeated or any(other <= free for other in tested):
            return
        self.fitting[pair] = (*tested, free)
        super().demand(a, b, *repeated)

    def fail(self, wrong: Atom) -> None:
        """Raise where this is true, and tell the user's line."""
        span = self.builder.span
        line = span.text.strip() if span is not None else ""
        shown = line if len(line) <= LONG else line[: LONG - 3] + "..."
        text = f"{MESSAGE}: {shown}" if shown else MESSAGE
        failure = ir.Failure("ValueError", text, MESSAGE, HINT, span)
        self.builder.put(ir.If(wrong, (ir.failing(failure, span),), (), span=span))
