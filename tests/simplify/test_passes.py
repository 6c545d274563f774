"""Every pass keeps what random programs compute, and leaves well-formed programs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from srcgrad.core.ir import Fun
from srcgrad.core.run import run
from srcgrad.core.verify import verify
from srcgrad.simplify.memory.copies import mark_needed_copies
from srcgrad.simplify.memory.first_use_assigns import assign_at_first_use
from srcgrad.simplify.memory.repeated_stores import remove_repeated_stores
from srcgrad.simplify.memory.sink import sink
from srcgrad.simplify.pipeline import simplify_fun
from srcgrad.simplify.values.cse import cse
from srcgrad.simplify.values.dce import dce
from srcgrad.simplify.values.hoist import hoist
from srcgrad.simplify.values.identities import apply_identities
from tests.core.generate import arguments, random_program

PASSES = {
    "dce": [dce],
    "cse": [cse],
    "identities": [apply_identities],
    "promote": [assign_at_first_use],
    "copies": [mark_needed_copies],
    "hoist": [hoist],
    "sink": [sink],
    "repeated_stores": [remove_repeated_stores],
    "together": [dce, apply_identities, assign_at_first_use, cse, sink, dce, hoist, mark_needed_copies],
    "pipeline": [simplify_fun],
}


def check(passes: list[Callable[[Fun], Fun]], seed: int) -> None:
    fun = random_program(seed).main
    verify(fun)
    args = arguments(seed)
    expected = run(fun, *args)
    for pass_ in passes:
        for _ in range(5):  # what went may have joined classes of memory: another time may find more
            fun, before = pass_(fun), fun
            verify(fun)
            if fun is before:
                break
        assert fun is before, "a pass should say when it changes nothing"
    for a, b in zip(run(fun, *args), expected, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("passes", PASSES.values(), ids=PASSES.keys())
def test_results_stay(passes: list[Callable[[Fun], Fun]]) -> None:
    for seed in range(25):
        check(passes, seed)
