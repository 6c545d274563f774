"""Functions that are given to other libraries."""

from __future__ import annotations

import math

import numpy as np


def energy(x, k):
    return 0.5 * k * (x @ x)


def scalar(x):
    return math.sin(x) * x


def oscillator(p, steps):
    x, v = 1.0, 0.0
    for _ in range(steps):
        x, v = x + 0.1 * v, v + 0.1 * (-p[0] * x - p[1] * v)
    return x**2


def nested(p, n):
    s = np.zeros_like(p["w"])
    for i in range(n):
        s += np.sin(p["w"] * i) * p["b"]
    return s, {"total": np.sum(s), "n": n}


def overwrites(x):
    x[0] = x[0] * x[1]
    return x * 2.0
