"""Minima: known answers by each method, what comes back, and what happens where a method does not converge."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from srcgrad import ArgumentError, OptimizeResult, grad, gradient_descent, minimize
from srcgrad.optimize import MESSAGES

SECOND = ["newton", "bfgs", "lbfgs"]
MET, MADE, UNMET, NOT_FINITE = MESSAGES[:4]


def bowl(x):
    return (x - 3.0) ** 2


def distance(x, target):
    return np.mean((x - target) ** 2)


def rosenbrock(x):
    return (1.0 - x[0]) ** 2 + 5.0 * (x[1] - x[0] ** 2) ** 2


def chain(x):
    """The Rosenbrock function of many variables: its minimum is 0 where all are 1."""
    s = 0.0
    for i in range(x.shape[0] - 1):
        s += 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2
    return s


def quadratic(x, scales, target):
    s = 0.0
    for i in range(x.shape[0]):
        s += 0.5 * scales[i] * (x[i] - target[i]) ** 2
    return s


def double_well(x):
    """Minima where x[0]² = 1 and x[1] = 0, a saddle at the origin."""
    return 0.25 * (x[0] ** 2 - 1.0) ** 2 + 0.5 * x[1] ** 2


def undefined(x):
    """Not a number left of 0."""
    return x[0] - math.log(x[0])


# ---- gradient descent


@pytest.mark.parametrize("mode", ["reverse", "forward"])
@pytest.mark.parametrize("start", [0.0, 0, np.float64(0.0)])
def test_number(start, mode):
    result = gradient_descent(bowl, start, lr=0.1, mode=mode, jit=False)
    assert isinstance(result, OptimizeResult) and result.x == pytest.approx(3.0, abs=1e-14)
    assert [type(v) for v in result] == [float, float, int, bool, str, int]
    assert result.nit == 1000 and result.success


def test_each_step():
    """x - 3 shrinks by 1 - 2 lr a step."""
    x = 0.0
    for nit in range(4):
        assert gradient_descent(bowl, 0.0, lr=0.1, maxiter=nit, jit=False).x == pytest.approx(x, rel=1e-15)
        x -= 0.1 * 2.0 * (x - 3.0)


@pytest.mark.parametrize("start", [0.0, np.zeros(2), np.zeros((1, 2))])
def test_momentum(start):
    x, velocity = np.zeros_like(start), np.zeros_like(start)
    for _ in range(7):
        velocity = 0.9 * velocity - 0.05 * (x - 3.0)
        x = x + velocity
    got = gradient_descent(lambda x: 0.5 * np.sum((x - 3.0) ** 2), start, lr=0.05, momentum=0.9, maxiter=7, jit=False)
    np.testing.assert_allclose(got.x, x, rtol=1e-14)
    assert np.shape(got.x) == np.shape(start)


@pytest.mark.parametrize("shape", [(5,), (1, 5), (5, 1), (1, 5, 1), (0,)])
def test_shapes(shape):
    target = np.arange(1.0, 6.0)[: math.prod(shape)].reshape(shape)
    start = np.zeros(shape)
    result = gradient_descent(lambda x, t: np.sum((x - t) ** 2), start, (target,), lr=0.1, maxiter=300, jit=False)
    np.testing.assert_allclose(result.x, target, rtol=1e-12)
    assert result.x.shape == shape and not start.any()


def test_mean_distance():
    target = np.arange(1.0, 6.0)
    result = gradient_descent(distance, np.zeros(5), (target,), lr=0.1, maxiter=1000, history=True, jit=False)
    np.testing.assert_allclose(result.x, target, rtol=1e-9)
    assert result.history.shape == (1001,) and result.history[0] == 11.0 and result.history[-1] == result.fun
    np.testing.assert_allclose(result.history[1:10] / result.history[:9], (1.0 - 0.04) ** 2, rtol=1e-12)


def test_rosenbrock():
    start = np.array([-1.0, 1.0])
    result = gradient_descent(rosenbrock, start, lr=0.01, history=True, jit=False)
    assert result.history[99] == pytest.approx(0.3502925, abs=5e-8)
    assert result.history[999] == pytest.approx(6.96269e-05, abs=5e-11)
    np.testing.assert_allclose(result.x, [0.9918, 0.9830], atol=1e-4)
    for again in (gradient_descent(rosenbrock, start, lr=0.01), gradient_descent(rosenbrock, [-1, 1])):
        np.testing.assert_allclose(again.x, result.x, rtol=1e-12)
        assert again.nit == 1000


def test_tolerance_is_of_the_gradient():
    result = gradient_descent(bowl, 0.0, lr=0.1, tol=1e-3, jit=False)
    assert result.success and result.nit < 60 and abs(2.0 * (result.x - 3.0)) <= 1e-3
    before = gradient_descent(bowl, 0.0, lr=0.1, maxiter=result.nit - 1, jit=False)
    assert abs(2.0 * (before.x - 3.0)) > 1e-3
    assert not gradient_descent(bowl, 0.0, lr=0.1, tol=1e-3, maxiter=5, jit=False).success
    array = gradient_descent(distance, np.zeros((2, 2)), (1.0,), lr=0.1, tol=1e-3, jit=False)
    assert array.success and np.max(np.abs(0.5 * (array.x - 1.0))) <= 1e-3


def test_tolerance_that_is_met_at_the_start():
    assert gradient_descent(bowl, 3.0, tol=1e-3, jit=False) == (3.0, 0.0, 0, True, MET, 1)


def test_no_steps():
    assert gradient_descent(bowl, 1.0, maxiter=0, jit=False) == (1.0, 4.0, 0, True, MADE, 1)
    assert gradient_descent(bowl, 1.0, maxiter=0, tol=1e-3, jit=False) == (1.0, 4.0, 0, False, UNMET, 1)


def test_single_precision():
    result = gradient_descent(bowl, np.float32(0.0), lr=0.1, jit=False)
    assert type(result.x) is np.float32 and abs(result.x - 3.0) < 1e-5
    array = gradient_descent(distance, np.zeros(3, np.float32), (np.ones(3, np.float32),), lr=0.5, jit=False)
    assert array.x.dtype == np.float32
    np.testing.assert_allclose(array.x, 1.0, rtol=1e-5)


def test_divergence_is_no_success():
    result = gradient_descent(bowl, 0.0, lr=10.0, tol=1e-6, jit=False)
    assert not result.success and not abs(result.fun) < math.inf


# ---- the methods of minimize


@pytest.mark.parametrize("method", SECOND)
def test_rosenbrock_by(method):
    result = minimize(rosenbrock, np.array([-1.2, 1.0]), method=method, jit=False)
    np.testing.assert_allclose(result.x, 1.0, rtol=1e-7)
    assert result.success and result.nit < 60
    assert [type(v) for v in result] == [np.ndarray, float, int, bool, str, int]


@pytest.mark.parametrize("method", [*SECOND, "adam", "gradient-descent"])
def test_compiled(method):
    start = np.array([-1.2, 1.0])
    result, slow = (minimize(rosenbrock, start, method=method, jit=jit) for jit in (True, False))
    np.testing.assert_allclose(result.x, slow.x, atol=1e-6)
    assert (result.nit, result.success) == (slow.nit, slow.success)


@pytest.mark.parametrize("method", SECOND)
def test_many_variables(method):
    result = minimize(chain, np.tile([-1.2, 1.0], 5), method=method, tol=1e-7, jit=False)
    assert result.success and result.nit < 100
    if result.fun < 1.0:  # there is a second minimum near x[0] = -1
        np.testing.assert_allclose(result.x, 1.0, rtol=1e-6)
    else:
        assert result.fun == pytest.approx(3.986, abs=1e-2)


@pytest.mark.parametrize("method", SECOND)
def test_ill_conditioned(method):
    scales, target = 10.0 ** np.linspace(0.0, 6.0, 10), np.linspace(-2.0, 1.0, 10)
    result = minimize(quadratic, np.zeros(10), (scales, target), method=method, tol=1e-6, jit=False)
    assert result.success and result.nit < 300
    np.testing.assert_allclose(result.x, target, atol=1e-6)
    assert method != "newton" or result.nit == 1


@pytest.mark.parametrize("method", SECOND)
def test_from_where_the_function_is_not_convex(method):
    result = minimize(double_well, np.array([0.1, 1.0]), method=method, jit=False)
    np.testing.assert_allclose(result.x, [1.0, 0.0], atol=1e-6)
    assert result.success


def test_singular_hessian():
    """At 0 the Hessian is singular in the direction in which nothing is to be done."""
    result = minimize(lambda x: x[0] ** 4 + (x[1] - 1.0) ** 2, np.array([0.0, 0.0]), jit=False)
    np.testing.assert_allclose(result.x, [0.0, 1.0], atol=1e-8)


@pytest.mark.parametrize("method", SECOND)
def test_steps_over_the_edge_are_shortened(method):
    result = minimize(undefined, np.array([3.0]), method=method, jit=False)
    np.testing.assert_allclose(result.x, [1.0], atol=1e-7)
    assert result.success


@pytest.mark.parametrize("method", [*SECOND, "adam"])
def test_nowhere_a_number(method):
    result = minimize(undefined, np.array([-1.0]), method=method, maxiter=5, jit=False)
    assert not result.success and math.isnan(result.fun)


def test_adam():
    """The first step is of length lr, whatever the gradient."""
    first = minimize(distance, np.zeros(2), (np.array([5.0, -0.01]),), method="adam", lr=0.3, maxiter=1, jit=False)
    np.testing.assert_allclose(first.x, [0.3, -0.3], rtol=1e-5)
    target = np.array([1.0, 2.0])
    result = minimize(distance, np.zeros(2), (target,), method="adam", lr=0.05, maxiter=2000, jit=False)
    np.testing.assert_allclose(result.x, target, atol=1e-6)
    assert result.success


def test_adam_against_its_definition():
    x, mean, square = np.array([1.0, -2.0]), np.zeros(2), np.zeros(2)
    for t in range(1, 6):
        gradient = 2.0 * x
        mean, square = 0.8 * mean + 0.2 * gradient, 0.95 * square + 0.05 * gradient**2
        x = x - 0.1 * (mean / (1.0 - 0.8**t)) / (np.sqrt(square / (1.0 - 0.95**t)) + 1e-3)
    options = {"lr": 0.1, "beta1": 0.8, "beta2": 0.95, "epsilon": 1e-3}
    got = minimize(lambda x: np.sum(x**2), np.array([1.0, -2.0]), method="adam", maxiter=5, jit=False, **options)
    np.testing.assert_allclose(got.x, x, rtol=1e-13)


def test_minimize_descends_like_gradient_descent():
    args = (np.zeros(3), (np.arange(3.0),))
    a = gradient_descent(distance, *args, lr=0.2, momentum=0.5, maxiter=20, jit=False)
    b = minimize(distance, *args, method="gradient-descent", lr=0.2, momentum=0.5, maxiter=20, tol=0.0, jit=False)
    assert np.array_equal(a.x, b.x) and a[1:] == b[1:]


@pytest.mark.parametrize("method", [*SECOND, "adam"])
def test_history(method):
    result = minimize(rosenbrock, np.array([-1.2, 1.0]), method=method, maxiter=8, history=True, jit=False)
    assert result.history.shape == (result.nit + 1,)
    assert result.history[0] == rosenbrock([-1.2, 1.0]) and result.history[-1] == result.fun
    assert method == "adam" or np.all(np.diff(result.history) < 0.0)


@pytest.mark.parametrize("method", SECOND)
def test_single_precision_by(method):
    result = minimize(rosenbrock, np.array([-1.2, 1.0], np.float32), method=method, tol=1e-3, jit=False)
    assert result.x.dtype == np.float32 and result.success
    np.testing.assert_allclose(result.x, 1.0, rtol=1e-2)


def test_refused():
    with pytest.raises(ArgumentError, match="no method 'simplex'"):
        minimize(rosenbrock, np.zeros(2), method="simplex", jit=False)
    with pytest.raises(ArgumentError, match="bfgs has no option `lr`"):
        minimize(rosenbrock, np.zeros(2), method="bfgs", lr=0.1, jit=False)
    with pytest.raises(TypeError, match="rate"):
        minimize(rosenbrock, np.zeros(2), rate=0.1, jit=False)
    with pytest.raises(ArgumentError, match="x0 is a complex number"):
        gradient_descent(bowl, 1j, jit=False)


def squares(x, target):
    s = 0.0
    for i in range(x.shape[0]):
        s += (x[i] - target[i]) ** 2
    return s + 0.1 * x[0] * x[x.shape[0] - 1]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_descent_of_short_vectors(n: int, dtype: type) -> None:
    """Short ones are numbers in the loop, of which each length has its own: the steps are the same."""
    start: Any = np.linspace(0.5, 1.0, n).astype(dtype)
    target: Any = np.linspace(1.0, 2.0, n).astype(dtype)
    before = start.copy()
    x, rate = start.astype(float), float(dtype(0.1))
    for _ in range(7):
        x = x - rate * grad(squares, jit=False)(x, target.astype(float))
    for history in (False, True):
        for tol in (0.0, 1e-30):
            found = gradient_descent(squares, start, (target,), lr=0.1, maxiter=7, tol=tol, history=history, jit=False)
            assert found.nit == 7 and found.x.dtype == dtype
            assert np.allclose(found.x, x, rtol=1e-12 if dtype is np.float64 else 1e-5)
    assert np.array_equal(start, before)


def test_compiled_descent_takes_vectors_of_several_lengths_in_turn() -> None:
    def along(x):
        return (x[0] - 1.0) ** 2 + (x[x.shape[0] - 1] - 2.0) ** 2

    for n in (2, 3, 2, 3, 5, 2, 5):
        found = gradient_descent(along, np.zeros(n), lr=0.25, maxiter=60)
        assert found.x.shape == (n,) and np.allclose(found.x[[0, -1]], [1.0, 2.0]) and not found.x[1:-1].any()
