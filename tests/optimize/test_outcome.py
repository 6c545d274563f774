"""What a solver says of how it ended: success, why, and how often the function was evaluated."""

from __future__ import annotations

import itertools
import math

import numba
import numpy as np
import pytest
from scipy import optimize

import srcgrad as sg
from srcgrad import gradient_descent, minimize, newton
from srcgrad.optimize import MESSAGES

MET, MADE, UNMET, NOT_FINITE, NO_LOWER, STOPPED = MESSAGES
SEARCHING = ["newton", "bfgs", "lbfgs"]
FIRST = ["gradient-descent", "adam"]


def rosenbrock(x):
    return (1.0 - x[0]) ** 2 + 100.0 * (x[1] - x[0] ** 2) ** 2


def bowl(x):
    return np.sum((x - 3.0) ** 2)


def quartic(x):
    return x**4


def endless(x):
    """The loop never ends where x[0] is far out: subtracting 1 from 1e17 changes nothing."""
    s = abs(1e12 * (x[0] - 3.0))
    count = 0.0
    while s > 1e13:
        s -= 1e-4 if s > 1e16 else s
        count += 1.0
    return 1000.0 * (x[0] - 3.0) ** 2 + 0.0 * count


@pytest.mark.parametrize("momentum", [0.0, 0.5])
@pytest.mark.parametrize("start", [10.0, np.array([10.0]), np.array([[10.0]])])
def test_divergence(start, momentum):
    """With and without a tolerance, from a number and from arrays."""

    def f(x):
        return np.sum(x**4)

    for options in ({}, {"tol": 1e-6}, {"tol": 1e-6, "history": True}):
        result = gradient_descent(f, start, lr=1.0, maxiter=100, momentum=momentum, jit=False, **options)
        assert not result.success and result.message == NOT_FINITE


def test_divergence_compiled():
    result = gradient_descent(quartic, 10.0, lr=1.0)
    assert not result.success and result.message == NOT_FINITE and not math.isfinite(result.fun)
    assert gradient_descent(quartic, 10.0, lr=1.0)[2:] == result[2:]


@pytest.mark.parametrize("method", [*SEARCHING, *FIRST])
def test_maxiter(method):
    """Steps that were asked for are a success without a tolerance, and none with one that is not met."""
    x0 = np.array([-1.2, 1.0])
    options = {"lr": 1e-3} if method in FIRST else {}
    options |= {"method": method, "maxiter": 4, "jit": False}
    asked, unmet = (minimize(rosenbrock, x0, tol=tol, **options) for tol in (0.0, 1e-9))
    assert (asked.nit, asked.success, asked.message) == (4, True, MADE)
    assert (unmet.nit, unmet.success, unmet.message) == (4, False, UNMET)
    np.testing.assert_array_equal(asked.x, unmet.x)


def test_newton_without_tolerance():
    def f(x):
        return x - math.cos(x)

    assert newton(f, 1.0, tol=0.0, maxiter=2, jit=False)[2:] == (2, True, MADE, 3)
    assert newton(f, 1.0, maxiter=2, jit=False)[2:] == (2, False, UNMET, 3)
    assert newton(lambda x: x * x + 1.0, 0.0, tol=0.0, jit=False)[2:] == (1, False, NOT_FINITE, 2)
    assert newton(f, math.inf, jit=False)[2:] == (0, False, NOT_FINITE, 1)
    assert newton(f, math.nan, jit=False)[2:] == (0, False, NOT_FINITE, 1)


def test_a_system_that_is_singular():
    result = newton(lambda x: np.array([x[0] + x[1], x[0] + x[1] - 1.0]), np.zeros(2), jit=False)
    assert (result.success, result.message) == (False, NOT_FINITE)


@pytest.mark.parametrize("method", SEARCHING)
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_start_that_is_not_finite(method, bad):
    result = minimize(bowl, np.array([1.0, bad]), method=method, jit=False)
    assert (result.nit, result.success, result.message, result.nfev) == (0, False, NOT_FINITE, 1)
    assert not math.isfinite(result.fun)


@pytest.mark.parametrize("method", SEARCHING)
def test_an_edge_behind_which_nothing_is_finite(method):
    for edge in (math.nan, math.inf, -math.inf):

        def f(x, edge):
            return -x[0] if x[0] < 1.0 else edge

        result = minimize(f, np.zeros(1), (edge,), method=method, jit=False)
        assert not result.success and result.x[0] < 1.0 and math.isfinite(result.fun)


@pytest.mark.parametrize("method", ["bfgs", "lbfgs"])
def test_no_lower_point(method):
    """A gradient that points up the hill: no search along it can succeed."""

    @sg.custom_vjp
    def wrong(x):
        return np.sum(x * x)

    wrong.defvjp(lambda x: (np.sum(x * x), x), lambda x, bar: (-2.0 * x * bar,))
    result = minimize(lambda x: wrong(x), np.ones(2), method=method, jit=False)
    assert (result.nit, result.success, result.message) == (0, False, NO_LOWER)
    np.testing.assert_array_equal(result.x, 1.0)
    assert minimize(lambda x: wrong(x), np.ones(2), method=method, tol=0.0, jit=False).success


@pytest.mark.parametrize("method", [*SEARCHING, *FIRST])
def test_nothing_to_do(method):
    result = minimize(bowl, np.full(2, 3.0), method=method, jit=False)
    assert (result.nit, result.success, result.message, result.nfev) == (0, True, MET, 1)


