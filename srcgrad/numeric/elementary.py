"""Elementary functions that neither NumPy nor Numba has: the IEEE remainder, the logistic function, sinc's
derivatives."""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

import math

import numpy as np


def ieee_remainder(x: float, y: float) -> float:
    # x - n*y for the integer n nearest to x / y, the even one of two
    if np.isinf(y) and np.isfinite(x):
        return x
    size, step = abs(x), abs(y)
    rest = np.fmod(size, step)
    other = step - rest
    if rest > other or (rest == other and np.fmod(size - rest, 2.0 * step) != 0.0):
        rest = -other
    return np.copysign(1.0, x) * rest


def sigmoid(x: float) -> float:
    # 1 / (1 + exp(-x)), without overflow and with full accuracy in both tails
    tail = np.exp(-abs(x))
    return (1.0 if x >= 0.0 else tail) / (1.0 + tail)


def sigmoid_array(x: np.ndarray) -> np.ndarray:
    # 1 / (1 + exp(-x)), without overflow and with full accuracy in both tails
    tail = np.exp(-np.abs(x))
    return np.where(x >= 0.0, 1.0, tail) / (1.0 + tail)


def sinc_derivative(x: float, order: int) -> float:
    # of sin(pi*x) / (pi*x): its series near 0, elsewhere the recurrence u * s[n] = sin(u + n*pi/2) - n * s[n-1]
    u = np.pi * x
    if abs(u) < order + 3.0:
        k = (order + 1) // 2
        p = 2 * k - order
        term = (1.0 if k % 2 == 0 else -1.0) * (u if p == 1 else 1.0)
        value = 0.0
        for _ in range(30):
            value += term / (2 * k + 1)
            term *= -u * u / ((p + 1) * (p + 2))
            p += 2
            k += 1
        return np.pi**order * value
    turn = np.pi * (x - 2.0 * np.rint(0.5 * x))
    value = np.sin(turn) / u
    for n in range(1, order + 1):
        wave = np.sin(turn) if n % 2 == 0 else np.cos(turn)
        value = ((wave if n % 4 < 2 else -wave) - n * value) / u
    return np.pi**order * value


def sinc_derivative_array(x: np.ndarray, order: int) -> np.ndarray:
    out = np.empty(x.shape)
    for index, element in np.ndenumerate(x):
        out[index] = sinc_derivative(element, order)
    return out


def binary_exponents(x: np.ndarray) -> np.ndarray:
    out = np.empty(x.shape, np.int64)
    for at in np.ndindex(x.shape):
        out[at] = math.frexp(x[at])[1]
    return out
