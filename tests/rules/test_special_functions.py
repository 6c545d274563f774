"""Special functions against mpmath: values and derivatives over their ranges; domains and limits as SciPy's."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product
from typing import Any

import mpmath
import numpy as np
import pytest
import scipy.special as sp

import srcgrad.rules  # noqa: F401
from srcgrad import grad, stop_gradient
from srcgrad.core.ir import Let
from srcgrad.core.run import run
from srcgrad.errors import UnsupportedError
from srcgrad.rules.special import bessel, gammas, incomplete, logistic, normal
from tests.rules.core_functions import backward, call, program

mp = mpmath.mp.clone()
mp.dps = 50
EPS = float(np.finfo(float).eps)
INF, NAN = math.inf, math.nan
TINY = [1e-300, 1e-12, 1e-3]


def ulps(got: float, exact: Any, scale: Any = None) -> float:
    return float(abs(mp.mpf(float(got)) - exact) / abs(exact if scale is None else scale)) / EPS


def scaled_erfc(x: Any, order: int) -> Any:
    with mp.workdps(120):
        before, here = 2 / mp.sqrt(mp.pi), mp.exp(x * x) * mp.erfc(x)
        for n in range(1, order + 1):
            before, here = here, (before - 2 * x * here) / (2 * n)
        return (-2) ** order * mp.factorial(order) * here


def gap(a: int, b: Any) -> Any:
    with mp.workdps(400):
        return mp.digamma(a + b) - mp.digamma(a)


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
    (lambda b: gammas.betaln(3e5, b), lambda b: mp.log(mp.beta(3e5, b)), [1e-9, 0.4, 9.0, 11.0, 1e4, 1e8], 8),
    (lambda b: gammas.digamma_gap(3.0, b), lambda b: gap(3, b), [*TINY, 0.4, 9.0, 1e8], 8),
    (lambda b: gammas.digamma_gap(40.0, b), lambda b: gap(40, b), [*TINY, 0.4, 9.0, 1e8], 8),
]


@pytest.mark.parametrize(("function", "exact", "points", "bound"), VALUES)
def test_accuracy_of_what_is_carried(function: Any, exact: Any, points: list[float], bound: float) -> None:
    for x in points:
        assert ulps(function(np.float64(x)), exact(mp.mpf(x))) <= bound, x


@pytest.mark.parametrize("n", [0, 1, 4])
def test_oscillating_functions(n: int) -> None:
    """Relative to the amplitude: their zeros are where rounding of x decides."""
    for x in [1e-9, 1e-3, 0.5, 2.4, 8.0, 24.9, 25.1, 33.1, 1e3]:
        j, y = mp.besselj(n, x), mp.bessely(n, x)
        assert ulps(bessel.bessel_j(n, np.float64(x)), j, mp.hypot(j, y) if x > 1 else j) <= 30, x
        assert ulps(bessel.bessel_y(n, np.float64(x)), y, mp.hypot(j, y)) <= 40, x


SLOPES: list[tuple[Any, Callable[[Any], Any], list[float], float]] = [
    (sp.expit, lambda x: mp.exp(-x) / (1 + mp.exp(-x)) ** 2, [-700.0, -3.0, 0.5, 40.0, 700.0], 8),
    (sp.log_expit, lambda x: 1 / (1 + mp.exp(x)), [-700.0, -3.0, 0.5, 40.0, 700.0], 4),
    (sp.logit, lambda p: 1 / (p * (1 - p)), [1e-300, 0.3, 1 - 1e-15], 4),
    (sp.entr, lambda x: -mp.log(x) - 1, [1e-300, 0.3, 2.0, 1e300], 8),
    (sp.log_ndtr, lambda x: mp.npdf(x) / mp.ncdf(x), [-1e3, -37.0, -1.01, -0.9, 0.5, 9.0, 37.0], 8),
    (sp.ndtr, mp.npdf, [-9.0, -1.0, 0.5, 9.0], 150),
    (sp.erfinv, lambda x: mp.sqrt(mp.pi) / 2 * mp.exp(mp.erfinv(x) ** 2), [1e-300, 0.3, 0.999], 30),
    (sp.gammaln, mp.digamma, [1e-8, 0.5, 30.5, 1e8], 40),
    (sp.psi, lambda x: mp.polygamma(1, x), [1e-8, 0.5, 30.5, 1e8, -0.5], 40),
    (sp.i0, lambda x: mp.besseli(1, x), [1e-9, 0.5, 5.0, 60.0, -5.0], 12),
    (sp.i1, lambda x: (mp.besseli(0, x) + mp.besseli(2, x)) / 2, [1e-9, 0.5, 5.0, 60.0, -5.0], 12),
    (sp.k1, lambda x: -(mp.besselk(0, x) + mp.besselk(2, x)) / 2, [1e-6, 0.5, 5.0, 60.0], 80),
    (sp.erfcx, lambda x: scaled_erfc(x, 1), [-5.0, 0.5, 1.5, 30.0], 8),
]


@pytest.mark.parametrize(("function", "exact", "points", "bound"), SLOPES, ids=lambda v: getattr(v, "__name__", None))
def test_accuracy_of_slopes(function: Any, exact: Any, points: list[float], bound: float) -> None:
    for x in points:
        (got,) = backward(call(function, ...), x)
        assert ulps(got, exact(mp.mpf(x))) <= bound, x


OF_ONE = [
    sp.expit, sp.log_expit, sp.logit, sp.entr, sp.erf, sp.erfc, sp.erfcx, sp.ndtr, sp.log_ndtr, sp.erfinv, sp.erfcinv,
    sp.ndtri, sp.psi, sp.gammaln, sp.i0, sp.i1, sp.i0e, sp.i1e, sp.j0, sp.j1, sp.y0, sp.y1, sp.k0, sp.k1, sp.k0e,
    sp.k1e,
]  # fmt: skip


@pytest.mark.parametrize("function", OF_ONE, ids=lambda f: f.__name__)
def test_limits_and_domains(function: Any) -> None:
    """What is printed gives what SciPy gives: at the ends, outside the domain, and for NaN."""
    fun = program(call(function, ...), 0.5)
    (stmt,) = fun.body
    assert isinstance(stmt, Let) and callable(stmt.op.template)
    text = stmt.op.template((stmt.args[0].type,), dict(stmt.params))
    code, helpers = text if isinstance(text, tuple) else (text, {})
    space: dict[str, Any] = {"np": np, "math": math}
    for source in helpers.values():
        exec(source, space)
    from_math = function in (sp.erf, sp.erfc, sp.gammaln)
    with np.errstate(all="ignore"):
        for x in (0.0, 0.5, 1.0, -0.5, NAN, *(() if from_math else (-1.0, 1.5, -2.0, 2.0, INF, -INF))):
            if from_math and x == 0.0:
                continue
            got = eval(code, {**space, "_0": np.float64(x)})
            np.testing.assert_allclose(got, function(x), rtol=1e-13, atol=1e-300, err_msg=str(x))


@pytest.mark.parametrize(
    ("function", "n"), [(sp.jv, 3), (sp.jv, -3), (sp.yn, 2), (sp.iv, -1), (sp.ive, 2), (sp.kn, 2), (sp.polygamma, 2)]
)
def test_orders(function: Any, n: int) -> None:
    x = 1.7
    assert run(program(call(function, n, ...), x), x)[0] == pytest.approx(float(function(n, x)), rel=1e-13)
    exact = (float(function(n, x + 1e-6)) - float(function(n, x - 1e-6))) / 2e-6
    assert backward(call(function, n, ...), x)[0] == pytest.approx(exact, rel=1e-8)


def test_orders_that_are_no_integers_are_refused() -> None:
    with pytest.raises(UnsupportedError, match="integer orders"):
        program(call(sp.jv, 0.5, ...), 1.0)


def test_where_products_with_logarithms_vanish() -> None:
    """At x = 0 the function is 0 for all y, but its mixed derivative is not."""
    assert backward(call(sp.xlogy, ..., ...), 0.0, 0.0) == (-INF, 0.0)
    assert backward(call(sp.xlogy, ..., ...), 0.0, 2.0, order=2) == (0.5, 0.5)
    assert backward(call(sp.xlog1py, ..., ...), 0.0, 1.0, order=2) == (0.5, 0.5)


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


def test_zeta_outside_its_domain() -> None:
    with pytest.raises(ValueError, match="x > 1"):
        grad(lambda q: sp.zeta(-0.5, q), jit=False)(1.0)


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_derivatives_by_orders_are_refused(mode: str) -> None:
    for fun in (lambda a: sp.gammainc(a, 0.3), lambda a: sp.betainc(2.0, a, 0.3), lambda a: sp.zeta(a, 0.3)):
        with pytest.raises(UnsupportedError, match="stop_gradient"):
            grad(fun, jit=False, mode=mode)(1.5)
    held = grad(lambda a, x: a * sp.gammainc(stop_gradient(a), x), (0, 1), jit=False, mode=mode)(1.5, 0.3)
    assert held[0] == pytest.approx(sp.gammainc(1.5, 0.3))


def test_bessel_functions_of_the_smallest_arguments() -> None:
    assert backward(call(sp.k0, ...), 1e-308)[0] == pytest.approx(-1e308)
    assert bessel.bessel_k_scaled(0, 1, np.float64(1e-300)) == pytest.approx(-1e300)
    assert bessel.bessel_k(2, np.float64(1e-100)) == pytest.approx(2e200)
