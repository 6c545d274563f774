"""Refusals of the transformations, placed at the user's line."""

from __future__ import annotations

from collections.abc import Sequence

from srcgrad.core import ir
from srcgrad.core.ir import Span
from srcgrad.errors import Problem, UnsupportedError


def unsupported(span: Span | None, message: str, hint: str) -> UnsupportedError:
    """The error to raise for the statement at span."""
    if span is None:
        return UnsupportedError(message, hint=hint)
    source = " " * span.column + span.text
    return UnsupportedError(message, problems=[Problem(message, hint, span.file, span.line, span.column, source)])


def no_rule(stmt: ir.Custom) -> UnsupportedError:
    """The error for something that cannot be differentiated, or not once more."""
    message = f"`{stmt.primal.name}` has no derivative, or none of this order"
    return unsupported(stmt.span, message, "differentiate it less often; a solver: twice, and without history=True")


def refuse_arguments(stmt: ir.Let, active: Sequence[bool]) -> None:
    """Raise where a derivative is asked for by an argument that the rule has none for."""
    for place, told in getattr(stmt.op.info, "refuses", {}).items():
        if active[place]:
            message, _, hint = told.partition("; ")
            raise unsupported(stmt.span, message, hint)
