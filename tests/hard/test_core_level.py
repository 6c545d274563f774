"""The hard cases on core programs, run with NumPy."""

from __future__ import annotations

import pytest

from tests.hard.cases import RIGHT
from tests.hard.compare import Comparison
from tests.hard.engines import Core
from tests.hard.table import Case


@pytest.mark.parametrize("case", RIGHT, ids=lambda c: c.name)
def test_right(case: Case) -> None:
    assert Comparison(case, Core(case)).run() == []
