"""The printed text of random core programs computes what the programs compute."""

from __future__ import annotations

import pytest

from tests.core.generate import arguments, random_program
from tests.printer.executing import agrees


def check(seed: int, size: int = 12, depth: int = 3) -> None:
    agrees(random_program(seed, size, depth), *arguments(seed))


@pytest.mark.parametrize("block", range(10))
def test_random_programs(block: int) -> None:
    for seed in range(30 * block, 30 * block + 30):
        check(seed)


def test_large_random_programs() -> None:
    for seed in range(1000, 1020):
        check(seed, size=30, depth=4)
