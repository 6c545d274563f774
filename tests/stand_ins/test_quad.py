"""`quad` of SciPy inside functions: its values, and derivatives by parameters and limits."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import special
from scipy.integrate import dblquad, quad, solve_bvp

import srcgrad as sg
from srcgrad.testing import check_grads


def damped(x: float, a: float, b: float) -> float:
    return math.exp(-a * x) * math.sin(b * x)


def of_parameters_and_limits(a: float, b: float) -> float:
    return quad(damped, a * b, a + b, args=(a, b))[0]


def over_all(a: float, b: float) -> float:
    return quad(lambda x, p: np.exp(-p[0] * x * x - p[1] * x**4), -np.inf, np.inf, args=(np.array([a, b]),))[0]


def upwards(a: float, b: float) -> float:
    return quad(lambda x: x**b * math.exp(-x), a, math.inf)[0]


def downwards(a: float, b: float) -> float:
    return quad(lambda x: math.exp(b * x), -np.inf, a)[0]


def backwards(a: float, b: float) -> float:
    return quad(lambda x: math.cos(a * x), b, 0.2)[0]


def of_an_integral(a: float, b: float) -> float:
    return quad(lambda x: quad(lambda y: math.exp(-a * x * y), 0.0, x)[0], 0.0, b)[0]


PROGRAMS = [of_parameters_and_limits, over_all, upwards, downwards, backwards]


@pytest.mark.parametrize("fun", PROGRAMS, ids=lambda f: f.__name__)
def test_right(fun: Callable[..., Any]) -> None:
    assert sg.compiled(fun, jit=False)(0.7, 1.3) == pytest.approx(fun(0.7, 1.3), rel=1e-9)
    check_grads(fun, (0.7, 1.3))


@pytest.mark.parametrize("mode", [sg.grad, sg.jacfwd])
def test_second_order(mode: Callable[..., Any]) -> None:
    """Of a limit that is a parameter too, by Leibniz twice."""
    fun = lambda a: quad(lambda x: math.exp(-a * x), 0.2, a)[0]  # noqa: E731
    a, e = 0.7, math.exp
    exact = -a * e(-a * a) - 2.0 * a * e(-a * a) + quad(lambda x: x * x * e(-a * x), 0.2, a)[0]
    assert mode(sg.grad(fun, jit=False), jit=False)(a) == pytest.approx(exact, rel=1e-9)


def test_of_an_integral() -> None:
    value, (by_a, by_b) = sg.value_and_grad(of_an_integral, (0, 1), jit=False)(0.7, 1.3)
    assert value == pytest.approx(of_an_integral(0.7, 1.3), rel=1e-12)
    assert by_b == pytest.approx((1.0 - math.exp(-0.7 * 1.3**2)) / (0.7 * 1.3), rel=1e-12)
    h = 1e-5
    assert by_a == pytest.approx((of_an_integral(0.7 + h, 1.3) - of_an_integral(0.7 - h, 1.3)) / (2.0 * h), rel=1e-8)


def test_where_the_slope_is_harder_than_the_value() -> None:
    """The panels are fine enough for the derivative where the function itself is nothing, or cancels."""
    slope = sg.grad(lambda a, b: quad(lambda x: (a - b) * math.sin(300.0 * x), 0.0, 1.0)[0], (0, 1), jit=False)(
        0.5, 0.5
    )
    exact = (1.0 - math.cos(300.0)) / 300.0
    assert slope == pytest.approx((exact, -exact), rel=1e-7)


def test_corners_and_singular_ends() -> None:
    corner = sg.grad(lambda a, b: quad(lambda x: abs(x - a), 0.0, b)[0], (0, 1), jit=False)(0.3, 1.1)
    assert corner == pytest.approx((0.3 - 0.8, 0.8), abs=1e-7)
    beta = sg.grad(lambda a, b: quad(lambda x: x ** (a - 1.0) * (1.0 - x) ** (b - 1.0), 0.0, 1.0)[0], jit=False)
    psi = special.digamma
    assert beta(0.5, 0.6) == pytest.approx(special.beta(0.5, 0.6) * (psi(0.5) - psi(1.1)), rel=1e-6)
    sinc = sg.grad(lambda a: quad(lambda x: math.sin(x) / x if x != 0.0 else math.nan, a, 2.0)[0], jit=False)
    assert sinc(0.0) == pytest.approx(-1.0, rel=1e-12)


def test_an_empty_interval() -> None:
    value, slope = sg.value_and_grad(lambda b: quad(lambda x: math.exp(x), 0.4, b)[0], jit=False)(0.4)
    assert value == 0.0 and slope == pytest.approx(math.exp(0.4), rel=1e-12)


def test_the_error_is_told() -> None:
    value, error = sg.compiled(lambda a: quad(lambda x: abs(x - a) ** 0.5, 0.0, 1.0), jit=False)(0.3)
    exact = (0.3**1.5 + 0.7**1.5) / 1.5
    assert abs(value - exact) <= error <= 1e-7
    _, error = sg.compiled(lambda a: quad(lambda x: math.sin(1e3 * x + a), 0.0, 1.0, limit=2), jit=False)(0.3)
    assert error > 1e-3


def test_compiled() -> None:
    value, slope = sg.value_and_grad(of_parameters_and_limits, (0, 1))(0.7, 1.3)
    assert value == pytest.approx(of_parameters_and_limits(0.7, 1.3), rel=1e-12)
    assert slope == pytest.approx(sg.grad(of_parameters_and_limits, (0, 1), jit=False)(0.7, 1.3), rel=1e-10)


def weighted(a: float) -> float:
    return quad(lambda x: x * a, 0.0, 1.0, weight="cos", wvar=2.0)[0]


def over_an_area(a: float) -> float:
    return dblquad(lambda y, x: x * y * a, 0.0, 1.0, 0.0, 1.0)[0]


def between_ends(a: float) -> float:
    return solve_bvp(lambda x, y: y * a, lambda p, q: p - q, np.zeros(2), np.zeros((1, 2))).y[0, 0]


@pytest.mark.parametrize(
    ("fun", "text"),
    [
        (weighted, "write the weight into the function"),
        (over_an_area, "use quad of a quad"),
        (between_ends, "use sg.newton on the equations"),
    ],
)
def test_refused(fun: Callable[..., float], text: str) -> None:
    with pytest.raises(sg.SrcgradError) as caught:
        sg.grad(fun, jit=False)(2.0)
    told = " ".join(str(caught.value).split())
    assert text in told and "test_quad.py" in told
