"""Roots by Newton's method: known answers, what comes back, and what happens where it does not converge."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from srcgrad import ArgumentError, OptimizeResult, UnsupportedError, newton
from srcgrad.optimize import MESSAGES
from srcgrad.optimize.methods import newton_loop

GOLDEN = Path(__file__).parent.parent / "golden"
ROOT = 0.7390851332151607
MET, MADE, UNMET, NOT_FINITE = MESSAGES[:4]


def f(x):
    return x - math.cos(x)


def circle(x, radius, shift):
    return np.array([x[0] ** 2 + x[1] ** 2 - radius**2, x[0] - x[1] + shift])


def affine(x, a, b):
    return a @ x - b


def no_root(x):
    return x * x + 1.0


@pytest.mark.parametrize("mode", ["forward", "reverse"])
@pytest.mark.parametrize("start", [1.0, 1, np.float64(1.0), np.int32(1)])
def test_cosine(start, mode):
    result = newton(f, start, mode=mode, jit=False)
    assert isinstance(result, OptimizeResult)
    assert result == (ROOT, 0.0, 5, True, MET, 6)
    assert [type(v) for v in result] == [float, float, int, bool, str, int]


def test_compiled():
    first, again = newton(f, 1.0), newton(f, 1.0)
    assert first == again == newton(f, 1.0, jit=False)
    assert [type(v) for v in again] == [float, float, int, bool, str, int]
    assert newton(f, 1.0, tol=0.0, maxiter=2).nit == 2
    assert newton(f, 1.0, tol=0.0, maxiter=2.0).nit == 2


def test_readable():
    """The loop's source is what one would write by hand."""
    loop = newton_loop(f, 0, "forward", False, False)
    assert loop.source_for(1.0, (), 1e-12, 50) == (GOLDEN / "newton_loop.py").read_text()


@pytest.mark.parametrize("mode", ["forward", "reverse"])
@pytest.mark.parametrize("start", [np.array([1.0, 0.5]), [1.0, 0.5], (1, 0.5), np.array([2, 1])])
def test_system(start, mode):
    result = newton(circle, start, (5.0, 1.0), mode=mode, jit=False)
    np.testing.assert_allclose(result.x, [3.0, 4.0], rtol=1e-15)
    assert np.max(np.abs(result.fun)) < 1e-13 and result.success and result.nit < 12


def test_start_is_not_changed():
    start = np.array([1.0, 0.5])
    newton(circle, start, (5.0, 1.0), jit=False)
    assert start.tolist() == [1.0, 0.5]


@pytest.mark.parametrize("n", [1, 2, 7, 30])
def test_linear_system_takes_one_step_to_the_solution(n):
    rng = np.random.default_rng(n)
    a, b = rng.normal(size=(n, n)), rng.normal(size=n)
    result = newton(affine, np.zeros(n), (a, b), jit=False)
    np.testing.assert_allclose(result.x, np.linalg.solve(a, b), rtol=1e-9)
    assert result.nit <= 3 and result.success


def test_linear_system_that_needs_pivots():
    a, b = np.array([[0.0, 2.0, 1.0], [1e-20, 1.0, 0.0], [3.0, 0.0, 0.0]]), np.array([3.0, 1.0, 6.0])
    result = newton(affine, np.ones(3), (a, b), jit=False)
    np.testing.assert_allclose(result.x, np.linalg.solve(a, b), rtol=1e-14)


def test_system_compiled():
    result = newton(circle, np.array([1.0, 0.5]), (5.0, 1.0))
    np.testing.assert_allclose(result.x, [3.0, 4.0], rtol=1e-15)
    assert [type(v) for v in result] == [np.ndarray, np.ndarray, int, bool, str, int]


