"""Solves that are called from Python again and again."""

from __future__ import annotations

import gc
import math
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.derivatives.derivative import Derivative
from srcgrad.optimize import running, solvers
from srcgrad.optimize.first_order import SHORT
from srcgrad.optimize.methods import minimising_loop


def bowl(x):
    return (x[0] - 1.0) ** 2 + 2.0 * x[1] ** 2


def test_descents_called_again_and_again_see_what_is_new():
    """The short way to a loop that was run before is taken for the same choices alone."""
    start, near = np.array([3.0, 1.0]), {"rtol": 1e-12, "atol": 1e-15}

    def after(x, lr, steps, momentum=0.0):
        x, velocity = np.array(x, float), np.zeros(2)
        for _ in range(steps):
            velocity = momentum * velocity - lr * np.array([2.0 * (x[0] - 1.0), 4.0 * x[1]])
            x = x + velocity
        return x

    for _ in range(4):
        for lr, steps in ((0.1, 7), (0.05, 7), (0.1, 8)):
            for _ in range(3):
                found = sg.gradient_descent(bowl, start, lr=lr, maxiter=steps)
                np.testing.assert_allclose(found.x, after(start, lr, steps), **near)
                assert found.nit == steps and found.success
    assert sg.gradient_descent(bowl, start.astype(np.float32), lr=0.1, maxiter=7).x.dtype == np.float32
    np.testing.assert_allclose(
        sg.gradient_descent(bowl, start, lr=0.1, maxiter=7, momentum=0.5).x, after(start, 0.1, 7, 0.5)
    )
    longer = sg.gradient_descent(bowl, np.array([3.0, 1.0, 2.0]), lr=0.1, maxiter=7)
    np.testing.assert_allclose(longer.x, [*after(start, 0.1, 7), 2.0], **near)
    assert sg.gradient_descent(bowl, start, lr=0.1, maxiter=7, history=True).history.shape == (8,)
    np.testing.assert_allclose(sg.gradient_descent(bowl, start, lr=0.1, maxiter=7, batch=False).x, after(start, 0.1, 7))
    with pytest.raises(sg.SrcgradError):
        sg.gradient_descent(bowl, start[:1], lr=0.1, maxiter=7)
    for wrong in ({"lr": -1.0}, {"lr": math.nan}, {"tol": math.nan}, {"maxiter": -1}, {"rate": 0.1}):
        with pytest.raises((sg.SrcgradError, TypeError)):
            sg.gradient_descent(bowl, start, **{"lr": 0.1, "maxiter": 7, **wrong})
    assert sg.gradient_descent(bowl, start, lr=0.1, maxiter=60, tol=1e-3).message == "the tolerance is met"
    assert (start == [3.0, 1.0]).all()


def test_a_descent_without_branches_has_fast_math():
    for name in ("plain descent", SHORT[1]):
        loop = minimising_loop(bowl, name, 1, False, "reverse", False, True)
        assert "fastmath=" in loop.source_for(np.ones(2), (), 0.0, 5, (0.1, 0.0)), name


@pytest.fixture
def nothing_made(monkeypatch):
    """Let no loop be made, and none be called in general ways, from when this is called."""

    def forbid():
        for name in ("newton_loop", "minimising_loop"):
            monkeypatch.setattr(solvers, name, None)
        monkeypatch.setattr(running, "search_loop", None)
        monkeypatch.setattr(Derivative, "at", None)

    return forbid


SCALE = 2.0


