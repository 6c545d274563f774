"""Solves that are called from Python again and again."""

from __future__ import annotations

import numpy as np
import pytest

import srcgrad as sg
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
    assert (start == [3.0, 1.0]).all()


def test_a_descent_without_branches_has_fast_math():
    for name in ("plain descent", SHORT[1]):
        loop = minimising_loop(bowl, name, 1, False, "reverse", False, True)
        assert "fastmath=" in loop.source_for(np.ones(2), (), 0.0, 5, (0.1, 0.0)), name
