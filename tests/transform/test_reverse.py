"""Reverse mode over written memory: every policy, to third order, against numerical derivatives of the order before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from srcgrad.core import ir
from srcgrad.core.run import run
from srcgrad.core.verify import verify
from srcgrad.frontend.lowering.function import lower
from srcgrad.frontend.source.structure import describe
from srcgrad.simplify.memory.reuse import reuse
from srcgrad.simplify.pipeline import simplify
from srcgrad.transform.plan import Keeping, Policy
from srcgrad.transform.reverse import keep_values, reverse
from tests.transform.memory_programs import PROGRAMS

POLICIES: list[tuple[Policy, Keeping]] = [
    ("auto", "cost"),
    ("auto", "all"),
    ("auto", "none"),
    ("keep", "all"),
    ("keep", "none"),
    ("snapshot", "all"),
    ("snapshot", "none"),
]


def lowered(fun: Callable[..., Any], args: Sequence[Any]) -> ir.Program:
    return simplify(lower(fun, [describe(a) for a in args]).program)


def floats(fun: ir.Fun) -> list[int]:
    return [k for k, p in enumerate(fun.params) if p.type.is_float]


def weighted(program: ir.Program, args: Sequence[Any], weights: Sequence[Any]) -> float:
    results = [r for r, atom in zip(run(program, *args), program.main.results, strict=True) if atom.type.is_float]
    return float(sum(np.sum(np.asarray(r) * w) for r, w in zip(results, weights, strict=True)))


def slope(
    program: ir.Program, args: Sequence[Any], places: Sequence[int], direction: Sequence[Any], weights: Any
) -> float:
    """The derivative along a direction: central differences, twice extrapolated."""

    def difference(h: float) -> float:
        ends = []
        for sign in (h, -h):
            moved = list(args)
            for k, d in zip(places, direction, strict=True):
                moved[k] = moved[k] + sign * d
            ends.append(weighted(program, moved, weights))
        return (ends[0] - ends[1]) / (2.0 * h)

    a, b, c = difference(4e-3), difference(2e-3), difference(1e-3)
    first, second = (4.0 * b - a) / 3.0, (4.0 * c - b) / 3.0
    return (16.0 * second - first) / 15.0


@pytest.mark.parametrize(("policy", "keeping"), POLICIES)
@pytest.mark.parametrize("fun", PROGRAMS, ids=lambda f: f.__name__)
def test_adjoints_of_adjoints(fun: Callable[..., Any], policy: Policy, keeping: Keeping) -> None:
    rng = np.random.default_rng(3)
    args: list[Any] = list(PROGRAMS[fun])
    program = lowered(fun, args)
    for _ in range(3 if (policy, keeping) == ("auto", "cost") else 2):
        places = floats(program.main)
        results = run(program, *args)
        shapes = [np.shape(r) for r, atom in zip(results, program.main.results, strict=True) if atom.type.is_float]
        weights = [rng.uniform(0.2, 1.0, s) if s else rng.uniform(0.2, 1.0) for s in shapes]
        direction = [rng.uniform(-0.5, 1.0, np.shape(args[k])) if np.ndim(args[k]) else 0.4 for k in places]
        with keep_values(keeping):
            adjoint = simplify(reverse(program, places, policy))
        verify(adjoint.main)
        bars = run(adjoint, *args, *weights)[len(results) :]
        got = sum(float(np.sum(np.asarray(b) * d)) for b, d in zip(bars, direction, strict=True))
        expected = slope(program, args, places, direction, weights)
        assert got == pytest.approx(expected, rel=1e-6, abs=1e-7)
        program, args = adjoint, [*args, *weights]


@pytest.mark.parametrize("fun", PROGRAMS, ids=lambda f: f.__name__)
def test_scratch_memory_may_be_reused(fun: Callable[..., Any]) -> None:
    args = PROGRAMS[fun]
    adjoint = simplify(reverse(lowered(fun, args), floats(lowered(fun, args).main)))
    reused = reuse(adjoint.main)
    verify(reused)
    one, other = run(adjoint, *args, 1.0), run(reused, *args, 1.0)
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_arguments_are_left_alone() -> None:
    for fun, args in PROGRAMS.items():
        copies = [a.copy() if isinstance(a, np.ndarray) else a for a in args]
        program = lowered(fun, args)
        run(reverse(program, floats(program.main)), *copies, 1.0)
        assert all(np.array_equal(a, b) for a, b in zip(args, copies, strict=True))
