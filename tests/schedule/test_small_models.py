"""What users write with small arrays: its derivative as loops and scalars is that of the arrays, and makes no array in
a loop."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.compiler import find_or_make


def runge_kutta(y0, h, n):
    if y0.shape[0] != 2:
        raise ValueError("a place and a speed")
    y = y0
    for _ in range(n):
        k1 = np.array([y[1], -np.sin(y[0])])
        z = y + 0.5 * h * k1
        k2 = np.array([z[1], -np.sin(z[0])])
        y = y + h * k2 - 0.1 * h * k1
    return np.sum(y**2)


def leapfrog_with_swap(y0, h, n):
    assert y0.shape == (3,)
    a = np.zeros(3)
    b = np.zeros(3)
    for k in range(3):
        a[k] = y0[k]
    for t in range(n):
        for k in range(3):
            b[k] = a[k] + h * np.sin(a[(k + 1) % 3])
        a, b = b, a
    return a[0] * a[1] + b[2]


def rotations(y0, h, n):
    if y0.shape[0] != 2:
        raise ValueError("two")
    m = np.eye(2)
    for _ in range(n):
        r = np.array([[np.cos(h), -np.sin(h)], [np.sin(h), np.cos(h)]])
        m = r @ m
    v = m @ y0
    return v[0] * v[1]


def branches(y0, h, n):
    if y0.shape[0] != 2:
        raise ValueError("two")
    s = np.zeros(2)
    for i in range(n):
        if s[0] < 1.0:
            s[0] += y0[0] * h
        else:
            s[1] += y0[1] ** 2
    return s[0] * (1.0 + s[1])


def until(y0, h, n):
    """What is kept grows, since nothing tells how many iterations there are: it is memory."""
    if y0.shape[0] != 2:
        raise ValueError("two")
    y = y0 * 1.0
    k = 0
    while k < n and y[0] < 3.0:
        y = y * (1.0 + h) + np.array([y[1], 0.0])
        k += 1
    return y[0] * y[1]


def filtered(y0, h, n):
    """A Kalman filter of two states."""
    if y0.shape[0] != 2:
        raise ValueError("two")
    f = np.array([[1.0, h], [0.0, 1.0]])
    p = np.eye(2)
    x = y0
    for i in range(n):
        x = f @ x
        p = f @ p @ f.T + 0.1 * np.eye(2)
        k = p[:, 0] / (p[0, 0] + 1.0)
        x = x + k * (1.0 * i - x[0])
        p = p - np.outer(k, p[0])
    return np.sum(x) + p[1, 1]


def rows_of_larger(y0, h, n):
    """The last state is read from an array of all of them, which is memory."""
    if y0.shape[0] != 2:
        raise ValueError("two")
    states = np.zeros((n + 1, 2))
    states[0] = y0
    for i in range(n):
        states[i + 1] = states[i] + h * np.array([states[i, 1], -states[i, 0]])
    return np.sum(states[n] ** 2)


MODELS = (runge_kutta, leapfrog_with_swap, rotations, branches, until, filtered, rows_of_larger)
STATES = {"leapfrog_with_swap": np.array([0.5, -0.25, 1.5])}


def derived(model: Callable[..., Any], args: tuple[Any, ...]) -> tuple[Any, str]:
    derivative = sg.value_and_grad(model, argnums=(0, 1), jit=False)
    return derivative(*args), derivative.source


def made_in_loops(source: str) -> list[str]:
    """The calls of NumPy that make memory, inside of loops."""
    loops = [node for node in ast.walk(ast.parse(source)) if isinstance(node, (ast.For, ast.While))]
    calls = {ast.unparse(node.func) for loop in loops for node in ast.walk(loop) if isinstance(node, ast.Call)}
    return sorted(name for name in calls if name.startswith("np.") and name[3:] in ("empty", "zeros", "array", "full"))


@pytest.mark.parametrize("trips", [3, 0])
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_the_derivative_is_that_of_the_arrays(
    model: Callable[..., Any], trips: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    args = (STATES.get(model.__name__, np.array([0.5, 0.75])), 0.125, trips)
    (value, grads), arrays = derived(model, args)
    monkeypatch.setitem(find_or_make.UNJITTED, "loops", True)
    (same, others), source = derived(model, args)
    assert same == pytest.approx(value, rel=1e-13)
    for a, b in zip(grads, others, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-15)
    assert source != arrays
    assert model is until or made_in_loops(source) == []
