"""`%srcgrad f(x)`: a derivative beside its function, in a notebook."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from srcgrad.derivatives import shown as beside
from srcgrad.derivatives.derivative import Derivative
from srcgrad.terminal import subject


class Shown:
    """What a cell shows: HTML in a notebook, the source on a terminal."""

    def __init__(self, made: Derivative, given: subject.Given) -> None:
        self._made, self._given = made, given

    def _repr_html_(self) -> str:
        return beside.fragment(self._made, self._given.args, self._given.kwargs)

    def __repr__(self) -> str:
        if self._given.args or self._given.kwargs:
            return self._made.source_for(*self._given.args, **self._given.kwargs)
        return self._made.source


def shown(line: str, space: Mapping[str, Any]) -> Shown | None:
    """What this line asks for, with the names of the notebook."""
    parser = argparse.ArgumentParser(prog="%srcgrad", description="Show a function's derivative beside it.")
    subject.add_kind(parser)
    parser.add_argument("call", metavar="FUNCTION[(ARGUMENTS)]", help="a function, or a call of it: f(x, 2.0)")
    words, call = _split(line)
    try:
        options = parser.parse_args([*words, *([call] if call else [])])
    except SystemExit:  # argparse has said what is wrong, and leaves
        return None
    name, _, given = call.partition("(")
    fun = subject.evaluated(name.strip(), space)
    arguments = subject.given(given.rstrip()[:-1], space) if given else None
    about = subject.Subject(fun, space, arguments)
    return Shown(subject.derivative(about, options), arguments or subject.Given(()))


def _split(line: str) -> tuple[list[str], str]:
    """The options, which stand in front, and the call."""
    words = line.split()
    count = 0
    while count < len(words) and words[count].startswith("-"):
        count += 1 if "=" in words[count] or words[count] in ("-h", "--help") else 2
    return words[:count], " ".join(words[count:])
