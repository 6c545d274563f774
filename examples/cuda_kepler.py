"""Kepler's equation E - e sin E = M for many orbits in one kernel, one orbit a thread, and dE/de in another.

python examples/cuda_kepler.py                            on a GPU
NUMBA_ENABLE_CUDASIM=1 python examples/cuda_kepler.py     in Numba's simulator
"""

import math

import numpy as np

from srcgrad import grad, newton, vmap


def kepler(anomaly, mean, eccentricity):
    return anomaly - eccentricity * math.sin(anomaly) - mean


def anomaly(mean, eccentricity):
    return newton(kepler, mean, (mean, eccentricity)).x


solve = vmap(anomaly, target="cuda")
slope = vmap(grad(anomaly, "eccentricity"), target="cuda")  # by the implicit function theorem

means = np.linspace(0.5, 3.0, 6)
eccentricities = np.linspace(0.1, 0.6, 6)
for row in zip(means, eccentricities, solve(means, eccentricities), slope(means, eccentricities), strict=True):
    print("M = {:.1f}, e = {:.1f}: E = {:.12f}, dE/de = {:.12f}".format(*row))
print()
print(slope.source)
