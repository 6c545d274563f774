"""Solvers may be called in functions that srcgrad reads, and in compiled code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from srcgrad.backend import overloads
from srcgrad.frontend.source import hooks
from srcgrad.optimize import lazy


def allow(public: Any, method: str) -> None:
    """Let other code call a solver. method: which, where no argument says it."""

    def inside(low: Any, args: Sequence[Any], named: dict[str, Any]) -> Any:
        return lazy.inside.called(low, public, method, args, named)

    def resolve(specs: dict[str, Any]) -> tuple[Any, list[str], Any]:
        return lazy.inside.resolved(method, specs)

    hooks.replace_calls(public, inside)
    overloads.allow(public, resolve)


def allow_least_squares(public: Any) -> None:
    """Let other code call it."""
    hooks.replace_calls(public, lambda low, args, named: lazy.least_squares_inside.called(low, args, named))
    overloads.allow(public, lambda specs: lazy.least_squares_inside.resolved(specs))


def allow_of_scipy() -> None:
    """Let functions that are read call SciPy's solvers for roots of one number, and its integral."""
    for name in ("brentq", "newton", "root_scalar"):
        hooks.replace_library_calls("scipy.optimize", name, _of_scipy(name))
    hooks.replace_library_calls("scipy.integrate", "quad", _quad)


def _of_scipy(name: str) -> hooks.Inside:
    return lambda low, args, named: getattr(lazy.of_scipy, f"call_{name}")(low, args, named)


def _quad(low: Any, args: Sequence[Any], named: dict[str, Any]) -> Any:
    return lazy.quadrature.call_quad(low, args, named)
