"""What srcgrad raises. Every refusal names the user's file, line and column and shows the line with a caret."""
from __future__ import annotations


class SrcgradError(Exception):
    """The base of all errors of srcgrad."""


class UnsupportedError(SrcgradError):
    """The function uses a construct outside the language that srcgrad differentiates."""


class NotDifferentiableError(SrcgradError):
    """There is no derivative to give: a function without a rule, or an output that is not a float."""


class ArgumentError(SrcgradError):
    """`argnums`, or an argument's structure, shape or dtype, does not fit."""
