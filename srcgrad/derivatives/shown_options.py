"""A transformer's options as keywords of their own, for `help` and `inspect.signature`."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from inspect import Parameter
from typing import Any, TypeVar

from srcgrad.compiler.find_or_make import Options

F = TypeVar("F", bound=Callable[..., Any])

DEFAULTS = {field.name: field.default for field in dataclasses.fields(Options)}


def takes(options: type) -> Callable[[F], F]:
    """Show these options, with their defaults, where a function takes `**options`."""
    shown = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=DEFAULTS[name], annotation=kind.__forward_arg__)
        for name, kind in options.__annotations__.items()
    ]

    def show(function: F) -> F:
        own = inspect.signature(function)
        named = [p for p in own.parameters.values() if p.kind is not p.VAR_KEYWORD]
        function.__signature__ = own.replace(parameters=[*named, *shown])  # type: ignore[attr-defined]
        return function

    return show
