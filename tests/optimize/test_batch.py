"""Many starting points at once: each as if solved alone."""

from __future__ import annotations

import math

import numpy as np
import pytest

from srcgrad import ArgumentError, OptimizeResult, UnsupportedError, gradient_descent, minimize, newton


def f(x, a):
    return x - a * math.cos(x)


def circle(x, radius):
    return np.array([x[0] ** 2 + x[1] ** 2 - radius**2, x[0] - x[1]])


def rosenbrock(x, a):
    return (1.0 - x[0]) ** 2 + a * (x[1] - x[0] ** 2) ** 2


def square(x, a):
    return np.sum((x - a) ** 2)


def alone(solve, fun, starts, args, **options):
    each = [solve(fun, start, args, jit=False, **options) for start in starts]
    return OptimizeResult(*(np.array([getattr(r, name) for r in each]) for name in OptimizeResult._fields))


CASES = [
    (newton, f, np.array([0.3, 1.0, 2.5]), (1.3,), {}),
    (newton, f, np.array([0.3, 1.0], np.float32), (1.3,), {"tol": 1e-6}),
    (newton, circle, np.array([[1.0, 0.5], [2.0, 3.0], [0.0, 0.0]]), (5.0,), {}),
    (gradient_descent, square, np.array([0.3, 1.0, 2.5]), (1.3,), {"maxiter": 20}),
    (gradient_descent, square, np.arange(12.0).reshape(3, 2, 2), (1.3,), {"maxiter": 20, "momentum": 0.5}),
    (gradient_descent, rosenbrock, np.array([[-1.0, 1.0], [1.0, 1.0]]), (5.0,), {"tol": 1e-2}),
    (minimize, rosenbrock, np.array([[-1.0, 1.0], [1.0, 1.0], [2.0, -1.0]]), (5.0,), {"method": "newton"}),
    (minimize, rosenbrock, np.array([[-1.0, 1.0], [1.0, 1.0], [2.0, -1.0]]), (5.0,), {"method": "bfgs"}),
    (minimize, rosenbrock, np.array([[-1.0, 1.0], [1.0, 1.0], [2.0, -1.0]]), (5.0,), {"method": "lbfgs"}),
    (minimize, rosenbrock, np.array([[-1.0, 1.0], [2.0, -1.0]]), (5.0,), {"method": "adam", "maxiter": 30}),
]


@pytest.mark.parametrize(("solve", "fun", "starts", "args", "options"), CASES)
def test_each_as_alone(solve, fun, starts, args, options):
    before = starts.copy()
    got, want = solve(fun, starts, args, batch=True, jit=False, **options), alone(solve, fun, starts, args, **options)
    assert isinstance(got, OptimizeResult) and np.array_equal(starts, before)
    assert got.x.dtype == starts.dtype and got.x.shape == starts.shape
    for name in ("nit", "success", "message", "nfev"):
        assert getattr(got, name).tolist() == getattr(want, name).tolist()
    np.testing.assert_allclose(got.x, want.x, rtol=1e-12)
    np.testing.assert_allclose(got.fun, want.fun, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("case", [CASES[0], CASES[2]])
def test_compiled(case):
    solve, fun, starts, args, options = case
    got, want = (solve(fun, starts, args, batch=True, jit=jit, **options) for jit in (True, False))
    np.testing.assert_allclose(got.x, want.x, rtol=1e-14)
    assert got.success.tolist() == want.success.tolist() and got.nit.tolist() == want.nit.tolist()


def test_none():
    result = newton(f, np.zeros(0), (1.0,), batch=True, jit=False)
    assert [v.shape for v in result] == [(0,)] * 6


def test_refused():
    with pytest.raises(ArgumentError, match="array of starting points"):
        newton(f, 1.0, (1.0,), batch=True, jit=False)
    with pytest.raises(UnsupportedError, match="no history"):
        newton(f, np.ones(2), (1.0,), batch=True, history=True, jit=False)
