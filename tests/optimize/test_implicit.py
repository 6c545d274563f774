"""Solvers in functions that are differentiated, by the implicit function theorem: against formulas and differences."""

from __future__ import annotations

import numpy as np
import pytest

import srcgrad as sg

MODES = ["forward", "reverse"]
A = np.array([5.0, 1.0])


def square(x, a):
    return x * x - a


def circle(x, a):
    return np.array([x[0] ** 2 + x[1] ** 2 - a[0] ** 2, x[0] - x[1] + a[1]])


def bowl(x, target, w):
    return (x[0] - target[0]) ** 2 * w + (x[1] - x[0] * target[1]) ** 2 + 0.1 * x[1] ** 4


def root(a):
    return sg.newton(square, 1.0, (a,)).x


def corner(a):
    result = sg.newton(circle, np.array([1.0, 0.5]), args=(a,), maxiter=30)
    return result.x[0] * result.x[1] ** 2 + np.sum(result.fun)


def least(target, w):
    result = sg.minimize(bowl, np.zeros(2), (target, w), method="bfgs", tol=1e-11)
    return result.x[0] * result.x[1] + 3.0 * result.fun


def corner_by_formula(a):
    """x[1] = x[0] + a[1], on the circle of radius a[0]."""
    x = (-a[1] + np.sqrt(2.0 * a[0] ** 2 - a[1] ** 2)) / 2.0
    return x * (x + a[1]) ** 2


@pytest.mark.parametrize("mode", MODES)
def test_square_root(mode):
    assert sg.grad(root, mode=mode, jit=False)(4.0) == pytest.approx(0.25, rel=1e-14)
    assert sg.grad(sg.grad(root, mode=mode), jit=False)(4.0) == pytest.approx(-1.0 / 32.0, rel=1e-13)


@pytest.mark.parametrize("mode", MODES)
def test_system(mode):
    got, want = sg.grad(corner, mode=mode, jit=False)(A), sg.grad(corner_by_formula, jit=False)(A)
    np.testing.assert_allclose(got, want, rtol=1e-12)
    again, expected = (sg.jacrev(sg.grad(f, mode=mode), jit=False)(A) for f in (corner, corner_by_formula))
    np.testing.assert_allclose(again, expected, rtol=1e-11)


def test_hessian():
    np.testing.assert_allclose(
        sg.hessian(corner, jit=False)(A), sg.hessian(corner_by_formula, jit=False)(A), rtol=1e-11
    )


@pytest.mark.parametrize("mode", MODES)
def test_minimum(mode):
    target, w = np.array([2.0, 0.7]), 1.5
    solve = sg.minimize

    def value(target, w):
        result = solve(bowl, np.zeros(2), (target, w), tol=1e-12, jit=False)
        return result.x[0] * result.x[1] + 3.0 * result.fun

    target_bar, w_bar = sg.grad(least, (0, 1), mode=mode, jit=False)(target, w)
    step = 1e-5
    for k in range(2):
        e = step * np.eye(2)[k]
        assert target_bar[k] == pytest.approx((value(target + e, w) - value(target - e, w)) / (2 * step), rel=1e-6)
    assert w_bar == pytest.approx((value(target, w + step) - value(target, w - step)) / (2 * step), rel=1e-6)


@pytest.mark.parametrize("mode", MODES)
def test_matrix(mode):
    def target_of(a):
        return np.sum(sg.gradient_descent(weighted, np.zeros((2, 2)), (a,), lr=0.1, maxiter=300).x ** 3)

    a = np.array([[1.0, 2.0], [3.0, 0.5]])
    np.testing.assert_allclose(sg.grad(target_of, mode=mode, jit=False)(a), 3.0 * a**2, rtol=1e-9)


def weighted(x, a):
    return np.sum((x - a) ** 2 * (1.0 + a))


def test_where_to_start_does_not_matter():
    assert sg.grad(lambda x0: sg.newton(square, x0, (2.0,)).x, jit=False)(1.0) == 0.0
    assert sg.grad(lambda lr: sg.gradient_descent(square, 1.0, (2.0,), lr=lr).x, jit=False)(0.1) == 0.0


def test_lambdas():
    """What they take from around them is an argument of the solver like others."""
    assert sg.grad(lambda a: sg.newton(lambda x, a: x**3 - a, 1.0, a).x, jit=False)(8.0) == pytest.approx(1.0 / 12.0)

    def around(a):
        return sg.newton(lambda x: x * x - a, 1.0).x

    assert sg.grad(around, jit=False)(2.0) == pytest.approx(0.5 / 2.0**0.5)


def test_value_in_other_code():
    assert sg.jvp(root, (4.0,), (1.0,), jit=False) == (2.0, 0.25)


def test_too_often():
    with pytest.raises(sg.UnsupportedError, match="none of this order"):
        sg.grad(sg.grad(sg.grad(root)), jit=False)(4.0)
    with pytest.raises(sg.UnsupportedError, match="without history"):
        sg.grad(lambda a: sg.newton(square, 1.0, (a,), history=True).x, jit=False)(4.0)


def test_compiled():
    assert sg.grad(root)(4.0) == pytest.approx(0.25, rel=1e-14)
