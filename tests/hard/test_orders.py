"""Higher orders through the public functions, against numerical and analytic values."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

import srcgrad as sg


def nested(x, a):
    s = x
    for i in range(len(a)):
        for j in range(i):
            if s * a[j] > 0.2:
                s = s * 0.6 + math.sin(x * a[i])
            else:
                s = s + x * math.exp(-s) * a[j]
            a[j] = a[j] * s
    return s


def power_by_loop(x, n):
    s = 1.0
    for _ in range(n):
        if s > 0.0:
            s = s * x
        else:
            s = x * s
    return s


def central(f, x, h=1e-3):
    """Derivative by central differences, extrapolated twice."""
    rows = [(f(x + h * k) - f(x - h * k)) / (2 * h * k) for k in (1, 2, 4)]
    first = [(4 * p - q) / 3 for p, q in itertools.pairwise(rows)]
    return (16 * first[0] - first[1]) / 15


A = np.array([0.4, 0.9, -0.3, 0.7])


def test_adjoint_of_adjoint_against_numerical() -> None:
    numerical = central(lambda x: central(lambda y: nested(y, A.copy()), x), 0.8)
    assert sg.grad(sg.grad(nested, jit=False), jit=False)(0.8, A) == pytest.approx(numerical, rel=1e-6)


def test_hessian_of_written_array_against_numerical() -> None:
    hessian = sg.hessian(nested, argnums="a", jit=False)(0.8, A)
    gradient = sg.grad(nested, argnums="a", jit=False)
    numerical = np.array([central(lambda t, k=k: gradient(0.8, A + t * np.eye(4)[k]), 0.0) for k in range(4)])
    assert np.allclose(hessian, numerical, rtol=1e-6, atol=1e-8)
    assert np.allclose(hessian, hessian.T, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("modes", ["rrr", "rff", "frf", "ffr", "fff"])
def test_third_order_against_analytic(modes: str) -> None:
    f = power_by_loop
    for mode in modes:
        f = sg.grad(f, mode={"r": "reverse", "f": "forward"}[mode], jit=False)
    assert f(1.3, 6) == pytest.approx(6 * 5 * 4 * 1.3**3, rel=1e-13)


def test_fifth_order() -> None:
    f = math_only
    for _ in range(5):
        f = sg.grad(f, jit=False)
    assert f(0.7) == pytest.approx(math.cos(0.7) + 120 * 6 * 0.7, rel=1e-12)


def math_only(x):
    return math.sin(x) + x**6


def test_third_order_compiled() -> None:
    assert sg.grad(sg.grad(sg.grad(power_by_loop)))(1.3, 6) == pytest.approx(6 * 5 * 4 * 1.3**3, rel=1e-13)
