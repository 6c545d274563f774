"""The printed text of random core programs computes what the programs compute."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.core.generate import random_program
from tests.printer.executing import agrees


def arguments(seed: int) -> tuple[Any, ...]:
    r = np.random.default_rng(seed)
    return r.normal(), r.normal(), int(r.integers(-2, 4)), r.normal(size=4), r.normal(size=(4, 4)), bool(r.integers(2))


def check(seed: int, **size: int) -> None:
    agrees(random_program(seed, **size), *arguments(seed))


@pytest.mark.parametrize("block", range(10))
def test_random_programs(block: int) -> None:
    for seed in range(30 * block, 30 * block + 30):
        check(seed)


def test_large_random_programs() -> None:
    for seed in range(1000, 1020):
        check(seed, size=30, depth=4)
