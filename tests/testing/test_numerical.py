"""Numerical derivatives against the true ones, at easy and at hard points."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from srcgrad.testing.entries import Vector
from srcgrad.testing.numerical import Estimate, derivative

inf, nan = math.inf, math.nan


def estimate(fun: Callable[..., object], x: float) -> Estimate:
    def outputs(t: float) -> Vector:
        return np.atleast_1d(np.asarray(fun(np.float64(t)), dtype=np.float64))

    return derivative(outputs, x)


@pytest.mark.parametrize(
    ("fun", "x", "true"),
    [
        (np.sin, 1.0, math.cos(1)),
        (np.exp, 3.0, math.exp(3)),
        (np.exp, -30.0, math.exp(-30)),
        (lambda x: x**3, 1e5, 3e10),
        (lambda x: np.sin(100 * x), 1.0, 100 * math.cos(100)),
        (np.sqrt, 1e-9, 0.5 / math.sqrt(1e-9)),
        (lambda x: 1 + x, 1e-10, 1.0),
        (lambda x: 1 + x * x, 1e-10, 2e-10),
        (np.abs, 0.0, 0.0),
        (np.floor, 2.3, 0.0),
        (lambda x: 5.0, 2.0, 0.0),
    ],
)
def test_finite(fun: Callable[..., object], x: float, true: float) -> None:
    got = estimate(fun, x)
    assert abs(got.value[0] - true) <= 1e-8 * abs(true) + got.noise[0]
    assert got.gap[0] <= 1e-6 * abs(true) + got.noise[0]


@pytest.mark.parametrize(
    ("fun", "x", "true"),
    [
        (np.sqrt, 0.0, inf),
        (lambda x: -np.sqrt(-x), 0.0, inf),
        (np.cbrt, 0.0, inf),
        (np.log, 0.0, inf),
        (np.arcsin, 1.0, inf),
        (np.arccos, 1.0, -inf),
        (lambda x: 1 / x, 0.0, -inf),
        (np.log, -1.0, nan),
    ],
)
def test_not_finite(fun: Callable[..., object], x: float, true: float) -> None:
    np.testing.assert_equal(estimate(fun, x).value, [true])


def test_outputs_are_judged_one_by_one() -> None:
    got = estimate(lambda x: np.array([np.sin(x), x**2, np.log(-x), np.sqrt(x - 2)]), 2.0)
    np.testing.assert_allclose(got.value, [math.cos(2), 4, nan, inf], rtol=1e-9)


def test_what_does_not_settle_says_so() -> None:
    wild = estimate(lambda x: abs(x) * np.sin(1 / x) if x else 0.0, 0.0)
    rough = estimate(lambda x: x + 1e-3 * math.modf(1e8 * math.sin(1e8 * x))[0], 1.0)
    assert wild.gap[0] > 1e-3 and rough.gap[0] > 1e-6
