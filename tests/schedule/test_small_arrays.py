"""Arrays of few elements in scalars: whatever the program does with them, it computes the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from srcgrad.core import ir
from srcgrad.core.ir import Fun
from srcgrad.core.run import run
from srcgrad.core.verify import verify
from srcgrad.core.walk import walk
from srcgrad.schedule.arrays_to_scalars import arrays_to_scalars
from srcgrad.schedule.known_lengths import replace_known_lengths
from srcgrad.schedule.unroll import unroll
from tests.schedule.small_programs import program

PASSES = (replace_known_lengths, unroll, arrays_to_scalars)


def computed(fun: Fun, trips: int) -> list[Any]:
    given = np.array([0.5, -1.25, 2.0])
    with np.errstate(all="ignore"):
        found = run(fun, 0.75, -0.5, trips, given)
    np.testing.assert_array_equal(given, [0.5, -1.25, 2.0])
    return [np.array(value) for value in found]


def memory(fun: Fun) -> int:
    return sum(isinstance(stmt, ir.Alloc) for stmt in walk(fun.body))


def check(seed: int) -> tuple[int, int]:
    """How much memory there is before and after."""
    fun = before = program(seed)
    verify(fun)
    for pass_ in PASSES:
        fun = pass_(fun)
        verify(fun)
    for trips in (0, 1, 3):
        for a, b in zip(computed(before, trips), computed(fun, trips), strict=True):
            np.testing.assert_array_equal(a, b)
    return memory(before), memory(fun)


@pytest.mark.parametrize("first", range(0, 60, 10))
def test_random_programs_compute_the_same(first: int) -> None:
    found = [check(seed) for seed in range(first, first + 10)]
    assert sum(after for _, after in found) < sum(before for before, _ in found)
