"""Newton, BFGS and L-BFGS for minima: what they remember, and the direction that they take.

Nocedal & Wright, Numerical Optimization (2006): BFGS 6.17 and 6.20, the two loops of L-BFGS 7.4.
"""

# mypy: disallow-untyped-defs=False, disallow-untyped-calls=False
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from srcgrad.optimize.descent import Method, put
from srcgrad.optimize.linear import newton_direction

Part = Callable[..., Any]


def newton(hessian_of: Part) -> Method:
    """The Newton direction. There is no memory."""

    def direct(direction, memory, x, gradient, args):
        put(direction, newton_direction(hessian_of(x, args), gradient))
        return True

    def nothing(x0):
        return ()

    def learn(memory, x, point, gradient, best):
        return None

    def forget(memory):
        return False

    return Method(nothing, learn, forget, direct)


def bfgs() -> Method:
    """Memory: the inverse Hessian's approximation, and how many pairs it is made of."""

    def begin(x0):
        n = x0.shape[0]
        inverse = np.zeros((n, n))
        for i in range(n):
            inverse[i, i] = 1.0
        return inverse, np.zeros(1, np.int64)

    def learn(memory, x, point, gradient, best):
        inverse, count = memory
        update_inverse(inverse, point - x, best - gradient, count)

    def forget(memory):
        _, count = memory
        some = count[0] > 0
        count[0] = 0
        return some

    def direct(direction, memory, x, gradient, args):
        inverse, count = memory
        if count[0] == 0:
            return False
        for i in range(x.shape[0]):
            direction[i] = 0.0
            for j in range(x.shape[0]):
                direction[i] -= inverse[i, j] * gradient[j]
        return True

    return Method(begin, learn, forget, direct)


def update_inverse(inverse, step, change, count):
    """BFGS's update, if the curvature is positive; the first pair scales the identity to the curvature that was met."""
    n = step.shape[0]
    curvature = 0.0
    square = 0.0
    for i in range(n):
        curvature += step[i] * change[i]
        square += change[i] * change[i]
    if curvature > 1e-10 * square:
        if count[0] == 0:
            for i in range(n):
                for j in range(n):
                    inverse[i, j] = curvature / square if i == j else 0.0
        count[0] += 1
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


def lbfgs(memory: int) -> Method:
    """Memory: the last steps and changes of the gradient in two rings, and how many there were."""
    size = memory

    def begin(x0):
        n = x0.shape[0]
        return np.zeros((size, n)), np.zeros((size, n)), np.zeros(1, np.int64)

    def learn(memory, x, point, gradient, best):
        steps, changes, count = memory
        remember(steps, changes, point - x, best - gradient, count)

    def forget(memory):
        _, _, count = memory
        some = count[0] > 0
        count[0] = 0
        return some

    def direct(direction, memory, x, gradient, args):
        steps, changes, count = memory
        if count[0] == 0:
            return False
        two_loops(direction, steps, changes, gradient, count[0], size)
        return True

    return Method(begin, learn, forget, direct)


def remember(steps, changes, step, change, count):
    """Put the pair into the rings if it has positive curvature."""
    n = step.shape[0]
    curvature = 0.0
    square = 0.0
    for i in range(n):
        curvature += step[i] * change[i]
        square += change[i] * change[i]
    if curvature > 1e-10 * square:
        row = count[0] % steps.shape[0]
        for i in range(n):
            steps[row, i] = step[i]
            changes[row, i] = change[i]
        count[0] += 1


def two_loops(direction, steps, changes, gradient, count, memory):
    """Minus the approximate inverse Hessian times the gradient."""
    n = gradient.shape[0]
    for i in range(n):
        direction[i] = -gradient[i]
    held = min(count, memory)
    weights = np.zeros(memory)
    for k in range(held):
        row = (count - 1 - k) % memory
        weights[row] = along(steps, row, direction) / along(steps, row, changes[row])
        for i in range(n):
            direction[i] -= weights[row] * changes[row, i]
    last = (count - 1) % memory
    scale = along(steps, last, changes[last]) / along(changes, last, changes[last])
    for i in range(n):
        direction[i] *= scale
    for k in range(held):
        row = (count - held + k) % memory
        weight = weights[row] - along(changes, row, direction) / along(steps, row, changes[row])
        for i in range(n):
            direction[i] += weight * steps[row, i]


def along(rows, row, vector):
    """The dot product of a row and a vector."""
    total = 0.0
    for i in range(vector.shape[0]):
        total += rows[row, i] * vector[i]
    return total
