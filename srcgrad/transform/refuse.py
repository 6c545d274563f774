"""Refusals of the transformations, placed at the user's line."""

from __future__ import annotations

from collections.abc import Callable, Sequence

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


def refuse_fixed(stmt: ir.Custom, active: Callable[[ir.Atom], bool]) -> None:
    """Raise where a derivative is asked for by an argument of which a rule says that it has none."""
    for place in stmt.fixed:
        if active(stmt.args[place]):
            name = stmt.primal.params[place].name
            what = f"`{name}` of `{stmt.primal.name}` is named in nondiff_argnums"
            message = f"{what}, and depends on what is differentiated by"
            raise unsupported(stmt.span, message, f"leave it out there, or write stop_gradient({name})")


def refuse_result(stmt: ir.Call | ir.Custom) -> UnsupportedError:
    """The error for an array that a call returns, and that is one of several under its name."""
    if isinstance(stmt, ir.Call) and stmt.shares:
        name = stmt.callee.partition("_inner")[0]
        message = f"`{name}` calls itself, and on some path returns an array that it was given"
        return unsupported(stmt.span, message, "return a copy there, as in `return a.copy()`")
    message = "an array that this call returns is carried round a loop or chosen by a branch"
    return unsupported(stmt.span, message, "copy the result first: `y = f(x).copy()`")


def refuse_arguments(stmt: ir.Let, active: Sequence[bool]) -> None:
    """Raise where a derivative is asked for by an argument that the rule has none for."""
    for place, told in stmt.op.traits.refuses.items():
        if active[place]:
            message, _, hint = told.partition("; ")
            raise unsupported(stmt.span, message, hint)
