"""The loop of the methods that search along a direction: plain Python that srcgrad lowers, with the function and its
gradient in it once. Each iteration evaluates them at one point, so that it can pause after any of these."""

# mypy: disallow-untyped-defs=False, disallow-untyped-calls=False
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from srcgrad.optimize.linear import dot, largest
from srcgrad.optimize.result import CONVERGED, GOES_ON, NO_LOWER, NOT_FINITE, UNMET
from srcgrad.optimize.search import ACCEPT, GIVE_UP, RETURN, Search, begun, looked, unbegun

Part = Callable[..., Any]


class Method(NamedTuple):
    """What tells one method from another. begin: from x0, its memory; learn: puts what a step has shown into it;
    forget: empties it, and says whether there was something in it; direct: puts the direction into an array, and says
    whether it knows one; its length is the first to be tried."""

    begin: Part
    learn: Part
    forget: Part
    direct: Part


# Where a solve is, between two calls: the next point to evaluate, the gradients at `x` and at the best length so far,
# the direction, the length, the steps made (-1 before the first evaluation), and the parts of the search.
NIT, VALUE, LEAVES = 5, 6, 6 + len(Search._fields)


def start(x0):
    """Before the first evaluation, which is of the starting point itself."""
    zero = np.zeros_like(x0)
    return x0, zero, zero, zero, 0.0, -1, *unbegun()


def searching(at: Part, method: Method, record: bool, bounded: bool) -> Part:
    """at: `(x, args) -> (value, gradient)`. bounded: whether a call pauses after `limit` evaluations, and after the
    step that makes `nit` reach `pause`."""

    def solve(x, trial, memory, args, tol, maxiter, limit, pause):
        point, gradient, best, direction, length, nit, *ends = trial
        x, point, gradient, best, direction = x.copy(), point.copy(), gradient.copy(), best.copy(), direction.copy()
        memory, search = tuple([m.copy() for m in memory]), Search(*ends)
        history = np.empty(max(maxiter, 0) + 1)
        status, nfev = GOES_ON, 0
        while status == GOES_ON and (not bounded or (nfev < limit and nit < pause)):
            value, slopes = at(point, args)
            nfev += 1
            search, length, verdict = looked(search, length, float(value), float(dot(slopes, direction)))
            if search.lowered or verdict == ACCEPT:
                put(best, slopes)
            renewed = False
            if verdict == ACCEPT or verdict == RETURN:
                if verdict == RETURN:
                    go(point, x, search.low, direction)
                nit += 1
                search = begun(float(value) if verdict == ACCEPT else search.low_value, 0.0)
                if record:
                    history[nit] = search.start
                method.learn(memory, x, point, gradient, best)
                put(x, point)
                put(gradient, best)
                status = ended(gradient, tol, nit, maxiter)
                renewed = status == GOES_ON
            elif verdict == GIVE_UP:
                renewed = nit >= 0 and method.forget(memory)
                if nit < 0:
                    status, search = NOT_FINITE, begun(float(value), 0.0)
                elif not renewed:
                    status = NO_LOWER
            if renewed:
                known = method.direct(direction, memory, x, gradient, args)
                length, slope = 1.0, float(dot(gradient, direction))
                if not (known and -math.inf < slope < 0.0):
                    length, slope = steepest(direction, gradient)
                search = begun(search.start, slope)
            go(point, x, length, direction)
        kept = history[: max(nit, 0) + 1].copy() if record else np.empty(0)
        return x, status, nfev, kept, point, gradient, best, direction, length, nit, *search, *memory

    return solve


def ended(gradient, tol, nit, maxiter):
    """The status after a step."""
    if largest(gradient) <= tol:
        return CONVERGED
    return UNMET if nit >= maxiter else GOES_ON


def steepest(direction, gradient):
    """Down the gradient: the length by which the point moves by 1 at most, and the slope."""
    size = largest(gradient)
    total = 0.0
    for i in range(gradient.shape[0]):
        direction[i] = -gradient[i]
        total += (gradient[i] / size) ** 2
    return float(min(1.0, 1.0 / (size * math.sqrt(total)))), -float(size * size * total)


def put(into, values):
    for i in range(into.shape[0]):
        into[i] = values[i]


def go(point, x, length, direction):
    for i in range(x.shape[0]):
        point[i] = x[i] + length * direction[i]
