"""One function through every stage of the compiler, as `docs/architecture.md` shows it.

python -m tests.stages            prints the stages
python -m tests.stages --write    writes them into the page
"""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

import srcgrad as sg
from srcgrad.compiler import program as compiler
from srcgrad.core.ir import Program
from srcgrad.core.write_text import write
from srcgrad.frontend.source.structure import describe

PAGE = Path(__file__).parents[1] / "docs" / "architecture.md"
BEGIN, END = "<!-- stages: written by `python -m tests.stages --write` -->\n", "<!-- end of the stages -->\n"


def product(x, n):
    s = 1.0
    for i in range(n):
        s = s * math.sin(x[i])
    return s


@contextmanager
def watched() -> Iterator[list[tuple[str, Program]]]:
    """The programs that passes give, in their order, with the names of the passes."""
    seen: list[tuple[str, Program]] = []
    compiler.WATCHERS.append(lambda name, program: seen.append((name, program)))
    try:
        yield seen
    finally:
        compiler.WATCHERS.pop()


def stages() -> Iterator[tuple[str, str, str]]:
    """Of each stage its name, its text and the text's language."""
    args = np.array([0.1, 0.2, 0.3]), 3
    yield "The function", inspect.getsource(product), "python"
    lowered = compiler.lowered(product, [describe(a) for a in args])
    yield "Lowered (`frontend`, `bounds`)", write(lowered.program), ""
    with watched() as seen:
        source = sg.grad(product).source_for(*args)
    (_, primal), (_, adjoint), (_, simplified) = seen[:3]
    yield "Simplified (`simplify`)", write(primal), ""
    yield "The adjoint (`transform`: the plan, then the reverse sweep that follows it)", write(adjoint), ""
    yield "Simplified", write(simplified), ""
    yield "Printed (`printer`)", source, "python"


def section() -> str:
    parts = (f"### {name}\n\n```{language}\n{text.strip()}\n```\n" for name, text, language in stages())
    return BEGIN + "\n" + "\n".join(parts) + "\n" + END


def shown() -> str:
    """What the page shows now."""
    text = PAGE.read_text(encoding="utf-8")
    return text[text.index(BEGIN) : text.index(END) + len(END)]


if __name__ == "__main__":
    if "--write" in sys.argv:
        text = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(text.replace(shown(), section()), encoding="utf-8")
    else:
        print(section())
