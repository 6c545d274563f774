"""Running printed text beside the program that it came from."""

from __future__ import annotations

from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.run import run
from srcgrad.core.verify import verify
from srcgrad.printer.render import render


def execute(program: ir.Program, *args: Any) -> tuple[Any, ...]:
    """What the printed module's function returns."""
    space: dict[str, Any] = {}
    exec(compile(render(program), "generated", "exec"), space)
    with np.errstate(all="ignore"):
        got = space[program.main.name](*args)
    return got if len(program.main.results) != 1 else (got,)


def copied(args: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(a.copy() if isinstance(a, np.ndarray) else a for a in args)


def same(a: Any, b: Any) -> bool:
    return np.shape(a) == np.shape(b) and bool(np.array_equal(a, b, equal_nan=not isinstance(a, (bool, int))))


def agrees(program: ir.Program, *args: Any) -> tuple[Any, ...]:
    """The text computes what the program computes, bit for bit, and leaves its arguments as they were."""
    verify(program)
    want, given = run(program, *copied(args)), copied(args)
    got = execute(program, *given)
    assert len(want) == len(got) and all(map(same, want, got)), f"{want} is not {got}\n{render(program)}"
    assert all(map(same, args, given)), f"the arguments are written\n{render(program)}"
    return got
