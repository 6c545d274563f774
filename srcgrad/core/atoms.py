"""What statements of the core are made of: variables, literals, their base, and the places that they come from."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Union

from srcgrad.core.types import Type


@dataclass(frozen=True, slots=True)
class Span:
    """Where a statement comes from: the user's file, line and column (1-based line, 0-based column), and its text.

    back: it is of the line's adjoint.
    """

    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    text: str
    back: bool = False

    @property
    def place(self) -> tuple[str, int, int, str]:
        """What the line and its adjoint have in common."""
        return self.file, self.line, self.column, self.text


@dataclass(frozen=True, eq=False, slots=True)
class Var:
    """A variable; `name` is a wish for its spelling, not its identity."""

    name: str
    type: Type

    def __repr__(self) -> str:
        return f"{self.name}: {self.type}"


@dataclass(frozen=True, slots=True)
class Const:
    """A literal scalar of a definite type."""

    value: float | int | bool | complex
    type: Type


Atom = Union[Var, Const]


class Init(Enum):
    """What new memory holds at first."""

    ZEROS = "zeros"
    EMPTY = "empty"
    LOCAL = "local"  # empty, of literal lengths, in a GPU thread's own memory


class Space(Enum):
    """Where a kernel's memory lies: among the threads of a block, or in one thread."""

    SHARED = "shared"
    LOCAL = "local"


class Atomic(Enum):
    """What a thread does at a place that others may change at the same time."""

    ADD = "add"
    MAX = "max"
    MIN = "min"


@dataclass(frozen=True, eq=False)
class Stmt:
    span: Span | None = field(default=None, kw_only=True)
