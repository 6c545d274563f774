"""Relative accuracy of values and derivatives over the range of each scalar function, on a coarse grid.

docs/accuracy.md has it on a fine one (`python -m tests.rules.accuracy`).
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.accuracy import CURVES, ORDERS, SURFACES, of_curve, of_surface
from tests.rules.exact import Curve, Surface

BOUNDS = (4.0, 8.0, 16.0)  # units of the last place, by order


@pytest.mark.parametrize("curve", CURVES, ids=lambda c: c.name)
def test_curve(curve: Curve) -> None:
    _check(of_curve(curve, dense=False), getattr(curve, "ulps", BOUNDS))


@pytest.mark.parametrize("surface", SURFACES, ids=lambda s: s.name)
def test_surface(surface: Surface) -> None:
    _check(of_surface(surface, dense=False), getattr(surface, "ulps", BOUNDS))


def _check(found: list[Any], bounds: tuple[float, ...]) -> None:
    for order, worst, bound in zip(ORDERS, found, bounds, strict=True):
        assert worst.ulps() <= bound, f"{order}: {worst.ulps():.3g} ulp at {worst.at}"
