"""Complex arrays joined along an axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import srcgrad as sg

X = np.array([0.3, -1.2, 2.0])


def size(z):
    return np.sum(np.abs(z) ** 2) + np.sum((z * z).real) + np.sum(z[1:] * z[:-1]).imag


def concatenated(x):
    z = x * (1.0 + 2.0j)
    return size(np.concatenate((z, z * z, z[:1])))


def with_floats(x):
    z = np.exp(1j * x)
    return size(np.concatenate((x, z))) + size(np.concatenate((z, x * x)))


def stacked(x):
    z = np.exp(1j * x)
    w = np.stack((z, z * x, np.conj(z)))
    return size(w[:, 1] * w[0])


def beside(x):
    z = (np.exp(1j * x) * x).reshape(1, 3)
    w = np.hstack((z, 2.0 * z, z * z))
    return size(w[0])


def below(x):
    z = np.exp(1j * x) * x
    return size(np.vstack((z, z * z, 1.5 * z))[1])


def along_columns(x):
    z = np.outer(x, np.exp(1j * x))
    return size(np.concatenate((z, z * z), axis=1)[2])


def one_fixed(x):
    return size(np.concatenate((x * 1j, np.array([1.0 + 2.0j, 3.0j]))))


def around(x):
    """A closed way in the plane, and the integral of 1 / z along it."""
    z = np.exp(1j * x) + 0.1 * x
    closed = np.concatenate((z, z[:1]))
    steps = closed[1:] - closed[:-1]
    return np.sum(steps / (0.5 * (closed[1:] + closed[:-1]))).imag


FUNCTIONS = [concatenated, with_floats, stacked, beside, below, along_columns, one_fixed, around]


@pytest.mark.parametrize("mode", ["forward", "reverse"])
@pytest.mark.parametrize("fun", FUNCTIONS, ids=lambda f: f.__name__)
def test_the_derivative_is_that_of_difference_quotients(fun: Callable[[Any], Any], mode: str) -> None:
    quotients = [(fun(X + step) - fun(X - step)) / 2e-6 for step in 1e-6 * np.eye(3)]
    if mode == "reverse":
        got = sg.grad(fun, jit=False)(X)
    else:
        got = np.array([sg.jvp(fun, (X,), (v,), jit=False)[1] for v in np.eye(3)])
    np.testing.assert_allclose(got, quotients, rtol=1e-7, atol=1e-8)
