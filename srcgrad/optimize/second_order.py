"""Newton, BFGS and L-BFGS for minima: how they begin and how they advance, with a line search that shortens.

Nocedal & Wright, Numerical Optimization (2006): Armijo's rule 3.4, BFGS 6.17 and 6.20, the two loops of L-BFGS 7.4.
"""

# mypy: disallow-untyped-defs=False, disallow-untyped-calls=False
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from srcgrad.optimize.linear import dot, newton_direction

Part = Callable[..., Any]


def line_search(fun: Part) -> Part:
    """A length, 1 if it will do, that decreases fun enough along the direction. A shorter one is where the parabola
    through what is known has its minimum, but between a tenth and a half of the last."""

    def search(x, direction, slope, args):
        start = fun(x, args)
        length = 1.0
        trial = np.empty_like(x)
        for _ in range(40):
            for i in range(x.shape[0]):
                trial[i] = x[i] + length * direction[i]
            excess = fun(trial, args) - start - length * slope
            if excess <= -(1.0 - 1e-4) * length * slope:
                break
            shorter = -0.5 * slope * length * length / excess
            if not shorter < 0.5 * length:
                shorter = 0.5 * length
            length = max(shorter, 0.1 * length)
        return length

    return search


def newton(fun: Part, hessian_of: Part) -> tuple[Part, Part]:
    """The Newton direction; the steepest one where it does not descend."""
    search = line_search(fun)

    def begin(x0, options):
        return x0.copy(), 0

    def advance(x, state, gradient, args, options):
        direction = newton_direction(hessian_of(x, args), gradient)
        slope = dot(gradient, direction)
        if not -math.inf < slope < 0.0:
            for i in range(x.shape[0]):
                direction[i] = -gradient[i]
            slope = dot(gradient, direction)
        length = search(x, direction, slope, args)
        for i in range(x.shape[0]):
            x[i] += length * direction[i]
        return x, state

    return begin, advance


def bfgs(fun: Part) -> tuple[Part, Part]:
    """State: the inverse Hessian's approximation, the last step, the gradient before it, and whether there was one."""
    search = line_search(fun)

    def begin(x0, options):
        n = x0.shape[0]
        inverse = np.zeros((n, n))
        for i in range(n):
            inverse[i, i] = 1.0
        return x0.copy(), (inverse, np.zeros(n), np.zeros(n), np.zeros(1))

    def advance(x, state, gradient, args, options):
        inverse, step, before, made = state
        n = x.shape[0]
        if made[0] > 0.0:
            update_inverse(inverse, step, gradient - before, made[0] == 1.0)
        direction = np.zeros(n)
        for i in range(n):
            for j in range(n):
                direction[i] -= inverse[i, j] * gradient[j]
        length = search(x, direction, dot(gradient, direction), args)
        for i in range(n):
            step[i] = length * direction[i]
            before[i] = gradient[i]
            x[i] += step[i]
        made[0] += 1.0
        return x, state

    return begin, advance


def update_inverse(inverse, step, change, first):
    """BFGS's update; the first one scales the identity to the curvature that was met."""
    n = step.shape[0]
    curvature = 0.0
    square = 0.0
    for i in range(n):
        curvature += step[i] * change[i]
        square += change[i] * change[i]
    if curvature > 1e-10 * square:
        if first:
            for i in range(n):
                inverse[i, i] = curvature / square
        product = np.zeros(n)
        for i in range(n):
            for j in range(n):
                product[i] += inverse[i, j] * change[j]
        quadratic = 0.0
        for i in range(n):
            quadratic += change[i] * product[i]
        for i in range(n):
            for j in range(n):
                inverse[i, j] += (1.0 + quadratic / curvature) * step[i] * step[j] / curvature
                inverse[i, j] -= (product[i] * step[j] + step[i] * product[j]) / curvature


def lbfgs(fun: Part, memory: int) -> tuple[Part, Part]:
    """State: the last steps and changes of the gradient in two rings, and how many there were."""
    search = line_search(fun)

    def begin(x0, options):
        n = x0.shape[0]
        rings = np.zeros((memory, n)), np.zeros((memory, n))
        return x0.copy(), (rings, np.zeros(n), np.zeros(n), np.zeros(2, np.int64))

    def advance(x, state, gradient, args, options):
        (steps, changes), step, before, counts = state
        n = x.shape[0]
        if counts[0] > 0:
            remember(steps, changes, step, gradient - before, counts)
        direction = two_loops(steps, changes, gradient, counts[1], memory)
        length = search(x, direction, dot(gradient, direction), args)
        for i in range(n):
            step[i] = length * direction[i]
            before[i] = gradient[i]
            x[i] += step[i]
        counts[0] += 1
        return x, state

    return begin, advance


def remember(steps, changes, step, change, counts):
    """Put the pair into the rings if it has positive curvature."""
    n = step.shape[0]
    curvature = 0.0
    square = 0.0
    for i in range(n):
        curvature += step[i] * change[i]
        square += change[i] * change[i]
    if curvature > 1e-10 * square:
        row = counts[1] % steps.shape[0]
        for i in range(n):
            steps[row, i] = step[i]
            changes[row, i] = change[i]
        counts[1] += 1


def two_loops(steps, changes, gradient, count, memory):
    """Minus the approximate inverse Hessian times the gradient."""
    n = gradient.shape[0]
    direction = np.empty(n)
    for i in range(n):
        direction[i] = -gradient[i]
    held = min(count, memory)
    weights = np.zeros(memory)
    for k in range(held):
        row = (count - 1 - k) % memory
        weights[row] = along(steps, row, direction) / along(steps, row, changes[row])
        for i in range(n):
            direction[i] -= weights[row] * changes[row, i]
    if held > 0:
        last = (count - 1) % memory
        scale = along(steps, last, changes[last]) / along(changes, last, changes[last])
        for i in range(n):
            direction[i] *= scale
    for k in range(held):
        row = (count - held + k) % memory
        weight = weights[row] - along(changes, row, direction) / along(steps, row, changes[row])
        for i in range(n):
            direction[i] += weight * steps[row, i]
    return direction


def along(rows, row, vector):
    """The dot product of a row and a vector."""
    total = 0.0
    for i in range(vector.shape[0]):
        total += rows[row, i] * vector[i]
    return total
