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


def both(x, a, b):
    return np.array([x[0] ** 2 - a * x[1], x[1] - np.sum(b)])


A, B = np.array([0.5, 1.3, 2.0]), np.arange(1.0, 7.0).reshape(2, 3)
AXES = [
    (newton, f, 1.0, (A,), (None, 0), {}),
    (newton, f, np.array([0.3, 1.0, 2.5]), (A,), (0, 0), {}),
    (newton, f, np.array([0.3, 1.0, 2.5]), (1.3,), (0, None), {}),
    (newton, f, np.float32(1.0), (A.astype(np.float32),), (None, 0), {"tol": 1e-6}),
    (newton, both, np.ones((2, 3)), (A, B), (1, 0, 1), {}),
    (newton, both, np.ones(2), (1.5, B), (None, None, -1), {}),
    (gradient_descent, square, np.ones(4), (A,), (None, 0), {"maxiter": 20}),
    (gradient_descent, square, 2.0, (A,), (None, 0), {"maxiter": 20, "momentum": 0.3}),
    (minimize, rosenbrock, np.array([-1.0, 1.0]), (A,), (None, 0), {"method": "newton"}),
    (minimize, rosenbrock, np.array([-1.0, 1.0]), (A,), (None, 0), {"method": "bfgs"}),
    (minimize, rosenbrock, np.array([[-1.0, 1.0, 2.0], [1.0, 1.0, -1.0]]), (A,), (1, 0), {"method": "lbfgs"}),
    (minimize, rosenbrock, np.array([-1.0, 1.0]), (A,), (None, 0), {"method": "adam", "maxiter": 20}),
]


def one_by_one(solve, fun, x0, args, axes, options):
    def at(value, axis, k):
        return value if axis is None else np.take(value, k, axis)

    count = 3
    return [
        solve(fun, at(x0, axes[0], k), tuple(map(at, args, axes[1:], [k] * 3)), jit=False, **options)
        for k in range(count)
    ]


@pytest.mark.parametrize(("solve", "fun", "x0", "args", "axes", "options"), AXES)
def test_axes(solve, fun, x0, args, axes, options):
    """Arguments of their own for each problem, along any axis, from starts of their own or from one."""
    got, want = solve(fun, x0, args, batch=axes, jit=False, **options), one_by_one(solve, fun, x0, args, axes, options)
    assert isinstance(got, OptimizeResult) and got.x.dtype == np.asarray(x0).dtype
    for name in ("x", "fun", "nit", "success", "nfev"):
        each = np.array([getattr(r, name) for r in want])
        assert getattr(got, name).shape == each.shape
        np.testing.assert_allclose(
            getattr(got, name), each, rtol=1e-12 if got.x.dtype == np.float64 else 1e-5, atol=1e-14
        )


def test_arguments_that_are_structures():
    def g(x, p, c):
        return x**2 - p["a"][0] * p["b"] - c

    p = {"a": np.arange(6.0).reshape(3, 2) + 1.0, "b": np.ones(3)}
    found = newton(g, 1.0, (p, 3.0), batch=(None, 0, None), jit=False)
    np.testing.assert_allclose(found.x, np.sqrt(p["a"][:, 0] + 3.0))


def test_axes_compiled():
    a = np.linspace(0.5, 1.5, 1000)
    found = newton(f, 1.0, a, batch=(None, 0))
    assert found.success.all() and np.allclose(found.x, a * np.cos(found.x), rtol=1e-13)
    assert newton(f, 1.0, (a[:0],), batch=(None, 0), jit=False).x.shape == (0,)


def test_axes_refused():
    for axes, message in [
        ((0,), "1 entry for x0 and 1 in args"),
        ((None, None), "maps nothing"),
        ((0, 0.5), "neither True nor a tuple"),
        ("both", "neither True nor a tuple"),
        ((0, 1), "args.0. is mapped along axis 1"),
    ]:
        with pytest.raises(ArgumentError, match=message):
            newton(f, np.ones(3), (A,), batch=axes, jit=False)
    with pytest.raises(ArgumentError, match="what is mapped has 2 and 3 entries"):
        newton(f, np.ones(2), (A,), batch=(0, 0), jit=False)
    with pytest.raises(ArgumentError, match="array of starting points"):
        newton(f, 1.0, (A,), batch=(0, 0), jit=False)
