"""`minimize` from a number and from arrays of any shape: from Python, in other functions, in compiled code."""

from __future__ import annotations

import numba
import numpy as np
import pytest

import srcgrad as sg

METHODS = {"newton": {}, "bfgs": {}, "lbfgs": {}, "adam": {"lr": 0.1}, "gradient-descent": {"lr": 0.1}}
TARGET = np.array([[1.0, 2.0, -1.0], [0.5, 0.0, 3.0]])


def bowl(x, a):
    return (x - a) ** 2 + 1.0


def bowls(x, a):
    return np.sum((x - a) ** 2)


@numba.njit
def jitted_bowl(x, a):
    return (x - a) ** 2 + 1.0


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("start", "kind"), [(0.0, float), (1, float), (np.float32(0.5), np.float32)])
def test_from_a_number(method, start, kind):
    result = sg.minimize(bowl, start, (3.0,), method=method, jit=False, **METHODS[method])
    assert (result.success or kind is np.float32) and type(result.x) is kind
    assert result.x == pytest.approx(3.0, abs=1e-3 if kind is np.float32 else 1e-7)


@pytest.mark.parametrize("method", METHODS)
def test_from_a_matrix(method):
    result = sg.minimize(bowls, np.zeros((2, 3)), (TARGET,), method=method, jit=False, **METHODS[method])
    np.testing.assert_allclose(result.x, TARGET, atol=1e-7)


def test_a_batch_of_matrices_and_one_of_numbers():
    starts = np.stack([np.zeros((2, 3)), np.ones((2, 3))])
    result = sg.minimize(bowls, starts, (TARGET,), method="bfgs", batch=True, jit=False)
    np.testing.assert_allclose(result.x, [TARGET, TARGET], atol=1e-7)
    numbers = sg.minimize(bowl, np.arange(3.0), (3.0,), method="bfgs", batch=True, jit=False)
    np.testing.assert_allclose(numbers.x, 3.0)


def test_history_and_callback_see_the_number():
    seen = []
    sg.minimize(
        bowl,
        0.0,
        (3.0,),
        method="adam",
        maxiter=4,
        jit=False,
        callback=lambda x, f, n: seen.append(x),
        callback_every=1,
    )
    assert seen and all(type(x) is float for x in seen)


@pytest.mark.parametrize("method", ["newton", "bfgs", "lbfgs"])
def test_inside_of_a_function_that_is_differentiated(method):
    def best(a):
        return sg.minimize(bowl, 0.0, (a * a,), method=method).x

    def of_what_stands_here(a):
        return sg.minimize(lambda x: (x - a * a) ** 2, 1, method=method).x

    def matrix(a):
        return np.sum(sg.minimize(bowls, np.zeros((2, 3)), (a * TARGET,), method=method).x * TARGET)

    for fun, slope in ((best, 3.0), (of_what_stands_here, 3.0), (matrix, np.sum(TARGET**2))):
        assert sg.grad(fun, jit=False)(1.5) == pytest.approx(slope)


def test_in_compiled_code():
    @numba.njit
    def best(a):
        return sg.minimize(jitted_bowl, 0, (a,), method="bfgs").x

    assert best(3.0) == pytest.approx(3.0)
