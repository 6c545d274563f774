"""Python's `statistics` and `bisect`, and what is said of its other functions."""

from __future__ import annotations

import bisect
import colorsys
import statistics
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.errors import SrcgradError

X = np.array([0.3, 1.2, 0.7, 2.1, 0.4])


def means(x):
    items = list(x)
    return statistics.mean(items) * statistics.fmean(x) + statistics.geometric_mean(items) - statistics.harmonic_mean(x)


def weighted(x):
    return statistics.fmean([x[0], x[1], x[2]], [1.0, 2.0, x[3]])


def spreads(x):
    items = [v * v for v in x]
    both = statistics.pvariance(items) + statistics.variance(items)
    return both + statistics.pstdev(x) * statistics.stdev(items) + statistics.variance(items, 1.0)


def middle(x):
    return statistics.median(list(x)) * x[0] + statistics.median([x[0], x[1] * x[1], x[2], x[3]])


def tables(x):
    edges, rates = [0.25, 0.5, 1.0, 2.0], [1.0, 2.0, 4.0, 8.0, 16.0]
    total = 0.0
    for v in x:
        total += rates[bisect.bisect(edges, v)] * v * v
    xs = np.cumsum(x)
    k = bisect.bisect_left(xs, 1.7)
    return total * xs[k] + bisect.bisect_right(list(xs), 1.7, 1, 4) * x[0]


@pytest.mark.parametrize("fun", [means, weighted, spreads, middle, tables])
def test_right(fun: Callable[[Any], Any]) -> None:
    value, slope = sg.value_and_grad(fun, jit=False)(X)
    assert value == pytest.approx(fun(X.copy()))
    expected = [(fun(X + h) - fun(X - h)) / 2e-6 for h in 1e-6 * np.eye(5)]
    np.testing.assert_allclose(slope, expected, rtol=1e-6, atol=1e-8)


def smoothed(x):
    line = statistics.linear_regression(list(x), list(x * x))
    return line.slope


def test_what_cannot_be_read_is_told_at_the_users_line() -> None:
    with pytest.raises(SrcgradError) as caught:
        sg.grad(smoothed, jit=False)(X)
    for problem in caught.value.problems:
        assert problem.file == __file__
        assert "statistics.linear_regression(list(x)" in problem.source
        assert "`statistics.linear_regression` of Python's library is not supported" in problem.message


def grey(x):
    hue, light, full = colorsys.rgb_to_hls(x[0], x[1], x[2])
    return hue + light * full


def test_what_can_be_read_is() -> None:
    slope = sg.grad(grey, jit=False)(np.array([0.2, 0.7, 0.4]))
    expected = [
        (grey(np.array([0.2, 0.7, 0.4]) + h) - grey(np.array([0.2, 0.7, 0.4]) - h)) / 2e-6 for h in 1e-6 * np.eye(3)
    ]
    np.testing.assert_allclose(slope, expected, rtol=1e-6, atol=1e-8)
