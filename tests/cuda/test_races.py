"""No two threads of a derivative touch one place in an order that is not known, but by atomic additions."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import srcgrad.cuda
from srcgrad.backend.kernels import dimensions
from srcgrad.core.ir import Const
from srcgrad.derivatives.kernel_derivative import varying
from srcgrad.errors import UnsupportedError
from tests.cuda import races
from tests.cuda.hard_kernels import HARD
from tests.cuda.kernels import CASES, PATTERNS, Case

# shapes of launches that a kernel without shared memory may get, whatever it was written for
SHAPES = [((6, 1, 1), (2, 1, 1)), ((1, 1, 1), (12, 1, 1)), ((12, 1, 1), (1, 1, 1)), ((2, 2, 1), (2, 2, 1))]
WITHOUT_BLOCKS = (
    "saxpy elementwise grid_stride gather nbody small_matmul flattened taken_apart strided_while shifted by_constant"
)


@dataclass
class Run:
    """What a launch in the machine did: the arguments, and the bars or dots, afterwards; the races."""

    args: list[Any]
    extra: list[np.ndarray]
    races: list[Any]


def copies(args: list[Any]) -> list[Any]:
    return [a.copy() if isinstance(a, np.ndarray) else a for a in args]


def floats(args: list[Any]) -> list[int]:
    return [k for k, a in enumerate(args) if isinstance(a, np.ndarray) and a.dtype.kind == "f"]


def launched(case: Case, mode: str, shape: Any, extra: list[np.ndarray], change: Callable[[str], str] = str) -> Run:
    """The main kernel of a derivative in the machine. What other launches would have found is made up."""
    derivative: Any = getattr(srcgrad.cuda, mode)(case.kernel)
    args = case.args()
    made = derivative.made(derivative.specs(args), varying(shape))
    machine = races.Machine(*shape)
    extremes = [args[k] for k in made.extremes]
    threads = int(np.prod([n for part in shape for n in part]))
    sizes = [[int(n.value.real) if isinstance(n, Const) else 64 for n in work.shape] for work in made.works]
    works = [np.zeros((*size, threads), work.dtype) for size, work in zip(sizes, made.works, strict=True)]
    ones = [np.ones_like(a, dtype) for dtype in (None, None, np.int64) for a in extremes]
    kernel = races.kernels(change(made.source), machine)[made.main.name]
    given, changed = copies(args), copies(extra)
    machine.run(kernel, [*given, *changed, *(c.read() for c in made.captured), *ones, *works])
    assert machine.touched
    return Run(given, changed, list(machine.races()))


def differences(case: Case, shape: Any, dots: list[np.ndarray], h: float = 1e-6) -> list[np.ndarray]:
    """The change of the arrays of floats along dots, by central differences of the kernel itself."""
    ends = []
    for sign in (1, -1):
        machine, args = races.Machine(*shape), copies(case.args())
        for k, dot in zip(floats(args), dots, strict=True):
            args[k] += sign * h * dot
        machine.run(races.primal(case.kernel, machine), args)
        assert list(machine.races()) == []
        ends.append([args[k] for k in floats(args)])
    return [(a - b) / (2 * h) for a, b in zip(*ends, strict=True)]


def directions(case: Case, seed: int) -> list[np.ndarray]:
    rng, args = np.random.default_rng(seed), case.args()
    return [rng.normal(size=args[k].shape) for k in floats(args)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_derivatives_have_no_races(case: Case) -> None:
    for mode in ("adjoint", "tangent"):
        assert launched(case, mode, dimensions((case.grid, case.block)), directions(case, 1)).races == []


OTHERS = [c for c in (*PATTERNS, *HARD) if c.name != "with_derivative"]  # which Numba's simulator must run


@pytest.mark.parametrize("case", OTHERS, ids=lambda case: case.name)
def test_derivatives_are_right(case: Case) -> None:
    shape = dimensions((case.grid, case.block))
    dots, bars = directions(case, 1), directions(case, 2)
    tangent, adjoint = launched(case, "tangent", shape, dots), launched(case, "adjoint", shape, bars)
    assert tangent.races == adjoint.races == []
    for got, expected in zip(tangent.extra, differences(case, shape, dots), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-6)
    out, back = (sum(map(np.vdot, *pair)) for pair in ((bars, tangent.extra), (adjoint.extra, dots)))
    assert out == pytest.approx(back, rel=1e-12, abs=1e-12)


TWICE = [c for c in (*CASES, *HARD) if c.name in "elementwise grid_stride stencil_1d tiled_matmul softmax".split()]


@pytest.mark.parametrize("case", TWICE, ids=lambda case: case.name)
def test_the_source_is_a_kernel_to_differentiate(case: Case, tmp_path: Path) -> None:
    """Second order: the generated module is one that a user might have written."""
    derivative = srcgrad.cuda.adjoint(case.kernel)
    made = derivative.made(derivative.specs(case.args()), varying(dimensions((case.grid, case.block))))
    path = tmp_path / f"{case.name}_adjoint.py"
    path.write_text(made.source)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    again = Case(getattr(module, made.main.name), case.grid, case.block, lambda g: [*case.args(), *directions(case, 5)])
    test_derivatives_are_right(again)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_other_launches_have_none(shape: Any) -> None:
    """What is a thread's own depends on the launch: it is right, or refused since the kernel itself has races."""
    refused = set()
    for case in (c for c in (*CASES, *PATTERNS) if c.name in WITHOUT_BLOCKS.split()):
        try:
            found = launched(case, "adjoint", shape, directions(case, 2)).races
        except UnsupportedError:
            refused.add(case.name)
        else:
            assert found == [], case.name
    assert bool(refused) is (shape[0][1] > 1)


def test_atomics_are_needed() -> None:
    """Without them there are races: these kernels would show a wrong proof."""
    for case in CASES:
        if case.name in ("nbody", "plain_stencil_2d", "gather"):
            shape = dimensions((case.grid, case.block))
            assert launched(case, "adjoint", shape, directions(case, 2), plain).races, case.name


def plain(source: str) -> str:
    return re.sub(r"cuda\.atomic\.add\((\w+), (\(.*?\)|[^,]*), (.*)\)$", r"\1[\2] += \3", source, flags=re.M)


def test_the_machine_sees_races() -> None:
    """One that adds without an atomic, one that forgets a barrier."""
    lost = "def f(x, y):\n    y[0] += x[cuda.grid(1)]\n"
    early = """
def f(x, y):
    part = cuda.shared.array(4, np.float64)
    part[cuda.threadIdx.x] = x[cuda.grid(1)]
    y[cuda.grid(1)] = part[0]
"""
    barrier = early.replace("    y[", "    cuda.syncthreads()\n    y[")
    for source, racy in ((lost, True), (early, True), (barrier, False)):
        machine = races.Machine((2, 1, 1), (4, 1, 1))
        names = races.kernels("import numpy as np\n" + source, machine)
        machine.run(names["f"], [np.arange(8.0), np.zeros(8)])
        assert bool(list(machine.races())) is racy
