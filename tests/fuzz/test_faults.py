"""The fuzzer bites: each fault that is planted in srcgrad is caught within a small slice."""

from __future__ import annotations

import pytest

from tests.fuzz.checks import judge
from tests.fuzz.faults import FAULTS, MENU, Fault, directed_ones, needed, random_ones
from tests.fuzz.programs import random_program

MOST_RANDOM, MOST_DIRECTED = 60, 20


@pytest.mark.parametrize("planted", FAULTS, ids=lambda f: f.name)
def test_is_caught(planted: Fault) -> None:
    if planted.patterns:
        assert needed(planted, directed_ones(planted, 0), MOST_DIRECTED) is not None
    else:
        assert needed(planted, random_ones(0), MOST_RANDOM) is not None


def test_without_a_fault_none_is_found() -> None:
    for seed in range(10):
        assert not judge(random_program(seed), MENU).bad
