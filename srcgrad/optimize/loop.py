"""The loop that the first-order methods share: plain Python that srcgrad lowers, the user's function and its gradient
in it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from srcgrad.optimize.result import CONVERGED, UNMET, outcome

Part = Callable[..., Any]


def descending(
    fun: Part, gradient_of: Part, own: Part, advance: Part, size: Part, tolerant: bool, record: bool
) -> Part:
    """`own(x, state) -> x, state` that may be written into, then at each step
    `advance(x, state, gradient, args, options) -> x, state`.

    size: the largest entry of an array, NaN if one is. tolerant: whether there is a tolerance to meet.
    """

    def minimize(x, state, args, tol, maxiter, options):  # type: ignore[no-untyped-def]
        history = np.empty(max(maxiter, 0) + 1)
        x, state = own(x, state)
        status = UNMET
        nit = 0
        for _ in range(maxiter):
            gradient = gradient_of(x, args)
            if tolerant:
                steepness = size(gradient)
                if steepness <= tol:
                    status = CONVERGED
                if status == CONVERGED or not steepness < math.inf:
                    break
            if record:
                history[nit] = fun(x, args)
            x, state = advance(x, state, gradient, args, options)
            nit += 1
        value = fun(x, args)
        finite = size(x) < math.inf
        if not abs(value) < math.inf:  # on a line of its own: what is decided once a line keeps fast-math flags on
            finite = False
        success, message = outcome(status, finite, tol)
        if record:
            history[nit] = value
            return x, state, value, nit, success, message, nit + 1, history[: nit + 1].copy()
        return x, state, value, nit, success, message, nit + 1

    return minimize
