"""Loops that only add run forward and backward at once: which ones do, and that the derivative stays what it is."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.analysis.effects import Facts
from srcgrad.core import ir
from srcgrad.core.run import run
from srcgrad.simplify.pipeline import simplify
from srcgrad.transform.plan import Plan
from srcgrad.transform.reverse import reverse
from tests.transform.test_reverse import lowered

X = np.random.default_rng(0).normal(size=5)
POINTS = np.random.default_rng(1).normal(size=(4, 5))


def energies_of_pairs(points, cut):
    energy = 0.0
    for i in range(points.shape[0]):
        for j in range(i):
            square = 0.01
            for k in range(points.shape[1]):
                d = points[i, k] - points[j, k]
                square += d * d
            if square < cut:
                energy += 1.0 / square
    return -energy / points.shape[0]


def the_same_factor_in_front(x, y):
    s = 0.0
    for i in range(len(x)):
        s += x[i] * x[i]
    return 2.0 - s * 0.5 + y


def one_after_another(x, y):
    s = y
    for i in range(len(x)):
        s += math.sin(x[i])
    for i in range(len(x) - 1, -1, -1):
        s -= math.exp(x[i] * y)
    return s


def two_sums(x, y):
    a = b = 0.0
    for i in range(0, len(x), 2):
        a += x[i] * y
        if x[i] > 0.0:
            b += a - a + x[i]
        else:
            b -= math.cos(x[i])
    return b


def a_running_index(points, y):
    s, at = 0.0, 0
    for i in range(points.shape[0]):
        s += points[i, at % 5] * y
        at += 3
    return s * y - s


def scratch_in_each_iteration(points, y):
    s = 0.0
    for i in range(points.shape[0]):
        scratch = np.zeros(5)
        for k in range(5):
            scratch[k] = math.tanh(points[i, k] * y)
        for k in range(5):
            s += scratch[k] * scratch[4 - k]
    return s


def left_early(x, y):
    s = 0.0
    for i in range(len(x)):
        s += x[i] ** 2 * y
        if s > 1.0:
            break
    return s


def sums_in_each_step(x, y):
    u = x.copy()
    for _ in range(3):
        s = 0.0
        for i in range(len(x)):
            s += math.sin(u[i])
        for i in range(len(x)):
            u[i] = u[i] * y + 0.1 * s
    return u[0] + u[4]


def sums_that_stop(x, y):
    s = 0.0
    for i in range(len(x)):
        if x[i] > 100.0:
            raise ValueError("too large")
        s += x[i] * y
    return s


FUSED = [
    (energies_of_pairs, (POINTS, 9.0), 1),
    (the_same_factor_in_front, (X, 0.5), 1),
    (one_after_another, (X, 0.5), 2),
    (scratch_in_each_iteration, (POINTS, 0.7), 1),
    (left_early, (X, 0.8), 1),
    (sums_in_each_step, (X, 0.9), 0),
    (sums_that_stop, (X, 0.9), 1),
]


def the_logarithm_of_a_sum(x, y):
    s = 0.0
    for i in range(len(x)):
        s += math.exp(x[i] * y)
    return math.log(s)


def the_square_of_a_sum(x, y):
    s = 0.0
    for i in range(len(x)):
        s += x[i] * y
    return s * s


def a_factor_that_varies(x, y):
    s = 0.0
    for i in range(len(x)):
        s += x[i]
    return s * y


def a_recurrence(x, y):
    s = 0.0
    for i in range(len(x)):
        s = s * y + x[i]
    return s


def a_sum_that_is_read(x, y):
    s = p = 0.0
    for i in range(len(x)):
        s += x[i] * y
        p += s
    return p


def a_sum_begun_anew(x, y):
    s = 0.0
    for i in range(len(x)):
        if x[i] > 0.5:
            s = 0.0
        s += x[i] * y
    return s


def what_is_overwritten(x, y):
    u, s = x.copy(), 0.0
    for i in range(len(x)):
        s += u[i] * u[i]
    for i in range(len(x)):
        u[i] = y * i
    return s + u[0] * u[1]


def elements_stored_too(x, y):
    u, s = np.zeros(len(x)), 0.0
    for i in range(len(x)):
        u[i] = x[i] * y
        s += u[i] * u[i]
    return s + u[1]


def a_factor_made_later(x, y):
    s = 0.0
    for i in range(len(x)):
        s += x[i] * y
    n = 0
    for i in range(len(x)):
        if x[i] > 0.0:
            n += 1
    return s / n


NOT_FUSED = [
    (the_logarithm_of_a_sum, (X, 0.5)),
    (the_square_of_a_sum, (X, 0.5)),
    (a_factor_that_varies, (X, 0.5)),
    (a_recurrence, (X, 0.5)),
    (a_sum_that_is_read, (X, 0.5)),
    (a_sum_begun_anew, (X, 0.5)),
    (what_is_overwritten, (X, 0.5)),
    (elements_stored_too, (X, 0.5)),
    (a_factor_made_later, (X, 0.5)),
]
ALL = [*((fun, args) for fun, args, _ in FUSED), *NOT_FUSED, (two_sums, (X, 0.5)), (a_running_index, (POINTS, 0.5))]


def at_once(fun: Callable[..., Any], args: tuple[Any, ...]) -> int:
    """How many loops at the function's top run forward and backward at once."""
    plan = Plan(Facts(simplify(lowered(fun, args)).main))
    return sum(plan.facts.where[loop] is plan.facts.top for loop in plan.one_sweep.steps)


