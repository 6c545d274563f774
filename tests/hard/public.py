"""The comparison's engine on the public functions, interpreted or compiled."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np

import srcgrad as sg
from tests import oracle
from tests.directions import Leaves
from tests.hard.table import Case


class Public:
    """`forward` and `reverse` of the case's function, and of each other."""

    def __init__(self, case: Case, jit: bool = False) -> None:
        bound = inspect.signature(case.fun).bind(*case.args())
        bound.apply_defaults()
        self.fun, self.args, self.jit = case.fun, bound.args, jit
        self.defaults = bound.args[len(case.makers) :]
        self.places = tuple(k for k, arg in enumerate(self.args) if oracle.float_leaves(arg))
        with np.errstate(all="ignore"):
            self.result = case.fun(*copy.deepcopy(case.args()))
        self.n = len(self.args)

    @cached_property
    def f(self) -> Any:
        return sg.forward(self.fun, argnums=self.places, jit=self.jit)

    @cached_property
    def r(self) -> Any:
        return sg.reverse(self.fun, argnums=self.places, jit=self.jit)

    def over(self, transform: Any, inner: Any, extra: int) -> Any:
        """transform of a derivative that has so many more arguments than the function."""
        return transform(inner, argnums=(*self.places, *range(self.n, self.n + extra)), jit=self.jit)

    @cached_property
    def fr(self) -> Any:
        return self.over(sg.forward, self.r, 1)

    @cached_property
    def rr(self) -> Any:
        return self.over(sg.reverse, self.r, 1)

    @cached_property
    def rf(self) -> Any:
        return self.over(sg.reverse, self.f, len(self.places))

    @cached_property
    def ff(self) -> Any:
        return self.over(sg.forward, self.f, len(self.places))

    # ---- structures

    def inputs(self, x: Leaves) -> tuple[Any, ...]:
        given = oracle.rebuild(tuple(self.args[: self.n - len(self.defaults)]), iter(x))
        return (*given, *self.defaults)

    def per_argument(self, leaves: Leaves) -> list[Any]:
        """Something for each differentiated argument, from its float leaves."""
        items = iter(leaves)
        return [fill(self.args[place], items) for place in self.places]

    def per_result(self, leaves: Leaves) -> Any:
        return fill(self.result, iter(leaves))

    # ---- the engine

    def value(self, x: Leaves) -> Leaves:
        return list(oracle.leaves(self.f(*self.inputs(x), *self.per_argument(zeros(self.args)))[0]))

    def forward(self, x: Leaves, d: Leaves) -> Leaves:
        return floats(self.f(*self.inputs(x), *self.per_argument(d))[1])

    def reverse(self, x: Leaves, w: Leaves) -> Leaves:
        return floats(self.r(*self.inputs(x), self.per_result(w))[1])

    def forward_reverse(self, x: Leaves, w: Leaves, d: Leaves, e: Leaves) -> Leaves:
        _, (_, g_dot) = self.fr(*self.inputs(x), self.per_result(w), *self.per_argument(d), self.per_result(e))
        return floats(g_dot)

    def reverse_reverse(self, x: Leaves, w: Leaves, a: Leaves, v: Leaves) -> tuple[Leaves, Leaves]:
        weights = (self.per_result(a), tuple(self.per_argument(v)))
        _, bars = self.rr(*self.inputs(x), self.per_result(w), weights)
        return floats(bars[:-1]), floats(bars[-1])

    def reverse_forward(self, x: Leaves, d: Leaves, a: Leaves, b: Leaves) -> tuple[Leaves, Leaves]:
        weights = (self.per_result(a), self.per_result(b))
        _, bars = self.rf(*self.inputs(x), *self.per_argument(d), weights)
        return floats(bars[: len(self.places)]), floats(bars[len(self.places) :])

    def forward_forward(self, x: Leaves, d: Leaves, v: Leaves) -> Leaves:
        nothing = self.per_argument([p * 0 for p in d])
        _, (_, dots) = self.ff(*self.inputs(x), *self.per_argument(d), *self.per_argument(v), *nothing)
        return floats(dots)


def fill(model: Any, items: Iterator[Any]) -> Any:
    """model's structure with the items in the places of floats, and None in those of others."""
    return oracle.rebuild(
        model, iter([next(items) if oracle.is_float(leaf) else None for leaf in oracle.leaves(model)])
    )


def floats(value: Any) -> Leaves:
    return oracle.float_leaves(value)


def zeros(args: Sequence[Any]) -> Leaves:
    return [p * 0 for p in chain.from_iterable(map(floats, args))]
