"""Derivatives in SciPy's order of arguments, handed to SciPy's own functions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, optimize

import srcgrad as sg

X0, W = np.array([2.0, -1.0, 0.5]), np.array([1.0, 2.0, 3.0])


def weighted(x, w):
    """A second argument of the shape of the first."""
    return np.sum(w * (x - 1.0) ** 4) + np.sum(x**2 * w) + x[0] * x[1] * w[2]


def alone(x):
    return weighted(x, W)


def with_default(x, scale=2.0):
    return scale * weighted(x, W)


SECOND = [
    ("trust-ncg", "hessp"),
    ("Newton-CG", "hessp"),
    ("trust-krylov", "hessp"),
    ("trust-constr", "hessp"),
    ("trust-exact", "hess"),
    ("dogleg", "hess"),
    ("Newton-CG", "hess"),
]


@pytest.mark.parametrize(("method", "second"), SECOND)
@pytest.mark.parametrize(("fun", "args"), [(weighted, (W,)), (alone, ()), (with_default, ()), (with_default, (3.0,))])
def test_minimize(fun, args, method, second):
    d = sg.scipy_derivatives(fun, jit=False)
    best = optimize.minimize(fun, X0, args=args, method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-12}).x
    got = optimize.minimize(d.fun, X0, args=args, jac=d.jac, method=method, **{second: getattr(d, second)})
    np.testing.assert_allclose(got.x, best, atol=1e-4)
    assert got.success


@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B", "CG", "SLSQP", "TNC"])
def test_value_and_gradient_at_once(method):
    d = sg.scipy_derivatives(weighted, jit=False)
    pair = optimize.minimize(d.fun_and_jac, X0, args=(W,), jac=True, method=method)
    each = optimize.minimize(d.fun, X0, args=(W,), jac=d.jac, method=method)
    np.testing.assert_allclose(pair.x, each.x, rtol=1e-12)
    np.testing.assert_allclose(d.jac(pair.x, W), 0.0, atol=1e-2)


def test_products_with_the_hessian():
    """In both orders, and what comes of SciPy's order in hvp, which is the reason for all this."""
    d, p = sg.scipy_derivatives(weighted, jit=False), np.array([0.3, -2.0, 1.0])
    want = sg.hessian(weighted, jit=False)(X0, W) @ p
    np.testing.assert_allclose(d.hess(X0, W) @ p, want, rtol=1e-13)
    np.testing.assert_allclose(d.hessp(X0, p, W), want, rtol=1e-13)
    np.testing.assert_allclose(d.hessp(X0, p, w=W), want, rtol=1e-13)
    np.testing.assert_allclose(sg.hvp(weighted, jit=False)(X0, W, p), want, rtol=1e-13)
    assert not np.allclose(sg.hvp(weighted, jit=False)(X0, p, W), want)
    np.testing.assert_allclose(d.hessp(X0, np.array([1, 0, 0]), W), d.hess(X0, W)[:, 0], rtol=1e-13)


@pytest.mark.parametrize("wrong", [2.0, np.ones(2), np.ones((3, 3)), (W, W)])
def test_a_vector_that_does_not_come_last(wrong):
    with pytest.raises(sg.ArgumentError, match=r"the vector comes last.*scipy_derivatives"):
        sg.hvp(lambda x, w: np.sum(x**3) * np.sum(w), jit=False)(X0, X0, wrong)


def circle(x, a):
    return np.array([x[0] ** 2 + x[1] ** 2 - a, x[0] - x[1]])


def circle_of_a_list(x, a):
    return [x[0] ** 2 + x[1] ** 2 - a, x[0] - x[1]]


def circle_of_a_tuple(x, a):
    return x[0] ** 2 + x[1] ** 2 - a, x[0] - x[1]


@pytest.mark.parametrize("fun", [circle, circle_of_a_list, circle_of_a_tuple])
def test_systems(fun):
    d, x0 = sg.scipy_derivatives(fun, jit=False), np.array([1.0, 0.5])
    np.testing.assert_array_equal(d.jac(x0, 2.0), [[2.0, 1.0], [1.0, -1.0]])
    for method in ("hybr", "lm"):
        np.testing.assert_allclose(optimize.root(d.fun, x0, args=(2.0,), jac=d.jac, method=method).x, 1.0, rtol=1e-8)
    np.testing.assert_allclose(optimize.root(d.fun_and_jac, x0, args=(2.0,), jac=True).x, 1.0, rtol=1e-8)
    for method in ("trf", "dogbox", "lm"):
        got = optimize.least_squares(d.fun, x0, jac=d.jac, args=(2.0,), method=method)
        np.testing.assert_allclose(got.x, 1.0, rtol=1e-7)
    got = optimize.least_squares(d.fun, x0, jac=d.jac, kwargs={"a": 2.0})
    np.testing.assert_allclose(got.x, 1.0, rtol=1e-7)


