"""Fusing and contracting random nests of loops leaves what they compute as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from srcgrad.core.ir import Fun, Program
from srcgrad.core.read_text import read
from srcgrad.core.run import run
from srcgrad.core.verify import verify
from srcgrad.rules.language.registry import PRIMITIVES
from srcgrad.schedule.contract_arrays import contract_arrays
from srcgrad.schedule.dependences import Dependences
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


NEST = """
    a{k}: &f8[2] = alloc empty (n, m)
    for i{k}: i8 in range(0, n, 1):
        l{k}: i8 = add(i{k}, {by})
        for j{k}: i8 in range(0, m, 1):
            v{k}: f8 = load {read}[l{k}, j{k}]
            w{k}: f8 = multiply(v{k}, v{k})
            store a{k}[i{k}, j{k}] = w{k}"""


def chain(length: int, by: int) -> Fun:
    """Nests of which each reads what the one before has written, that many rows ahead."""
    nests = "".join(NEST.format(k=k, by=by, read=f"a{k - 1}" if k else "x") for k in range(length))
    return read(f"fun f(x: &f8[2], n: i8, m: i8):{nests}\n    return a{length - 1}\n", PRIMITIVES).main


@pytest.mark.parametrize("by", [0, 1])
def test_the_work_grows_with_the_length_of_a_program(by: int, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = 0
    meeting = Dependences.meeting

    def counted(*args: Any, **exact: Any) -> Any:
        nonlocal calls
        calls += 1
        return meeting(*args, **exact)

    monkeypatch.setattr(Dependences, "meeting", counted)
    work = []
    for length in (40, 80):
        calls = 0
        fuse_nests(chain(length, by))
        work.append(calls)
    assert 0 < work[1] < 2.5 * work[0]
