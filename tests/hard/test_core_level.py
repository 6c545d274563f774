"""Third order, and single active arguments: on core programs, run with NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from tests import oracle
from tests.hard.cases import RIGHT
from tests.hard.compare import Comparison
from tests.hard.engines import Core
from tests.hard.table import Case


@pytest.mark.parametrize("case", [c for c in RIGHT if c.third], ids=lambda c: c.name)
def test_third_order(case: Case) -> None:
    assert Comparison(case, Core(case)).run("third") == []


@pytest.mark.parametrize("case", RIGHT, ids=lambda c: c.name)
def test_each_argument_alone(case: Case) -> None:
    """What is inactive changes nothing in the derivatives of what is active."""
    core = Core(case)
    together = Comparison(case, core)
    x, w = list(oracle.leaves(case.args())), together.w
    with np.errstate(all="ignore"):
        bars = core.reverse(x, w)
        for k in {0, len(bars) - 1}:
            alone = Core(case, only=k)
            (bar,) = alone.reverse(x, w)
            assert np.array_equal(bar, bars[k], equal_nan=True) or np.allclose(bar, bars[k], rtol=1e-12, atol=1e-14)
            dots = core.forward(x, [d * (i == k) for i, d in enumerate(together.d)])
            for one, other in zip(alone.forward(x, [together.d[k]]), dots, strict=True):
                assert np.allclose(one, other, rtol=1e-12, atol=1e-14, equal_nan=True)