def decay(t, a, rate):
    return a * np.exp(-rate * t) + 0.1 * rate


def decay_of_an_array(t, p):
    return p[0] * np.exp(-p[1] * t) + 0.1 * p[1]


@pytest.mark.parametrize("argnums", [(1, 2), ("a", "rate")])
def test_curve_fit(argnums):
    d, t = sg.scipy_derivatives(decay, argnums, jit=False), np.linspace(0.0, 2.0, 20)
    y = decay(t, 2.0, 1.3)
    assert d.jac(t, 1.0, 1.0).shape == (20, 2)
    got, covariance = optimize.curve_fit(d.fun, t, y, p0=[1.0, 1.0], jac=d.jac, sigma=np.full(20, 0.1))
    want, other = optimize.curve_fit(decay, t, y, p0=[1.0, 1.0], sigma=np.full(20, 0.1))
    np.testing.assert_allclose(got, want, rtol=1e-6)
    np.testing.assert_allclose(covariance, other, atol=1e-6)
    e = sg.scipy_derivatives(decay_of_an_array, 1, jit=False)
    np.testing.assert_allclose(e.jac(t, np.array([1.0, 1.0])), d.jac(t, 1.0, 1.0), rtol=1e-14)


def reaction(t, y, k):
    return np.array([-k * y[0] + y[1] * y[2], k * y[0] - y[1] * y[2] - 30.0 * y[1] ** 2, 30.0 * y[1] ** 2])


def reaction_of_a_list(t, y, k):
    return [-k * y[0] + y[1] * y[2], k * y[0] - y[1] * y[2] - 30.0 * y[1] ** 2, 30.0 * y[1] ** 2]


@pytest.mark.parametrize("method", ["Radau", "BDF", "LSODA"])
@pytest.mark.parametrize("fun", [reaction, reaction_of_a_list])
def test_solve_ivp(fun, method):
    d = sg.scipy_derivatives(fun, 1, jit=False)
    span, y0 = (0.0, 2.0), [1.0, 0.0, 0.0]
    got = integrate.solve_ivp(d.fun, span, y0, args=(0.4,), jac=d.jac, method=method, rtol=1e-6, atol=1e-9)
    want = integrate.solve_ivp(reaction, span, y0, args=(0.4,), method="DOP853", rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(got.y[:, -1], want.y[:, -1], atol=1e-5)


def test_one_number():
    d = sg.scipy_derivatives(lambda x, a: x**3 - a, jit=False)
    got = optimize.root_scalar(d.fun, args=(2.0,), x0=1.0, fprime=d.jac, fprime2=d.hess, method="halley")
    assert got.root == pytest.approx(2.0 ** (1 / 3), rel=1e-12)
    assert optimize.newton(d.fun, 1.0, fprime=d.jac, args=(2.0,)) == pytest.approx(2.0 ** (1 / 3), rel=1e-12)


def test_several_arguments_of_a_number():
    d = sg.scipy_derivatives(lambda x, a, b: np.sum(x * a) * b, ("a", "b"), jit=False)
    np.testing.assert_array_equal(d.jac(np.ones(2), np.array([1.0, 2.0]), 3.0), [3.0, 3.0, 3.0])
    value, slope = d.fun_and_jac(np.ones(2), np.array([1.0, 2.0]), 3.0)
    assert value == 9.0 and slope.tolist() == [3.0, 3.0, 3.0]


def test_refused():
    d = sg.scipy_derivatives(reaction, 1, jit=False)
    for call in (d.hess, d.hessp):
        with pytest.raises(sg.ArgumentError, match="is of the first argument"):
            call(0.0, np.ones(3), 0.4)
    with pytest.raises(TypeError, match="hessp takes x, the direction p"):
        sg.scipy_derivatives(weighted, jit=False).hessp(X0)


def test_compiled():
    d = sg.scipy_derivatives(weighted)
    got = optimize.minimize(d.fun, X0, args=(W,), jac=d.jac, hessp=d.hessp, method="trust-ncg", options={"gtol": 1e-8})
    np.testing.assert_allclose(sg.grad(weighted, jit=False)(got.x, W), 0.0, atol=1e-8)
    assert type(d.fun(X0, W)) is float and "weighted" in repr(d)


def test_snapshots_are_of_derivatives_alone():
    def steps(x):
        s = x[0]
        for _ in range(20):
            s = s + 0.1 * np.sin(s) * x[1]
        return s

    x = np.array([0.3, 0.4])
    few, all_kept = sg.scipy_derivatives(steps, checkpoint=3, jit=False), sg.scipy_derivatives(steps, jit=False)
    assert few.fun(x) == all_kept.fun(x)
    np.testing.assert_allclose(few.jac(x), all_kept.jac(x), rtol=1e-14)
    np.testing.assert_allclose(few.hess(x), all_kept.hess(x), rtol=1e-14)
