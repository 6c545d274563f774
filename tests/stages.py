"""One function through every stage of the compiler, as `docs/architecture.md` shows it.

python -m tests.stages            prints the stages
python -m tests.stages --write    writes them into the page
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np

import srcgrad as sg
from srcgrad.derivatives.stages import stages

PAGE = Path(__file__).parents[1] / "docs" / "architecture.md"
BEGIN, END = "<!-- stages: written by `python -m tests.stages --write` -->\n", "<!-- end of the stages -->\n"


def product(x, n):
    s = 1.0
    for i in range(n):
        s = s * math.sin(x[i])
    return s


def section() -> str:
    made = stages(sg.grad(product), (np.array([0.1, 0.2, 0.3]), 3), {})
    parts = (f"### {s.about}\n\n```{'python' if s.python else ''}\n{s.text.strip()}\n```\n" for s in made)
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
