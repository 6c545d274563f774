"""Solvers whose functions hold loops that are run again."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import srcgrad as sg


def path(x, c):
    s = x
    for t in range(9):
        s = math.sin(s) * 0.9 + 0.1 * x * c
    return (s - 0.2) ** 2 + 0.1 * x * x


def rows(x):
    u = x.copy()
    for t in range(7):
        u[0] = math.sin(u[0]) + 0.1 * u[1]
        u[1] = u[1] * 0.9 + 0.2 * u[0] * u[1]
    return (u[0] - 0.3) ** 2 + (u[1] - 0.5) ** 2


def same(one: Any, other: Any) -> None:
    np.testing.assert_allclose(one.x, other.x, rtol=1e-9, atol=1e-12)
    assert (one.nit, one.success) == (other.nit, other.success)


@pytest.mark.parametrize("checkpoint", [2, "1MB"])
def test_they_find_the_same(checkpoint: Any) -> None:
    for momentum in (0.0, 0.5):
        options: dict[str, Any] = {"args": (0.7,), "maxiter": 20, "momentum": momentum, "jit": False}
        wanted = sg.gradient_descent(path, 0.4, **options)
        same(sg.gradient_descent(path, 0.4, checkpoint=checkpoint, **options), wanted)
    for method in ("newton", "bfgs", "adam"):
        options = {"method": method, "maxiter": 6, "jit": False}
        wanted = sg.minimize(rows, np.array([0.4, 0.6]), **options)
        same(sg.minimize(rows, np.array([0.4, 0.6]), checkpoint=checkpoint, **options), wanted)
    options = {"args": (0.7,), "mode": "reverse", "maxiter": 8, "jit": False}
    same(sg.newton(path, 3.0, checkpoint=checkpoint, **options), sg.newton(path, 3.0, **options))


def test_inside_of_other_code() -> None:
    def found(c):
        return sg.gradient_descent(path, 0.4, (c,), lr=0.2, maxiter=60, checkpoint=3).x

    def plainly(c):
        return sg.gradient_descent(path, 0.4, (c,), lr=0.2, maxiter=60).x

    made = sg.compiled(found, jit=False)
    assert "taken" in made.source_for(0.7) and made(0.7) == pytest.approx(plainly(0.7), rel=1e-12)


def test_forward_mode_keeps_nothing() -> None:
    for call in (
        lambda: sg.newton(path, 0.4, (0.7,), checkpoint=3),
        lambda: sg.gradient_descent(path, 0.4, (0.7,), mode="forward", checkpoint=3),
        lambda: sg.minimize(rows, np.ones(2), mode="forward", checkpoint=3),
    ):
        with pytest.raises(sg.ArgumentError, match="checkpoint is of reverse mode"):
            call()
    with pytest.raises(sg.ArgumentError, match="checkpoint=0"):
        sg.gradient_descent(path, 0.4, (0.7,), checkpoint=0)
