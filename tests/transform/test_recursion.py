"""Recursive functions: what they print and raise passes through once, as in the plain function."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import srcgrad as sg

OPTIONS: dict[str, Any] = {"jit": False}


def squared(x, n):
    print("level", n)
    if n == 0:
        return x
    return squared(x * x, n - 1)


def bounded(x, n):
    if x > 50.0:
        raise OverflowError("too big")
    return x if n == 0 else bounded(x * x, n - 1)


def in_a_loop(x):
    s = 0.0
    for i in range(3):
        if i == 1:
            s = s * squared(x, i)
        else:
            s += x + 1
    return s


def result_unused(x):
    squared(x, 1)
    return x * x


def two_calls(x):
    a = squared(x, 1)
    b = squared(x, 2)
    print("between")
    return b + a


def in_a_condition(x):
    if x > 1.0 and squared(x, 1) > 2.0:
        return x * x * squared(x, 1)
    return x


def checked_only(x):
    bounded(x, 3)
    return x * x


WAYS: dict[str, Callable[[Any], Any]] = {
    "gradient": lambda f: sg.grad(f, **OPTIONS),
    "forward": lambda f: sg.grad(f, mode="forward", **OPTIONS),
    "value and gradient": lambda f: sg.value_and_grad(f, **OPTIONS),
    "second": lambda f: sg.grad(sg.grad(f, **OPTIONS), **OPTIONS),
    "hessian": lambda f: sg.hessian(f, **OPTIONS),
}


@pytest.mark.parametrize("f", [in_a_loop, result_unused, two_calls, in_a_condition])
@pytest.mark.parametrize("way", WAYS)
def test_prints_once(f, way, capsys):
    f(1.5)
    expected = capsys.readouterr().out
    result = WAYS[way](f)(1.5)
    assert capsys.readouterr().out == expected
    step = 1e-4
    ends = f(1.5 - step), f(1.5), f(1.5 + step)
    slope, curvature = (ends[2] - ends[0]) / (2 * step), (ends[2] - 2 * ends[1] + ends[0]) / step**2
    want = {"second": curvature, "hessian": curvature, "value and gradient": (ends[1], slope)}.get(way, slope)
    assert result == pytest.approx(want, rel=1e-5)


@pytest.mark.parametrize("way", WAYS)
def test_raises_though_nothing_needs_the_result(way):
    assert np.all(np.isfinite(WAYS[way](checked_only)(1.2)))
    with pytest.raises(OverflowError, match="too big"):
        WAYS[way](checked_only)(3.0)
