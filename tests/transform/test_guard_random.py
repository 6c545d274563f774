"""Random compositions of np.where with what moves, mixes and shares elements: reverse mode agrees with forward."""

from __future__ import annotations

from typing import Any

import numpy as np

from srcgrad.core.build import Builder
from srcgrad.core.run import run
from srcgrad.rules.language.declare import as_value
from srcgrad.rules.language.registry import FUNCTIONS
from srcgrad.rules.language.values import Val, contents
from srcgrad.simplify.pipeline import simplify
from srcgrad.transform.forward import forward
from srcgrad.transform.reverse import reverse
from tests.rules.array_programs import like, program


class Composer:
    """Arrays of three rows and columns, each made of those before."""

    def __init__(self, builder: Builder, seed: int, *params: Val) -> None:
        self.builder, self.r = builder, np.random.default_rng(seed)
        self.made, self.conditions = list(params), list[Val]()

    def call(self, function: Any, *args: Any, **options: Any) -> Any:
        return FUNCTIONS[function](self.builder, *args, **options)

    def number(self, value: float) -> Val:
        return as_value(self.builder, value)

    def pick(self) -> Val:
        return self.made[self.r.integers(max(0, len(self.made) - 4), len(self.made))]

    def step(self) -> Val:
        a, c, call, number = self.pick(), self.pick(), self.call, self.number
        ways = [
            lambda: call(np.multiply, a, c),
            lambda: call(np.exp, call(np.sin, a)),
            lambda: call(np.roll, a, number(1), number(int(self.r.integers(0, 2)))),
            lambda: call(np.cumsum, a, axis=int(self.r.integers(0, 2))),
            lambda: call(np.sort, a, 0),
            lambda: call(np.dot, a, c),
            lambda: call(np.multiply, a, call(np.sum, c, axis=0)),
            lambda: call(np.divide, a, call(np.add, number(3.0), call(np.diag, call(np.sin, c)))),
            lambda: call(np.transpose, a),
            lambda: call(np.flip, a, 0),
            lambda: call(np.reshape, call(np.roll, call(np.reshape, a, (9,)), number(2)), (3, 3)),
            lambda: call(np.take, a, call(np.array, [number(2), number(0), number(0)]), 0),
            lambda: call(np.add, a, call(np.mean, c, axis=1, keepdims=True)),
            lambda: call(np.where, call(np.greater, call(np.diag, a), number(0.0)), c, self.pick()),
            *[lambda: call(np.where, self.condition(), a, c)] * 2,
            lambda: call(np.where, self.condition(), number(1.0), a),
        ]
        return ways[self.r.integers(len(ways))]()

    def condition(self) -> Val:
        if not self.conditions or self.r.random() > 0.4:
            self.conditions.append(self.call(np.greater, self.pick(), self.number(float(self.r.normal() * 0.3))))
        return self.conditions[self.r.integers(len(self.conditions))]


def composed(seed: int) -> Any:
    def make(builder: Builder, *params: Val) -> Val:
        composer = Composer(builder, seed, *params)
        for _ in range(composer.r.integers(5, 12)):
            composer.made.append(composer.step())
        one, two, three = composer.made[-3:]
        return contents(composer.call(np.add, composer.call(np.add, one, two), three))

    return make


FOUND = (156, 344, 379, 404, 635, 663)  # in which masks once hit other elements


def test_reverse_agrees_with_forward() -> None:
    for seed in (*range(12), *FOUND):
        rng = np.random.default_rng(seed)
        args = [rng.standard_normal((3, 3)), rng.standard_normal((3, 3))]
        made = simplify(program(composed(seed), args))
        dots, bars = [like(x) for x in args], [like(x) for x in run(made, *args)]
        count, both = len(made.main.results), frozenset((0, 1))
        tangents = run(simplify(forward(made, both)), *args, *dots)[count:]
        adjoints = run(simplify(reverse(made, both)), *args, *bars)[count:]
        left = sum(np.sum(t * b) for t, b in zip(tangents, bars, strict=True))
        right = sum(np.sum(a * d) for a, d in zip(adjoints, dots, strict=True))
        np.testing.assert_allclose(left, right, rtol=1e-9, atol=1e-9, err_msg=f"seed {seed}")
