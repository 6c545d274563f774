"""A zero that stands for what is not selected, not read, or flat at an infinity stays 0 under an infinite slope; a zero
that a derivative has at one point only does not."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.special

import srcgrad as sg

INF = math.inf
ROW = np.array([0.0, 1.0, 4.0])


def clamped(v):
    if v < 0.0:
        v = 0.0
    return math.sqrt(v)


def returned_before(v):
    if v < 0.0:
        return 0.0
    return math.sqrt(v)


def on_one_side(x):
    y = 1.0 / x
    if x > 1.0:
        return y
    return 2.0


def in_places(x):
    y = 1 / x
    return np.sum(y[1:] ** 2)


def by_elements(x):
    y = np.empty(len(x))
    for i in range(len(x)):
        y[i] = 1 / x[i]
    s = 0.0
    for i in range(1, len(x)):
        s += y[i]
    return s


# function, argument, its first and second derivatives (second: the sum over each row)
SELECTED: list[tuple[Callable[..., Any], Any, Any, Any]] = [
    (lambda v: math.sqrt(max(v, 0.0)), -1.0, 0.0, 0.0),
    (lambda v: math.sqrt(max(0.0, v)), -1.0, 0.0, 0.0),
    (lambda v: math.sqrt(-min(v, 0.0)), 1.0, 0.0, 0.0),
    (lambda v: math.sqrt(max(v, 0.0, -2.0)), -1.0, 0.0, 0.0),
    (lambda v: math.log(max(v, 0.0)), -1.0, 0.0, 0.0),
    (lambda v: max(v, 0.0) ** 0.3, -1.0, 0.0, 0.0),
    (lambda v: np.cbrt(max(v, 0.0)), -1.0, 0.0, 0.0),
    (lambda v: math.acos(min(1.0, max(-1.0, v))), 1.5, 0.0, 0.0),
    (lambda v: math.sqrt(v if v > 0.0 else 0.0), -1.0, 0.0, 0.0),
    (clamped, -1.0, 0.0, 0.0),
    (returned_before, -1.0, 0.0, 0.0),
    (on_one_side, 0.0, 0.0, 0.0),
    (lambda v: np.sum(np.sqrt(np.maximum(v, 0.0))), np.array([-1.0, 4.0]), [0.0, 0.25], [0.0, -1 / 32]),
    (lambda v: np.sum(np.sqrt(np.fmax(v, 0.0))), np.array([-1.0, 4.0]), [0.0, 0.25], [0.0, -1 / 32]),
    (lambda v: np.sum(np.sqrt(-np.fmin(v, 0.0))), np.array([1.0, -4.0]), [0.0, -0.25], [0.0, -1 / 32]),
    (lambda v: np.sum(np.sqrt(np.clip(v, 0.0, 9.0))), np.array([-1.0, 4.0, 9.5]), [0, 0.25, 0], [0, -1 / 32, 0]),
    (lambda v: np.sum(np.sqrt(np.where(v > 0, v, 0.0))), np.array([-1.0, 4.0]), [0.0, 0.25], [0.0, -1 / 32]),
    (lambda v: np.sum(np.sqrt((v > 0) * v)), np.array([-1.0, 4.0]), [0.0, 0.25], [0.0, -1 / 32]),
    (lambda v: np.sqrt(np.max(v)), np.array([-1.0, 0.0]), [0.0, INF], [0.0, -INF]),
    (lambda v: np.sum(np.sqrt(np.sort(v))), np.array([4.0, 0.0]), [0.25, INF], [-1 / 32, -INF]),
    (lambda v: math.sqrt(abs(v)), 0.0, 0.0, 0.0),
    (lambda v: math.log(math.fabs(v)), 0.0, 0.0, 0.0),
    (lambda v: abs(math.sqrt(v)), 0.0, 0.0, 0.0),
    # what stands over a selection
    (lambda x: max(math.sqrt(x), 1.0), 0.0, 0.0, 0.0),
    (lambda x: max(math.log(x), -3.0) ** 2, 0.0, 0.0, 0.0),
    (lambda x: min(1 / x, 5.0), 0.0, 0.0, 0.0),
    (lambda x: np.sum(np.minimum(1 / x, 5.0) * x), ROW, [5.0, 0.0, 0.0], [0.0, 0.0, 0.0]),
    (lambda x: np.sum(np.fmin(1 / x, 5.0)), ROW, [0.0, -1.0, -1 / 16], [0.0, 2.0, 1 / 32]),
    (lambda x: np.max(np.sqrt(x)) ** 2, ROW, [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]),
    (lambda x: np.nanmax(np.sqrt(x)) ** 2, ROW, [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]),
    (lambda x: np.sum(np.max(np.sqrt(np.outer(x, x)), axis=0)[1:]), ROW, [0.0, 1.0, 1.25], None),
    (lambda x: np.sort(np.sqrt(x))[1] ** 2, ROW, [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]),
    (lambda x: np.partition(np.sqrt(x), 1)[2] ** 2, ROW, [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]),
    (lambda x: np.median(np.sqrt(x)) ** 2, ROW, [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]),
    (lambda x: np.percentile(np.sqrt(x), 75) ** 2, ROW, [0.0, 0.75, 0.375], [0.0, -3 / 16, 3 / 64]),
    # what nothing reads
    (lambda x: np.sum((1 / x)[1:]), ROW, [0.0, -1.0, -1 / 16], [0.0, 2.0, 1 / 32]),
    (in_places, ROW, [0.0, -2.0, -1 / 32], [0.0, 6.0, 6 / 256]),
    (by_elements, ROW, [0.0, -1.0, -1 / 16], [0.0, 2.0, 1 / 32]),
    (lambda x: np.sqrt(x)[1] ** 2, ROW, [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]),
    (lambda x: np.sum(np.take(np.sqrt(x), [1, 2]) ** 2), ROW, [0.0, 1.0, 1.0], [0.0, 0.0, 0.0]),
    (lambda x: np.sum(np.sqrt(x)[np.array([1, 2])] ** 2), ROW, [0.0, 1.0, 1.0], [0.0, 0.0, 0.0]),
    (lambda x: np.sum(np.sqrt(x)[x > 0] ** 2), ROW, [0.0, 1.0, 1.0], [0.0, 0.0, 0.0]),
    (lambda x: np.sum(np.sqrt(x)[::-1][:2] ** 2), ROW, [0.0, 1.0, 1.0], [0.0, 0.0, 0.0]),
    (lambda x: np.sum((1 / x.reshape(3, 1))[1] ** 2), ROW, [0.0, -2.0, 0.0], [0.0, 6.0, 0.0]),
    (lambda x: np.sqrt(x)[np.argmax(x)] ** 2, ROW, [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]),
]


@pytest.mark.parametrize(("fun", "x", "first", "second"), SELECTED, ids=range(len(SELECTED)))
def test_what_is_not_selected_counts_nothing(fun, x, first, second):
    for mode in ("reverse", "forward"):
        np.testing.assert_allclose(sg.grad(fun, mode=mode, jit=False)(x), first, rtol=1e-14, atol=0, err_msg=mode)
    if second is not None:
        found = np.atleast_2d(sg.hessian(fun, jit=False)(x))
        np.testing.assert_allclose(found.sum(axis=1), np.atleast_1d(second), rtol=1e-13, atol=1e-15)


def heston(p, n=6):
    v, s = p[0], 0.0
    for i in range(n):
        vp = max(v, 0.0)
        s = s + math.sqrt(vp) * 0.3 - 0.05 * vp
        v = v + p[1] * (p[2] - vp) * 0.1 + p[3] * math.sqrt(vp) * (-1.0 if i % 2 == 0 else 0.2)
    return s


def stored_path(p, n=6):
    v = np.zeros(n + 1)
    v[0], s = p[0], 0.0
    for i in range(n):
        s += math.sqrt(v[i]) * 0.3
        v[i + 1] = max(v[i] + p[1] * (p[2] - v[i]) * 0.1 + p[3] * math.sqrt(v[i]) * (-1.0 if i % 2 == 0 else 0.2), 0.0)
    return s


def several_paths(p):
    v = p[0] * np.array([1.0, 1.0, 1.5, 0.5])
    for _ in range(4):
        vp = np.maximum(v, 0.0)
        v = v + p[1] * (p[2] - vp) * 0.1 + p[3] * np.sqrt(vp) * np.array([-1.0, 0.5, -2.0, 0.1])
    return np.sum(np.sqrt(np.maximum(v, 0.0)))


@pytest.mark.parametrize("fun", [heston, stored_path, several_paths], ids=lambda f: f.__name__)
def test_paths_of_variances_that_turn_negative(fun):
    p, h = np.array([0.04, 1.0, 0.04, 0.5]), 1e-6
    wanted = [(fun(p + h * e) - fun(p - h * e)) / (2 * h) for e in np.eye(4)]
    gradient = sg.grad(fun, jit=False)
    np.testing.assert_allclose(gradient(p), wanted, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(sg.grad(fun, mode="forward", jit=False)(p), gradient(p), rtol=1e-12, atol=1e-15)
    curves = [(gradient(p + h * e) - gradient(p - h * e)) / (2 * h) for e in np.eye(4)]
    np.testing.assert_allclose(sg.hessian(fun, jit=False)(p), curves, rtol=1e-5, atol=1e-6)


def test_compiled_paths():
    p = np.array([0.04, 1.0, 0.04, 0.5])
    for mode in ("reverse", "forward"):
        found = sg.grad(several_paths, mode=mode)(p)
        np.testing.assert_allclose(found, sg.grad(several_paths, jit=False)(p), rtol=1e-12)


# ---- infinite operands


def soft_minimum(g):
    return -g * math.log(math.exp(-1.0 / g) + math.exp(-INF / g) + math.exp(-2.0 / g))


def of_array(g, d):
    return -g * np.log(np.sum(np.exp(-d / g)))


def warped(g):
    cost, total = np.array([[1.0, 2.0], [0.5, 1.5]]), np.full((3, 3), np.inf)
    total[0, 0] = 0.0
    for i in range(1, 3):
        for j in range(1, 3):
            a, b, c = total[i - 1, j - 1], total[i - 1, j], total[i, j - 1]
            m = min(a, b, c)
            inner = math.exp(-(a - m) / g) + math.exp(-(b - m) / g) + math.exp(-(c - m) / g)
            total[i, j] = cost[i - 1, j - 1] + m - g * math.log(inner)
    return total[2, 2]


FLAT: list[tuple[Callable[..., Any], float, float]] = [
    (lambda g: math.exp(-INF / g), 2.0, 0.0),
    (lambda b: math.exp(-b * INF), 2.0, 0.0),
    (lambda g: np.exp2(-INF / g), 2.0, 0.0),
    (lambda g: math.tanh(INF / g), 2.0, 0.0),
    (lambda g: math.erf(INF / g), 2.0, 0.0),
    (lambda g: scipy.special.expit(-INF / g), 2.0, 0.0),
    (lambda g: 1.0 / (1.0 + math.exp(INF / g)), 2.0, 0.0),
    (lambda x: math.exp(-math.exp(x)), 800.0, 0.0),
    (lambda x: math.exp(-1 / x**2), 0.0, 0.0),
]


@pytest.mark.parametrize(("fun", "x", "slope"), FLAT, ids=range(len(FLAT)))
def test_slopes_that_vanish_at_infinity(fun, x, slope):
    for mode in ("reverse", "forward"):
        assert sg.grad(fun, mode=mode, jit=False)(x) == slope


@pytest.mark.parametrize("fun", [soft_minimum, lambda g: of_array(g, np.array([1.0, INF, 2.0])), warped])
def test_soft_minima_with_infinite_borders(fun):
    h = 1e-6
    wanted = (fun(1.3 + h) - fun(1.3 - h)) / (2 * h)
    for mode in ("reverse", "forward"):
        np.testing.assert_allclose(sg.grad(fun, mode=mode, jit=False)(1.3), wanted, rtol=1e-8)


def test_by_the_costs_too():
    costs = np.array([1.0, INF, 2.0])
    by_g, by_d = sg.grad(of_array, argnums=(0, 1))(1.3, costs)
    weights = np.exp(-costs / 1.3)
    np.testing.assert_allclose(by_d, weights / np.sum(weights), rtol=1e-13)
    np.testing.assert_allclose(by_g, sg.grad(of_array, mode="forward", jit=False)(1.3, costs), rtol=1e-13)


# ---- factors that are surely finite: an adjoint of zero stays zero without a look at it


def by_index(k, n):
    s = 0.0
    for i in range(n):
        s += math.exp(-k * i)
    return s


def by_negative_index(k, n):
    s = 0.0
    for i in range(-n, 0):
        s += math.exp(k * (2 * i + 1))
    return s


def by_scaled_index(k, n):
    s = 0.0
    for i in range(n):
        s += math.exp(-k * (0.5 * i + 1.5))
    return s


FINITE: list[tuple[Callable[..., Any], Any]] = [
    (by_index, 4),
    (by_negative_index, 4),
    (by_scaled_index, 4),
    (lambda k, n: math.exp(-k * n), 3),
    (lambda k, n: math.exp(-k * float(n) * 2.5), 3),
    (lambda k, n: np.exp(-k * abs(-n)), 3),
    (lambda k, w: math.exp(-k * len(w)), np.zeros(3)),
    (lambda k, w: math.exp(-k * w[1]), np.array([1, 2, 3])),
    (lambda k, w: np.sum(np.exp(-k * w)), np.array([1, 2, 3])),
]


@pytest.mark.parametrize(("fun", "other"), FINITE, ids=range(len(FINITE)))
def test_finite_factors_need_no_choice(fun, other):
    for mode in ("reverse", "forward"):
        slope = sg.grad(fun, mode=mode, jit=False)
        source = slope.source_for(0.7, other)
        assert " else " not in source and "where" not in source
        wanted = (fun(0.7 + 1e-6, other) - fun(0.7 - 1e-6, other)) / 2e-6
        assert slope(0.7, other) == pytest.approx(wanted, rel=1e-8)
        assert slope(800.0, other) == pytest.approx((fun(800.0 + 1e-6, other) - fun(800.0, other)) * 1e6, abs=1e-300)


@pytest.mark.parametrize("mode", ["reverse", "forward"])
@pytest.mark.parametrize(
    "fun",
    [
        lambda k, w: math.exp(-k * w),
        lambda k, w: math.exp(-k * 2 * w),
        lambda k, w: math.exp(-k * (w + 1)),
        lambda k, w: math.exp(-(k * 3) * w),
        lambda k, w: np.sum(np.exp(-k * np.array([w, 2 * w]))),
    ],
)
def test_factors_that_may_be_infinite_are_looked_at(fun, mode):
    assert sg.grad(fun, mode=mode, jit=False)(2.0, INF) == 0.0


# ---- zeros of one point only


@pytest.mark.parametrize("mode", ["reverse", "forward"])
@pytest.mark.parametrize(
    "fun",
    [
        lambda x: math.sqrt(x) ** 2,  # these have the slope 1
        lambda x: math.exp(math.log(x)),
        lambda x: 1 / (1 / x),
        lambda x: np.cbrt(x**3),
        lambda x: np.cbrt(max(x**3, -1.0)),
        lambda x: max(math.sqrt(x) ** 2, -1.0),
        lambda x: math.exp(-1 / x) + 1 / (1 / x),
    ],
)
def test_what_is_not_known_is_no_zero(fun, mode):
    assert math.isnan(sg.grad(fun, mode=mode, jit=False)(0.0))


# ---- what is read under another name


def carried_by_for(a, b, c):
    for k in range(2, 0, -1):
        b = b / a
        a[k] = b[k]
    return np.sum(b * c)


def carried_by_while(a, b, c):
    k = 0
    while k < 2:
        b = b / a
        a[k] = b[k]
        k += 1
    return np.sum(b * c)


def view_carried(a, b, c):
    v = b[:]
    for k in range(2):
        b = b / a
        v = b[1:]
        a[k] = b[k]
    return np.sum(v) * c[0]


def out_of_a_branch(a, b, c):
    if c[0] > 0.0:
        b = b / a
        a[1] = b[1]
    else:
        b = np.sqrt(a)
        b[0] = a[1]
    return np.sum(b * c)


@pytest.mark.parametrize("c", [np.array([1.5]), np.array([-1.5]), np.array([0.5, -1.0, 2.0])], ids=len)
@pytest.mark.parametrize("fun", [carried_by_for, carried_by_while, view_carried, out_of_a_branch])
def test_what_a_loop_or_a_branch_passes_on_is_read_as_a_whole(fun, c):
    a, b = np.array([0.8, 0.6, 0.7]), np.array([0.4, 0.7, 0.6])
    h = 1e-6
    for place, got in enumerate(sg.grad(fun, argnums=(0, 1), jit=False)(a, b, c)):
        for k in range(3):
            d = [np.zeros(3), np.zeros(3)]
            d[place][k] = h
            wanted = (fun(a + d[0], b + d[1], c) - fun(a - d[0], b - d[1], c)) / (2 * h)
            assert got[k] == pytest.approx(wanted, rel=1e-6, abs=1e-8)
