"""Registers, local and shared memory of generated kernels beside those of the kernels that they come from or replace.

python tests/benchmarks/cuda.py --ptx
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numba import typeof

import srcgrad as sg
from tests.benchmarks import cuda as cases
from tests.benchmarks import ptx


class Row(NamedTuple):
    name: str
    written: ptx.Resources | None
    generated: ptx.Resources


def solvers() -> Iterator[Row]:
    """Mapped solves: written by hand, and generated."""
    x, a, flags = np.ones(2), np.ones(2), [np.ones(2, np.int64), np.ones(2, bool)]
    yield _mapped("Newton, x = a cos x", cases.solve_scalar, [x, a], cases.scalars_by_hand, [x, x, *flags])
    xs = np.ones((2, 3))
    yield _mapped("Newton, 3 equations", cases.solve_system, [xs, a], cases.systems_by_hand, [xs, xs, *flags])


def _mapped(name: str, solve: Any, args: list[Any], by_hand: Any, outs: list[Any]) -> Row:
    kernel = sg.vmap(solve, target="cuda").jitted(*args)
    signature = [typeof(a) for a in (*args, *outs)]
    return Row(name, _of(by_hand, signature), _of(kernel, signature))


def _of(kernel: Any, signature: list[Any]) -> ptx.Resources:
    return ptx.resources(ptx.compiled(kernel, signature))


def table() -> str:
    """All of them, as a table of a page."""
    reason = ptx.missing()
    if reason:
        raise SystemExit(f"no kernel can be compiled here: {reason}")
    lines = ["| kernel | | registers | local bytes | shared bytes |", "| --- | --- | --- | --- | --- |"]
    for name, written, generated in solvers():
        lines += [_line(name, "by hand", written), _line("", "generated", generated)]
    return "\n".join(lines)


def _line(name: str, what: str, found: ptx.Resources | None) -> str:
    return f"| {name} | {what} | {' | '.join(map(str, found or ('-', '-', '-')))} |"
