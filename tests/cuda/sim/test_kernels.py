"""Adjoints and tangents of kernels in the simulator: against differences of the kernel itself, and one another."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numba import cuda

import srcgrad.cuda
from tests.cuda import hard_kernels
from tests.cuda.hard_kernels import HARD
from tests.cuda.kernels import CASES, Case

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


RUNS = [*((c, "f8") for c in CASES), *((c, "f4") for c in CASES)]
RUNS += [(c, "f8") for c in HARD if c.name == "with_derivative"]  # tests/cuda/test_races.py runs the others, faster


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


@pytest.mark.parametrize("name", ["saxpy", "maxima", "relax", "iterated", "stencil_1d"])
def test_device_arrays(name: str) -> None:
    """Arrays on the device give what NumPy arrays do, and stay where they are; launches reuse what they kept."""
    case = next(c for c in CASES if c.name == name)
    args = case.args()
    bars = directions(args, 2)
    expected = adjoints(case, args, bars)
    adjoint, stream = srcgrad.cuda.adjoint(case.kernel), cuda.stream()
    for launch in (adjoint[case.grid, case.block], adjoint[case.grid, case.block, stream]):
        for _ in range(2):
            given = [cuda.to_device(a) if isinstance(a, np.ndarray) else a for a in args]
            on_device = {k: cuda.to_device(b) for k, b in bars.items()}
            launch(*given, *on_device.values())
            for k, bar in on_device.items():
                np.testing.assert_allclose(bar.copy_to_host(), expected[k], rtol=1e-14)
            for before, after in zip(args, given, strict=True):
                if isinstance(before, np.ndarray):
                    np.testing.assert_array_equal(after.copy_to_host(), before)


def test_captured_numbers_are_read_at_each_launch() -> None:
    case = next(c for c in HARD if c.name == "captured")
    args, bars = case.args(), directions(case.args(), 2)
    one = adjoints(case, args, bars)
    kept, hard_kernels.SCALE = hard_kernels.SCALE, 3.0
    try:
        two = adjoints(case, args, bars)
    finally:
        hard_kernels.SCALE = kept
    np.testing.assert_allclose(two[0] - bars[0], (one[0] - bars[0]) * 3.0 / kept)


def test_the_python_function_of_a_kernel_serves() -> None:
    case = next(c for c in CASES if c.name == "saxpy")
    assert srcgrad.cuda.adjoint(case.kernel.py_func).source == srcgrad.cuda.adjoint(case.kernel).source


def test_other_winners_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a compiler rounds what is compared in another way in the adjoint than in the kernel."""
    case = next(c for c in CASES if c.name == "maxima")
    args, adjoint = case.args(), srcgrad.cuda.adjoint(case.kernel)
    launch, bars = adjoint[case.grid, case.block], directions(args, 2)
    launch(*copies(args), *(b.copy() for b in bars.values()))
    variant = adjoint._last
    assert variant is not None
    rounded = variant.made.source.replace("math.sin(x_i)", "math.sin(x_i) * (1.0 + 1e-15)")
    names: dict[str, Any] = {}
    exec(compile(rounded, "rounded", "exec"), names)
    monkeypatch.setitem(variant.kernels, variant.made.main.name, names[variant.made.main.name])
    with pytest.raises(srcgrad.SrcgradError, match="`largest` is compared with is rounded"):
        launch(*copies(args), *(b.copy() for b in bars.values()))
