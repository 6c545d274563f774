"""A call that returns one array as two results, or a view of it: neither may be written after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import srcgrad as sg


def rule(fun: Callable[..., Any]) -> Any:
    """The function with a rule of its own, for linear functions: the tangent is the function of the tangent."""
    made = sg.custom_jvp(fun)

    @made.defjvp
    def fun_jvp(primals: Any, tangents: Any) -> Any:
        return fun(primals[0]), fun(tangents[0])

    return made


@rule
def twice(x: Any) -> Any:
    z = 2.0 * x
    return z, z


@rule
def and_a_view(x: Any) -> Any:
    z = 2.0 * x
    return z, z[1:]


@rule
def and_a_copy(x: Any) -> Any:
    z = 2.0 * x
    return z, z.copy()


@rule
def the_argument_twice(x: Any) -> Any:
    return x, x


def recursive(x: Any, n: int) -> Any:
    if n == 0:
        z = 2.0 * x
        return z, z
    return recursive(x, n - 1)


def recursive_view(x: Any, n: int) -> Any:
    if n == 0:
        z = 2.0 * x
        return z, z[1:]
    return recursive_view(x, n - 1)


def written_inside(x: Any, n: int) -> Any:
    if n == 0:
        z = 2.0 * x
        return z, z
    y, z = written_inside(x, n - 1)
    y[0] = x[1]
    v = z.copy()
    return v, v


def of_a_rule(x: float) -> float:
    y, z = twice(np.array([x, 1.0]))
    y[0] = x
    return z[0] * x


def of_a_view(x: float) -> float:
    y, z = and_a_view(np.array([x, 1.0]))
    z[0] = x
    return y[1] * x


def of_the_whole(x: float) -> float:
    y, z = and_a_view(np.array([x, 1.0]))
    y[1] = x
    return z[0] * x


def of_an_argument(x: float) -> float:
    y, z = the_argument_twice(np.array([x, 1.0]))
    y[0] = x * x
    return z[0]


def in_a_loop(x: float) -> float:
    total = 0.0
    for i in range(2):
        y, z = twice(np.array([x, 1.0]))
        z[0] = x * i
        total += y[0] * x
    return total


def of_a_recursion(x: float) -> float:
    y, z = recursive(np.array([x, 1.0]), 2)
    y[0] = x
    return z[0] * x


def of_a_recursion_and_a_view(x: float) -> float:
    y, z = recursive_view(np.array([x, 1.0]), 2)
    y[1] = x
    return z[0] * x


def in_a_recursion(x: float) -> float:
    y, z = written_inside(np.array([x, 1.0]), 2)
    return y[0] * z[1]


WRONG = [of_a_rule, of_a_view, of_the_whole, of_an_argument, in_a_loop, of_a_recursion, of_a_recursion_and_a_view]


@pytest.mark.parametrize("fun", [*WRONG, in_a_recursion], ids=lambda f: f.__name__)
@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_a_write_that_another_result_would_show_is_refused(fun: Callable[[float], float], mode: str) -> None:
    with pytest.raises(sg.UnsupportedError, match=r"through another name[\s\S]*\.copy\(\)"):
        sg.grad(fun, mode=mode, jit=False)(1.5)


def only_read(x: float) -> float:
    y, z = twice(np.array([x, 1.0]))
    return y[0] * z[1] * x


def another_is_written(x: float) -> float:
    y, z = and_a_copy(np.array([x, 1.0]))
    y[0] = x
    return z[0] * x


def copied_by_the_caller(x: float) -> float:
    y, z = twice(np.array([x, 1.0]))
    w = y.copy()
    w[0] = 5.0
    return z[0] * w[1] * x


def recursion_only_read(x: float) -> float:
    y, z = recursive(np.array([x, 1.0]), 2)
    return y[0] * z[0]


@pytest.mark.parametrize(
    "fun", [only_read, another_is_written, copied_by_the_caller, recursion_only_read], ids=lambda f: f.__name__
)
@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_what_is_only_read_is_differentiated(fun: Callable[[float], float], mode: str) -> None:
    slope = sg.grad(fun, mode=mode, jit=False)(1.5)
    assert slope == pytest.approx((fun(1.5 + 1e-6) - fun(1.5 - 1e-6)) / 2e-6, rel=1e-8)
