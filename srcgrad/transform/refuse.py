"""Refusals of the transformations, placed at the user's line."""

from __future__ import annotations

from srcgrad.core.ir import Span
from srcgrad.errors import UnsupportedError


def unsupported(span: Span | None, message: str, hint: str) -> UnsupportedError:
    """The error to raise for the statement at span."""
    place = f"{span.file}, line {span.line}: " if span else ""
    return UnsupportedError(f"{place}{message}; {hint}")
