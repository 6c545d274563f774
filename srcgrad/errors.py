"""What srcgrad raises. Every refusal names the user's file, line and column and shows the line with a caret."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and where: 1-based line, 0-based column in characters (None: the whole line), the raw
    source line; the calls that led there, innermost first."""

    message: str
    hint: str = ""
    file: str = ""
    line: int = 0
    column: int | None = 0
    source: str = ""
    calls: tuple[str, ...] = ()

    def __str__(self) -> str:
        rest = [f"  called in {call}" for call in self.calls] + ([f"  hint: {self.hint}"] if self.hint else [])
        if not self.file:
            return "\n".join([self.message, *rest])
        text = self.source.rstrip("\n")
        lead = len(text) - len(text.lstrip())
        place = f"{self.file}, line {self.line}"
        shown = [f"    {text[lead:]}"] if text.strip() else []
        if self.column is not None:
            place += f", column {self.column + 1}"
            shown += ["    " + " " * max(self.column - lead, 0) + "^"] if shown else []
        return "\n".join([f"{place}: {self.message}", *shown, *rest])


class SrcgradError(Exception):
    """The base of all errors of srcgrad.

    `problems` lists what is wrong; an error raised without a place gets one from the statement being read, or from the
    function (at its parameter `about`). A message "what is wrong; what to write instead" brings its own hint.
    """

    def __init__(self, message: str = "", *, hint: str = "", about: str = "", problems: Sequence[Problem] = ()) -> None:
        if not hint and not problems:
            message, _, hint = message.partition("; ")
        self.problems = tuple(problems) or (Problem(message, hint),)
        self.about = about
        super().__init__(message)

    @property
    def placed(self) -> bool:
        return bool(self.problems[0].file)

    def at(self, place: Callable[[Problem], Problem]) -> SrcgradError:
        """The same error, with each problem where this function puts it."""
        return type(self)(self.problems[0].message, problems=[place(p) for p in self.problems])

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


class CallError(ArgumentError, TypeError):
    """A call gives other arguments than the function has parameters: a TypeError too, as from the function itself."""


class OutOfRangeError(SrcgradError, IndexError):
    """An index lies outside its axis."""


class ShapeError(ArgumentError, ValueError):
    """Lengths do not fit together, or a length is negative."""


class TooLargeError(SrcgradError, MemoryError):
    """A matrix of derivatives does not fit into the memory."""


class DivisionError(SrcgradError, ZeroDivisionError):
    """An integer is divided by zero."""


class PowerError(SrcgradError, ValueError):
    """An integer is raised to a negative integer power, which has no integer result."""


class IntegerOverflowError(SrcgradError, OverflowError):
    """An integer of an array of uint64 is larger than the 64-bit signed integers that are computed with."""


class NonFiniteError(SrcgradError, FloatingPointError):
    """With `debug_nans=True`, a call gave a NaN or an infinity: a FloatingPointError too, as in JAX and NumPy."""


class UnboundError(UnsupportedError, UnboundLocalError):
    """A name has no value where it is read: a NameError too, as from the function itself."""


# what code that repeats no axis says where one may have to be; the edge then takes the general code
REPEATED = "made for arrays with longer axes"

# by the name of a failure, what it is at Python's edge; generated code raises the exception of Python's that it is, too
FAILURES: dict[str, type[SrcgradError]] = {
    "IndexError": OutOfRangeError,
    "ValueError": ShapeError,
    "ZeroDivisionError": DivisionError,
    "UnboundLocalError": UnboundError,
    "PowerError": PowerError,
    "OverflowError": IntegerOverflowError,
}
