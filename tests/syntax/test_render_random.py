"""The printed text of random core programs computes what the programs compute."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from srcgrad.core import ir
from srcgrad.core.run import run
from srcgrad.core.verify import verify
from srcgrad.syntax.render import render
from tests.core.generate import random_program


def arguments(seed: int) -> tuple[Any, ...]:
    r = np.random.default_rng(seed)
    return r.normal(), r.normal(), int(r.integers(-2, 4)), r.normal(size=4), r.normal(size=(4, 4)), bool(r.integers(2))


def execute(program: ir.Program, *args: Any) -> tuple[Any, ...]:
    space: dict[str, Any] = {}
    exec(compile(render(program), "generated", "exec"), space)
    with np.errstate(all="ignore"):
        got = space[program.main.name](*args)
    return got if len(program.main.results) != 1 else (got,)


def copied(args: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(a.copy() if isinstance(a, np.ndarray) else a for a in args)


def same(a: Any, b: Any) -> bool:
    return np.shape(a) == np.shape(b) and bool(np.array_equal(a, b, equal_nan=not isinstance(a, (bool, int))))


def check(seed: int, **size: int) -> None:
    program = random_program(seed, **size)
    verify(program)
    args = arguments(seed)
    want = run(program, *copied(args))
    given = copied(args)
    got = execute(program, *given)
    assert all(map(same, want, got)), f"seed {seed}: {want} is not {got}\n{render(program)}"
    assert all(map(same, args, given)), f"seed {seed} writes into its arguments\n{render(program)}"
    assert math.prod(np.size(w) for w in want) >= 1


@pytest.mark.parametrize("block", range(10))
def test_random_programs(block: int) -> None:
    for seed in range(30 * block, 30 * block + 30):
        check(seed)


def test_large_random_programs() -> None:
    for seed in range(1000, 1020):
        check(seed, size=30, depth=4)
