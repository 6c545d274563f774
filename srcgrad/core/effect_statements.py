"""The statements that pass through every transformation as they are: raise, assert, print, a seed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, Union

from srcgrad.core.atoms import Atom, Const, Span, Stmt, Var


class Stream(Enum):
    """A stream of random numbers, by the module that holds it."""

    NUMPY = "np.random"
    PYTHON = "random"


@dataclass(frozen=True, slots=True)
class Failure:
    """Of a check of ours: what the error is at Python's edge, and the expression of the user's that is to blame.

    error: the name in `errors.FAILURES`.   text: the message in generated code, which says where in words.
    message, hint: what is told beside the line.
    """

    error: str
    text: str
    message: str
    hint: str
    where: Span | None


@dataclass(frozen=True, slots=True)
class Literal:
    """A value of Python's that is no number of the core, in what is printed or raised: None, a list of texts."""

    value: Any


PYTHONS = {"f8": "float", "i8": "int", "b1": "bool", "c16": "complex"}  # by dtype, Python's own kind of number


@dataclass(frozen=True, slots=True)
class AsPython:
    """A number as Python's own in what is formatted, for its repr; an array as a copy, to be kept."""

    number: Atom


@dataclass(frozen=True, slots=True)
class Formatted:
    """text.format(*parts)"""

    text: str
    parts: tuple[Part, ...]


# what is printed, or given to an exception; a str is a text
Part = Union[str, Var, Const, Literal, AsPython, Formatted, tuple["Part", ...]]


def part_atoms(parts: Iterable[Part]) -> Iterator[Atom]:
    """The atoms in what is printed or raised, in order."""
    for part in parts:
        match part:
            case Var() | Const():
                yield part
            case AsPython(number):
                yield number
            case Formatted(_, inner):
                yield from part_atoms(inner)
            case tuple():
                yield from part_atoms(part)


def map_parts(parts: tuple[Part, ...], f: Callable[[Atom], Atom]) -> tuple[Part, ...]:
    """The parts with their atoms mapped; the same object if none changes."""
    new = tuple(map_part(part, f) for part in parts)
    return parts if all(a is b for a, b in zip(new, parts, strict=True)) else new


def map_part(part: Part, f: Callable[[Atom], Atom]) -> Part:
    match part:
        case Var() | Const():
            return f(part)
        case AsPython(number):
            new = f(number)
            return part if new is number else AsPython(new)
        case Formatted(text, inner):
            mapped = map_parts(inner, f)
            return part if mapped is inner else Formatted(text, mapped)
        case tuple():
            return map_parts(part, f)
    return part


@dataclass(frozen=True, eq=False)
class Effect(Stmt):
    """What passes through a transformation as it is, in order, and is done once: all that derive from this."""


@dataclass(frozen=True, eq=False)
class Raise(Effect):
    """raise name(*parts), of a module.

    failure: of a check of ours.   format: the first argument of what is raised, which the parts are to be filled into
    (compiled code formats no numbers).
    """

    module: str
    name: str
    parts: tuple[Part, ...] = ()
    format: str | None = None
    failure: Failure | None = None

    @property
    def builtin(self) -> bool:
        return self.module == "builtins"


@dataclass(frozen=True, eq=False)
class Assert(Effect):
    """assert cond, message"""

    cond: Atom
    message: Part | None = None


@dataclass(frozen=True, eq=False)
class Print(Effect):
    """print(*parts, **options); options: sep, end and flush as far as the user gives them. The first may be `into`:
    what is called instead, or, if that ends in =, what they are assigned to, in the user's module."""

    parts: tuple[Part, ...]
    options: tuple[tuple[str, str | bool | None], ...] = ()

    @property
    def tells(self) -> bool:
        """Whether it tells something to the user's module, in place of printing."""
        return self.options[:1] != () and self.options[0][0] == "into"

    @property
    def in_python(self) -> bool:
        """Whether compiled code goes back to Python for it: Numba's print has no formats and no options."""
        return bool(self.options) or any(isinstance(part, Formatted) for part in self.parts)


@dataclass(frozen=True, eq=False)
class Seed(Effect):
    """The stream of random numbers of NumPy or of Python starts anew from this integer."""

    stream: Stream
    value: Atom


@dataclass(frozen=True, eq=False)
class Return(Effect):
    """The end of a GPU thread's function before its last statement; values: numbers that nobody reads."""

    values: tuple[Const, ...] = ()


def failing(failure: Failure, span: Span | None = None) -> Raise:
    """What a check of ours raises: in generated code the exception of Python's that the error is, too."""
    name = "ValueError" if failure.error == "PowerError" else failure.error
    return Raise("builtins", name, (failure.text,), failure=failure, span=span)
