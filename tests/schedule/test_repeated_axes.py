"""Broadcasts of lengths that only the run tells: loops reach what is repeated by steps of 0."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.compiler import find_or_make

SHAPES = [(3, 4), (1, 4), (3, 1), (1, 1)]

TALL = np.ones((3, 1))


def product(x, y):
    return np.sum((x * y + 1.0) ** 2)


def larger(x, y):
    return np.sum(np.maximum(x, y) ** 2)


def of_three(x, y):
    return np.sum(np.sin(x) * y + x * np.cos(y)[0])


def stored(x, y):
    out = np.zeros((3, 4))
    out[:, :] = x * y
    out[1:, :] += x[:1] * y[:1]
    return np.sum(out**3)


def in_a_loop(x, y):
    total = 0.0
    for k in range(2):
        total += np.sum((x + k) * y) + np.sum(np.exp(y - x), axis=0)[0]
    return total


@pytest.fixture(autouse=True)
def scheduled(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(find_or_make.UNJITTED, "loops", True)
    yield


@pytest.mark.parametrize("fun", [product, larger, of_three, stored, in_a_loop], ids=lambda f: f.__name__)
def test_gradient(fun: Callable[..., Any]) -> None:
    rng = np.random.default_rng(5)
    gradient = sg.value_and_grad(fun, argnums=(0, 1), jit=False, cache=False)
    for a, b in itertools.product(SHAPES, SHAPES):
        x, y = rng.normal(size=a), rng.normal(size=b)
        value, bars = gradient(x, y)
        assert np.isclose(value, fun(x, y), rtol=1e-13)
        for place, bar in enumerate(bars):
            assert np.allclose(bar, slopes(fun, (x, y), place), rtol=1e-6, atol=1e-7)


def slopes(fun: Callable[..., Any], args: tuple[Any, ...], place: int) -> Any:
    """By central differences."""
    out = np.empty_like(args[place])
    for index in np.ndindex(*out.shape):
        values = []
        for step in (1e-6, -1e-6):
            moved = [a.copy() for a in args]
            moved[place][index] += step
            values.append(fun(*moved))
        out[index] = (values[0] - values[1]) / 2e-6
    return out


def test_no_choice_for_each_element() -> None:
    given = np.ones((1, 4)), np.ones((3, 1))
    known = sg.value_and_grad(product, argnums=(0, 1), jit=False, cache=False).source_for(*given)
    assert "0 if" not in known and "step" not in known
    captured = sg.value_and_grad(lambda x: product(x, TALL), jit=False, cache=False).source_for(given[0])
    loops = captured[captured.index("for i") :]
    assert "0 if" not in loops and "step" in loops