def test_roots_found_again_and_again(nothing_made, monkeypatch):
    def f(x):
        return x * x - SCALE

    for _ in range(3):
        assert sg.newton(f, 1.0).x == pytest.approx(2.0**0.5, abs=1e-12)
    nothing_made()
    found = sg.newton(f, 1.0, tol=1e-9, maxiter=20)
    assert isinstance(found, sg.OptimizeResult) and found.success and found.message == "the tolerance is met"
    none = (1.0, -1.0, 0, False, "maxiter steps are made, and the tolerance is not met", 1)
    assert sg.newton(f, 1.0, maxiter=0) == none
    monkeypatch.setitem(globals(), "SCALE", 9.0)
    assert sg.newton(f, 1.0).x == pytest.approx(3.0, abs=1e-12)
    monkeypatch.undo()
    for wrong in ({"tol": -1.0}, {"tol": math.nan}, {"maxiter": -1}, {"maxiter": 2.5}, {"steps": 3}):
        with pytest.raises((sg.SrcgradError, TypeError)):
            sg.newton(f, 1.0, **wrong)


def test_a_function_that_is_given_other_code_is_solved_anew():
    def f(x):
        return x * x - 4.0

    for _ in range(3):
        assert sg.newton(f, 1.0).x == pytest.approx(2.0, abs=1e-12)
    f.__code__ = (lambda x: x - 7.0).__code__
    for _ in range(3):
        assert sg.newton(f, 1.0).x == 7.0


def test_functions_made_anew_are_solved_by_what_was_compiled_for_others(nothing_made):
    def root(c, w):
        return sg.newton(lambda x: x * x - c * w[0] - w.size, 3.0).x

    def minimum(c, w, **options):
        return sg.minimize(lambda x: np.sum((x - c * w) ** 2), np.zeros(2), **options).x

    def lowest(c, w, **options):
        return sg.gradient_descent(lambda x: np.sum((x - c * w) ** 2), np.zeros(2), lr=0.25, maxiter=60, **options).x

    w = np.array([1.0, 4.0])
    root(1.0, w), minimum(1.0, w, method="bfgs"), lowest(1.0, w), lowest(1.0, w, momentum=0.1)
    nothing_made()
    for c in (2.0, 7.0):
        for w in (np.array([1.0, 4.0]), np.array([2.0, -1.0])):
            assert root(c, w) == pytest.approx((c * w[0] + 2.0) ** 0.5, abs=1e-12)
            np.testing.assert_allclose(minimum(c, w, method="bfgs"), c * w, atol=1e-7)
            np.testing.assert_allclose(lowest(c, w), c * w, atol=1e-12)
            np.testing.assert_allclose(lowest(c, w, momentum=0.1), c * w, atol=1e-12)


def test_other_kinds_of_what_is_captured_are_solved_anew():
    def root(c):
        return sg.newton(lambda x: x * x - (c if isinstance(c, (int, float)) else c[0]), 1.0).x

    for _ in range(2):
        for c in (4.0, 9, np.array([16.0]), np.arange(25.0, 35.0), (36.0,)):
            assert root(c) == pytest.approx((c if isinstance(c, (int, float)) else c[0]) ** 0.5, abs=1e-12)


def test_a_function_is_kept_when_it_is_solved_again_alone():
    def one(k):
        w = np.array([float(k)])
        assert sg.newton(lambda x: x - w[0], 0.0).x == k
        return weakref.ref(w)

    kept = [one(k) for k in range(5)]
    gc.collect()
    assert kept[3]() is None and kept[4]() is None


def test_what_is_wrong_is_told_at_each_call():
    def root(w):
        return sg.newton(lambda x: x - w[3], 0.0).x

    assert root(np.ones(4)) == 1.0
    for _ in range(3):
        with pytest.raises(IndexError, match=r"w\[3\] is out of range"):
            root(np.ones(3))
    assert root(np.ones(5)) == 1.0


def test_threads_solve_at_once():
    def f(x):
        return x * x - SCALE

    def square(c):
        return sg.newton(f if c % 2.0 else lambda x: x * x - c, 1.0 + c).x ** 2

    with ThreadPoolExecutor(4) as pool:
        for k, found in enumerate(pool.map(square, map(float, range(2, 42))), 2):
            assert found == pytest.approx(SCALE if k % 2 else k, abs=1e-9)
