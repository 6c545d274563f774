"""Each pass from text to text: what stands above the line in a file of `tests/passes/text/<pass>` becomes what stands
below it, a program or what the pass says of it. `pytest --update-golden` writes what stands below anew.

A file starts with what it shows, in lines that begin with `;`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from srcgrad.core.ir import B1, Primitive, Program, Type
from srcgrad.core.read_text import read
from srcgrad.core.run import run
from srcgrad.core.verify import verify
from srcgrad.core.write_text import write
from srcgrad.errors import UnsupportedError
from srcgrad.rules import cuda_names
from srcgrad.rules.language.registry import PRIMITIVES
from srcgrad.rules.random import numpy_random
from srcgrad.rules.scalar.vector_forms import FORMS
from srcgrad.schedule.index_forms import unsigned
from srcgrad.transform.forward import forward
from srcgrad.transform.reverse import reverse
from tests.passes.adapters import leaves
from tests.passes.table import KEEPING, PASSES

TEXT = Path(__file__).parent / "text"
FILES = sorted(TEXT.glob("*/*.txt"))
LINE = "-" * 40 + "\n"
OTHERS: tuple[Primitive, ...] = (
    numpy_random.STANDARD_NORMAL,
    numpy_random.UNIFORM,
    numpy_random.POISSON,
    cuda_names.coordinate,
    cuda_names.grid,
    unsigned,
)
KNOWN = PRIMITIVES | {op.name: op for op in (*OTHERS, *FORMS.values())}


def parts(path: Path) -> tuple[str, str, str]:
    """What a file shows, the text before and the text after."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    shows = "".join(line for line in lines if line.startswith(";"))
    before, _, after = "".join(line for line in lines if not line.startswith(";")).partition(LINE)
    return shows, before, after


def made(path: Path) -> tuple[Program, Program | str]:
    """The program above the line, and what the pass makes of it, or says: why it refuses it, too."""
    program = read(parts(path)[1], KNOWN)
    verify(program)
    try:
        changed = PASSES[path.parent.name](program)
    except UnsupportedError as error:
        return program, f"refused: {error.problems[0].message}\n"
    if isinstance(changed, Program):
        verify(changed)
    return program, changed


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_text(path: Path, pytestconfig: pytest.Config) -> None:
    shows, before, after = parts(path)
    assert shows
    changed = made(path)[1]
    text = write(changed) if isinstance(changed, Program) else changed
    if pytestconfig.getoption("--update-golden"):
        path.write_text(f"{shows}{before}{LINE}{text}", encoding="utf-8")
    else:
        assert text == after


KEPT = [path for path in FILES if path.parent.name in KEEPING]


@pytest.mark.parametrize("path", KEPT, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_the_pass_keeps_what_is_computed(path: Path) -> None:
    program, changed = made(path)
    if not isinstance(changed, Program):
        return  # the pass has left the program as it is, and says why
    for whole, special in ((3, False), (0, False), (3, True)):  # loops with iterations, and without; NaN and infinity
        if special and path.parent.name == "sink_zeros":
            continue  # its zeros are true ones: nothing that they are multiplied with counts
        for a, b in zip(*(results(p, whole, special) for p in (changed, program)), strict=True):
            np.testing.assert_array_equal(a, b)


DIFFERENTIATED = [path for path in FILES if path.parent.name in ("forward", "reverse", "where_guard")]


@pytest.mark.parametrize("path", DIFFERENTIATED, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_tangent_and_adjoint_agree(path: Path) -> None:
    """The inner product of cotangents with what the tangent program gives is that of tangents with adjoints."""
    program = read(parts(path)[1], KNOWN)
    places, count = leaves(program), len(program.main.results)
    for whole in (3, 0):
        args = [argument(param.type, k, whole) for k, param in enumerate(program.main.params)]
        dots = [argument(program.main.params[k].type, 10 + k, whole) for k in places]
        out_dots = drawn(forward(program, frozenset(places)), *args, *dots)[count:]
        bars = [np.ones_like(dot) / (2 + k) for k, dot in enumerate(out_dots)]
        out_bars = drawn(reverse(program, places), *args, *bars)[count:]
        assert inner(bars, out_dots) == pytest.approx(inner(out_bars, dots), rel=1e-13)


@pytest.mark.parametrize("name", ["side_not_taken", "through_several_operations", "of_arrays"])
def test_the_side_of_a_where_that_is_not_taken_contributes_zero(name: str) -> None:
    """At 0, where the root's derivative is infinite, and the logarithm's undefined further on."""
    program, changed = made(TEXT / "where_guard" / f"{name}.txt")
    assert isinstance(changed, Program)
    zeros = np.zeros((4,) * program.main.params[0].type.rank)
    *_, bar = run(changed, zeros, np.ones_like(zeros))
    np.testing.assert_array_equal(bar, zeros)


def inner(a: Sequence[Any], b: Sequence[Any]) -> float:
    return float(sum(np.sum(x * y) for x, y in zip(a, b, strict=True)))


def results(program: Program, whole: int, special: bool) -> tuple[Any, ...]:
    return drawn(program, *(argument(param.type, k, whole, special) for k, param in enumerate(program.main.params)))


def drawn(program: Program, *args: Any) -> tuple[Any, ...]:
    """What the program computes, with the same random numbers each time."""
    np.random.seed(0)
    return run(program, *args)


def argument(type: Type, place: int, whole: int, special: bool = False) -> Any:
    """A value of this type: lengths of axes are 4, integers all the same, floats eighths, whose sums are exact, or
    special ones."""
    random = np.random.default_rng(place)
    shape = (4,) * type.rank
    numbers = random.choice([np.nan, np.inf, -np.inf, 0.0], shape) if special else random.integers(4, 12, shape) / 8
    if type.dtype[0] == "i":
        numbers = np.full(shape, whole)
    value = (numbers > 1.0 if type == B1 else numbers).astype(type.dtype)
    return value if type.rank else value.item()


@pytest.mark.parametrize("name", PASSES)
def test_every_pass_is_shown(name: str) -> None:
    """In three files at least, in one of which it does something."""
    files = [parts(path) for path in (TEXT / name).glob("*.txt")]
    assert len(files) >= 3
    assert any(before != after for _, before, after in files)


def test_every_folder_is_of_a_pass() -> None:
    assert {folder.name for folder in TEXT.iterdir() if folder.is_dir()} == set(PASSES)
