"""Quotients by exponentials, norms and squares of sizes: where naive formulas leave the range of floats."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest

import srcgrad as sg

TAILS = [
    (lambda x: 1 / (1 + math.exp(-x)), lambda x: 1 / (1 + mpmath.exp(-x))),
    (lambda x: 1.0 / (math.exp(-x) + 1.0), lambda x: 1 / (1 + mpmath.exp(-x))),
    (lambda x: 3.0 / (1.0 + np.exp(-(x - 0.5) / 2.0)), lambda x: 3 / (1 + mpmath.exp(-(x - 0.5) / 2))),
    (lambda x: math.exp(x) / (1.0 + math.exp(x)), lambda x: mpmath.exp(x) / (1 + mpmath.exp(x))),
    (lambda x: 3.0 / (math.exp(x) - 1.0), lambda x: 3 / (mpmath.exp(x) - 1)),
    (lambda x: 2.0 / (1.0 - math.exp(-x)), lambda x: 2 / (1 - mpmath.exp(-x))),
    (lambda x: 1.0 / math.cosh(x), lambda x: 1 / mpmath.cosh(x)),
    (lambda x: x / (2.0 + math.exp(-x)), lambda x: x / (2 + mpmath.exp(-x))),
]


@pytest.mark.parametrize(("fun", "exact"), TAILS, ids=range(len(TAILS)))
def test_quotients_by_exponentials_keep_their_tails(fun, exact):
    by = [sg.grad(fun, mode=mode, jit=False) for mode in ("reverse", "forward")]
    curve = sg.hessian(fun, jit=False)
    with mpmath.workdps(800):
        for x in (-700.0, -500.0, -30.0, 0.7, 30.0, 500.0, 700.0):
            first, second = (mpmath.diff(exact, x, n) for n in (1, 2))
            for found, wanted in ((by[0](x), first), (by[1](x), first), (curve(x), second)):
                assert abs(found - wanted) <= 2e-13 * abs(wanted) + 1e-306, (x, found, mpmath.nstr(wanted, 17))


def test_a_sigmoid_beyond_the_range_of_the_exponential():
    for mode in ("reverse", "forward"):
        slope = sg.grad(TAILS[0][0], mode=mode, jit=False)
        assert slope(-800.0) == 0.0 and slope(800.0) == 0.0


def test_a_layer_of_sigmoids():
    def layer(x):
        z = np.exp(-x)
        return np.sum(1.0 / (1.0 + z) * np.array([1.0, 2.0, 3.0]))

    x = np.array([-500.0, 0.3, 500.0])
    with np.errstate(over="ignore"):
        wanted = np.array([1.0, 2.0, 3.0]) * np.array([math.exp(-500.0), 0.24445831169074586, math.exp(-500.0)])
    np.testing.assert_allclose(sg.grad(layer, jit=False)(x), wanted, rtol=1e-13)
    np.testing.assert_allclose(sg.grad(layer)(x), wanted, rtol=1e-13)


FAR = [[3e-200, 4e-200], [3e200, 4e200], [3e-170, 4e-170], [3.0, 4.0]]


@pytest.mark.parametrize("x", FAR)
def test_norms_of_far_values(x):
    x, unit = np.array(x), np.array([0.6, 0.8])
    value, got = sg.value_and_grad(lambda x: np.linalg.norm(x), jit=False)(x)
    np.testing.assert_allclose(got, unit, rtol=1e-15)
    np.testing.assert_allclose(value, math.hypot(*x), rtol=1e-15)
    np.testing.assert_allclose(sg.grad(lambda x: np.linalg.norm(x), mode="forward", jit=False)(x), unit, rtol=1e-15)
    curve = sg.hessian(lambda x: np.linalg.norm(x), jit=False)(x) * value
    np.testing.assert_allclose(curve, np.eye(2) - np.outer(unit, unit), rtol=1e-13)


def test_norms_along_axes():
    rows = np.array([*FAR, [0.0, 0.0], [math.inf, 1.0]])
    for jit in (False, True):
        value, pullback = sg.vjp(lambda m: np.linalg.norm(m, axis=1), rows, jit=jit)
        np.testing.assert_allclose(value, [math.hypot(*row) for row in rows], rtol=1e-15)
        (got,) = pullback(np.ones(6))
        np.testing.assert_allclose(got[:5], [*[[0.6, 0.8]] * 4, [0.0, 0.0]], rtol=1e-15)
    small = np.array([3e-30, 4e-30], np.float32)
    got = sg.grad(lambda x: np.linalg.norm(x))(small)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, [0.6, 0.8], rtol=1e-6)
    np.testing.assert_allclose(
        sg.grad(lambda x: np.std(x), jit=False)(np.array([1e-200, 2e-200, 3e-200])),
        np.array([-1.0, 0.0, 1.0]) / math.sqrt(6.0),
        rtol=1e-14,
        atol=1e-15,
    )


SQUARES = [
    lambda x: abs(x) ** 2,
    lambda x: np.abs(x) ** 2.0,
    lambda x: math.fabs(x) ** 2,
    lambda x: np.square(np.abs(x)),
    lambda x: abs(x) * abs(x),
]


@pytest.mark.parametrize("fun", SQUARES)
def test_squares_of_sizes_at_0(fun):
    assert sg.hessian(fun, jit=False)(0.0) == 2.0
    assert sg.grad(fun, jit=False)(0.0) == 0.0 and sg.grad(fun, jit=False)(-3.0) == -6.0


def test_higher_powers_of_sizes():
    fourth = sg.grad(sg.grad(sg.hessian(lambda x: abs(x) ** 4, jit=False), jit=False), jit=False)
    assert fourth(0.0) == 24.0
    assert sg.hessian(lambda x: abs(x) ** 3, jit=False)(-2.0) == 12.0
    slopes = sg.grad(lambda z: (abs(z) ** 2).real, jit=False)(1.0 + 2.0j)
    assert slopes in (2.0 - 4.0j, 2.0 + 4.0j)


LENGTHS = [
    lambda x: np.linalg.norm(x) ** 2,
    lambda x: np.linalg.norm(x) * np.linalg.norm(x),
    lambda x: np.square(np.linalg.norm(x)),
    lambda x: math.hypot(x[0], x[1]) ** 2,
    lambda x: np.hypot(x[0], x[1]) ** 2.0,
    lambda x: np.sum(np.linalg.norm(x.reshape(1, 2), axis=1) ** 2),
]


@pytest.mark.parametrize("fun", LENGTHS)
def test_squares_of_lengths_at_0(fun):
    x = np.array([0.6, -0.8])
    np.testing.assert_array_equal(sg.hessian(fun, jit=False)(np.zeros(2)), 2.0 * np.eye(2))
    np.testing.assert_array_equal(sg.grad(fun, jit=False)(np.zeros(2)), [0.0, 0.0])
    np.testing.assert_allclose(sg.hessian(fun, jit=False)(x), 2.0 * np.eye(2), rtol=1e-14)
    np.testing.assert_allclose(sg.grad(fun, jit=False)(x), 2.0 * x, rtol=1e-14)


def test_a_length_to_the_fourth():
    x = np.array([0.6, -0.8])
    fun = lambda x: np.linalg.norm(x) ** 4 + np.linalg.norm(x)  # noqa: E731
    np.testing.assert_allclose(sg.grad(fun, jit=False)(x), 4.0 * x + x, rtol=1e-14)
    np.testing.assert_array_equal(
        sg.hessian(lambda x: np.linalg.norm(x) ** 4, jit=False)(np.zeros(2)), np.zeros((2, 2))
    )
