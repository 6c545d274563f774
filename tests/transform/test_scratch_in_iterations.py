"""Memory in front of a loop whose iterations fill it anew is made in them: what is, and that the derivative stays."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.core.ir import Alloc, Const
from srcgrad.core.run import run
from srcgrad.simplify.pipeline import simplify
from srcgrad.transform.reverse import reverse
from srcgrad.transform.scratch_in_iterations import scratch_in_iterations
from tests.transform.test_reverse import lowered

POINTS = np.random.default_rng(1).normal(size=(4, 3))


def filled_in_each(points, y):
    scratch, s = np.zeros(points.shape[1]), 0.0
    for i in range(points.shape[0]):
        for k in range(points.shape[1]):
            scratch[k] = math.sin(points[i, k] * y)
        for k in range(points.shape[1]):
            s += scratch[k] * scratch[points.shape[1] - 1 - k]
    return s


def filled_in_an_inner_loop(points, y):
    scratch, s = np.empty(points.shape[1]), 0.0
    for i in range(points.shape[0]):
        for _ in range(2):
            for k in range(points.shape[1]):
                scratch[k] = points[i, k] * y + s * 0.1
            for k in range(points.shape[1]):
                s += scratch[k] ** 2
    return s


def of_two_axes(points, y):
    table, s = np.zeros((points.shape[1], points.shape[0])), y
    for step in range(3):
        for i in range(points.shape[0]):
            for k in range(points.shape[1]):
                table[k, i] = points[i, k] * s
        s += table[1, 2] * table[0, step] * 0.1
    return s


def read_where_it_has_been_filled(points, y):
    scratch, s = np.zeros(points.shape[1]), 0.0
    for i in range(points.shape[0]):
        largest = -9.0
        for k in range(points.shape[1]):
            scratch[k] = points[i, k] * y
            scratch[k] += 0.5
            if scratch[k] > largest:
                largest = scratch[k]
        s += largest * scratch[0]
    return s


def while_something(points, y):
    scratch, s, i = np.zeros(points.shape[1]), 0.0, 0
    while i < points.shape[0]:
        for k in range(points.shape[1]):
            scratch[k] = points[i, k] * y
        s += scratch[0] * scratch[2]
        i += 1
    return s


MOVED = [filled_in_each, filled_in_an_inner_loop, of_two_axes, read_where_it_has_been_filled, while_something]


def filled_in_part(points, y):
    scratch, s = np.ones(points.shape[1]), 0.0
    for i in range(points.shape[0]):
        for k in range(1, points.shape[1]):
            scratch[k] = points[i, k] * y
        s += scratch[0] * scratch[2]
    return s


def read_before(points, y):
    scratch, s = np.ones(points.shape[1]), 0.0
    for i in range(points.shape[0]):
        s += scratch[0]
        for k in range(points.shape[1]):
            scratch[k] = points[i, k] * y
    return s


def read_while_it_is_filled(points, y):
    scratch, s = np.ones(points.shape[1]), 0.0
    for i in range(points.shape[0]):
        for k in range(points.shape[1]):
            scratch[k] = points[i, k] * y + scratch[points.shape[1] - 1 - k]
        s += scratch[1]
    return s


def read_after_the_loop(points, y):
    scratch, s = np.zeros(points.shape[1]), 0.0
    for i in range(points.shape[0]):
        for k in range(points.shape[1]):
            scratch[k] = points[i, k] * y
        s += scratch[0]
    return s * scratch[2]


def filled_under_a_condition(points, y):
    scratch, s = np.ones(points.shape[1]), 0.0
    for i in range(points.shape[0]):
        for k in range(points.shape[1]):
            if points[i, k] > 0.0:
                scratch[k] = points[i, k] * y
        s += scratch[0] * scratch[1]
    return s


def filled_along_one_index(points, y):
    table, s = np.ones((points.shape[0], points.shape[0])), 0.0
    for i in range(points.shape[0]):
        for k in range(points.shape[0]):
            table[k, k] = points[i, 0] * y
        s += table[0, 0] * table[1, 0]
    return s


def filled_until(points, y):
    scratch, s = np.ones(points.shape[1]), 0.0
    for i in range(points.shape[0]):
        for k in range(points.shape[1]):
            scratch[k] = points[i, k] * y
            if scratch[k] > 1.0:
                break
        s += scratch[2]
    return s


LEFT = [
    filled_in_part,
    read_before,
    read_while_it_is_filled,
    read_after_the_loop,
    filled_under_a_condition,
    filled_along_one_index,
    filled_until,
]


def at_the_top(fun: Callable[..., Any]) -> int:
    program = scratch_in_iterations(simplify(lowered(fun, (POINTS, 0.5))).main)
    return sum(isinstance(s, Alloc) for s in program.body)


@pytest.mark.parametrize("fun", MOVED, ids=lambda f: f.__name__)
def test_what_each_iteration_fills_is_made_in_it(fun) -> None:
    assert at_the_top(fun) == 0
    program = simplify(reverse(simplify(lowered(fun, (POINTS, 0.5))), [0, 1]))
    kept = [s for s in program.main.body if isinstance(s, Alloc) and s.target.name.startswith(("scratch", "table"))]
    assert not kept


@pytest.mark.parametrize("fun", LEFT, ids=lambda f: f.__name__)
def test_what_may_be_read_from_before_stays(fun) -> None:
    assert at_the_top(fun) == 1


NEED_FOUR_ROWS = (of_two_axes, filled_along_one_index)
CASES = [(f, rows) for f in (*MOVED, *LEFT) for rows in (4, 1, 0) if rows == 4 or f not in NEED_FOUR_ROWS]


@pytest.mark.parametrize(("fun", "rows"), CASES, ids=lambda x: getattr(x, "__name__", str(x)))
def test_the_derivative_is_the_same(fun, rows) -> None:
    points = POINTS[:rows]
    program = simplify(lowered(fun, (points, 0.5)))
    moved = program.__class__(scratch_in_iterations(program.main))
    assert run(moved, points, 0.5) == run(program, points, 0.5)
    wanted = run(reverse(program, [0, 1], "keep"), points, 0.5, 1.5)
    for made in (reverse(program, [0, 1]), simplify(reverse(program, [0, 1]))):
        for got, want in zip(run(made, points, 0.5, 1.5), wanted, strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-13, atol=1e-14)
    value, bar = sg.value_and_grad(fun, jit=False)(points, 0.5)
    assert value == pytest.approx(fun(points, 0.5))
    np.testing.assert_allclose(1.5 * bar, wanted[1], rtol=1e-12, atol=1e-14)


def test_a_length_that_may_be_negative_is_looked_at_where_it_was() -> None:
    def fun(x, n):
        scratch, s = np.zeros(n), 0.0
        for i in range(len(x)):
            for k in range(n):
                scratch[k] = x[i]
            for k in range(n):
                s += scratch[k] * scratch[n - 1 - k]
        return s

    made = scratch_in_iterations(simplify(lowered(fun, (np.ones(2), 3))).main)
    assert any(isinstance(s, Alloc) and not isinstance(s.shape[0], Const) for s in made.body)
