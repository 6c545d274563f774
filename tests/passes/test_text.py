"""Each pass from text to text: what stands above the line in a file of `tests/passes/text/<pass>` becomes what stands
below it. `pytest --update-golden` writes what stands below anew.

A file starts with what it shows, in lines that begin with `;`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from srcgrad.core.ir import Program, Type
from srcgrad.core.read_text import read
from srcgrad.core.run import run
from srcgrad.core.verify import verify
from srcgrad.core.write_text import write
from srcgrad.rules.language.registry import PRIMITIVES
from tests.passes.table import KEEPING, PASSES

TEXT = Path(__file__).parent / "text"
FILES = sorted(TEXT.glob("*/*.txt"))
LINE = "-" * 40 + "\n"


def parts(path: Path) -> tuple[str, str, str]:
    """What a file shows, the text before and the text after."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    shows = "".join(line for line in lines if line.startswith(";"))
    before, _, after = "".join(line for line in lines if not line.startswith(";")).partition(LINE)
    return shows, before, after


def made(path: Path) -> tuple[Program, Program]:
    program = read(parts(path)[1], PRIMITIVES)
    verify(program)
    changed = PASSES[path.parent.name](program)
    verify(changed)
    return program, changed


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_text(path: Path, pytestconfig: pytest.Config) -> None:
    shows, before, after = parts(path)
    assert shows
    text = write(made(path)[1])
    if pytestconfig.getoption("--update-golden"):
        path.write_text(f"{shows}{before}{LINE}{text}", encoding="utf-8")
    else:
        assert text == after


KEPT = [path for path in FILES if path.parent.name in KEEPING]


@pytest.mark.parametrize("path", KEPT, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_the_pass_keeps_what_is_computed(path: Path) -> None:
    program, changed = made(path)
    args = [argument(param.type, k) for k, param in enumerate(program.main.params)]
    for a, b in zip(run(changed, *args), run(program, *args), strict=True):
        np.testing.assert_array_equal(a, b)


def argument(type: Type, place: int) -> Any:
    """A value of this type: lengths of axes are 4, integers 3."""
    numbers = np.random.default_rng(place).uniform(0.5, 1.5, size=(4,) * type.rank)
    kinds = {"i": lambda: np.full((4,) * type.rank, 3), "b": lambda: numbers > 1.0}
    value = kinds.get(type.dtype[0], lambda: numbers)().astype(type.dtype)
    return value if type.rank else value.item()


@pytest.mark.parametrize("name", PASSES)
def test_every_pass_is_shown(name: str) -> None:
    assert len(list((TEXT / name).glob("*.txt"))) >= 3
