"""The loop that all minimisers share: plain Python that srcgrad lowers, the user's function and its gradient in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Part = Callable[..., Any]


def minimiser(
    fun: Part, gradient_of: Part, begin: Part, advance: Part, size: Part, tolerant: bool, record: bool
) -> Part:
    """`begin(x0, options) -> x, state`, then `advance(x, state, gradient, args, options) -> x, state` at each step.

    size: the number of a gradient that `tol` is about. tolerant: whether there is a tolerance to meet.
    """

    def minimize(x0, args, tol, maxiter, options):  # type: ignore[no-untyped-def]
        x, state = begin(x0, options)
        history = np.empty(max(maxiter, 0) + 1)
        success = not tolerant
        nit = 0
        for _ in range(maxiter):
            gradient = gradient_of(x, args)
            if tolerant and size(gradient) <= tol:
                success = True
                break
            if record:
                history[nit] = fun(x, args)
            x, state = advance(x, state, gradient, args, options)
            nit += 1
        value = fun(x, args)
        if record:
            history[nit] = value
            return x, value, nit, success, history[: nit + 1].copy()
        return x, value, nit, success

    return minimize
