"""Special functions against mpmath: values and derivatives over their ranges; domains and limits as SciPy's."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.special as sp

import srcgrad.rules  # noqa: F401
from srcgrad import grad, stop_gradient
from srcgrad.core.ir import Let
from srcgrad.core.run import run
from srcgrad.errors import UnsupportedError
from srcgrad.printer import templates
from tests.numeric.exact import INF, NAN, mp, scaled_erfc, ulps
from tests.rules.core_functions import backward, call, program

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
    assert isinstance(stmt, Let)
    code, helpers = templates.expanded(stmt.op, (stmt.args[0].type,), dict(stmt.params))
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
