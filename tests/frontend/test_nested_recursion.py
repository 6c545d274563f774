"""Nested functions that call themselves, with what they take from around them."""

from __future__ import annotations

import math

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.testing import check_grads

RNG = np.random.default_rng(0)


def bspline(c, xs):
    k = 3
    t = np.array([0, 0, 0, 0, 1, 2, 3, 3, 3, 3.0])

    def basis(i, k, x):
        if k == 0:
            return 1.0 if t[i] <= x < t[i + 1] else 0.0
        left = 0.0 if t[i + k] == t[i] else (x - t[i]) / (t[i + k] - t[i]) * basis(i, k - 1, x)
        right = (
            0.0 if t[i + k + 1] == t[i + 1] else (t[i + k + 1] - x) / (t[i + k + 1] - t[i + 1]) * basis(i + 1, k - 1, x)
        )
        return left + right

    return sum(sum(c[i] * basis(i, k, x) for i in range(len(c))) ** 2 for x in xs)


def soft_tree(splits, leaves, X, y):
    def predict(x, node, depth):
        if depth == 2:
            return leaves[node - 3]
        p = 1 / (1 + math.exp(-float(splits[node] @ x)))
        return p * predict(x, 2 * node + 1, depth + 1) + (1 - p) * predict(x, 2 * node + 2, depth + 1)

    return sum((predict(x, 0, 0) - t) ** 2 for x, t in zip(X, y)) / len(y)


def power(x, n):
    def p(k):
        if k == 0:
            return 1.0
        h = p(k // 2)
        return h * h * (x if k % 2 else 1.0)

    return p(n) + p(n - 1)


def mutual(x, n):
    scale = x * x

    def even(k, v):
        return v * scale if k == 0 else odd(k - 1, v * 0.5)

    def odd(k, v):
        return v + x if k == 0 else even(k - 1, v * x)

    return even(n, 1.0) * odd(n, x)


def depth_first(x, edges):
    total = np.zeros(len(x))

    def visit(i, weight):
        total[i] += weight * x[i]
        for k in range(len(edges)):
            if edges[k, 0] == i:
                visit(edges[k, 1], weight * 0.5)

    visit(0, 1.0)
    return np.sum(total**2)


def rebound(x, n):
    s = x

    def f(k):
        return s if k == 0 else f(k - 1) * s

    a = f(n)
    s = x * 2.0
    return a + f(n)


def nested_in_helper(x, n):
    def outer(y):
        def inner(k):
            return y if k == 0 else inner(k - 1) * x + y

        return inner(n)

    return outer(x) * outer(2.0 * x)


def dets(a):
    n = a.shape[0]

    def det(rows, col):
        if col == n:
            return 1.0
        total = 0.0
        sign = 1.0
        for i in range(n):
            if not rows & (1 << i):
                total += sign * a[i, col] * det(rows | (1 << i), col + 1)
                sign = -sign
        return total

    return det(0, 0)


CASES = {
    bspline: (RNG.normal(size=6), np.linspace(0.1, 2.9, 3)),
    soft_tree: (RNG.normal(size=(3, 2)), RNG.normal(size=4), RNG.normal(size=(2, 2)), RNG.normal(size=2)),
    power: (1.3, 9),
    mutual: (1.2, 4),
    depth_first: (RNG.normal(size=4), np.array([[0, 1], [0, 2], [2, 3]])),
    rebound: (1.1, 3),
    nested_in_helper: (0.7, 3),
    dets: (RNG.normal(size=(3, 3)),),
}
SCALARS = (power, mutual, rebound, nested_in_helper)


@pytest.mark.parametrize("fun", CASES, ids=lambda f: f.__name__)
def test_right(fun):
    check_grads(fun, CASES[fun], order=2 if fun in SCALARS else 1, jit=False)


def test_compiled():
    got, expected = (sg.value_and_grad(depth_first, jit=jit)(*CASES[depth_first]) for jit in (True, False))
    assert got[0] == pytest.approx(expected[0])
    np.testing.assert_allclose(got[1], expected[1])


def counts_calls(x, n):
    calls = 0

    def f(k):
        nonlocal calls
        calls += 1
        return x if k == 0 else f(k - 1) * x

    return f(n) * calls


def fills_a_list(x, n):
    found = []

    def f(k):
        if k > 0:
            found.append(x * k)
            f(k - 1)

    f(n)
    return sum(found)


@pytest.mark.parametrize("fun", [counts_calls, fills_a_list])
def test_refused(fun):
    with pytest.raises(sg.UnsupportedError, match=r"test_nested_recursion.py, line(.|\n)*hint"):
        sg.grad(fun, jit=False)(1.5, 3)


def even(k, v, scale, x):
    return v * scale if k == 0 else odd(k - 1, v * 0.5, scale, x)


def odd(k, v, scale, x):
    return v + x if k == 0 else even(k - 1, v * x, scale, x)


def test_second_order_of_functions_that_call_each_other():
    check_grads(lambda x, n: even(n, 1.0, x * x, x) * odd(n, x, x * x, x), (1.2, 3), order=2, jit=False)
