"""Roots of a function of one number, by the methods of `scipy.optimize`, step by step as they are there.

Each gives the root, the number of iterations, that of evaluations, and whether the tolerance is met.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

Fun = Callable[..., Any]
Found = tuple[float, int, int, bool]


class RootResults(NamedTuple):
    """What `root_scalar` gives."""

    root: float
    iterations: int
    function_calls: int
    converged: bool


def opposite(a: float, b: float) -> bool:
    return (a < 0.0) != (b < 0.0)


def brent(fun: Fun, a: float, b: float, args: Any, xtol: float, rtol: float, maxiter: int) -> Found:
    """Brent's method: the secant or an inverse parabola where they are quick enough, else halves."""
    if xtol <= 0.0:
        raise ValueError("xtol too small (it must be greater than 0)")
    before, at, behind = a, b, 0.0
    f_before, f_at, f_behind = fun(before, args), fun(at, args), 0.0
    if math.isnan(f_before) or math.isnan(f_at):
        raise ValueError("The function value is NaN; solver cannot continue.")
    if f_before == 0.0:
        return before, 0, 2, True
    if f_at == 0.0:
        return at, 0, 2, True
    if not opposite(f_before, f_at):
        raise ValueError("f(a) and f(b) must have different signs")
    earlier, step = 0.0, 0.0
    nit, converged = 0, False
    while nit < maxiter and not converged:
        nit += 1
        if f_before != 0.0 and f_at != 0.0 and opposite(f_before, f_at):
            behind, f_behind = before, f_before
            earlier = at - before
            step = earlier
        if abs(f_behind) < abs(f_at):
            before, at, behind = at, behind, at
            f_before, f_at, f_behind = f_at, f_behind, f_at
        delta = 0.5 * (xtol + rtol * abs(at))
        half = 0.5 * (behind - at)
        converged = f_at == 0.0 or abs(half) < delta
        if not converged:
            tried = math.inf
            if abs(earlier) > delta and abs(f_at) < abs(f_before):
                tried = interpolated(before, at, behind, f_before, f_at, f_behind)
            quick = 2.0 * abs(tried) < min(abs(earlier), 3.0 * abs(half) - delta)
            earlier, step = (step, tried) if quick else (half, half)
            before, f_before = at, f_at
            at += step if abs(step) > delta else math.copysign(delta, half)
            f_at = fun(at, args)
            if math.isnan(f_at):
                raise ValueError("The function value is NaN; solver cannot continue.")
    return at, nit, nit + 1 + (not converged), converged


def interpolated(before: float, at: float, behind: float, f_before: float, f_at: float, f_behind: float) -> float:
    """The step to the zero of the secant, or of the inverse parabola through three points."""
    if before == behind:
        return -f_at * (at - before) / (f_at - f_before)
    first = (f_before - f_at) / (before - at)
    second = (f_behind - f_at) / (behind - at)
    return -f_at * (f_behind * second - f_before * first) / (second * first * (f_behind - f_before))


def newton(fun: Fun, slope: Fun, x0: float, args: Any, tol: float, rtol: float, maxiter: int) -> Found:
    """x <- x - f(x) / f'(x)"""
    x, nit, converged = x0, 0, False
    calls = 0
    while nit < maxiter and not converged:
        nit += 1
        value = fun(x, args)
        calls += 1
        if value == 0.0:
            return x, nit - 1, calls, True
        steepness = slope(x, args)
        calls += 1
        if steepness == 0.0:
            return x, nit, calls, False
        new = x - value / steepness
        converged = abs(new - x) <= tol + rtol * abs(x)
        x = new
    return x, nit, calls, converged


def secant(fun: Fun, x0: float, x1: float, args: Any, tol: float, rtol: float, maxiter: int) -> Found:
    """The zero of the line through the last two points."""
    before, at = x0, x1
    f_before, f_at = fun(before, args), fun(at, args)
    if abs(f_at) < abs(f_before):
        before, at, f_before, f_at = at, before, f_at, f_before
    nit, calls = 0, 2
    while nit < maxiter:
        nit += 1
        if f_at == f_before:
            return 0.5 * (at + before), nit, calls, at == before
        if abs(f_at) > abs(f_before):
            new = (-f_before / f_at * at + before) / (1.0 - f_before / f_at)
        else:
            new = (-f_at / f_before * before + at) / (1.0 - f_at / f_before)
        if abs(new - at) <= tol + rtol * abs(at):
            return new, nit, calls, True
        before, f_before = at, f_at
        at = new
        f_at = fun(at, args)
        calls += 1
    return at, nit, calls, False


def second_point(x0: float) -> float:
    """Where the secant method begins beside `x0`."""
    x1 = x0 * 1.0001
    return x1 + 1e-4 if x1 >= 0.0 else x1 - 1e-4
