"""Fusing and contracting random nests of loops leaves what they compute as it is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from srcgrad.core.ir import Fun, Program
from srcgrad.core.read_text import read
from srcgrad.core.run import run
from srcgrad.core.verify import verify
from srcgrad.rules.language.registry import PRIMITIVES
from srcgrad.schedule.contract_arrays import contract_arrays
from srcgrad.schedule.fuse_nests import fuse_nests
from tests.schedule.nest_programs import Nests


def arguments(n: int) -> tuple[object, ...]:
    """Small integers in eighths: sums of them are exact, in any order."""
    numbers = np.random.default_rng(n)
    x, y = numbers.integers(-9, 9, n + 8) / 8, numbers.integers(-9, 9, (n + 8, n + 8)) / 8
    return x, y, n, 0.5, 2


def compare(fun: Fun, changed: Fun) -> None:
    verify(Program(changed))
    for n in (3, 0, 1):
        for a, b in zip(run(fun, *arguments(n)), run(changed, *arguments(n)), strict=True):
            np.testing.assert_array_equal(a, b)


def both(fun: Fun) -> Fun:
    return contract_arrays(fuse_nests(fun))


@pytest.mark.parametrize("schedule", [fuse_nests, contract_arrays, both])
@pytest.mark.parametrize("seed", range(25))
def test_what_nests_compute_stays(seed: int, schedule: Callable[[Fun], Fun]) -> None:
    fun = read(Nests(seed).text(), PRIMITIVES).main
    compare(fun, schedule(fun))
