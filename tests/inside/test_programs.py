"""Transformers inside functions that are transformed: values and derivatives are those of what is written by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.frontend.source.structure import describe, leaves
from tests.inside.programs import PAIRS


def same(found: Any, wanted: Any) -> None:
    for a, b in zip(leaves(found, describe(found)), leaves(wanted, describe(wanted)), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-8, atol=1e-9)


@pytest.mark.parametrize("name", PAIRS)
def test_value(name: str) -> None:
    program, hand, args = PAIRS[name]
    same(sg.compiled(program, jit=False)(*args), hand(*args))


@pytest.mark.parametrize("mode", ["forward", "reverse"])
@pytest.mark.parametrize("name", PAIRS)
def test_gradient(name: str, mode: str) -> None:
    program, hand, args = PAIRS[name]
    every = tuple(range(len(args)))
    same(sg.grad(program, every, mode=mode, jit=False)(*args), sg.grad(hand, every, jit=False)(*args))


THIRD = {"derivative_of_a_root"}  # a solver is differentiated twice at most


@pytest.mark.parametrize("name", sorted({*PAIRS} - THIRD))
def test_second_order(name: str) -> None:
    program, hand, args = PAIRS[name]
    directions = tuple(args)
    found, wanted = (sg.hvp(f, tuple(range(len(args))), jit=False)(*args, directions) for f in (program, hand))
    same(found, wanted)
