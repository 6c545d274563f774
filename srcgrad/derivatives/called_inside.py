"""The transformers may be called inside functions that are read: by `inside.py`, which is loaded when one is."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from srcgrad.derivatives import lazy_inside
from srcgrad.frontend.source import hooks


def allow(*transformers: Callable[..., Any]) -> None:
    """Let functions that are read call what makes a derivative."""
    for public in transformers:
        hooks.replace_calls(public, functools.partial(_transformed, public))


def _transformed(public: Callable[..., Any], low: Any, args: Any, named: Any) -> Any:
    return lazy_inside.inside.transformed(public, low, args, named)


def allow_at_points(jvp: Callable[..., Any], vjp: Callable[..., Any]) -> None:
    """Let functions that are read call what computes a derivative at once."""
    hooks.replace_calls(jvp, lambda low, args, named: lazy_inside.inside.jvp(low, args, named))
    hooks.replace_calls(vjp, lambda low, args, named: lazy_inside.inside.vjp(low, args, named))