def test_arguments():
    assert newton(lambda x, a: x * x - a, 1.0, (2.0,), jit=False).x == pytest.approx(math.sqrt(2.0), rel=1e-15)
    assert newton(lambda x, a: x * x - a, 1.0, 2.0, jit=False).x == pytest.approx(math.sqrt(2.0), rel=1e-15)
    assert newton(lambda x, p: x ** p["n"] - p["a"], 1.0, ({"n": 3, "a": 8.0},), jit=False).x == pytest.approx(2.0)
    assert newton(lambda x, a=9.0: x * x - a, 1.0, jit=False).x == pytest.approx(3.0)


def test_history():
    result = newton(f, 1.0, history=True, jit=False)
    assert result.history.shape == (6,) and result.history[0] == 1.0 - math.cos(1.0) and result.history[-1] == 0.0
    assert np.all(np.diff(result.history[:5]) < 0.0)
    system = newton(circle, [1.0, 0.5], (5.0, 1.0), history=True, jit=False)
    assert system.history.shape == (system.nit + 1,) and system.history[0] == 25.0 - 1.25


def test_single_precision():
    result = newton(f, np.float32(1.0), tol=1e-6, jit=False)
    assert type(result.x) is np.float32 and abs(result.x - ROOT) < 1e-7 and result.success
    start = np.array([1.0, 0.5], np.float32)
    system = newton(lambda x: np.array([x[0] * x[1] - 2.0, x[0] - 2.0 * x[1]], np.float32), start, tol=1e-6, jit=False)
    assert system.x.dtype == np.float32 and system.success
    np.testing.assert_allclose(system.x, [2.0, 1.0], rtol=1e-6)


def test_tolerance_is_of_the_step():
    """|step| <= tol * (1 + |x|), after a step of about 4e-3."""
    loose = newton(f, 1.0, tol=0.1, jit=False)
    assert loose.success and loose.nit == 2
    assert newton(f, 1.0, tol=1e-5, jit=False).nit == 4


def test_too_few_steps():
    assert newton(f, 1.0, maxiter=3, jit=False)[2:] == (3, False, UNMET, 4)


def test_no_steps():
    assert newton(f, 1.0, maxiter=0, jit=False) == (1.0, 1.0 - math.cos(1.0), 0, False, UNMET, 1)
    assert newton(f, 1.0, maxiter=0, history=True, jit=False).history.shape == (1,)


@pytest.mark.parametrize("jit", [False, True])
def test_no_slope(jit):
    """A step without bound: no exception, and no success."""
    result = newton(no_root, 0.0, jit=jit)
    assert not result.success and not math.isfinite(result.x)


def test_no_slope_at_the_root():
    assert not newton(lambda x: x * x, 0.0, jit=False).success  # 0 / 0


def test_singular_jacobian():
    result = newton(lambda x: np.array([x[0] + x[1], x[0] + x[1] - 1.0]), np.zeros(2), jit=False)
    assert not result.success and not np.all(np.isfinite(result.x))


def test_not_a_number():
    result = newton(lambda x: math.sqrt(x) + 1.0, 1.0, jit=False)
    assert math.isnan(result.x) and not result.success


def test_refused():
    with pytest.raises(ArgumentError, match="one-dimensional"):
        newton(f, np.ones((2, 2)), jit=False)
    with pytest.raises(ArgumentError, match="x0 is a string"):
        newton(f, "1", jit=False)
    with pytest.raises(ArgumentError, match="no mode='backward'"):
        newton(f, 1.0, mode="backward", jit=False)
    with pytest.raises(ArgumentError, match="no target='tpu'"):
        newton(f, 1.0, target="tpu", jit=False)
    with pytest.raises(UnsupportedError, match="solves batches"):
        newton(f, 1.0, target="cuda", jit=False)


def test_single_precision_stays():
    """Also where the other arguments are of double precision."""
    result = newton(lambda x, a: x * x - a, np.float32(1.0), (2.0,), tol=1e-6, jit=False)
    assert type(result.x) is np.float32 and result.x == np.float32(np.sqrt(2.0))
