"""Gradients from end to end."""

from __future__ import annotations

import math

import numpy as np
import pytest

import srcgrad as sg


def square_sine(x):
    return x * x * math.sin(x)


def product(x, n):
    s = 1.0
    for i in range(n):
        s = s * math.sin(x[i])
    return s


@pytest.mark.parametrize("jit", [False, True])
def test_a_scalar_gradient(jit):
    x = 1.3
    want = 2 * x * math.sin(x) + x * x * math.cos(x)
    assert sg.grad(square_sine, jit=jit)(x) == pytest.approx(want, rel=1e-14)


def test_to_the_third_order():
    third = sg.grad(sg.grad(sg.grad(square_sine, jit=False), jit=False), jit=False)
    x = 0.7
    assert third(x) == pytest.approx(6 * math.cos(x) - 6 * x * math.sin(x) - x * x * math.cos(x), rel=1e-12)


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_value_and_gradient_of_a_loop(jit, mode):
    x = np.array([1.0, 2.0, 3.0])
    value, gradient = sg.value_and_grad(product, mode=mode, jit=jit)(x, 3)
    assert value == pytest.approx(np.prod(np.sin(x)), rel=1e-14)
    np.testing.assert_allclose(gradient, np.prod(np.sin(x)) / np.tan(x), rtol=1e-13)
