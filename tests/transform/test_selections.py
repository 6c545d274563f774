"""Loops that look for something: on the way back, the iteration that took it is run again alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.analysis.effects import Facts
from srcgrad.core.run import run
from srcgrad.simplify.pipeline import simplify
from srcgrad.transform.plan import Plan
from srcgrad.transform.reverse import keep_values, reverse
from tests.transform.test_reverse import lowered

X = np.array([0.3, -1.2, 2.0, 2.0, 0.1])
POINTS = np.random.default_rng(1).normal(size=(4, 5))
CENTERS = np.random.default_rng(2).normal(size=(3, 5))


def nearest(centers, points):
    total = 0.0
    for i in range(points.shape[0]):
        best = math.inf
        for k in range(centers.shape[0]):
            d = 0.0
            for j in range(points.shape[1]):
                t = points[i, j] - centers[k, j]
                d += t * t
            if d < best:
                best = d
        total += best
    return total


def largest(x, y):
    m = x[0]
    for i in range(1, len(x)):
        if x[i] * y > m:
            m = x[i] * y
    return m * m


def with_its_place(x, y):
    m, at = -math.inf, 0
    for i in range(len(x) - 1, -1, -1):
        if x[i] >= m:
            m = x[i]
            at = i
    return m * y + x[at - 1]


def under_two_conditions(x, y):
    m = y
    for i in range(0, len(x), 2):
        if i > 0 and x[i] < m or x[i] < -1.0:
            m = math.sin(x[i]) * y
    return m


def two_at_once(x, y):
    low = far = y
    for i in range(len(x)):
        d = abs(x[i] - y)
        if d < low:
            low = d
            far = d * d + x[0]
    return low + 3.0 * far


def the_first_that_fits(x, y):
    found = y * y
    for i in range(len(x)):
        if x[i] > 1.0:
            found = x[i] * y
            break
    return found


def a_search_in_a_time_loop(x, y):
    u = x.copy()
    s = 0.0
    for t in range(3):
        best = 10.0
        for i in range(len(x)):
            if u[i] * u[i] < best:
                best = u[i] * u[i]
        s += best * y
        for i in range(len(x)):
            u[i] = u[i] * (0.5 + best)
    return s


def labels_too(x, y):
    labels = np.zeros(len(x), dtype=np.int64)
    best = 9.0
    for i in range(len(x)):
        if x[i] < best:
            best = x[i] * y
            labels[i] = i
    return best * labels[1]


def what_is_scaled_by_what_was(x, y):
    """The threshold enters the condition alone."""
    best = 4.0
    for i in range(len(x)):
        if 2.0 * x[i] + 0.5 * best < y + best:
            best = x[i] ** 2
    return best


FOUND = [
    (nearest, (CENTERS, POINTS)),
    (largest, (X, 0.5)),
    (with_its_place, (X, 0.5)),
    (under_two_conditions, (X, 0.5)),
    (two_at_once, (X, 0.5)),
    (the_first_that_fits, (X, 0.5)),
    (a_search_in_a_time_loop, (X, 0.5)),
    (labels_too, (X, 0.5)),
    (what_is_scaled_by_what_was, (X, 0.5)),
]


def builtin(x, y):
    """Equal ones share the derivative."""
    m = -math.inf
    for i in range(len(x)):
        m = max(m, x[i])
    return m * y


def part_of_what_was(x, y):
    m = y
    for i in range(len(x)):
        if x[i] > m:
            m = 0.5 * (m + x[i])
    return m


def the_second_best(x, y):
    best = second = 9.0
    for i in range(len(x)):
        if x[i] < best:
            second = best
            best = x[i]
    return second * y


def taken_on_both_sides(x, y):
    m = y
    for i in range(len(x)):
        if x[i] > m:
            m = x[i]
        else:
            m = m * 0.9
    return m


def a_sum_beside(x, y):
    m, s = y, 0.0
    for i in range(len(x)):
        s += x[i] * m
        if x[i] > m:
            m = x[i]
    return m + s


def kept_elsewhere(x, y):
    m, trace = y, np.zeros(len(x))
    for i in range(len(x)):
        if x[i] > m:
            m = x[i]
        trace[i] = m
    return m + trace[1]


OTHERS = [
    (builtin, (X, 0.5)),
    (part_of_what_was, (X, 0.5)),
    (the_second_best, (X, 0.5)),
    (taken_on_both_sides, (X, 0.5)),
    (a_sum_beside, (X, 0.5)),
    (kept_elsewhere, (X, 0.5)),
]


def the_largest_of_what_is_stored(x, y):
    terms, top = np.zeros(len(x)), -math.inf
    for i in range(len(x)):
        terms[i] = x[i] * y
        if terms[i] > top:
            top = terms[i]
    s = 0.0
    for i in range(len(x)):
        s += math.exp(terms[i] - top)
    return top + math.log(s)


def two_searches(x, y):
    low, high, s = 9.0, -9.0, 0.0
    for i in range(len(x) - 1, -1, -1):
        s = s * 0.5 + x[i]
        if x[i] < low:
            low = x[i] * y
        if x[i] > high:
            high = x[i] * x[i]
    return low + 2.0 * high + s


def last_of_each_kind(x, y):
    a, b = y, 1.0
    for i in range(0, len(x), 2):
        b = b * x[i]
        if i != 2:
            if x[i] > a:
                a = math.sin(x[i])
    return a * b


def two_that_get_the_same(x, y):
    a, b, s = y, y, 1.0
    for i in range(len(x)):
        s *= x[i]
        if x[i] > a:
            a = x[i]
        b = a
    return a + 2.0 * b + s


BESIDE = [
    (the_largest_of_what_is_stored, (X, 0.5), 1),
    (two_searches, (X, 0.5), 1),
    (last_of_each_kind, (X, 0.5), 1),
    (two_that_get_the_same, (X, 0.5), 0),
    (a_sum_beside, (X, 0.5), 0),
    (kept_elsewhere, (X, 0.5), 0),
]


@pytest.mark.parametrize(("fun", "args", "count"), BESIDE, ids=lambda x: getattr(x, "__name__", ""))
def test_loops_that_look_for_something_among_others(fun, args, count) -> None:
    selections = Plan(Facts(simplify(lowered(fun, args)).main)).selections
    assert not selections.found and len(selections.beside) == count


def found(fun: Callable[..., Any], args: tuple[Any, ...]) -> int:
    return len(Plan(Facts(simplify(lowered(fun, args)).main)).selections.found)


@pytest.mark.parametrize(("fun", "args"), FOUND, ids=lambda x: getattr(x, "__name__", ""))
def test_loops_that_look_for_something(fun, args) -> None:
    assert found(fun, args) == 1


@pytest.mark.parametrize(("fun", "args"), OTHERS, ids=lambda x: getattr(x, "__name__", ""))
def test_loops_that_do_more(fun, args) -> None:
    assert found(fun, args) == 0


@pytest.mark.parametrize(
    ("fun", "args"), [*FOUND, *OTHERS, *(b[:2] for b in BESIDE)], ids=lambda x: getattr(x, "__name__", "")
)
def test_the_derivative_is_the_same(fun, args) -> None:
    program = simplify(lowered(fun, args))
    for y in (0.5, -3.0, 100.0) if fun is not nearest else (POINTS,):
        seeded = (args[0], y, 1.5)
        wanted = run(reverse(program, [0, 1], "keep"), *seeded)
        for made in (reverse(program, [0, 1]), simplify(reverse(program, [0, 1]))):
            for got, want in zip(run(made, *seeded), wanted, strict=True):
                np.testing.assert_allclose(got, want, rtol=1e-13, atol=1e-14)
        assert sg.value_and_grad(fun, jit=False)(args[0], y)[0] == pytest.approx(fun(args[0], y), rel=1e-14)


@pytest.mark.parametrize("keeping", ["all", "none"])
@pytest.mark.parametrize(("fun", "args"), [*FOUND, *(b[:2] for b in BESIDE)], ids=lambda x: getattr(x, "__name__", ""))
def test_what_is_kept_makes_no_difference(fun, args, keeping) -> None:
    program = simplify(lowered(fun, args))
    wanted = run(reverse(program, [0, 1], "keep"), *args, 1.5)
    with keep_values(keeping):
        made = reverse(program, [0, 1])
    for got, want in zip(run(made, *args, 1.5), wanted, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-13, atol=1e-14)


def test_nothing_is_kept_and_one_iteration_is_run_again() -> None:
    source = sg.value_and_grad(nearest, jit=False).source_for(CENTERS, POINTS)
    assert "_kept" not in source and source.count("for k") == 1 and source.count("for j") == 2


def test_the_sides_not_taken_give_exactly_zero() -> None:
    """Where what they compute is infinite or not a number, too."""

    def smallest_root(x, y):
        best = 5.0
        for i in range(len(x)):
            if x[i] > 0.0 and math.sqrt(x[i]) < best:
                best = math.sqrt(x[i]) * y
        return best

    for x in ([4.0, 0.0, 9.0], [np.nan, 4.0, -1.0], [0.0, np.inf, 4.0]):
        bar = sg.grad(smallest_root, jit=False)(np.array(x), 1.0)
        np.testing.assert_array_equal(bar, [0.25 if v == 4.0 else 0.0 for v in x])


def test_ties_go_to_the_one_that_the_branch_took() -> None:
    np.testing.assert_array_equal(sg.grad(largest, jit=False)(np.array([0.0, 2.0, 2.0]), 1.0), [0.0, 4.0, 0.0])
    bar = sg.grad(with_its_place, jit=False)(np.array([0.0, 2.0, 2.0]), 1.0)
    np.testing.assert_array_equal(bar, [1.0, 1.0, 0.0])


def test_where_nothing_is_taken_the_start_counts() -> None:
    bar, y_bar = sg.grad(the_first_that_fits, argnums=(0, 1), jit=False)(np.zeros(0), 3.0)
    assert bar.shape == (0,) and y_bar == 6.0
