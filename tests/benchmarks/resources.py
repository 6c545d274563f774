"""Registers, local and shared memory of generated kernels beside those of the kernels that they come from or replace.

python tests/benchmarks/cuda.py --ptx
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numba import typeof

import srcgrad as sg
from srcgrad.backend.cpu import load_module
from srcgrad.derivatives.kernel_derivative import KernelDerivative
from tests.benchmarks import cuda as solves
from tests.benchmarks import ptx
from tests.cuda import kernels


class Row(NamedTuple):
    """A kernel that somebody wrote, and one that was generated."""

    name: str
    written: ptx.Resources
    generated: ptx.Resources


def solvers() -> Iterator[Row]:
    """Mapped solves: written by hand, and generated."""
    x, a, flags = np.ones(2), np.ones(2), [np.ones(2, np.int64), np.ones(2, bool)]
    yield _mapped("Newton, x = a cos x", solves.solve_scalar, [x, a], solves.scalars_by_hand, [x, x, *flags])
    xs = np.ones((2, 3))
    yield _mapped("Newton, 3 equations", solves.solve_system, [xs, a], solves.systems_by_hand, [xs, xs, *flags])


def _mapped(name: str, solve: Any, args: list[Any], by_hand: Any, outs: list[Any]) -> Row:
    kernel = sg.vmap(solve, target="cuda").jitted(*args)
    told = [np.ones(2, np.int64), np.ones(2, np.int64)]  # why it ended, and the evaluations: nobody writes that by hand
    return Row(name, _of(by_hand, [*args, *outs]), _of(kernel, [*args, *outs, *told]))


def derivatives(derivative: Any) -> Iterator[Row]:
    """Kernels as users write them, and their adjoints or tangents."""
    folder = Path(tempfile.mkdtemp())
    for case in kernels.CASES:
        args = case.args()
        kernel, more = _loaded(derivative(case.kernel), args, folder)
        yield Row(case.name, _of(case.kernel, args), _of(kernel, [*args, *more]))


def _loaded(derivative: KernelDerivative, args: list[Any], folder: Path) -> tuple[Any, list[Any]]:
    """The generated kernel, and what it takes beside the kernel's own arguments."""
    made = derivative.made_for(*args)
    path = folder / f"{made.main.name}.py"
    path.write_text(made.source, encoding="utf-8")
    extra = [a for a in args if isinstance(a, np.ndarray) and a.dtype.kind == "f"]
    works = [np.zeros((1,) * (len(w.shape) + 1), w.dtype) for w in made.works]
    extremes = [args[k] for k in made.extremes]
    wons = [a.astype(np.int64) for a in extremes]
    captured = [c.read() for c in made.captured]
    return load_module(path)[made.main.name], [*extra, *captured, *extremes, *extremes, *wons, *works]


def _of(kernel: Any, args: list[Any]) -> ptx.Resources:
    return ptx.resources(ptx.compiled(kernel, [typeof(a) for a in args]))


def table() -> str:
    """All of them, as tables of a page."""
    reason = ptx.missing()
    if reason:
        raise SystemExit(f"no kernel can be compiled here: {reason}")
    lines = [*_table("solver", "by hand", "generated", solvers()), ""]
    return "\n".join([*lines, *_table("kernel", "primal", "adjoint", derivatives(sg.cuda.adjoint))])


def _table(what: str, one: str, other: str, rows: Iterator[Row]) -> Iterator[str]:
    yield f"| {what} | registers: {one} | {other} | local bytes: {one} | {other} | shared bytes: {one} | {other} |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for name, written, generated in rows:
        pairs = zip(written, generated, strict=True)
        yield f"| {name} | {' | '.join(str(n) for pair in pairs for n in pair)} |"
