"""Solvers, and rules of the user's own."""

from __future__ import annotations

import math
from functools import partial
from typing import assert_type

import numpy as np

import srcgrad as sg
from srcgrad.optimize import MESSAGES, LeastSquaresResult, OptimizeHistory
from tests.typed.example.functions import Vector


def gap(x: float, a: float) -> float:
    return x * x - a


def bowl(x: Vector, to: float) -> float:
    return float(np.sum((x - to) ** 2))


def solved() -> None:
    assert_type(sg.newton(gap, 1.0, (2.0,), jit=False), sg.OptimizeResult)
    assert_type(sg.gradient_descent(bowl, np.zeros(2), (1.0,), lr=0.1, jit=False), sg.OptimizeResult)
    found = sg.minimize(bowl, np.zeros(2), (1.0,), method="bfgs", history=True, jit=False)
    assert_type(found, OptimizeHistory)
    assert_type(found.success, bool)
    assert found.message in MESSAGES
    fitted = sg.least_squares(lambda x, to: x - to, np.zeros(2), (1.0,), loss="huber", f_scale=0.5, jit=False)
    assert_type(fitted, LeastSquaresResult)
    assert_type(fitted.cost, float)


@sg.implicit(root=gap)
def root(x: float, a: float) -> float:
    for _ in range(30):
        x = 0.5 * (x + a / x)
    return x


@sg.custom_root(gap)
def bisection(x: float, a: float) -> float:
    low, high = 0.0, x
    for _ in range(60):
        middle = 0.5 * (low + high)
        if gap(middle, a) > 0.0:
            high = middle
        else:
            low = middle
    return low


def turned(x: float, a: float) -> float:
    return a * math.cos(x)


@sg.custom_fixed_point(turned)
def circling(x: float, a: float) -> float:
    for _ in range(100):
        x = turned(x, a)
    return x


def implicit_derivatives() -> None:
    for solver in (root, bisection, circling):
        assert_type(solver(1.5, 0.8), float)
        assert_type(sg.grad(solver, "a", jit=False).primal is solver, bool)
    assert_type(sg.grad(root, jit=False)(1.5, 0.8), float)


@sg.custom_jvp
def softened(x: float) -> float:
    return abs(x)


@softened.defjvp
def _softened_jvp(primals: tuple[float], tangents: tuple[float]) -> tuple[float, float]:
    return abs(primals[0]), math.tanh(primals[0]) * tangents[0]


@partial(sg.custom_vjp, nondiff_argnums=("n",))
def power(x: float, n: int) -> float:
    return float(x**n)


def _power_fwd(x: float, n: int) -> tuple[float, float]:
    return x**n, x


def _power_bwd(n: int, x: float, value_bar: float) -> tuple[float]:
    return (n * x ** (n - 1) * value_bar,)


power.defvjp(_power_fwd, _power_bwd)


def with_rules() -> None:
    assert_type(softened(2.0), float)
    assert_type(sg.grad(softened, jit=False)(2.0), float)
    assert_type(power(2.0, 3), float)
    assert_type(sg.grad(power, jit=False)(2.0, 3), float)
    assert_type(sg.stop_gradient(2.0), float)
