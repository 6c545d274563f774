"""`out=` of NumPy's functions and methods."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.errors import SrcgradError

X = np.linspace(0.3, 1.2, 6)


def named(x):
    y = x.copy()
    np.multiply(y, x, out=y)
    z = np.empty(6)
    np.sin(y, out=z)
    return np.sum(np.add(y, z, out=z) * x)


def by_place(x):
    y = np.empty(6)
    np.exp(x, y)
    np.subtract(y, x, y)
    return np.sum(y * y)


def clipped(x):
    y = x * 2.0
    np.clip(y, 0.9, 2.0, out=y)
    z = np.empty(6)
    np.clip(x, 0.5, 1.0, z)
    x.clip(0.4, 0.8, out=y[:])
    return np.sum(y * y) + np.sum(z * x)


def products(x):
    m = x.reshape(2, 3)
    out = np.zeros((2, 2))
    np.dot(m, m.T, out)
    np.matmul(m, m.T, out=(out,))
    return np.sum(out**2)


def sums(x):
    m = x.reshape(2, 3)
    b = np.zeros(3)
    m.sum(axis=0, out=b)
    c = np.zeros(6)
    np.cumsum(x, out=c)
    return b @ b + np.sum(c**2)


def repeated_and_parts(x):
    table = np.zeros((4, 6))
    np.multiply(x, 2.0, out=table)
    np.sqrt(x[:3], out=table[1, ::2])
    return np.sum(table**3)


def in_a_loop(x):
    work, y = np.empty_like(x), x.copy()
    for _ in range(3):
        np.multiply(y, 0.5, out=work)
        np.tanh(work, out=y)
        y += work
    return np.sum(y)


FUNCTIONS = [named, by_place, clipped, products, sums, repeated_and_parts, in_a_loop]


def numerical(fun: Callable[[Any], Any]) -> np.ndarray:
    return np.array([(fun(X + h) - fun(X - h)) / 2e-6 for h in 1e-6 * np.eye(6)])


@pytest.mark.parametrize("fun", FUNCTIONS)
def test_right(fun: Callable[[Any], Any]) -> None:
    value, slope = sg.value_and_grad(fun, jit=False)(X)
    assert value == pytest.approx(fun(X.copy()))
    np.testing.assert_allclose(slope, numerical(fun), rtol=1e-6, atol=1e-8)
    tangent = sg.jvp(fun, (X,), (X**2,), jit=False)[1]
    assert tangent == pytest.approx(slope @ X**2)


def test_compiled() -> None:
    for fun in (named, sums):
        np.testing.assert_allclose(sg.grad(fun)(X), numerical(fun), rtol=1e-6, atol=1e-8)


def integers(x):
    np.multiply(x, 2.0, out=np.zeros(6, np.int64))
    return x[0]


def too_many_axes(x):
    out = np.zeros((2, 3))
    np.cumsum(x, out=out)
    return np.sum(out)


def a_number(x):
    return np.sum(np.add(x, 1.0, out=3.0))


@pytest.mark.parametrize(
    ("fun", "message"),
    [
        (integers, "a float is stored into an array of int64"),
        (too_many_axes, "the result has 1 axes, and `out` 2"),
        (a_number, "`out` is a"),
    ],
)
def test_refused(fun: Callable[[Any], Any], message: str) -> None:
    with pytest.raises(SrcgradError, match=message):
        sg.grad(fun, jit=False)(X)
