"""Calls with axes of length 1 go to code that is made for just these axes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.errors import REPEATED

X = np.linspace(-1.0, 1.0, 12).reshape(4, 3)
SHAPES = [(1, 3), (4, 1), (4, 3), (1, 1)]


def layer(x, b):
    h = np.tanh(x + b)
    return np.sum(h * x) + np.sum(b**3)


def given(shape: tuple[int, int]) -> np.ndarray:
    return np.linspace(0.2, 1.0, shape[0] * shape[1]).reshape(shape)


def numerical(b: np.ndarray) -> np.ndarray:
    steps = 1e-6 * np.eye(b.size).reshape(b.size, *b.shape)
    return np.array([(layer(X, b + h) - layer(X, b - h)) / 2e-6 for h in steps]).reshape(b.shape)


@pytest.mark.parametrize("jit", [False, True])
def test_kinds_of_calls_take_turns(jit: bool) -> None:
    d = sg.grad(layer, 1, jit=jit)
    for first, second in itertools.permutations(SHAPES, 2):
        for shape in (first, second, first):
            b = given(shape)
            np.testing.assert_allclose(d(X, b), numerical(b), rtol=1e-6, atol=1e-8)


def test_nothing_is_asked_at_run_time() -> None:
    text = sg.grad(layer, 1, jit=False).source_for(X, given((1, 3)))
    assert text.count("1 in x.shape or b.shape[0] != 1 or b.shape[1] == 1") == 1
    assert text.count(REPEATED) == 1
    assert "unbroadcast" not in text


def test_many_kinds_of_calls_share_the_general_code() -> None:
    def total(a, b, c):
        return np.sum(a * b * c)

    d = sg.grad(total, jit=False)
    kinds = [[given((n, m)) for n, m in shapes] for shapes in itertools.product([(4, 1), (1, 3), (4, 3)], repeat=3)]
    texts = {d.source_for(*arrays) for arrays in kinds}
    assert len(texts) == 6  # of no such axes, four kinds, and the general one
    for a, b, c in kinds:
        whole = np.broadcast_to(b * c, np.broadcast_shapes(a.shape, b.shape, c.shape))
        axes = tuple(k for k, n in enumerate(a.shape) if n == 1)
        np.testing.assert_allclose(d(a, b, c), np.sum(whole, axis=axes, keepdims=True), rtol=1e-12)


def test_tangents_and_second_derivatives() -> None:
    b = given((1, 3))
    value, slope = sg.jvp(lambda b: layer(X, b), (b,), (b,), jit=False)
    assert (value, slope) == pytest.approx((layer(X, b), float(np.sum(numerical(b) * b))))
    along = (sg.grad(layer, 1, jit=False)(X, b + 1e-5 * b) - sg.grad(layer, 1, jit=False)(X, b - 1e-5 * b)) / 2e-5
    np.testing.assert_allclose(sg.hvp(layer, 1, jit=False)(X, b, b), along, rtol=1e-6)
    assert sg.jacobian(layer, 1, jit=False)(X, b).shape == (1, 3)


def test_what_is_captured_may_have_such_axes() -> None:
    b = given((1, 3))
    slope = sg.grad(lambda x: layer(x, b), jit=False)(given((4, 1)))
    assert slope.shape == (4, 1)
    x, h = given((4, 1)), 1e-6
    expected = [(layer(x + h * e, b) - layer(x - h * e, b)) / (2 * h) for e in np.eye(4).reshape(4, 4, 1)]
    np.testing.assert_allclose(slope[:, 0], expected, rtol=1e-6)
