"""Newton's method for roots: plain Python that srcgrad lowers, with the user's function and its derivative in it.

The parts are functions of `(x, args)`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from srcgrad.optimize.linear import largest, solve
from srcgrad.optimize.result import CONVERGED, NOT_FINITE, UNMET, outcome

Part = Callable[..., Any]


def scalar_newton(fun: Part, slope_of: Part, record: bool) -> Part:
    """x <- x - f(x) / f'(x); `slope_of` gives value and slope."""

    def newton(x0, args, tol, maxiter):  # type: ignore[no-untyped-def]
        x = x0
        nit = 0
        status = UNMET if abs(x) < math.inf else NOT_FINITE
        history = np.empty(max(maxiter, 0) + 1)
        while nit < maxiter and status == UNMET:
            value, slope = slope_of(x, args)
            history[nit] = abs(value)
            step = value / slope
            x = x - step
            nit += 1
            if not abs(x) < math.inf:
                status = NOT_FINITE
            elif abs(step) <= tol * (1.0 + abs(x)):
                status = CONVERGED
        value = fun(x, args)
        history[nit] = abs(value)
        success, message = outcome(status, abs(value) < math.inf, tol)
        if record:
            return x, value, nit, success, message, nit + 1, history[: nit + 1].copy()
        return x, value, nit, success, message, nit + 1

    return newton


def system_newton(fun: Part, jacobian: Part, record: bool) -> Part:
    """x <- x - J(x)^-1 f(x) for a square system."""

    def newton(x0, args, tol, maxiter):  # type: ignore[no-untyped-def]
        x = x0.copy()
        nit = 0
        status = UNMET if largest(x) < math.inf else NOT_FINITE
        history = np.empty(max(maxiter, 0) + 1)
        while nit < maxiter and status == UNMET:
            value = fun(x, args)
            history[nit] = largest(value)
            step = solve(jacobian(x, args), value)
            nit += 1
            status = CONVERGED
            for i in range(x.shape[0]):
                x[i] -= step[i]
                if not abs(x[i]) < math.inf:
                    status = NOT_FINITE
                elif status == CONVERGED and not abs(step[i]) <= tol * (1.0 + abs(x[i])):
                    status = UNMET
        value = fun(x, args)
        history[nit] = largest(value)
        success, message = outcome(status, largest(value) < math.inf, tol)
        if record:
            return x, value, nit, success, message, nit + 1, history[: nit + 1].copy()
        return x, value, nit, success, message, nit + 1

    return newton
