"""Problems of least squares from Moré, Garbow and Hillstrom (1981): residuals, a start, and the smallest sums."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class Problem(NamedTuple):
    residuals: Callable[[Any], Any]
    start: tuple[float, ...]
    smallest: tuple[float, ...]  # the sums of squares at its minima


BARD = np.array([0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39])
KOWALIK = np.array([0.1957, 0.1947, 0.1735, 0.1600, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246])
PLACES = np.array([4.0, 2.0, 1.0, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625])
MEYER = np.array([34780.0, 28610.0, 23650.0, 19630.0, 16370.0, 13720.0, 11540.0, 9744.0, 8261.0, 7030.0, 6005.0, 5147.0,
                  4427.0, 3820.0, 3307.0, 2872.0])  # fmt: skip


def rosenbrock(x):
    return np.array([10.0 * (x[1] - x[0] ** 2), 1.0 - x[0]])


def freudenstein_roth(x):
    a = -13.0 + x[0] + ((5.0 - x[1]) * x[1] - 2.0) * x[1]
    b = -29.0 + x[0] + ((x[1] + 1.0) * x[1] - 14.0) * x[1]
    return np.array([a, b])


def beale(x):
    return np.array([c - x[0] * (1.0 - x[1] ** k) for k, c in ((1, 1.5), (2, 2.25), (3, 2.625))])


def brown_badly_scaled(x):
    return np.array([x[0] - 1e6, x[1] - 2e-6, x[0] * x[1] - 2.0])


def helical_valley(x):
    theta = math.atan(x[1] / x[0]) / (2.0 * math.pi)
    if x[0] < 0.0:
        theta += 0.5
    return np.array([10.0 * (x[2] - 10.0 * theta), 10.0 * (math.sqrt(x[0] ** 2 + x[1] ** 2) - 1.0), x[2]])


def bard(x):
    out = np.empty(15)
    for i in range(15):
        u = i + 1.0
        v = 15.0 - i
        w = min(u, v)
        out[i] = BARD[i] - (x[0] + u / (v * x[1] + w * x[2]))
    return out


def box(x):
    t = 0.1 * np.arange(1.0, 11.0)
    return np.exp(-t * x[0]) - np.exp(-t * x[1]) - x[2] * (np.exp(-t) - np.exp(-10.0 * t))


def meyer(x):
    t = 45.0 + 5.0 * np.arange(1.0, 17.0)
    return x[0] * np.exp(x[1] / (t + x[2])) - MEYER


def powell_singular(x):
    a = math.sqrt(5.0) * (x[2] - x[3])
    return np.array([x[0] + 10.0 * x[1], a, (x[1] - 2.0 * x[2]) ** 2, math.sqrt(10.0) * (x[0] - x[3]) ** 2])


def wood(x):
    a, b, c = math.sqrt(90.0), math.sqrt(10.0), 1.0 / math.sqrt(10.0)
    return np.array([
        10.0 * (x[1] - x[0] ** 2), 1.0 - x[0], a * (x[3] - x[2] ** 2), 1.0 - x[2], b * (x[1] + x[3] - 2.0),
        c * (x[1] - x[3]),
    ])  # fmt: skip


def kowalik_osborne(x):
    return KOWALIK - x[0] * (PLACES**2 + PLACES * x[1]) / (PLACES**2 + PLACES * x[2] + x[3])


def brown_dennis(x):
    t = np.arange(1.0, 21.0) / 5.0
    return (x[0] + t * x[1] - np.exp(t)) ** 2 + (x[2] + x[3] * np.sin(t) - np.cos(t)) ** 2


PROBLEMS = {
    "Rosenbrock": Problem(rosenbrock, (-1.2, 1.0), (0.0,)),
    "Freudenstein and Roth": Problem(freudenstein_roth, (0.5, -2.0), (0.0, 48.98425367924)),
    "Brown badly scaled": Problem(brown_badly_scaled, (1.0, 1.0), (0.0,)),
    "Beale": Problem(beale, (1.0, 1.0), (0.0,)),
    "helical valley": Problem(helical_valley, (-1.0, 0.0, 0.0), (0.0,)),
    "Bard": Problem(bard, (1.0, 1.0, 1.0), (8.214877306579e-3,)),
    "Meyer": Problem(meyer, (0.02, 4000.0, 250.0), (87.94585517111,)),
    "Box": Problem(box, (0.0, 10.0, 20.0), (0.0,)),
    "Powell singular": Problem(powell_singular, (3.0, -1.0, 0.0, 1.0), (0.0,)),
    "Wood": Problem(wood, (-3.0, -1.0, -3.0, -1.0), (0.0,)),
    "Kowalik and Osborne": Problem(kowalik_osborne, (0.25, 0.39, 0.415, 0.39), (3.075056038e-4,)),
    "Brown and Dennis": Problem(brown_dennis, (25.0, 5.0, -5.0, -1.0), (85822.20162635,)),
}
