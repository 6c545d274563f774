"""The hard cases and random programs, on core programs run with NumPy."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.hard import random_programs
from tests.hard.cases import REFUSED, RIGHT
from tests.hard.compare import Comparison
from tests.hard.engines import Core
from tests.hard.table import Case

Record = Callable[[str, object], None]


@pytest.mark.parametrize("case", RIGHT, ids=lambda c: c.name)
def test_right(case: Case, record_property: Record) -> None:
    assert Comparison(case, Core(case)).run(third=True) == []
    record_property("hard case", "right")


@pytest.mark.parametrize("case", REFUSED, ids=lambda c: c.name)
def test_refused(case: Case, record_property: Record) -> None:
    assert case.refused is not None
    with pytest.raises(case.refused) as caught:
        Comparison(case, Core(case)).run()
    assert case.fun.__code__.co_filename in str(caught.value)
    record_property("hard case", "refused")


@pytest.mark.parametrize("seed", range(40))
def test_random(seed: int) -> None:
    outcome = random_programs.outcome(seed)
    assert outcome == "right" or outcome.startswith("refused")
