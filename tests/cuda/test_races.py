"""No two threads of a derivative touch one place in an order that is not known, but by atomic additions."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import srcgrad.cuda
from srcgrad.backend.kernels import dimensions
from srcgrad.core.ir import Const
from srcgrad.errors import UnsupportedError
from srcgrad.kernels import varying
from tests.cuda import races
from tests.cuda.kernels import CASES, PATTERNS, Case

# shapes of launches that a kernel without shared memory may get, whatever it was written for
SHAPES = [((6, 1, 1), (2, 1, 1)), ((1, 1, 1), (12, 1, 1)), ((12, 1, 1), (1, 1, 1)), ((2, 2, 1), (2, 2, 1))]
WITHOUT_BLOCKS = (
    "saxpy elementwise grid_stride gather nbody small_matmul flattened taken_apart strided_while shifted by_constant"
)


def derivative_races(
    case: Case, mode: str, shape: Any, change: Callable[[str], str] = str
) -> tuple[list[Any], dict[str, Any]]:
    """The races of the main kernel of a derivative, launched in this shape, and how often places were touched."""
    derivative: Any = getattr(srcgrad.cuda, mode)(case.kernel)
    args = case.args()
    made = derivative.made(derivative.specs(args), varying(shape))
    machine = races.Machine(*shape)
    floats = [a for a in args if isinstance(a, np.ndarray) and a.dtype.kind == "f"]
    extremes = [args[k] for k in made.extremes]
    threads = int(np.prod([n for part in shape for n in part]))
    sizes = [[int(n.value.real) if isinstance(n, Const) else 64 for n in work.shape] for work in made.works]
    works = [np.zeros((*size, threads), work.dtype) for size, work in zip(sizes, made.works, strict=True)]
    ones = [np.ones_like(a) for a in (*extremes, *extremes)]
    given = [a.copy() if isinstance(a, np.ndarray) else a for a in args]
    kernel = races.kernels(change(made.source), machine)[made.main.name]
    machine.run(kernel, [*given, *(a.copy() for a in floats), *ones, *works])
    return list(machine.races()), machine.touched


@pytest.mark.parametrize("case", [*CASES, *PATTERNS], ids=lambda case: case.name)
def test_derivatives_have_no_races(case: Case) -> None:
    for mode in ("adjoint", "tangent"):
        found, touched = derivative_races(case, mode, dimensions((case.grid, case.block)))
        assert found == []
        assert touched


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_other_launches_have_none(shape: Any) -> None:
    """What is a thread's own depends on the launch: it is right, or refused since the kernel itself has races."""
    refused = set()
    for case in (c for c in (*CASES, *PATTERNS) if c.name in WITHOUT_BLOCKS.split()):
        try:
            found, _ = derivative_races(case, "adjoint", shape)
        except UnsupportedError:
            refused.add(case.name)
        else:
            assert found == [], case.name
    assert bool(refused) is (shape[0][1] > 1)


def test_atomics_are_needed() -> None:
    """Without them there are races: these kernels would show a wrong proof."""
    for case in CASES:
        if case.name in ("nbody", "plain_stencil_2d", "gather"):
            found, _ = derivative_races(case, "adjoint", dimensions((case.grid, case.block)), plain)
            assert found, case.name


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
