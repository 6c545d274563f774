"""Emits what a CPU runs: loops whose arrays lie in memory that the function makes, behind tests of their lengths."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from srcgrad.core import ir
from srcgrad.core.build import const
from srcgrad.core.ir import Atom, Const, Var
from srcgrad.schedule.cpu_expansions import lying
from srcgrad.schedule.elements import FEW, ONE, Elements, Writer

LONG = 60  # characters of a line that are told
MESSAGE, HINT = "the shapes do not fit together", "lengths must be equal, or one of them 1 where that is repeated"


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

    def cheap(self, value: Elements, repeated: bool = True) -> Elements:
        return self.held(value) if repeated and value.cost > FEW else value

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
        wrong = self.differ(a, b)
        for n in dict.fromkeys(repeated):
            if not isinstance(n, Const):
                wrong = self.op("logical_and", wrong, self.op("not_equal", n, ONE))
        self.fail(wrong)

    def differ(self, a: Atom, b: Atom) -> Atom:
        if isinstance(a, Const) and isinstance(b, Const):
            return const(a.value != b.value)
        return self.op("not_equal", a, b)

    def fail(self, wrong: Atom) -> None:
        """Raise where this is true, and tell the user's line."""
        span = self.builder.span
        line = span.text.strip() if span is not None else ""
        shown = line if len(line) <= LONG else line[: LONG - 3] + "..."
        text = f"{MESSAGE}: {shown}" if shown else MESSAGE
        failure = ir.Failure("ValueError", text, MESSAGE, HINT, span)
        self.builder.put(ir.If(wrong, (ir.failing(failure, span),), (), span=span))
