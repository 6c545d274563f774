"""The workloads of the tables: their gradients un-jitted, and the tables' own machinery."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import srcgrad as sg
from tests.benchmarks.workloads import cases
from tests.benchmarks.workloads.table import Workload


@pytest.mark.parametrize("workload", cases.ALL, ids=lambda w: w.name)
def test_gradients(workload: Workload) -> None:
    """Along a random direction, beside central differences; the arguments stay as they are."""
    args = workload.args("tiny")
    before = copy.deepcopy(args)
    numbers = workload.argnums if isinstance(workload.argnums, tuple) else (workload.argnums,)
    value, gradient = sg.value_and_grad(workload.fun, argnums=numbers, jit=False, cache=False)(*args)
    np.testing.assert_equal(args, before)
    assert np.isclose(value, workload.fun(*copy.deepcopy(args)), rtol=1e-12)
    rng = np.random.default_rng(1)
    way = [rng.normal(size=np.shape(args[k])) for k in numbers]

    def along(h: float) -> float:
        moved = list(copy.deepcopy(args))
        for k, d in zip(numbers, way, strict=True):
            moved[k] = moved[k] + h * d
        return float(workload.fun(*moved))

    coarse, fine = ((along(h) - along(-h)) / (2.0 * h) for h in (2e-4, 1e-4))
    got = sum(float(np.sum(g * d)) for g, d in zip(gradient, way, strict=True))
    assert got == pytest.approx((4.0 * fine - coarse) / 3.0, rel=1e-6, abs=1e-7)