@pytest.mark.parametrize("method", SEARCHING)
@pytest.mark.parametrize("tol", [0.0, 1e-300])
def test_no_tolerance_that_can_be_met(method, tol):
    """Down to rounding, and then it ends by itself, not after all the steps."""
    result = minimize(rosenbrock, np.array([-1.2, 1.0]), method=method, tol=tol, jit=False)
    np.testing.assert_allclose(result.x, 1.0, rtol=1e-7)
    assert result.nit < 200 and result.message in (MET, NO_LOWER)
    assert result.success == (tol == 0.0 or result.message == MET)


@pytest.mark.parametrize("method", SEARCHING)
def test_evaluations_are_counted(method):
    def f(x):
        return np.sum((x - 1.0) ** 4) + np.sum(x * x)

    result = minimize(f, np.array([3.0, -2.0]), method=method, jit=False)
    assert result.nit < result.nfev <= 3 * result.nit
    assert gradient_descent(f, np.ones(2), maxiter=7, jit=False).nfev == 8


# ---- the first step, and the search


@pytest.mark.parametrize("method", ["bfgs", "lbfgs"])
@pytest.mark.parametrize("steepness", [1e-3, 1.0, 1e4, 1e150])
def test_first_step(method, steepness):
    """Of length 1 at most, where the whole gradient is longer."""

    def f(x, steepness):
        return steepness * np.sqrt(1.0 + np.sum((x - 1e3) ** 2))

    x0 = np.array([0.0, 2.0])
    first, second = (minimize(f, x0, (steepness,), method=method, tol=0.0, maxiter=n, jit=False).x for n in (0, 1))
    distance = math.hypot(*(second - first))
    assert distance == pytest.approx(1.0 if steepness >= 1.0 else 1e-3, rel=2e-3) or distance > 1.0
    assert minimize(f, x0, (steepness,), method=method, tol=1e-8 * steepness, jit=False).success


@pytest.mark.parametrize("method", ["bfgs", "lbfgs"])
def test_a_loop_that_never_ends_far_out(method):
    """A step of the whole gradient, of length 2,000, would never return."""
    result = minimize(endless, np.array([4.0]), method=method, jit=False)
    np.testing.assert_allclose(result.x, 3.0, rtol=1e-9)
    assert result.success
    reference = optimize.minimize(endless, np.array([4.0]), method="BFGS", jac=sg.grad(endless, jit=False))
    np.testing.assert_allclose(reference.x, 3.0, rtol=1e-6)


def cosh(x):
    return np.sum(np.cosh(x - 1.0)) + 0.1 * np.sum(x) ** 2


def valley(x):
    return np.sum(x**4) - 3.0 * np.sum(x) + np.sin(5.0 * x[0])


def barrier(x):
    return np.sum(x) - np.sum(np.log(x)) + 1e-3 * np.sum(1.0 / x)


def flat(x):
    return np.sqrt(1.0 + 1e-4 * np.sum(x * x))


@pytest.mark.parametrize("method", SEARCHING)
@pytest.mark.parametrize("fun", [rosenbrock, cosh, valley, barrier, flat])
def test_each_step_meets_the_strong_wolfe_conditions(fun, method):
    x0, slope_of = np.array([1.7, 0.4]), sg.grad(fun, jit=False)
    points = [minimize(fun, x0, method=method, tol=1e-6, maxiter=n, jit=False) for n in range(60)]
    ends = [r for k, r in enumerate(points) if r.nit == k]
    assert ends[-1].success
    for before, after in itertools.pairwise(ends):
        step = after.x - before.x
        slope, after_slope = slope_of(before.x) @ step, slope_of(after.x) @ step
        rounding = 1e-14 * abs(before.fun)
        assert after.fun <= before.fun + 1e-4 * slope + rounding
        assert abs(after_slope) <= 0.9 * abs(slope) + 1e-14


@pytest.mark.parametrize("method", ["bfgs", "lbfgs"])
@pytest.mark.parametrize("fun", [rosenbrock, cosh, valley, barrier])
def test_as_many_evaluations_as_scipy(fun, method):
    """Give or take a half."""
    x0 = np.array([1.7, 0.4])
    name = {"bfgs": "BFGS", "lbfgs": "L-BFGS-B"}[method]
    want = optimize.minimize(fun, x0, jac=sg.grad(fun, jit=False), method=name, options={"gtol": 1e-6})
    got = minimize(fun, x0, method=method, tol=1e-6, jit=False)
    np.testing.assert_allclose(got.fun, want.fun, rtol=1e-6, atol=1e-9)
    assert got.nfev <= 1.5 * want.nfev + 3


# ---- in compiled code, in code that is read, in batches


@numba.njit
def parabola(x, a):
    return (x[0] - a) ** 2


@numba.njit
def messages(a):
    first = sg.minimize(parabola, np.zeros(1), (a,), method="gradient-descent", tol=1e-9, lr=0.2)
    second = sg.minimize(parabola, np.zeros(1), (a,), method="gradient-descent", tol=1e-9, maxiter=3)
    return first.message, second.message, first.nfev - first.nit


def test_message_in_compiled_code():
    assert messages(1.0) == (MET, UNMET, 1)


def test_message_in_code_that_is_read():
    """It is the message's place."""

    def f(a):
        result = sg.newton(lambda x, a: x * x - a, 1.0, (a,), maxiter=2)
        return result.x if result.message == 2 and not result.success else 0.0

    assert sg.grad(f, jit=False)(2.0) > 0.0


@pytest.mark.parametrize("jit", [False, True])
def test_messages_of_a_batch(jit):
    def f(x, a):
        return x * x - a

    result = newton(f, np.array([1.0, 0.0, 1e9, math.nan]), (2.0,), maxiter=8, batch=True, jit=jit)
    assert result.message.tolist() == [MET, NOT_FINITE, UNMET, NOT_FINITE]
    assert result.success.tolist() == [True, False, False, False]
    assert result.nfev.tolist() == (result.nit + 1).tolist()
