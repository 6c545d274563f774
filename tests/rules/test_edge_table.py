"""The table "Meaning at the edges" of the documentation, line by line: both modes, compiled for a few."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.special

from srcgrad import grad, hessian, jvp

INF = math.inf
ZEROS, EQUAL, TIES = np.zeros(3), np.full(3, 2.0), np.array([1.0, 3.0, 3.0])


def over(x: float, y: float) -> float:
    return float(np.where(x > 0.0, math.log(x), y * x))


def branch(x: float) -> float:
    if x > 0.0:
        return math.sqrt(x)
    return 2.0 * x


def counted(x: float) -> float:
    return math.floor(x) + round(x) + x // 2.0 + (x > 0.0) + math.trunc(x)


TABLE: list[tuple[Callable[..., Any], tuple[Any, ...], Any]] = [
    # abs at 0, norm, hypot, std where all is 0 or equal: 0
    (lambda x: abs(x), (0.0,), 0.0),
    (lambda x: math.fabs(x), (0.0,), 0.0),
    (lambda x: np.linalg.norm(x), (ZEROS,), ZEROS),
    (lambda x: math.hypot(x, 0.0), (0.0,), 0.0),
    (lambda x: np.std(x), (EQUAL,), ZEROS),
    # sqrt at 0: inf
    (lambda x: math.sqrt(x), (0.0,), INF),
    # x**n at 0, and the exponent's derivative of 0**y
    (lambda x: x**0, (0.0,), 0.0),
    (lambda x: x**1, (0.0,), 1.0),
    (lambda x: x**2, (0.0,), 0.0),
    (lambda x: x**1.5, (0.0,), 0.0),
    (lambda x, n: x**n, (0.0, 1), 1.0),
    (lambda y: 0.0**y, (2.0,), 0.0),
    (lambda y, x: x**y, (2.0, 0.0), 0.0),
    (lambda y, x: x**y, (0.0, 0.0), 0.0),
    # ties are shared equally, half at a bound
    (lambda x: max(x, 1.0), (1.0,), 0.5),
    (lambda x: min(1.0, x), (1.0,), 0.5),
    (lambda x: np.maximum(x, 1.0), (1.0,), 0.5),
    (lambda x: np.minimum(1.0, x), (1.0,), 0.5),
    (lambda x: np.max(x), (TIES,), np.array([0.0, 0.5, 0.5])),
    (lambda x: np.min(-x), (TIES,), np.array([0.0, -0.5, -0.5])),
    (lambda x: x.max(), (EQUAL,), np.full(3, 1 / 3)),
    (lambda x: np.clip(x, 0.0, 1.0), (0.0,), 0.5),
    (lambda x: np.clip(x, 0.0, 1.0), (1.0,), 0.5),
    (lambda x: np.clip(x, 1.0, 1.0), (1.0,), 0.0),  # it is 1 whatever x is
    (lambda x, low, high: np.sum(np.clip(x, low, high)), (EQUAL, EQUAL, EQUAL), ZEROS),
    (lambda low, x, high: np.sum(np.clip(x, low, high)), (EQUAL, EQUAL, EQUAL), np.full(3, 0.5)),
    # np.where and branches: the side not taken contributes exactly zero
    (over, (-1.0, 3.0), 3.0),
    (branch, (-1.0,), 2.0),
    (lambda x: np.sum(np.where(x > 0.0, np.sqrt(x), 0.0)), (np.array([0.0, 4.0]),), np.array([0.0, 0.25])),
    # prod with zeros: the true derivative
    (lambda x: np.prod(x), (np.array([0.0, 2.0, 3.0]),), np.array([6.0, 0.0, 0.0])),
    (lambda x: np.prod(x), (np.array([0.0, 0.0, 3.0]),), ZEROS),
    # sinc at 0: the limit
    (lambda x: np.sinc(x), (0.0,), 0.0),
    # floor, round, integer division, comparisons: none
    (counted, (2.3,), 0.0),
    (lambda x: x[np.argmax(x)], (np.array([1.0, 5.0, 2.0]),), np.array([0.0, 1.0, 0.0])),
    # tails: full relative accuracy
    (lambda x: math.tanh(x), (300.0,), 4 * math.exp(-600.0)),
    (lambda x: math.erf(x), (5.0,), 2 / math.sqrt(math.pi) * math.exp(-25.0)),
    (lambda x: math.log1p(x), (1e-300,), 1.0),
    (lambda x: math.expm1(x), (-40.0,), math.exp(-40.0)),
    # the angle of no direction: 0
    (lambda x: math.atan2(x, 0.0 * x), (0.0,), 0.0),
    (lambda x: np.sum(np.arctan2(x, x)), (ZEROS,), ZEROS),
    # det of a singular matrix: the true derivative; logsumexp with infinities: the limit
    (lambda x: np.linalg.det(x), (np.ones((3, 3)),), np.zeros((3, 3))),
    (lambda x: np.linalg.det(x), (np.array([[1.0, 2.0], [2.0, 4.0]]),), np.array([[4.0, -2.0], [-2.0, 1.0]])),
    (lambda x: scipy.special.logsumexp(x), (np.array([0.0, -INF, 0.0]),), np.array([0.5, 0.0, 0.5])),
    (lambda x: scipy.special.logsumexp(x), (np.full(4, -INF),), np.full(4, 0.25)),
    (lambda x: scipy.special.logsumexp(x), (np.array([INF, 1.0, INF]),), np.array([0.5, 0.0, 0.5])),
    # cholesky: along symmetric changes
    (lambda x: np.sum(np.linalg.cholesky(x)), (np.diag([4.0, 9.0]),), np.array([[0.25, 0.25], [0.25, 1 / 6]])),
    # norms of orders below 1 where elements are 0: 0, as for abs
    (lambda x: np.linalg.norm(x, 0.5), (np.array([0.0, 2.0]),), np.array([0.0, 1.0])),
    (lambda x: np.linalg.norm(x, 0.5), (ZEROS,), ZEROS),
    (lambda x: np.linalg.norm(x, -1), (np.array([0.0, 2.0]),), np.zeros(2)),
    # medians and sorted elements on ties; what is NaN
    (lambda x: np.median(x), (np.array([1.0, 3.0, 3.0]),), np.array([0.0, 0.5, 0.5])),
    (lambda x: np.sort(x)[1], (np.array([3.0, 1.0, 3.0]),), np.array([1.0, 0.0, 0.0])),
    (lambda x: np.nansum(x * x), (np.array([2.0, math.nan]),), np.array([4.0, 0.0])),
    (lambda x: np.nanmedian(x), (np.array([2.0, math.nan, 2.0]),), np.array([0.5, 0.0, 0.5])),
    (lambda x: np.linalg.norm(x, "nuc"), (np.zeros((2, 2)),), np.zeros((2, 2))),
]


def directional(gradient: Any, along: Any) -> Any:
    return np.sum(np.asarray(gradient) * along)


@pytest.mark.parametrize(("fun", "args", "expected"), TABLE, ids=range(len(TABLE)))
def test_line(fun: Callable[..., Any], args: tuple[Any, ...], expected: Any) -> None:
    np.testing.assert_allclose(grad(fun, jit=False)(*args), expected, rtol=4e-15, atol=0)
    along = np.ones_like(args[0]) if np.ndim(args[0]) else 1.0
    _, dot = jvp(fun, args, (along, *[None] * (len(args) - 1)), jit=False)
    np.testing.assert_allclose(dot, directional(expected, along), rtol=4e-15, atol=0)


def test_second_derivatives() -> None:
    second = {math.fabs: 0.0, np.sinc: -(math.pi**2) / 3}
    for function, expected in second.items():
        found = hessian(lambda x, f=function: f(x), jit=False)(0.0)
        np.testing.assert_allclose(found, expected, rtol=1e-15)
    np.testing.assert_array_equal(hessian(lambda x: np.linalg.norm(x), jit=False)(ZEROS), np.zeros((3, 3)))
    assert hessian(lambda x: x**2, jit=False)(0.0) == 2.0
    product = hessian(lambda x: np.prod(x), jit=False)(np.array([0.0, 0.0, 3.0]))
    np.testing.assert_array_equal(product, [[0.0, 3.0, 0.0], [3.0, 0.0, 0.0], [0.0, 0.0, 0.0]])


def everything(x: Any, z: float, one: float) -> float:
    """A sum of terms at their edges, each by a variable of its own where z is 0 and one is 1."""
    total = abs(x[0]) + 2.0 * max(x[1], one) + 3.0 * min(x[2], one) + 4.0 * np.maximum(x[3], one)
    total += 5.0 * math.hypot(x[4], z) + 6.0 * x[5] ** 2 + np.clip(x[6], 0.0, 1.0)
    if x[7] > 0.0:
        total += math.sqrt(x[7])
    return total + np.sinc(x[8]) + math.tanh(x[9]) + x[10] ** z


def test_compiled() -> None:
    x = np.array([0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0, -1.0, 0.0, 300.0, 0.0])
    expected = [0.0, 1.0, 1.5, 2.0, 0.0, 0.0, 0.5, 0.0, 0.0, 4 * math.exp(-600.0), 0.0]
    np.testing.assert_allclose(grad(everything)(x, 0.0, 1.0), expected, rtol=4e-15, atol=0)


def test_single_precision_stays() -> None:
    x = np.float32(0.5)
    got = grad(lambda x: 2.0 * x * x + math.sin(1.5 * x) ** 2, jit=False)(x)
    assert isinstance(got, np.float32)
