"""Adjoints and tangents of kernels in the simulator: against differences of the kernel itself, and one another."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import srcgrad.cuda
from tests.cuda.kernels import CASES, PATTERNS, Case

Arrays = dict[int, np.ndarray]


def copies(args: list[Any]) -> list[Any]:
    return [a.copy() if isinstance(a, np.ndarray) else a for a in args]


def launched(case: Case, args: list[Any]) -> list[Any]:
    args = copies(args)
    case.kernel[case.grid, case.block](*args)
    return args


def floats(args: list[Any]) -> list[int]:
    return [k for k, a in enumerate(args) if isinstance(a, np.ndarray) and a.dtype.kind == "f"]


def directions(args: list[Any], seed: int) -> Arrays:
    rng = np.random.default_rng(seed)
    return {k: rng.normal(size=args[k].shape).astype(args[k].dtype) for k in floats(args)}


def differences(case: Case, args: list[Any], dots: Arrays, h: float = 1e-6) -> Arrays:
    """The change of everything along dots, by central differences of the launched kernel in double precision."""
    wide = [a.astype(float) if k in dots else a for k, a in enumerate(args)]
    ends = [launched(case, [a + s * h * dots[k] if k in dots else a for k, a in enumerate(wide)]) for s in (1, -1)]
    return {k: (ends[0][k] - ends[1][k]) / (2 * h) for k in dots}


def tangents(case: Case, args: list[Any], dots: Arrays) -> tuple[list[Any], Arrays]:
    after, changed = copies(args), {k: d.copy() for k, d in dots.items()}
    srcgrad.cuda.tangent(case.kernel)[case.grid, case.block](*after, *changed.values())
    return after, changed


def adjoints(case: Case, args: list[Any], bars: Arrays) -> Arrays:
    before, changed = copies(args), {k: b.copy() for k, b in bars.items()}
    srcgrad.cuda.adjoint(case.kernel)[case.grid, case.block](*before, *changed.values())
    for one, other in zip(before, args, strict=True):
        np.testing.assert_array_equal(one, other)  # what the adjoint is given stays as it is
    return changed


def inner(a: Arrays, b: Arrays) -> float:
    return float(sum(np.vdot(a[k].astype(float), b[k].astype(float)) for k in a))


RUNS = [*((c, "f8") for c in (*CASES, *PATTERNS)), *((c, "f4") for c in CASES)]


@pytest.mark.parametrize(("case", "dtype"), RUNS, ids=lambda part: getattr(part, "name", part))
def test_against_differences(case: Case, dtype: str) -> None:
    args = case.args(dtype)
    dots, bars = directions(args, 1), directions(args, 2)
    after, out_dots = tangents(case, args, dots)
    wide, close = (1e-6, 1e-12) if dtype == "f8" else (3e-3, 2e-4)
    for one, other in zip(after, launched(case, args), strict=True):
        np.testing.assert_allclose(one, other, rtol=close)
    for k, expected in differences(case, args, dots).items():
        np.testing.assert_allclose(out_dots[k], expected, rtol=wide, atol=wide)
    got = adjoints(case, args, bars)
    assert inner(bars, out_dots) == pytest.approx(inner(got, dots), rel=close, abs=close)
    assert all(b.dtype == args[k].dtype for k, b in got.items())
