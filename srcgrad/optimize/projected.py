"""L-BFGS in a box: plain Python that srcgrad lowers, the user's function and its gradient in it.

Variables at a bound that the gradient points out of are held; in the others, the direction of L-BFGS is taken, and
points along it are projected into the box until Armijo's condition is met (Bertsekas, Projected Newton methods, 1982).
"""

# mypy: disallow-untyped-defs=False, disallow-untyped-calls=False
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from srcgrad.optimize.result import CONVERGED, NO_LOWER, UNMET, outcome
from srcgrad.optimize.second_order import remember

Part = Callable[..., Any]
TRIALS = 60  # halvings of a step


def minimising_in_box(both: Part, memory: int, record: bool) -> Part:
    """`(x0, lower, upper, args, tol, maxiter) -> (x, fun, nit, success, message, nfev)`, and the history.

    both: `(x, args) -> (value, gradient)`.
    """
    size, search = memory, searching(both)

    def minimize(x0, lower, upper, args, tol, maxiter):
        n = x0.shape[0]
        x = projected(x0, lower, upper)
        value, gradient = both(x, args)
        nfev, nit, status = 1, 0, UNMET
        steps, changes, count = np.zeros((size, n)), np.zeros((size, n)), np.zeros(1, np.int64)
        history = np.empty(max(maxiter, 0) + 1)
        history[0] = value
        while abs(value) < math.inf:
            steep = steepness(x, gradient, lower, upper)
            if steep <= tol:
                status = CONVERGED
                break
            if nit >= maxiter:
                break
            free = free_variables(x, gradient, lower, upper)
            direction = -gradient * free
            square = np.sum(direction * direction)
            if count[0] > 0:
                direct(direction, steps, changes, count[0], size, free)
            if not np.sum(direction * gradient) < 0.0:
                count[0] = 0
                direction = -gradient * free
            length = 1.0 if count[0] > 0 else min(1.0, 1.0 / math.sqrt(square))
            point, there, best, tries, lower_found = search(
                x, value, gradient, steep, direction, length, lower, upper, args
            )
            nfev += tries
            if lower_found:
                remember(steps, changes, point - x, best - gradient, count)
                x, value, gradient = point, there, best
                nit += 1
                history[nit] = value
            elif count[0] > 0:
                count[0] = 0
            else:
                status = NO_LOWER
                break
        success, message = outcome(status, abs(value) < math.inf, tol)
        if record:
            return x, value, nit, success, message, nfev, history[: nit + 1].copy()
        return x, value, nit, success, message, nfev

    return minimize


def searching(both: Part) -> Part:
    """The first of the projected points, at halved lengths, that is low enough; where values differ by rounding alone,
    one that is less steep."""

    def search(x, value, gradient, steep, direction, length, lower, upper, args):
        point, there, best = x, value, gradient
        tries, found = 0, False
        for _ in range(TRIALS):
            point = projected(x + length * direction, lower, upper)
            there, best = both(point, args)
            tries += 1
            drop = np.sum(gradient * (point - x))
            low = there <= value + 1e-4 * drop and drop < 0.0
            if low or (there <= value + 1e-14 * abs(value) and steepness(point, best, lower, upper) < 0.9 * steep):
                found = True
                break
            length *= 0.5
        return point, there, best, tries, found

    return search


def steepness(x, gradient, lower, upper):
    """The largest entry of the step of projected descent."""
    out = 0.0
    for i in range(x.shape[0]):
        out = max(out, abs(min(max(x[i] - gradient[i], lower[i]), upper[i]) - x[i]))
    return out


def free_variables(x, gradient, lower, upper):
    """1 where a variable may move, 0 where it is held at a bound."""
    free = np.ones(x.shape[0])
    for i in range(x.shape[0]):
        if (x[i] <= lower[i] and gradient[i] > 0.0) or (x[i] >= upper[i] and gradient[i] < 0.0):
            free[i] = 0.0
    return free


def projected(x, lower, upper):
    out = np.empty(x.shape[0])
    for i in range(x.shape[0]):
        out[i] = min(max(x[i], lower[i]), upper[i])
    return out


def direct(direction, steps, changes, count, memory, free):
    """The approximate inverse Hessian of the free variables times the direction; pairs without curvature among these
    are left out (Nocedal & Wright, 7.4)."""
    n = direction.shape[0]
    held = min(count, memory)
    weights, curvatures = np.zeros(memory), np.zeros(memory)
    scale = 0.0
    for k in range(held):
        row = (count - 1 - k) % memory
        curvature, square, dot = 0.0, 0.0, 0.0
        for i in range(n):
            curvature += steps[row, i] * changes[row, i] * free[i]
            square += changes[row, i] * changes[row, i] * free[i]
            dot += steps[row, i] * direction[i] * free[i]
        if curvature > 1e-10 * square:
            if scale == 0.0:
                scale = curvature / square
            curvatures[row] = curvature
            weights[row] = dot / curvature
            for i in range(n):
                direction[i] -= weights[row] * changes[row, i] * free[i]
    for i in range(n):
        direction[i] *= scale if scale > 0.0 else 1.0
    for k in range(held):
        row = (count - held + k) % memory
        if curvatures[row] > 0.0:
            dot = 0.0
            for i in range(n):
                dot += changes[row, i] * direction[i] * free[i]
            weight = weights[row] - dot / curvatures[row]
            for i in range(n):
                direction[i] += weight * steps[row, i] * free[i]
