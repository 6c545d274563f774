"""Newton's method for roots: plain Python that srcgrad lowers, with the user's function and its derivative in it.

The parts are functions of `(x, args)`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from srcgrad.optimize.linear import largest, solve

Part = Callable[..., Any]


def scalar_newton(fun: Part, slope_of: Part, record: bool) -> Part:
    """x <- x - f(x) / f'(x); `slope_of` gives value and slope."""

    def newton(x0, args, tol, maxiter):  # type: ignore[no-untyped-def]
        x = x0
        nit = 0
        success = False
        history = np.empty(max(maxiter, 0) + 1)
        while nit < maxiter and not success:
            value, slope = slope_of(x, args)
            history[nit] = abs(value)
            step = value / slope
            x = x - step
            nit += 1
            success = abs(step) <= tol * (1.0 + abs(x)) and abs(x) < math.inf
        value = fun(x, args)
        history[nit] = abs(value)
        if record:
            return x, value, nit, success, history[: nit + 1].copy()
        return x, value, nit, success

    return newton


def system_newton(fun: Part, jacobian: Part, record: bool) -> Part:
    """x <- x - J(x)^-1 f(x) for a square system."""

    def newton(x0, args, tol, maxiter):  # type: ignore[no-untyped-def]
        x = x0.copy()
        nit = 0
        success = False
        history = np.empty(max(maxiter, 0) + 1)
        while nit < maxiter and not success:
            value = fun(x, args)
            history[nit] = largest(value)
            step = solve(jacobian(x, args), value)
            nit += 1
            success = True
            for i in range(x.shape[0]):
                x[i] -= step[i]
                if not abs(step[i]) <= tol * (1.0 + abs(x[i])) or not abs(x[i]) < math.inf:
                    success = False
        value = fun(x, args)
        history[nit] = largest(value)
        if record:
            return x, value, nit, success, history[: nit + 1].copy()
        return x, value, nit, success

    return newton
