"""Integers of arrays of uint64: right, or refused, where signed integers of 64 bits do not hold them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import srcgrad as sg

LARGE, SMALL = np.array([2**63 + 4096, 3], np.uint64), np.array([7, 3], np.uint64)


def element(x: float, a: Any) -> float:
    return x * a[0] + x * a[1]


def loop(x: float, a: Any) -> float:
    total = 0.0
    for number in a:
        total += x * float(number)
    return total


def shifted(x: float, a: Any) -> float:
    return x * (a[0] >> 1)


def compared(x: float, a: Any) -> float:
    return x * 3.0 if a[0] > 5 else x


def by_index(x: float, a: Any) -> float:
    return x * np.sum(a[np.array([1, 0])][0:1]) + x * a[1]


def product(x: float, a: Any) -> float:
    return np.sum(x * a)


def largest(x: float, a: Any) -> float:
    return x * np.max(a)


def total(x: float, a: Any) -> float:
    return x * np.sum(a)


def as_floats(x: float, a: Any) -> float:
    return x * a.astype(np.float64)[0]


ALL = [element, loop, shifted, compared, by_index, product, largest, total, as_floats]


@pytest.mark.parametrize("values", [LARGE, SMALL], ids=["large", "small"])
@pytest.mark.parametrize("fun", ALL, ids=lambda f: f.__name__)
def test_right_or_refused(fun: Callable[..., float], values: Any) -> None:
    try:
        value, slope = sg.value_and_grad(fun, jit=False)(2.0, values)
    except sg.IntegerOverflowError as error:
        assert values is LARGE and "2**63" in str(error) and "test_unsigned.py, line" in str(error)
        return
    assert value == pytest.approx(fun(2.0, values))
    assert slope == pytest.approx(fun(2.0, values) / 2.0)


@pytest.mark.parametrize("fun", [element, loop])
def test_elements_from_there_on_are_refused(fun: Callable[..., float]) -> None:
    with pytest.raises(OverflowError, match=r"2\*\*63 or more"):
        sg.grad(fun, jit=False)(2.0, LARGE)


def test_compiled_array_form() -> None:
    value, slope = sg.value_and_grad(product)(2.0, LARGE)
    assert value == product(2.0, LARGE) and slope == value / 2.0
    with pytest.raises(sg.IntegerOverflowError):
        sg.value_and_grad(element)(2.0, LARGE)


def test_refused_on_the_gpu() -> None:
    slope = sg.grad(product, target="cuda")
    with pytest.raises(sg.UnsupportedError, match="uint64"):
        slope.source_for(2.0, SMALL)
