"""The loop of least squares: plain Python that srcgrad lowers, the user's residuals and their Jacobian in it.

Steps by Levenberg and Marquardt, scaled by the largest norms of the Jacobian's columns (Moré 1978), damped as by
Nielsen (1999). Robust losses weigh residuals and rows of the Jacobian as Triggs et al., Bundle Adjustment (2000),
section 4.3; where the loss curves down, a tenth of its slope stands in the place of its curvature.
"""

# mypy: disallow-untyped-defs=False, disallow-untyped-calls=False
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

Part = Callable[..., Any]

NOT_FINITE, OUT_OF_CALLS, GRADIENT, COST, STEP, COST_AND_STEP = range(-1, 5)  # SciPy's numbers, and what they say
MESSAGES = (
    "a residual at x0 is not finite",
    "the maximum number of function evaluations is exceeded",
    "`gtol` termination condition is satisfied",
    "`ftol` termination condition is satisfied",
    "`xtol` termination condition is satisfied",
    "both `ftol` and `xtol` termination conditions are satisfied",
)  # from -1 on


# ---- losses: rho, its slope and its curvature at z, the square of a residual


def linear(z):
    return z, 1.0, 0.0


def soft_l1(z):
    t = math.sqrt(1.0 + z)
    return 2.0 * (t - 1.0), 1.0 / t, -0.5 / (t * t * t)


def huber(z):
    if z <= 1.0:
        return z, 1.0, 0.0
    t = math.sqrt(z)
    return 2.0 * t - 1.0, 1.0 / t, -0.5 / (t * z)


def cauchy(z):
    t = 1.0 / (1.0 + z)
    return math.log1p(z), t, -t * t


def arctan(z):
    t = 1.0 / (1.0 + z * z)
    return math.atan(z), t, -2.0 * z * t * t


LOSSES: dict[str, Part] = {"linear": linear, "soft_l1": soft_l1, "huber": huber, "cauchy": cauchy, "arctan": arctan}


# ---- the loop


def least_squares_loop(fun: Part, jacobian: Part, loss: Part) -> Part:
    """`(x0, args, f_scale, ftol, xtol, gtol, max_nfev) -> (x, cost, fun, jac, grad, optimality, nfev, njev, status)`.

    fun, jacobian: of `(x, args)`.   max_nfev: 0 for 100 times the number of parameters.
    """

    def solve(x0, args, f_scale, ftol, xtol, gtol, max_nfev):
        x = x0.copy()
        residuals = fun(x, args)
        cost = robust_cost(residuals, f_scale, loss)
        jac = jacobian(x, args)
        nfev, njev = 1, 1
        status = OUT_OF_CALLS if cost < math.inf else NOT_FINITE
        gradient = gradient_of(jac, residuals, f_scale, loss)
        scale = np.zeros(x.shape[0])
        damping, growth = 1e-3, 2.0
        most = max_nfev if max_nfev > 0 else 100 * x.shape[0]
        while cost < math.inf:
            if largest(gradient) <= gtol:
                status = GRADIENT
                break
            if nfev >= most:
                break
            rows, weighed = weighted(jac, residuals, f_scale, loss)
            rescale(scale, rows)
            step = damped_step(rows, weighed, scale, damping)
            point = x + step
            there = fun(point, args)
            value = robust_cost(there, f_scale, loss)
            nfev += 1
            foreseen = foreseen_drop(rows, weighed, step)
            small = norm(step) < xtol * (xtol + norm(x))
            if value < cost:
                ratio = (cost - value) / foreseen if foreseen > 0.0 else 1.0
                flat = cost - value < ftol * cost and ratio > 0.25
                x, residuals, cost = point, there, value
                jac = jacobian(x, args)
                njev += 1
                gradient = gradient_of(jac, residuals, f_scale, loss)
                damping = max(damping * max(1.0 / 3.0, 1.0 - (2.0 * ratio - 1.0) ** 3), 1e-15)
                growth = 2.0
                if flat or small:
                    status = COST_AND_STEP if flat and small else COST if flat else STEP
                    break
            else:  # as flat as rounding lets one see, or the damping has taken the step to nothing
                if foreseen <= 1e-16 * cost or norm(step) <= 1e-16 * norm(x):
                    status = COST if foreseen <= 1e-16 * cost else STEP
                    break
                damping *= growth
                growth *= 2.0
        return x, cost, residuals, jac, gradient, largest(gradient), nfev, njev, status

    return solve


