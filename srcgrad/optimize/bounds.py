"""`minimize` with bounds."""

# mypy: disallow-untyped-calls=False
from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from srcgrad.api import compiled
from srcgrad.errors import ArgumentError, SrcgradError, UnsupportedError
from srcgrad.frontend.source.error_places import speaking_of
from srcgrad.optimize.methods import MEMORY, Mode, both, spread
from srcgrad.optimize.misuse import explained
from srcgrad.optimize.projected import minimising_in_box
from srcgrad.optimize.result import MESSAGES, OptimizeHistory, OptimizeResult

Part = Callable[..., Any]
FORM = "give one (lower, upper) for each variable, None where there is none, or scipy.optimize.Bounds(lower, upper)"


def minimum_in_box(
    fun: Any, x0: Any, bounds: Any, args: tuple[Any, ...], method: str, others: dict[str, Any], mode: Mode,
    limits: tuple[float, int], *, history: bool, jit: bool,
) -> OptimizeResult | OptimizeHistory:  # fmt: skip
    """By L-BFGS. others: options that are not for bounds, which must be as they are by default.   limits: the tolerance
    and the largest number of steps."""
    with speaking_of(None):
        if method != "lbfgs":
            raise ArgumentError(f"{method} takes no bounds", hint='minimize in a box by method="lbfgs"')
        for name, value in others.items():
            if value not in (None, False, "cpu"):
                raise UnsupportedError(f"`{name}` beside bounds", hint=f"leave {name} out, or the bounds")
        number, start = np.ndim(x0) == 0, np.atleast_1d(np.asarray(x0))
        if start.ndim > 1 or start.dtype.kind not in "fiu":
            hint = "start from a float or a one-dimensional array of floats"
            raise ArgumentError("bounds are of the variables of a vector", hint=hint)
        start = start.astype(np.float64)
        lower, upper = box_of(bounds, start.size)
    solve = _loop(fun, number, mode, history, jit)
    try:
        x, value, nit, success, message, nfev, *rest = solve(start, lower, upper, args, *limits)
    except SrcgradError as error:
        raise explained(error, fun, x0, args, True) from error.__cause__
    x = float(x[0]) if number else x
    if history:
        return OptimizeHistory(x, value, nit, success, MESSAGES[message], nfev, *rest)
    return OptimizeResult(x, value, nit, success, MESSAGES[message], nfev)


@functools.lru_cache(maxsize=256)
def _loop(fun: Part, number: bool, mode: Mode, record: bool, jit: bool) -> Part:
    call = spread(_of_vector(fun) if number else fun)
    return compiled(minimising_in_box(both(call, mode), MEMORY, record), jit=jit)


def _of_vector(fun: Part) -> Part:
    return lambda x, *args: fun(x[0], *args)


def box_of(bounds: Any, n: int) -> tuple[Any, Any]:
    """The lower and the upper bounds of n variables."""
    if hasattr(bounds, "lb") and hasattr(bounds, "ub"):
        pairs = np.broadcast_arrays(np.asarray(bounds.lb, float), np.asarray(bounds.ub, float), np.empty(n))[:2]
        lower, upper = pairs[0].copy(), pairs[1].copy()
    else:
        try:
            given = [(-np.inf if low is None else float(low), np.inf if high is None else float(high))
                     for low, high in bounds]  # fmt: skip
        except (TypeError, ValueError):
            raise ArgumentError(f"bounds={bounds!r} are no pairs of numbers", hint=FORM) from None
        if len(given) != n:
            raise ArgumentError(f"there are {len(given)} pairs of bounds, and {n} variables", hint=FORM)
        lower, upper = np.array([low for low, _ in given]), np.array([high for _, high in given])
    for k in np.flatnonzero(~(lower <= upper)):
        raise ArgumentError(f"no number lies from {lower[k]} to {upper[k]} (variable {k})", hint=FORM)
    return lower, upper
