"""The hard cases and random programs, on core programs run with NumPy."""

from __future__ import annotations

import pytest

from tests.hard import random_programs
from tests.hard.cases import RIGHT
from tests.hard.compare import Comparison
from tests.hard.engines import Core
from tests.hard.table import Case


@pytest.mark.parametrize("case", RIGHT, ids=lambda c: c.name)
def test_right(case: Case) -> None:
    assert Comparison(case, Core(case)).run(third=True) == []


@pytest.mark.parametrize("seed", range(40))
def test_random(seed: int) -> None:
    outcome = random_programs.outcome(seed)
    assert outcome == "right" or outcome.startswith("refused")
