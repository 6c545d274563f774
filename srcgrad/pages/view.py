"""What is shown: panes of lines, with what belongs together and what is kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

NOTHING: frozenset[str] = frozenset()


class Mark(NamedTuple):
    """What stands beside a line: a few words, and more where a pointer rests on them."""

    label: str
    more: str


@dataclass(frozen=True)
class Pane:
    """A function's text. first: the number of its first line, if lines are numbered; belongs: for each line the names
    of the statements that it is of; marks: by the place of a line."""

    title: str
    lines: Sequence[str]
    belongs: Sequence[frozenset[str]]
    first: int | None = None
    marks: Mapping[int, Mark] = field(default_factory=dict)


@dataclass(frozen=True)
class View:
    """A derivative beside what it was made from."""

    title: str
    primal: Sequence[Pane]
    generated: Pane
    notes: Sequence[str] = ()


class Statement(NamedTuple):
    """A statement of the user's. name: its own; text: as the comment of generated code shows it."""

    name: str
    text: str


def matched(lines: Iterable[str], statements: Iterable[Statement]) -> list[frozenset[str]]:
    """For each line of generated code, the user's statements that it is of.

    A comment shows the user's line, and what follows it is of that line until the next comment, or until the block ends
    in which the comment stands. What is as the user wrote it needs no comment.
    """
    named: dict[str, set[str]] = {}
    for statement in statements:
        named.setdefault(statement.text, set()).add(statement.name)
    return list(_groups(lines, {text: frozenset(names) for text, names in named.items()}))


def _groups(lines: Iterable[str], named: Mapping[str, frozenset[str]]) -> Iterator[frozenset[str]]:
    current, depth = NOTHING, 0
    for line in lines:
        text, indent = line.strip(), len(line) - len(line.lstrip())
        if text.startswith("#"):
            current, depth = named.get(text[1:].strip(), NOTHING), indent
            yield current
            continue
        if not text or indent < depth:
            current, depth = NOTHING, 0
        yield named.get(text, current)


def marks_of(lines: Sequence[str], kept: Mapping[str, Mark]) -> dict[int, Mark]:
    """The marks of what is kept, by the line that makes its memory first; one mark for all that a line makes."""
    found: dict[int, Mark] = {}
    left = dict(kept)
    for place, line in enumerate(lines):
        made = {name: left.pop(name) for name in _assigned(line) if name in left}
        if made:
            found[place] = _joined(made)
    return found


def _assigned(line: str) -> list[str]:
    """The names that a line assigns, in `a = b = ...` and in `a, b = ...`."""
    targets = re.match(r"\s*((?:\w+(?:, \w+)* = )+)", line)
    return re.findall(r"\w+", targets[1]) if targets else []


def _joined(made: Mapping[str, Mark]) -> Mark:
    if len(made) == 1:
        return next(iter(made.values()))
    label, more = (
        "; ".join(f"{name}: {text}" for name, text in zip(made, texts, strict=True))
        for texts in zip(*made.values(), strict=True)
    )
    return Mark(label, more)
