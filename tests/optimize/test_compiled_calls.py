"""Solvers called from compiled code: by place and by keyword, with the types resolved where the call is compiled."""

from __future__ import annotations

import math

import numba
import numpy as np
import pytest

import srcgrad as sg


@numba.njit
def f(x, a):
    return x - a * math.cos(x)


@numba.njit
def distance(x, target):
    s = 0.0
    for i in range(x.shape[0]):
        s += (x[i] - target[i]) ** 2
    return s


@sg.grad
def slope(x):
    return (x - 2.0) ** 2


@numba.njit
def roots(starts, a):
    out = np.empty(len(starts))
    for i in range(len(starts)):
        out[i] = sg.newton(f, starts[i], (a,)).x
    return out


@numba.njit
def chosen(start, a, steps):
    return sg.newton(f, start, args=(a,), tol=1e-3, maxiter=steps)


@numba.njit
def of_a_derivative(start):
    return sg.newton(slope, start)


@numba.njit
def descent(start, target):
    first = sg.gradient_descent(distance, start, (target,), lr=0.1, momentum=0.1, maxiter=200)
    return sg.minimize(distance, first.x, (target,), method="gradient-descent", lr=0.2, tol=1e-9, history=True)


def test_newton():
    """Also from an integer, which is a float to start from."""
    np.testing.assert_allclose(roots(np.array([0.5, 1.0, 1.5]), 1.0), 0.7390851332151607, rtol=1e-15)
    assert chosen(1, 1.0, 50) == sg.newton(f, 1, (1.0,), tol=1e-3, jit=False)
    assert chosen(1.0, 1.0, 1).nit == 1 and not chosen(1.0, 1.0, 1).success


def test_what_comes_back():
    result = chosen(1.0, 1.0, 50)
    assert isinstance(result, sg.OptimizeResult) and result.success is True
    assert of_a_derivative(5.0).x == 2.0


def test_descent():
    target = np.array([1.0, 2.0])
    result = descent(np.zeros(2), target)
    np.testing.assert_allclose(result.x, target, atol=1e-9)
    assert result.success and result.history.shape == (result.nit + 1,)


def test_refused():
    @numba.njit
    def wrong():
        return sg.minimize(distance, np.zeros(2), (np.ones(2),), method="simplex")

    with pytest.raises(sg.ArgumentError, match="there is no method 'simplex'"):
        wrong()
