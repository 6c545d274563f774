"""Errors that rules raise at run time."""

from __future__ import annotations

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.rules.language.values import Val


def raise_if(builder: Builder, wrong: Val, message: str, error: str = "ValueError") -> None:
    """Raise this error of Python's, or of `errors.FAILURES`, with this message where `wrong` holds, a truth value."""
    builder.put(ir.If(wrong.atom, (raising(builder, message, error),), (), span=builder.span))


def raising(builder: Builder, message: str, error: str = "ValueError") -> ir.Raise:
    """The statement that raises it."""
    if error == "PowerError":
        return ir.failing(ir.Failure(error, message, message, "", None), builder.span)
    return ir.Raise("builtins", error, (message,), span=builder.span)
