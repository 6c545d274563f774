"""A warning, once, where a derivative keeps more than half of the machine's memory."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.derivatives import much_memory


def steps(x, n):
    for t in range(n):
        x = math.sin(x) * 1.1
    return x


def rows(u0, n):
    u = u0.copy()
    for t in range(n):
        u[1:] = u[1:] + 0.1 * np.sin(u[:-1])
    return np.sum(u * u)


def until(x, end):
    while x < end:
        x = x + 0.1 * math.sin(x) + 0.2
    return x * x


@pytest.fixture
def small_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(much_memory, "memory", lambda: 1000)


@pytest.mark.parametrize("jit", [False, True])
def test_it_is_told_once_with_the_bytes_and_the_option(small_machine: None, jit: bool) -> None:
    derivative = sg.grad(steps, jit=jit)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        derivative(0.3, 50)
    with pytest.warns(RuntimeWarning, match=r"steps keeps 800 bytes .* 1,000; checkpoint=\"auto\"") as told:
        sg.grad(steps, jit=False)(0.3, 100)
    assert told[0].filename == __file__
    made = sg.grad(rows, jit=False)
    with pytest.warns(RuntimeWarning, match="rows keeps 4,000 bytes"):
        made(np.ones(5), 100)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made(np.ones(5), 200)
        sg.grad(rows, jit=False, checkpoint=3)(np.ones(5), 100)


def test_later_calls_that_keep_more(small_machine: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiled code is called straight: a call that may keep much is looked at first."""
    monkeypatch.setattr(much_memory, "MANY", 100)
    derivative = sg.grad(steps)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(3):
            derivative(0.3, 50)
    with pytest.warns(RuntimeWarning, match="keeps 880 bytes"):
        derivative(0.3, 110)


def test_calls_on_much_data_that_keep_little_go_straight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(much_memory, "MANY", 10)
    derivative = sg.grad(rows, jit=True)
    u = np.linspace(0.1, 0.5, 5)
    first = derivative(u, 100)
    monkeypatch.setattr(type(derivative), "_call", None)
    np.testing.assert_array_equal(derivative(u, 100), first)
    monkeypatch.undo()
    monkeypatch.setattr(much_memory, "memory", lambda: 1000)
    with pytest.warns(RuntimeWarning, match="rows keeps 4,000 bytes"):
        derivative(u, 100)


def test_what_is_only_known_afterwards_is_not_told(small_machine: None) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sg.grad(until, jit=False)(0.3, 50.0)
