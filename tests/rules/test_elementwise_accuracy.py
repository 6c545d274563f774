"""Relative accuracy against mpmath, of derivatives far out in the tails and beside poles."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

import srcgrad.rules  # noqa: F401
from tests.rules.core_functions import backward, call

mp = mpmath.mp.clone()
mp.dps = 60
EPS = float(np.finfo(float).eps)
SMALL = [1e-300, 1e-20, 1e-8, 1e-3]
SIGNED = [s * x for x in SMALL for s in (1, -1)]

TAILS: list[tuple[Any, Callable[[Any], Any], list[float], float]] = [
    (np.tanh, lambda x: mp.sech(x) ** 2, [*SIGNED, 0.5, 3.0, -8.0, 20.0, -40.0, 300.0, -353.0], 8),
    (np.arctan, lambda x: 1 / (1 + x * x), [*SIGNED, 1.0, -1e3, 1e150], 4),
    (np.arcsin, lambda x: 1 / mp.sqrt(1 - x * x), [*SIGNED, 0.5, 1 - 1e-9, -1 + 1e-15], 6),
    (np.arccos, lambda x: -1 / mp.sqrt(1 - x * x), [*SIGNED, 0.5, 1 - 1e-9, -1 + 1e-15], 6),
    (np.arcsinh, lambda x: 1 / mp.sqrt(1 + x * x), [*SIGNED, 2.0, -1e8, 1e200, 1e308], 4),
    (np.arccosh, lambda x: 1 / mp.sqrt(x * x - 1), [1 + 1e-15, 1 + 1e-9, 2.0, 1e8, 1e200], 6),
    (np.arctanh, lambda x: 1 / (1 - x * x), [*SIGNED, 0.5, 1 - 1e-9, -1 + 1e-15], 4),
    (np.tan, lambda x: mp.sec(x) ** 2, [*SIGNED, 0.5, 1.5707, -1.5707963], 1e5),
    (np.expm1, mp.exp, [*SIGNED, -40.0, -700.0, 700.0], 4),
    (np.log1p, lambda x: 1 / (1 + x), [*SIGNED, -1 + 1e-15, 1e20], 4),
    (np.exp2, lambda x: mp.mpf(2) ** x * mp.log(2), [0.5, -1000.0, 1000.0], 6),
    (np.log2, lambda x: 1 / (x * mp.log(2)), [1e-300, 0.5, 1e300], 4),
    (np.log10, lambda x: 1 / (x * mp.log(10)), [1e-300, 0.5, 1e300], 4),
    (np.cbrt, lambda x: mp.cbrt(abs(x)) ** -2 / 3, [*SIGNED, 8.0, -1e300], 8),
    (np.sqrt, lambda x: 1 / (2 * mp.sqrt(x)), [1e-300, 0.5, 1e300], 4),
    (math.erf, lambda x: 2 / mp.sqrt(mp.pi) * mp.exp(-x * x), [*SIGNED, 1.0, -5.0, 10.0], 250),
    (math.erfc, lambda x: -2 / mp.sqrt(mp.pi) * mp.exp(-x * x), [*SIGNED, 1.0, -5.0, 10.0, 26.5], 1500),
    (math.gamma, lambda x: mp.gamma(x) * mp.digamma(x), [1e-8, 0.5, 3.0, 30.5, -0.5, -3.3], 200),
    (math.lgamma, mp.digamma, [1e-8, 0.5, 3.0, 30.5, 1e8, 1e300, -0.5, -3.3], 50),
    (np.sinc, lambda x: (mp.cos(mp.pi * x) - mp.sincpi(x)) / x, [1e-20, 1e-8, 1e-3, -0.01, 0.3, 1.2, -2.3, 30.2], 60),
]


@pytest.mark.parametrize(("function", "exact", "points", "ulps"), TAILS, ids=lambda v: getattr(v, "__name__", None))
def test_relative_accuracy(function: Any, exact: Callable[[Any], Any], points: list[float], ulps: float) -> None:
    for x in points:
        (got,) = backward(call(function, ...), x)
        expected = exact(mp.mpf(x))
        assert abs(mp.mpf(got) - expected) <= ulps * EPS * abs(expected), (x, got, float(expected))


SECOND: list[tuple[Any, Callable[[Any], Any], list[float], float]] = [
    (np.tanh, lambda x: -2 * mp.tanh(x) * mp.sech(x) ** 2, [1e-20, 0.5, 20.0, -300.0], 12),
    (np.sinc, lambda x: mp.diff(mp.sincpi, x, 2), [0.01, 0.3, 1.2, 30.2], 100),
    (math.lgamma, lambda x: mp.polygamma(1, x), [1e-8, 0.5, 3.0, 30.5, 1e8, -0.5, -3.3], 50),
]


@pytest.mark.parametrize(("function", "exact", "points", "ulps"), SECOND, ids=lambda v: getattr(v, "__name__", None))
def test_relative_accuracy_of_second_derivatives(
    function: Any, exact: Callable[[Any], Any], points: list[float], ulps: float
) -> None:
    for x in points:
        (got,) = backward(call(function, ...), x, order=2)
        expected = exact(mp.mpf(x))
        assert abs(mp.mpf(got) - expected) <= ulps * EPS * abs(expected), (x, got, float(expected))


@pytest.mark.parametrize(("gap", "slope"), [(0.0, 0.5), (40.0, 1.0), (-40.0, None), (-700.0, None), (900.0, 1.0)])
def test_logaddexp_in_its_tails(gap: float, slope: float | None) -> None:
    exact = 1 / (1 + mp.exp(-mp.mpf(gap)))
    (got, _) = backward(call(np.logaddexp, ..., ...), gap, 0.0)
    assert abs(got - exact) <= 4 * EPS * exact
    assert slope is None or got == slope
