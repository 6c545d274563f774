"""Draws `primal_and_adjoint.svg`: a function beside its adjoint, with a colour for each statement.

python docs/pictures/primal_and_adjoint.py
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

import srcgrad as sg
from srcgrad.derivatives import shown
from srcgrad.pages.view import Pane

PICTURE = Path(__file__).with_suffix(".svg")
WIDE, HIGH, GAP, TOP = 7.25, 18, 28, 46  # of a character, a line, between the sides, of the titles
LIGHT = ("#fde9c8", "#d9ecd9", "#d6e6f7", "#eadcf3", "#f8d9dc")
DARK = ("#4a3a1a", "#234028", "#1d3a57", "#412d52", "#53272d")
PARTS = re.compile(
    r"(?P<said>#.*)|(?P<word>\b(?:def|for|in|return|if|else|range)\b)|(?P<bar>\w+_bar\w*)|(?P<kept>\w+_kept\w*)"
)


def swing(angle, pushes):
    speed = 0.0
    for k in range(len(pushes)):
        speed = speed - 0.1 * math.sin(angle) + pushes[k]
        angle = angle + 0.1 * speed
    return angle


def style() -> str:
    """The colours, for a light and for a dark page."""
    tints = "".join(f".s{k}{{fill:{tint}}}" for k, tint in enumerate(LIGHT))
    dark = "".join(f".s{k}{{fill:{tint}}}" for k, tint in enumerate(DARK))
    return (
        "text{font:12px ui-monospace,Menlo,Consolas,monospace;fill:#1f2328;white-space:pre}"
        ".title{font:600 13px system-ui,sans-serif}.note{font:12px system-ui,sans-serif;fill:#6b7480}"
        f".paper{{fill:#fbfcfd;stroke:#d5dae0}}.said{{fill:#5d7362;font-style:italic}}.word{{fill:#8a2be2}}"
        f".bar{{fill:#b3261e;font-weight:600}}.kept{{fill:#0a5c8a;font-weight:600}}{tints}"
        "@media(prefers-color-scheme:dark){text{fill:#dde2e8}.note{fill:#8a94a0}.paper{fill:#1b1f24;stroke:#353b43}"
        f".said{{fill:#93ab99}}.word{{fill:#c79bf2}}.bar{{fill:#ff9c94}}.kept{{fill:#9ad2f5}}{dark}}}"
    )


def coloured(line: str) -> str:
    """A line of Python as SVG text."""
    out, at = [], 0
    for found in PARTS.finditer(line):
        out.append(html.escape(line[at : found.start()]))
        out.append(f'<tspan class="{found.lastgroup}">{html.escape(found[0])}</tspan>')
        at = found.end()
    return "".join([*out, html.escape(line[at:])])


def side(title: str, lines: Sequence[str], tints: Sequence[int | None], left: float, width: float) -> Iterator[str]:
    """One of the two texts."""
    yield f'<rect class="paper" x="{left}" y="{TOP - 12}" width="{width}" height="{len(lines) * HIGH + 20}" rx="6"/>'
    yield f'<text class="title" x="{left + 2}" y="24">{title}</text>'
    for k, (line, tint) in enumerate(zip(lines, tints, strict=True)):
        y = TOP + k * HIGH
        if tint is not None:
            yield f'<rect class="s{tint}" x="{left + 1}" y="{y}" width="{width - 2}" height="{HIGH}"/>'
        yield f'<text x="{left + 10}" y="{y + 13}">{coloured(line)}</text>'


def body(pane: Pane) -> tuple[list[str], list[frozenset[str]]]:
    """The function alone, without decorators and imports, and which statements each of its lines is of."""
    start = next(k for k, line in enumerate(pane.lines) if line.startswith("def "))
    return [str(line) for line in pane.lines[start:]], list(pane.belongs[start:])


def picture() -> str:
    """The whole picture."""
    view = shown.view(sg.grad(swing, "pushes"), (0.3, np.ones(3)))
    (lines, of), (made, of_made) = body(view.primal[0]), body(view.generated)
    shared = {name for names in of_made for name in names}
    statements = dict.fromkeys(name for names in of for name in sorted(names) if name in shared)
    number = {name: k % len(LIGHT) for k, name in enumerate(statements)}
    tints = [
        [min((number[n] for n in names if n in number), default=None) for names in every] for every in (of, of_made)
    ]
    widths = [max(map(len, text)) * WIDE + 24 for text in (lines, made)]
    whole = widths[0] + GAP + widths[1] + 4
    tall = TOP + len(made) * HIGH + 14
    notes = [
        "One colour, one statement of yours.",
        "x_bar is the derivative of the result by x;",
        "x_kept is what the way back needs of x.",
    ]
    under = TOP + len(lines) * HIGH + 34
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {whole:g} {tall:g}" width="{whole:g}" role="img">',
            "<title>A function, and the adjoint that srcgrad writes for it</title>",
            f"<style>{style()}</style>",
            *side("You write", lines, tints[0], 2, widths[0]),
            *(f'<text class="note" x="4" y="{under + 17 * k}">{note}</text>' for k, note in enumerate(notes)),
            *side("srcgrad writes", made, tints[1], 2 + widths[0] + GAP, widths[1]),
            "</svg>\n",
        ]
    )


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
    print(f"{PICTURE.name}: {PICTURE.stat().st_size} bytes")