@pytest.mark.parametrize(("fun", "args", "wanted"), FUSED, ids=lambda x: getattr(x, "__name__", ""))
def test_sums_whose_adjoint_is_known_before_them(fun, args, wanted) -> None:
    assert at_once(fun, args) == wanted


@pytest.mark.parametrize(("fun", "args"), NOT_FUSED, ids=lambda x: getattr(x, "__name__", ""))
def test_other_loops_run_back_after_all_is_run(fun, args) -> None:
    assert at_once(fun, args) == 0


@pytest.mark.parametrize(("fun", "args"), ALL, ids=lambda x: getattr(x, "__name__", ""))
def test_the_derivative_is_the_same(fun, args) -> None:
    program = simplify(lowered(fun, args))
    seeded = (*args, 1.5)
    wanted = run(reverse(program, [0, 1], "keep"), *seeded)
    for made in (reverse(program, [0, 1]), simplify(reverse(program, [0, 1]))):
        for got, want in zip(run(made, *seeded), wanted, strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-13, atol=1e-14)
    value, (bar, _) = sg.value_and_grad(fun, argnums=(0, 1), jit=False)(*args)
    assert value == pytest.approx(fun(*args), rel=1e-13)
    np.testing.assert_allclose(1.5 * bar, wanted[1], rtol=1e-12, atol=1e-14)


def test_no_iteration() -> None:
    value, bar = sg.value_and_grad(energies_of_pairs, jit=False)(np.zeros((1, 3)), 1.0)
    assert value == 0.0
    np.testing.assert_array_equal(bar, np.zeros((1, 3)))


def test_what_only_the_value_needs_is_left_out() -> None:
    """The sum itself, where no one asks for it."""
    source = sg.grad(the_same_factor_in_front, jit=False).source_for(X, 0.5)
    assert "s = 0.0" not in source and source.count("for i") == 1
    assert sg.value_and_grad(the_same_factor_in_front, jit=False).source_for(X, 0.5).count("for i") == 1


def test_what_is_raised_in_the_loop_is_raised_once() -> None:
    derivative = sg.value_and_grad(sums_that_stop, jit=False)
    with pytest.raises(ValueError, match="too large"):
        derivative(np.array([1.0, 200.0]), 1.0)
    assert derivative.source_for(X, 1.0).count("raise") == 1


def test_memory_that_lasts_has_its_adjoint_before_the_loop() -> None:
    """And what is made later has its own after it."""
    program = simplify(reverse(simplify(lowered(what_is_overwritten, (X, 0.5))), [0, 1]))
    assert sum(isinstance(s, ir.For) for s in program.main.body) == 4