def robust_cost(residuals, f_scale, loss):
    total = 0.0
    for i in range(residuals.shape[0]):
        ratio = residuals[i] / f_scale
        rho, _, _ = loss(ratio * ratio)
        total += rho
    return 0.5 * f_scale * f_scale * total


def gradient_of(jac, residuals, f_scale, loss):
    m, n = jac.shape
    gradient = np.zeros(n)
    for i in range(m):
        ratio = residuals[i] / f_scale
        _, slope, _ = loss(ratio * ratio)
        for j in range(n):
            gradient[j] += slope * residuals[i] * jac[i, j]
    return gradient


def weighted(jac, residuals, f_scale, loss):
    """The rows and residuals of the linear problem that stands for the robust one."""
    m, n = jac.shape
    rows, weighed = np.empty((m, n)), np.empty(m)
    for i in range(m):
        ratio = residuals[i] / f_scale
        square = ratio * ratio
        _, slope, curvature = loss(square)
        weight = math.sqrt(max(slope + 2.0 * curvature * square, 0.1 * slope))
        weighed[i] = slope / weight * residuals[i] if weight > 0.0 else 0.0
        for j in range(n):
            rows[i, j] = weight * jac[i, j]
    return rows, weighed


def rescale(scale, rows):
    """The largest norms of the columns so far."""
    m, n = rows.shape
    for j in range(n):
        square = 0.0
        for i in range(m):
            square += rows[i, j] * rows[i, j]
        scale[j] = max(scale[j], math.sqrt(square))


def damped_step(rows, weighed, scale, damping):
    """The step p that makes |rows p + weighed|² + damping |scale p|² smallest: Householder reflections of the two
    matrices, one below the other."""
    m, n = rows.shape
    a, b = np.zeros((m + n, n)), np.zeros(m + n)
    root = math.sqrt(damping)
    for i in range(m):
        b[i] = weighed[i]
        for j in range(n):
            a[i, j] = rows[i, j]
    for j in range(n):
        a[m + j, j] = root * scale[j] if scale[j] > 0.0 else 1.0
    for k in range(n):
        end = m + k + 1  # what is below is zero
        square = 0.0
        for i in range(k, end):
            square += a[i, k] * a[i, k]
        length = -math.sqrt(square) if a[k, k] > 0.0 else math.sqrt(square)
        head = a[k, k] - length
        for j in range(k + 1, n):
            dot = head * a[k, j]
            for i in range(k + 1, end):
                dot += a[i, k] * a[i, j]
            dot /= length * head
            a[k, j] += dot * head
            for i in range(k + 1, end):
                a[i, j] += dot * a[i, k]
        dot = head * b[k]
        for i in range(k + 1, end):
            dot += a[i, k] * b[i]
        dot /= length * head
        b[k] += dot * head
        for i in range(k + 1, end):
            b[i] += dot * a[i, k]
        a[k, k] = length
    step = np.zeros(n)
    for k in range(n - 1, -1, -1):
        left = -b[k]
        for j in range(k + 1, n):
            left -= a[k, j] * step[j]
        step[k] = left / a[k, k]
    return step


def foreseen_drop(rows, weighed, step):
    """By how much the linear problem's cost falls."""
    m, n = rows.shape
    drop = 0.0
    for i in range(m):
        change = 0.0
        for j in range(n):
            change += rows[i, j] * step[j]
        drop -= change * (weighed[i] + 0.5 * change)
    return drop


def norm(vector):
    square = 0.0
    for i in range(vector.shape[0]):
        square += vector[i] * vector[i]
    return math.sqrt(square)


def largest(vector):
    out = 0.0
    for i in range(vector.shape[0]):
        out = max(out, abs(vector[i]))
    return out
