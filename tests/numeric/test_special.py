"""Special functions against mpmath over their ranges, without differentiation."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
import scipy.special as sp

from srcgrad.numeric import bessel, elementary, gamma, incomplete, logistic, normal
from tests.numeric.exact import INF, NAN, TINY, gap, mp, scaled_erfc, ulps

VALUES: list[tuple[Callable[..., float], Callable[[Any], Any], list[float], float]] = [
    (logistic.log_expit, lambda x: -mp.log1p(mp.exp(-x)), [-700.0, -3.0, 0.0, 3.0, 40.0, 700.0], 3),
    (logistic.logit, lambda p: mp.log(p / (1 - p)), [1e-300, 0.1, 0.3, 0.4999, 0.5001, 0.7, 0.9, 1 - 1e-15], 4),
    (normal.ndtr, mp.ncdf, [-37.0, -20.3, -5.5, -1.01, -0.9, 0.0, 3.0, 9.0], 4),
    (normal.log_ndtr, lambda x: mp.log(mp.ncdf(x)), [-1e3, -37.0, -1.01, -0.9, 0.0, 3.0], 4),
    (normal.log_ndtr, lambda x: mp.log1p(-mp.ncdf(-x)), [9.0, 20.3, 37.0], 4),
    (normal.erfinv, mp.erfinv, [*TINY, 0.3, 0.5, 0.7, 0.999, -1 + 1e-15], 4),
    (normal.ndtri, lambda p: mp.sqrt(2) * mp.erfinv(2 * p - 1), [1e-10, 0.1, 0.3, 0.499, 0.9, 1 - 1e-10], 4),
    (lambda x: normal.erfcx(x, 0), lambda x: scaled_erfc(x, 0), [-26.0, -1.0, 0.0, 0.9, 1.1, 1.9, 2.1, 30.0], 6),
    (lambda x: normal.erfcx(x, 2), lambda x: scaled_erfc(x, 2), [-26.0, -1.0, 0.0, 0.9, 1.1, 1.9, 2.1, 30.0], 12),
    (lambda x: bessel.bessel_i(1, x), lambda x: mp.besseli(1, x), [1e-9, 0.5, 5.0, 20.9, 21.1, 60.0, 705.0], 12),
    (
        lambda x: bessel.bessel_i_scaled(0, 1, x),
        lambda x: (mp.besseli(1, x) - mp.besseli(0, x)) * mp.exp(-x),
        [1e-9, 0.5, 5.0, 19.9, 20.1, 60.0, 1e3],
        12,
    ),
    (lambda x: bessel.bessel_k(0, x), lambda x: mp.besselk(0, x), [1e-9, 0.5, 5.0, 60.0, 600.0], 40),
    (lambda x: bessel.bessel_k(2, x), lambda x: mp.besselk(2, x), [1e-9, 0.5, 5.0, 60.0, 600.0], 100),
    (
        lambda x: bessel.bessel_k_scaled(1, 1, x),
        lambda x: (mp.besselk(1, x) - (mp.besselk(0, x) + mp.besselk(2, x)) / 2) * mp.exp(x),
        [1e-6, 0.5, 5.0, 60.0],
        40,
    ),
    (lambda b: gamma.betaln(3e5, b), lambda b: mp.log(mp.beta(3e5, b)), [1e-9, 0.4, 9.0, 11.0, 1e4, 1e8], 8),
    (lambda b: gamma.digamma_gap(3.0, b), lambda b: gap(3, b), [*TINY, 0.4, 9.0, 1e8], 8),
    (lambda b: gamma.digamma_gap(40.0, b), lambda b: gap(40, b), [*TINY, 0.4, 9.0, 1e8], 8),
]


@pytest.mark.parametrize(("function", "exact", "points", "bound"), VALUES)
def test_values(function: Any, exact: Any, points: list[float], bound: float) -> None:
    for x in points:
        assert ulps(function(np.float64(x)), exact(mp.mpf(x))) <= bound, x


@pytest.mark.parametrize("n", [0, 1, 4])
def test_oscillating_functions(n: int) -> None:
    """Relative to the amplitude: their zeros are where rounding of x decides."""
    for x in [1e-9, 1e-3, 0.5, 2.4, 8.0, 24.9, 25.1, 33.1, 1e3]:
        j, y = mp.besselj(n, x), mp.bessely(n, x)
        assert ulps(bessel.bessel_j(n, np.float64(x)), j, mp.hypot(j, y) if x > 1 else j) <= 30, x
        assert ulps(bessel.bessel_y(n, np.float64(x)), y, mp.hypot(j, y)) <= 40, x


ENDS = [0.0, 0.3, 1.0, 7.5, INF, NAN]


@pytest.mark.parametrize("helper", [incomplete.gammainc, incomplete.gammaincc], ids=lambda f: f.__name__)
def test_incomplete_gamma_functions_at_their_ends(helper: Any) -> None:
    for a, x in product([*ENDS[:-2], NAN], ENDS):
        with np.errstate(all="ignore"):
            got = helper(np.float64(a), np.float64(x))
        np.testing.assert_allclose(got, getattr(sp, helper.__name__)(a, x), rtol=1e-13, err_msg=f"{a}, {x}")


def test_the_incomplete_beta_function() -> None:
    for a, b, x in product([0.3, 2.5, 300.0], [1e-3, 0.7, 40.0], [0.0, 1e-5, 0.4, 0.93, 0.99, 1.0, NAN]):
        got = incomplete.betainc(*map(np.float64, (a, b, x)))
        exact = mp.betainc(a, b, 0, x, regularized=True) if x == x else NAN
        np.testing.assert_allclose(got, float(exact), rtol=1e-12, err_msg=f"{a}, {b}, {x}")


def test_bessel_functions_of_the_smallest_arguments() -> None:
    assert bessel.bessel_k_scaled(0, 1, np.float64(1e-300)) == pytest.approx(-1e300)
    assert bessel.bessel_k(2, np.float64(1e-100)) == pytest.approx(2e200)


@pytest.mark.parametrize("x", [1e-10, 0.3, 1.0, 4.5, 9.99, 10.0, 25.0, 1e10, -0.3, -7.7, -100.5])
def test_polygamma_functions(x: float) -> None:
    assert gamma.digamma(x) == pytest.approx(float(mp.digamma(x)), rel=1e-13)
    near_a_root = 1e-13 if x < 0 else 0.0
    for n in range(1, 7):
        assert gamma.polygamma(n, x) == pytest.approx(float(mp.polygamma(n, x)), rel=3e-13, abs=near_a_root), n


@pytest.mark.parametrize("x", [0.0, 1e-9, 0.1, 0.9, 1.6, -2.4, 5.5, 40.3])
def test_the_derivatives_of_sinc(x: float) -> None:
    for order in range(1, 7):
        exact = mp.diff(mp.sincpi, mp.mpf(x), order)
        scale = math.pi**order / (order + 1) / max(1.0, abs(x))
        assert abs(elementary.sinc_derivative(x, order) - exact) <= 1e-13 * scale, order
