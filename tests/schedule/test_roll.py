"""np.roll as loops: what stays in order, and what comes round."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.compiler import find_or_make

RNG = np.random.default_rng(5)


@pytest.fixture(autouse=True)
def as_loops(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(find_or_make.UNJITTED, "loops", True)
    yield


def line(x: Any, k: int) -> Any:
    return np.sum(np.roll(x, k) ** 2 * np.arange(len(x)))


def twice(x: Any, k: int) -> Any:
    y = np.roll(x, k) * np.roll(x, -1)
    return np.sum(np.roll(y * x, k) ** 3)


def plane(x: Any, k: int) -> Any:
    a = np.outer(x, x + 1.0)
    return np.sum((np.roll(a, k, axis=1) - np.roll(a, 1, axis=0))[1:] ** 2)


def both_axes(x: Any, k: int) -> Any:
    a = np.outer(x, np.cos(x))
    return np.sum(np.roll(np.roll(a * a, k, axis=0), -k, axis=1) * np.roll(a, (1, k), axis=(0, 1)))


def in_a_loop(x: Any, k: int) -> Any:
    for n in range(3):
        x = x + 0.1 * np.roll(x, k * n) ** 2
    return np.sum(x**2)


def flat(x: Any, k: int) -> Any:
    return np.sum(np.roll(np.outer(x, x), k) * np.outer(x, x**2))


FUNCTIONS: list[Callable[..., Any]] = [line, twice, plane, both_axes, in_a_loop, flat]


def slope(fun: Callable[..., Any], x: np.ndarray, k: int) -> np.ndarray:
    steps = 1e-6 * np.eye(len(x))
    return np.array([(fun(x + s, k) - fun(x - s, k)) / 2e-6 for s in steps])


@pytest.mark.parametrize("fun", FUNCTIONS, ids=lambda f: f.__name__)
def test_all_shifts(fun: Callable[..., Any]) -> None:
    derivative = sg.value_and_grad(fun, jit=False, cache=False)
    for n in (5, 2, 1):
        for k in (0, 1, -1, 2, 4, 5, 7, -12):
            x = RNG.normal(size=n)
            value, bar = derivative(x, k)
            assert value == pytest.approx(fun(x, k), rel=1e-12)
            np.testing.assert_allclose(bar, slope(fun, x, k), rtol=1e-6, atol=1e-7)


def test_nothing_at_all() -> None:
    value, bar = sg.value_and_grad(line, jit=False, cache=False)(np.zeros(0), 3)
    assert value == 0.0 and bar.shape == (0,)


def test_compiled_code_makes_memory_in_front_of_loops() -> None:
    derivative = sg.value_and_grad(in_a_loop)
    x = RNG.normal(size=6)
    np.testing.assert_allclose(derivative(x, 2)[1], slope(in_a_loop, x, 2), rtol=1e-6)
    code = [line for line in derivative.source_for(x, 2).splitlines() if not line.strip().startswith("#")]
    assert not any("roll" in line for line in code)
    assert not any("np.empty" in line for line in code if line.startswith(" " * 8))
