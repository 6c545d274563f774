"""Solvers in one kernel, one problem a thread: what the CPU's batch gives, in the simulator."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numba import cuda

import srcgrad as sg
from tests.optimize.test_batch import AXES, CASES, f


@pytest.mark.parametrize(("solve", "fun", "starts", "args", "options"), CASES)
def test_as_on_the_cpu(solve, fun, starts, args, options):
    before = starts.copy()
    got = solve(fun, starts, args, batch=True, target="cuda", **options)
    want = solve(fun, starts, args, batch=True, jit=False, **options)
    assert isinstance(got, sg.OptimizeResult) and np.array_equal(starts, before)
    assert [v.dtype for v in got] == [v.dtype for v in want]
    for name in ("nit", "success", "message", "nfev"):
        assert getattr(got, name).tolist() == getattr(want, name).tolist()
    tolerance = 1e-12 if starts.dtype == np.float64 else 1e-6
    np.testing.assert_allclose(got.x, want.x, rtol=tolerance, atol=1e-14)
    np.testing.assert_allclose(got.fun, want.fun, rtol=tolerance, atol=1e-13)


def test_starts_on_the_device():
    starts = np.array([0.3, 1.0, 2.5])
    got = sg.newton(f, cuda.to_device(starts), (1.3,), batch=True, target="cuda")
    want = sg.newton(f, starts, (1.3,), batch=True, jit=False)
    for name in ("x", "fun", "nit", "success", "nfev"):
        np.testing.assert_allclose(getattr(got, name).copy_to_host(), getattr(want, name), rtol=1e-14)
    assert [sg.optimize.MESSAGES[k] for k in got.message.copy_to_host()] == want.message.tolist()


def test_each_problem_with_arguments_of_its_own():
    def solve(x0, a):
        return sg.newton(f, x0, (a,))

    starts, a = np.array([0.3, 1.0, 2.5]), np.array([0.5, 1.3, 0.9])
    got = sg.vmap(solve, target="cuda")(starts, a)
    assert isinstance(got, sg.OptimizeResult) and got.success.all()
    np.testing.assert_allclose(got.x, a * np.cos(got.x), rtol=1e-14)


def test_some_converge_and_some_do_not():
    starts = np.array([0.3, math.inf, 2.5])
    got = sg.newton(f, starts, (1.3,), batch=True, target="cuda")
    assert got.success.tolist() == [True, False, True] and got.nit[1] == 0 and 0 < got.nit[0] < 10
    met, infinite = sg.optimize.MESSAGES[0], sg.optimize.MESSAGES[3]
    assert got.message.tolist() == [met, infinite, met]


def test_none():
    assert [v.shape for v in sg.newton(f, np.zeros(0), (1.0,), batch=True, target="cuda")] == [(0,)] * 6


def test_refused():
    with pytest.raises(sg.UnsupportedError, match='target="cuda" solves batches'):
        sg.newton(f, 1.0, (1.0,), target="cuda")
    with pytest.raises(sg.ArgumentError, match="there is no target='gpu'"):
        sg.newton(f, np.ones(2), (1.0,), batch=True, target="gpu")
    with pytest.raises(sg.UnsupportedError, match="no history"):
        sg.newton(f, np.ones(2), (1.0,), batch=True, target="cuda", history=True)
    with pytest.raises(sg.ArgumentError, match="array of starting points"):
        sg.newton(f, 1.0, (1.0,), batch=True, target="cuda")


@pytest.mark.parametrize(("solve", "fun", "x0", "args", "axes", "options"), AXES)
def test_axes_as_on_the_cpu(solve, fun, x0, args, axes, options):
    got, want = (solve(fun, x0, args, batch=axes, **given, **options) for given in ({"target": "cuda"}, {"jit": False}))
    assert [v.dtype for v in got] == [v.dtype for v in want]
    for name in ("x", "fun", "nit", "success", "nfev"):
        tolerance = 1e-12 if got.x.dtype == np.float64 else 1e-5
        np.testing.assert_allclose(getattr(got, name), getattr(want, name), rtol=tolerance, atol=1e-13)


def test_structures():
    def pair(v, a):
        return v[0] ** 2 - v[1] * a, v[1] - np.sum(v[2]), v[2] - 1.0

    a = np.array([2.0, 8.0, 18.0])
    got = sg.newton(pair, (1.0, 1.0, np.zeros(2)), (a,), batch=(None, 0), target="cuda")
    assert type(got.x) is tuple and got.success.all()
    np.testing.assert_allclose(got.x[0], np.sqrt(2.0 * a))
    np.testing.assert_allclose(got.x[2], np.ones((3, 2)))
