"""What srcgrad raises. Every refusal names the user's file, line and column and shows the line with a caret."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and where: 1-based line, 0-based column in characters, the raw source line."""

    message: str
    hint: str = ""
    file: str = ""
    line: int = 0
    column: int = 0
    source: str = ""

    def __str__(self) -> str:
        if not self.file:
            return self.message + (f"\n  hint: {self.hint}" if self.hint else "")
        text = self.source.rstrip("\n")
        lead = len(text) - len(text.lstrip())
        caret = " " * max(self.column - lead, 0) + "^"
        place = f"{self.file}, line {self.line}, column {self.column + 1}: {self.message}"
        hint = [f"  hint: {self.hint}"] if self.hint else []
        return "\n".join([place, f"    {text[lead:]}", f"    {caret}", *hint])


class SrcgradError(Exception):
    """The base of all errors of srcgrad.

    `problems` lists what is wrong; an error raised without a place gets one from the statement being read.
    """

    def __init__(self, message: str = "", *, hint: str = "", problems: Sequence[Problem] = ()) -> None:
        self.problems = tuple(problems) or (Problem(message, hint),)
        super().__init__(message)

    @property
    def placed(self) -> bool:
        return bool(self.problems[0].file)

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.problems)


def _rebuild(kind: type[SrcgradError], problems: tuple[Problem, ...]) -> SrcgradError:
    return kind(problems[0].message, problems=problems)


class UnsupportedError(SrcgradError):
    """The function uses a construct outside the language that srcgrad differentiates."""


class NotDifferentiableError(SrcgradError):
    """There is no derivative to give: a function without a rule, or an output that is not a float."""


class ArgumentError(SrcgradError):
    """`argnums`, or an argument's structure, shape or dtype, does not fit."""


class OutOfRangeError(SrcgradError, IndexError):
    """An index lies outside its axis."""


class ShapeError(ArgumentError, ValueError):
    """Lengths do not fit together, or a length is negative."""


class DivisionError(SrcgradError, ZeroDivisionError):
    """An integer is divided by zero."""


# what a check in generated code raises -> what it is at Python's edge
FAILURES: dict[str, type[SrcgradError]] = {
    "IndexError": OutOfRangeError,
    "ValueError": ShapeError,
    "ZeroDivisionError": DivisionError,
}
