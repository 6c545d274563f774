"""Large functions that are called from several places: functions of the program, and pairs of sweeps."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.frontend.lowering import called_helpers
from srcgrad.testing import check_grads

X, P = np.linspace(0.2, 1.3, 6), np.array([1.0, 0.5, 0.3, 0.2])
PAIR = "_inner_forward("


def helper(x, y, p):
    a = math.sin(x) * p[0] + 0.1 * y
    b = math.cos(y) * p[1] - 0.1 * x
    c = math.exp(-a * a) + b
    d = a * b + c / (1.0 + x * x)
    e = 0.1 * math.log(1.0 + d * d)
    if a > 0.3:
        g = a * b + c
    else:
        g = a + b * c
    return 0.2 * math.tanh(g + math.sin(e) * p[2] + x * p[3]) + 0.1 * d


def early(x, p):
    if x < 0.5:
        return x * p[0]
    s = math.sin(x) * math.exp(-x) + math.cos(x * p[1]) * x
    if s < 0.8:
        return s * s + math.tanh(s) * math.log(1.0 + s * s)
    for k in range(4):
        s = s + math.sin(s * p[2] + k) * math.exp(-s * s) / (1.0 + s * s) + s * s * 0.1
        if s > 3.0:
            return s * s * x
    return s * math.sqrt(1.0 + s * s) + math.cos(s) * p[3]


class State(NamedTuple):
    position: float
    velocity: float


def step(state, p, dt):
    x, v = state
    force = (
        -p[0] * math.sin(x) - p[1] * v * math.sqrt(1.0 + v * v) + p[2] * math.exp(-x * x) * math.cos(x) * math.tanh(v)
    )
    half = v + 0.5 * dt * force
    x = x + dt * half / (1.0 + half * half * 0.01)
    force = -p[0] * math.sin(x) - p[1] * half * math.sqrt(1.0 + half * half) + p[3] * math.exp(-x * x) * math.cos(x)
    return State(x, half + 0.5 * dt * force)


def looping(x, p, n):
    s = x
    i = 0
    while i < n and s < 10.0:
        for k in range(p.shape[0]):
            s = s + math.sin(s * p[k]) * math.exp(-s * s) + math.cos(x + k) * 0.1
            s = s * (1.0 + 0.01 * math.tanh(s * p[k])) + math.log(1.0 + s * s) * math.sqrt(1.0 + x * x) * 0.1
            s = s / (1.0 + math.exp(-x * x) * 0.1) + math.atan(s) * math.sin(x) * math.sin(x) * 0.3
        i += 1
    return s + math.exp(-s * s) * x * math.sin(s) * math.cos(s)


def nested(x, y, p):
    u = helper(x, y, p) * math.sin(x)
    v = helper(y, u, p) * math.cos(y) + math.exp(-u * u)
    return u * v + math.tanh(u) * math.sqrt(1.0 + v * v)


def writing(a, k, p):
    a[k] = math.sin(a[k]) * p[0] + math.cos(a[k] * p[1]) * math.exp(-a[k] * a[k])
    a[k] = a[k] * math.tanh(a[k]) + math.log(1.0 + a[k] * a[k]) * math.sqrt(1.0 + a[k] * a[k])
    a[k] = a[k] / (1.0 + a[k] * a[k]) + math.atan(a[k]) * p[2] + math.sin(a[k]) * math.cos(a[k]) * p[3]


def powers(x, n, p):
    s = 0.0
    for k in range(n):
        s += x**k * math.sin(x * p[k]) + math.exp(-x * x) * math.cos(x) + math.tanh(x) * math.sqrt(1.0 + x * x)
        s = s * math.atan(s) + math.log(1.0 + s * s) * p[n - 1] + math.sin(s) * math.cos(s) + s / (1.0 + s * s)
        s = s * 0.5 + math.exp(-s * s) * math.sin(s * x) * math.tanh(s + x)
    return s


def straight(x, p):
    s = helper(x[0], x[1], p)
    s += helper(x[2], s, p)
    s *= helper(s, x[3], p)
    return s + helper(x[4], s * x[5], p)


def in_loops(x, p):
    s = 0.0
    for i in range(x.shape[0]):
        s += helper(x[i], s, p)
        for j in range(i):
            s += 0.1 * helper(x[j], x[i], p)
    return s + helper(s, x[0], p)


def in_branches(x, p):
    s = x[0]
    for i in range(x.shape[0]):
        if x[i] > 0.7:
            s += helper(x[i], s, p)
        elif x[i] > 0.4:
            s -= helper(s, x[i], p) * helper(x[0], x[1], p)
    return s


def with_early(x, p):
    return early(x[0], p) + early(x[2], p) * early(x[3], p) + early(x[5] * early(x[1] + 1.0, p), p)


def with_structures(x, p):
    s = State(x[0], x[1])
    s = step(s, p, 0.1)
    s = step(s, p, x[2])
    for i in range(3):
        s = step(s, p, 0.05 * i)
    s = step(State(s.velocity, s.position), p, 0.1)
    return s.position * s.velocity


def with_loops(x, p):
    return looping(x[0], p, 2) + looping(x[1], p, 3) * looping(x[2], p, 2) + looping(x[3], p, 2) * looping(x[4], p, 2)


def with_nested(x, p):
    return nested(x[0], x[1], p) + nested(x[2], x[3], p) * nested(x[4], x[5], p)


def with_writing(x, p):
    a = x.copy()
    writing(a, 0, p)
    writing(a, 1, p)
    for i in range(4):
        writing(a, i, p)
    return a[0] + a[1] * a[2]


def with_numbers(x, p):
    return powers(x[0], 2, p) + powers(x[1], 3, p) * powers(x[2], 2, p) + powers(x[3], 2, p)


def while_tested(x, p):
    s, i = x[0], 0
    while helper(s, x[1], p) < 1.5 and i < 4:
        s += 0.3 * helper(s, x[i], p)
        i += 1
    return s * helper(s, s, p)


def refusing(x, p):
    s = 0.0
    for i in range(3):
        s += raising(x[i], p) * raising(x[i + 1], p)
    return s + raising(x[5], p)


def raising(x, p):
    if x > 5.0:
        raise ValueError("too large")
    s = helper(x, x, p)
    return s * math.sin(x) + math.cos(s) * math.exp(-s * s)


def guarded(x, p):
    try:
        return raising(x[0], p) + raising(x[1], p) + raising(100.0 * x[2], p)
    except ValueError:
        return raising(x[3], p) * x[4]


SCALE, WEIGHTS = 0.7, np.array([0.3, 0.2])


def applied(f, x, p, kind="sum"):
    s = f(x) * p[0] + math.sin(x) * SCALE
    t = f(s) * math.exp(-s * s) + math.tanh(s) * p[1]
    if kind == "sum":
        return s + t * math.cos(x) / (1.0 + t * t)
    return s * t * math.cos(x) / (1.0 + t * t)


def with_functions(x, p):
    return applied(math.sin, x[0], p) + applied(math.sin, x[1], p) * applied(math.sin, applied(math.sin, x[2], p), p)


def with_lambdas(x, p):
    a = applied(lambda y: y * x[4], x[0], p) + applied(lambda y: y * y, x[1], p)
    return a * applied(lambda y: math.sin(y), x[2], p) + applied(lambda y: y, x[3], p, kind="product")


def weighted(x, p):
    s = math.sin(x) * WEIGHTS[0] + math.cos(x * p[0]) * WEIGHTS[1] + math.exp(-x * x) * math.tanh(x)
    return s * s + math.log(1.0 + s * s) * p[1] + math.sqrt(1.0 + x * x) * math.atan(s)


def with_captured_arrays(x, p):
    return weighted(x[0], p) + weighted(x[1], p) * weighted(x[2], p) + weighted(x[3], p)


def smoothed(a, p):
    b = np.sin(a) * p[0] + np.cos(a) * p[1] + np.exp(-a * a) * np.tanh(a)
    return (b * b + np.log(1.0 + b * b) * np.sqrt(1.0 + a * a) + np.arctan(b)).sum()


def with_whole_arrays(x, p):
    return smoothed(x[:3], p) + smoothed(x[3:], p) * smoothed(x[1:4], p) + smoothed(x[2:], p)


CALLED = [straight, in_loops, in_branches, with_early, with_structures, with_loops, with_nested, with_numbers]
CALLED += [while_tested, refusing]
CALLED += [with_functions, with_captured_arrays]
IN_PLACE = [with_writing, guarded, with_lambdas, with_whole_arrays]


def outcomes(fun, **options):
    """What derivatives of both modes give, and the source of the gradient."""
    options = {"jit": False, **options}
    both = sg.value_and_grad(fun, argnums=(0, 1), **options)
    value, (x_bar, p_bar) = both(X, P)
    _, dot = sg.forward(fun, **options)(X, P, np.cos(X))
    return both.source_for(X, P), (value, x_bar, p_bar, dot)


def second_outcomes(fun, **options):
    once = sg.grad(fun)
    twice = sg.grad(lambda x, p: (once(x, p) * np.cos(x)).sum(), jit=False, **options)(X, P)
    return sg.hvp(fun, jit=False, **options)(X, P, np.cos(X)), twice + sg.grad(fun, jit=False)(X, P) * np.sin(X)


@pytest.fixture(autouse=True)
def small_ones_too(monkeypatch):
    monkeypatch.setattr(called_helpers, "SIZE", 10)
    monkeypatch.setattr(called_helpers, "LESS", 20)


@pytest.fixture
def in_place(monkeypatch):
    """What makes the outcomes of functions that are read in place, beside which those with calls are held."""

    def make(outcome, fun):
        with monkeypatch.context() as patch:
            patch.setattr(called_helpers, "LESS", 10**9)
            return outcome(fun, fastmath=False)

    return make


@pytest.mark.parametrize("fun", CALLED + IN_PLACE, ids=lambda fun: fun.__name__)
def test_derivatives_are_those_of_functions_that_are_read_in_place(fun, in_place):
    source, called = outcomes(fun)
    assert (PAIR in source) == (fun in CALLED), source
    source, expected = in_place(outcomes, fun)
    assert "_inner" not in source
    np.testing.assert_allclose(called[0], fun(X.copy(), P), rtol=1e-14)
    for a, b in zip(called, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(called[3], called[1] @ np.cos(X), rtol=1e-10)


@pytest.mark.parametrize("fun", [straight, in_loops, with_early, with_structures], ids=lambda fun: fun.__name__)
def test_second_derivatives_are_those_of_functions_that_are_read_in_place(fun, in_place):
    hvp, twice = second_outcomes(fun)
    np.testing.assert_allclose(hvp, twice, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(hvp, in_place(second_outcomes, fun)[0], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("fun", [straight, in_loops, with_structures], ids=lambda fun: fun.__name__)
def test_compiled_code_agrees(fun):
    check_grads(fun, (X, P), order=1)


def test_a_check_in_a_helper_raises_as_it_does_in_python():
    with pytest.raises(ValueError, match="too large"):
        sg.grad(refusing, jit=False)(X + 10.0, P)


def test_what_a_helper_keeps_of_known_length_is_not_counted():
    source = sg.grad(straight, jit=False).source_for(X, P)
    assert "_count" not in source
    assert sum("math.exp(" in line and "#" not in line for line in source.splitlines()) == 1, source


def test_what_is_kept_behind_branches_is_bounded_not_counted():
    assert "_count(" not in sg.grad(in_branches, jit=False).source_for(X, P)


def test_small_functions_are_read_in_place(monkeypatch):
    monkeypatch.undo()
    assert "_inner" not in sg.grad(straight, jit=False, fastmath=False).source_for(X, P)


def test_mapped_functions_and_checkpoints():
    X3 = np.stack([X, X + 0.1, X - 0.1])
    mapped = sg.vmap(sg.grad(straight, jit=False), in_axes=(0, None), jit=False)(X3, P)
    np.testing.assert_allclose(mapped, [sg.grad(straight, jit=False)(x, P) for x in X3], rtol=1e-12)
    bounded = sg.grad(in_loops, jit=False, checkpoint=2)(X, P)
    np.testing.assert_allclose(bounded, sg.grad(in_loops, jit=False)(X, P), rtol=1e-12)
