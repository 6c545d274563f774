"""What the comparison runs on: core programs."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np

from srcgrad.core import ir, verify
from srcgrad.core.run import run
from srcgrad.frontend.lowering.function import lower
from srcgrad.frontend.source import structure
from srcgrad.simplify.pipeline import simplify
from srcgrad.transform.forward import forward
from srcgrad.transform.reverse import reverse
from tests.directions import Leaves
from tests.hard.table import Case


@dataclass
class Flat:
    """A core program with its transforms. `active`: the indices of the differentiated parameters."""

    program: ir.Program
    active: frozenset[int]
    check: Callable[[ir.Program], None]

    def __call__(self, *args: Any) -> list[Any]:
        return list(run(self.program, *args))

    @property
    def floats_out(self) -> list[bool]:
        return [r.type.is_float for r in self.program.main.results]

    def derived(self, transform: Callable[..., ir.Program], extra: int) -> Flat:
        program = transform(self.program, self.active)
        self.check(program)
        program = simplify(program)
        self.check(program)
        first = len(self.program.main.params)
        return Flat(program, self.active | frozenset(range(first, first + extra)), self.check)

    @cached_property
    def f(self) -> Flat:
        return self.derived(forward, len(self.active))

    @cached_property
    def r(self) -> Flat:
        return self.derived(reverse, sum(self.floats_out))


def verified(program: ir.Program) -> None:
    for fun in (program.main, *program.callees.values()):
        verify.verify(fun)


class Core:
    """The engine that lowers a case and runs every transform with NumPy.

    only: the place of the one float leaf, among the float leaves, that is active; all, if None.   checkpoint: how its
    loops are run again.
    """

    def __init__(self, case: Case, only: int | None = None, checkpoint: ir.Checkpoints | None = None) -> None:
        args = case.args()
        bound = inspect.signature(case.fun).bind(*args)
        bound.apply_defaults()
        lowered = lower(case.fun, [structure.describe(a) for a in bound.args])
        self.fixed = [*bound.args[len(args) :], *(c.read() for c in lowered.captured)]
        own = len(lowered.program.main.params) - len(self.fixed)
        verified(lowered.program)
        program = simplify(lowered.program)
        main = program.main
        program = replace(program, main=replace(main, facts=replace(main.facts, checkpoint=checkpoint)))
        floats = [i for i, p in enumerate(program.main.params[:own]) if p.type.is_float]
        active = frozenset(floats if only is None else floats[only : only + 1])
        self.flat = Flat(program, active, verified)
        self.n = len(active)

    def inputs(self, x: Leaves, *more: Leaves) -> list[Any]:
        dynamic = [p for p in x if isinstance(p, (bool, int, float, np.generic, np.ndarray))]
        return [*dynamic, *self.fixed, *chain(*more)]

    def value(self, x: Leaves) -> Leaves:
        return self.flat(*self.inputs(x))

    def forward(self, x: Leaves, d: Leaves) -> Leaves:
        return self.flat.f(*self.inputs(x, d))[len(self.flat.floats_out) :]

    def reverse(self, x: Leaves, w: Leaves) -> Leaves:
        return self.flat.r(*self.inputs(x, w))[-self.n :]

    def forward_reverse(self, x: Leaves, w: Leaves, d: Leaves, e: Leaves) -> Leaves:
        return self.flat.r.f(*self.inputs(x, w, d, e))[-self.n :]

    def reverse_reverse(self, x: Leaves, w: Leaves, a: Leaves, v: Leaves) -> tuple[Leaves, Leaves]:
        out = self.flat.r.r(*self.inputs(x, w, a, v))[-self.n - len(w) :]
        return out[: self.n], out[self.n :]

    def reverse_forward(self, x: Leaves, d: Leaves, a: Leaves, b: Leaves) -> tuple[Leaves, Leaves]:
        out = self.flat.f.r(*self.inputs(x, d, a, b))[-2 * self.n :]
        return out[: self.n], out[self.n :]

    def forward_forward(self, x: Leaves, d: Leaves, v: Leaves) -> Leaves:
        out = self.flat.f.f(*self.inputs(x, d, v, zeros(d)))
        return out[len(out) - sum(self.flat.floats_out) :]

    def third_reverse(self, x: Leaves, w: Leaves, v: Leaves, u: Leaves) -> Leaves:
        nothing, of_g, of_w = zeros(w), zeros(v), zeros(w)
        out = self.flat.r.r.r(*self.inputs(x, w, nothing, v, nothing, of_g, u, of_w))
        bars = out[-2 * self.n - 2 * len(w) :]
        return bars[: self.n]

    def third_forward(self, x: Leaves, w: Leaves, d: Leaves, v: Leaves) -> Leaves:
        out = self.flat.r.f.f(*self.inputs(x, w, d, zeros(w), v, zeros(w), zeros(d), zeros(w)))
        return out[-self.n :]


def zeros(leaves: Leaves) -> Leaves:
    return [p * 0 for p in leaves]
