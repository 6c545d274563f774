"""What a check in generated code raises, told at Python's edge with the user's file, line and caret."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from srcgrad.backend.cpu import Mismatch
from srcgrad.errors import FAILURES, REPEATED, Problem, SrcgradError, TooLargeError
from srcgrad.frontend.source.error_places import placed

# By the message in the generated code: the error that it raises, and what is to be told.
Failures = Mapping[str, tuple[str, Problem]]


@dataclass(frozen=True, slots=True)
class Raised:
    """An exception by its module and name, with its arguments: what the host raises for a kernel's thread."""

    module: str
    name: str
    args: tuple[Any, ...]

    def __call__(self) -> BaseException:
        made: BaseException = getattr(sys.modules[self.module], self.name)(*self.args)
        return made


# What a thread meets that has more to keep than was counted: the launch is made again with more memory.
TOO_SHORT = Raised("builtins", "MemoryError", ("a work array is too short",))


def telling(function: Callable[..., Any], known: Failures, formats: Mapping[str, int]) -> Callable[..., Any]:
    """The function; an error that a check of ours raises names the user's line. All others pass as they are, f-strings
    being filled in."""
    if not known and not formats:
        return function

    def call(*args: Any) -> Any:
        try:
            return function(*args)
        except Exception as error:
            told = told_of(error, known, formats)
            if told is None:
                raise
        raise told

    return call


def told_of(error: Exception, known: Failures, formats: Mapping[str, int]) -> Exception | None:
    """What is raised in the place of an error in generated code; None for that itself."""
    return _told(error, known) or _filled(error, formats)


# What a dense matrix is called, its rows and columns, and its bytes.
Dense = tuple[str, int, int, int]


def sized(function: Callable[..., Any], dense: Callable[[Sequence[Any]], Dense], fun: Any) -> Callable[..., Any]:
    """A derivative of `fun` that gives a dense matrix; if there is no memory for that, the error says how large it
    is."""

    def call(*args: Any) -> Any:
        try:
            return function(*args)
        except MemoryError:
            found = dense(args)
            if found[-1] < SMALL:
                raise
        raise placed(too_large(*found), fun)

    return call


SMALL = 1 << 24  # if so few bytes are not to be had, it is not for the matrix's size


def too_large(matrix: str, rows: int, columns: int, size: int) -> TooLargeError:
    """What is said where there is no memory for a dense matrix."""
    message = f"the dense {matrix} has {rows:,} by {columns:,} entries, {size / 1e9:,.1f} GB: there is no memory for it"
    return TooLargeError(message, hint=INSTEAD[matrix])


INSTEAD = {
    "Hessian": 'use hvp, its product with a vector, or minimize(..., method="lbfgs"), which needs the gradient alone; '
    "a sparse Hessian is known from its products with a few vectors",
    "Jacobian": "use jvp or vjp, its products with vectors; a sparse Jacobian is known from a few of those",
}


def _filled(error: Exception, formats: Mapping[str, int]) -> Exception | None:
    """The user's exception with its f-string filled in."""
    text, *values = error.args or ("",)
    count = formats.get(text) if isinstance(text, str) else None
    if count is None or len(values) < count:
        return None
    plain = [v.item() if isinstance(v, np.generic) else v for v in values[:count]]
    return type(error)(text.format(*plain), *values[count:]).with_traceback(error.__traceback__)


def _told(error: Exception, known: Failures) -> SrcgradError | None:
    """What is said of a check that failed."""
    if len(error.args) != 1 or not isinstance(error.args[0], str) or isinstance(error, SrcgradError):
        return None
    if error.args[0] == REPEATED:
        return Mismatch(REPEATED)
    kind, problem = known.get(error.args[0], ("", None))
    if problem is None or type(error).__name__ not in {base.__name__ for base in FAILURES[kind].__mro__}:
        return None
    lines = linecache.getlines(problem.file)
    same = [n for n, line in enumerate(lines, 1) if line.strip() == problem.source.strip()]
    # lines above may have come or gone since: generated code is found again by what it means
    was = problem.line
    problem = replace(problem, line=min(same, key=lambda n: abs(n - was), default=was))
    return FAILURES[kind](problem.message, problems=[problem])
