"""Parameters and loop indices that the user calls `t`, as temporaries are called, keep their names and their values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.schedule.in_loops import value_and_grad_in_loops

X = np.array([0.5, -1.25, 2.0])


def stored(x, t):
    a = np.zeros(3)
    a[:] = t
    return np.sum(a * x) * t


def added(x, t):
    return x[1] * t


def in_a_time_loop(x, t):
    y = x.copy()
    for _ in range(3):
        y = y * t + t
    return np.sum(y)


def an_index(x, t):
    a = np.zeros(len(x))
    for k in range(len(x)):
        a[k] = k
    return np.sum(a * x * t)


@pytest.mark.parametrize("fun", [stored, added, in_a_time_loop, an_index])
def test_gradient(fun: Callable[..., Any]) -> None:
    value, (x_bar, t_bar) = value_and_grad_in_loops(fun, (0, 1))(X, 0.75)
    assert value == pytest.approx(fun(X, 0.75), rel=1e-14)
    h = 1e-6
    assert t_bar == pytest.approx((fun(X, 0.75 + h) - fun(X, 0.75 - h)) / (2 * h), rel=1e-7)
    steps = np.eye(3) * h
    slopes = [(fun(X + d, 0.75) - fun(X - d, 0.75)) / (2 * h) for d in steps]
    np.testing.assert_allclose(x_bar, slopes, rtol=1e-7)
