"""An integral as a sum over panels: `scipy.integrate.quad`.

The panels are chosen by halving the worst, until the sums of 21 points (Kronrod) and of 10 (Gauss) agree for the
function and for its derivative along one direction of all that it depends on. Then the sum over them is what is
differentiated: the panels are constants, and at limits that move the function itself is added, as Leibniz has it.

Nodes and weights: Piessens, de Doncker-Kapenga, Überhuber, Kahaner: QUADPACK (1983), qk21.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from srcgrad.core.stop_gradient import stop_gradient

Fun = Callable[..., Any]
Array = Any
Rule = tuple[Array, Array, Array]
FINITE, UPWARDS, DOWNWARDS, ALL = range(4)


def rule() -> Rule:
    """Nodes in (-1, 1), Kronrod's weights, and by how much Gauss's differ."""
    nodes = np.array([
        0.9956571630258081, 0.9739065285171717, 0.9301574913557082, 0.8650633666889845, 0.7808177265864169,
        0.6794095682990244, 0.5627571346686047, 0.4333953941292472, 0.2943928627014602, 0.14887433898163122, 0.0,
    ])  # fmt: skip
    kronrod = np.array([
        0.011694638867371874, 0.032558162307964725, 0.054755896574351995, 0.07503967481091996, 0.0931254545836976,
        0.10938715880229764, 0.12349197626206584, 0.13470921731147334, 0.14277593857706009, 0.1477391049013385,
        0.1494455540029169,
    ])  # fmt: skip
    gauss = np.array([
        0.0, 0.06667134430868814, 0.0, 0.1494513491505806, 0.0, 0.21908636251598204, 0.0, 0.26926671930999635, 0.0,
        0.29552422471475287, 0.0,
    ])  # fmt: skip
    return nodes, kronrod, kronrod - gauss


def kind_of(a: float, b: float) -> int:
    if math.isinf(a):
        return ALL if math.isinf(b) else DOWNWARDS
    return UPWARDS if math.isinf(b) else FINITE


def place(kind: int, a: float, b: float, t: float) -> tuple[float, float]:
    """Where in the interval the place t of (0, 1) lies, and how fast it moves with t. At finite ends it moves slowly,
    which takes the edge off a singularity there."""
    if kind == FINITE:
        return a + (b - a) * (t * t * (3.0 - 2.0 * t)), (b - a) * (6.0 * t * (1.0 - t))
    if kind == UPWARDS:
        return a + ((1.0 - t) / t) ** 2, 2.0 * (1.0 - t) / t**3
    if kind == DOWNWARDS:
        return b - ((1.0 - t) / t) ** 2, 2.0 * (1.0 - t) / t**3
    s = 2.0 * t - 1.0
    w = 1.0 - s * s
    return s / w, 2.0 * (1.0 + s * s) / (w * w)


def panel(fun: Fun, args: Any, limits: Any, low: float, high: float, points: Rule) -> tuple[float, float]:
    """The integral over one panel, and how far it differs from that by fewer points."""
    kind, a, b = limits
    nodes, weights, differences = points
    centre, half = 0.5 * (low + high), 0.5 * (high - low)
    total, difference = 0.0, 0.0
    for k in range(21):
        m = k if k < 11 else 20 - k
        x, speed = place(kind, a, b, centre - half * nodes[m] if k < 11 else centre + half * nodes[m])
        value = fun(x, args) * speed * half
        total += weights[m] * value
        difference += differences[m] * value
    return total, abs(difference)


def total_of(parts: Array, count: int) -> float:
    total = 0.0
    for k in range(count):
        total += parts[k]
    return total


def worst_of(errors: Array, count: int) -> int:
    worst = 0
    for k in range(count):
        if errors[k] > errors[worst]:
            worst = k
    return worst


def known(number: float) -> float:
    return number if math.isfinite(number) else 0.0


def chosen(
    fun: Fun, along: Fun | None, args: Any, limits: Any, points: Rule, epsabs: float, epsrel: float, limit: int
) -> tuple[Array, Array, int, float]:
    """The panels' ends, how many there are, and the estimated error. along: the derivative along one direction."""
    low, high = np.zeros(limit), np.ones(limit)
    values, errors = np.zeros(limit), np.zeros(limit)
    slopes, doubts = np.zeros(limit), np.zeros(limit)
    count, left = 0, 0
    goes_on = True
    while goes_on:
        for k in range(2):  # the panel `left` and the new one; at first the only one
            n = left if k == 0 else count
            if k == 0 or count > 0:
                value, error = panel(fun, args, limits, low[n], high[n], points)
                values[n], errors[n] = stop_gradient(value), stop_gradient(error)
                if along is not None:
                    value, error = panel(along, args, limits, low[n], high[n], points)
                    slopes[n], doubts[n] = known(stop_gradient(value)), known(stop_gradient(error))
        count = count + 1
        error, doubt = total_of(errors, count), total_of(doubts, count)
        close = error <= max(epsabs, epsrel * abs(total_of(values, count)))
        clear = doubt <= max(epsabs, epsrel * abs(total_of(slopes, count)))
        goes_on = not (close and clear) and count < limit and math.isfinite(error)
        if goes_on:
            left = worst_of(doubts if close else errors, count)
            middle = 0.5 * (low[left] + high[left])
            low[count], high[count] = middle, high[left]
            high[left] = middle
    return low, high, count, total_of(errors, count)


def rest(fun: Fun, args: Any, stop: float, end: float, other: float) -> float:
    """The integral from where the panels stop to the limit itself: nothing, but for its derivatives, which are those of
    Gauss's sum of two points, to the fourth order. The function may be singular at the limit, so it is taken beside."""
    inside = stop + (2.0**-50 * (other - stop) if math.isfinite(other) else math.copysign(2.0**-50, other))
    length = end - stop
    first, second = inside + 0.21132486540518713 * length, inside + 0.7886751345948129 * length
    mean: float = 0.5 * (fun(first, args) + fun(second, args))
    return length * mean


def quad(
    fun: Fun, along: Fun | None, a: float, b: float, moving: tuple[bool, bool], args: Any, epsabs: float, epsrel: float,
    limit: int,
) -> tuple[float, float]:  # fmt: skip
    """The integral of `fun(x, args)` from a to b, and the estimated error. moving: which limits have derivatives."""
    if limit < 1:
        raise ValueError("limit must be at least 1")
    low, high = stop_gradient(a), stop_gradient(b)
    sign = 1.0
    if high < low:
        low, high = high, low
        sign = -1.0
    limits = (kind_of(low, high), low, high)
    points = rule()
    starts, ends, count, error = chosen(fun, along, args, limits, points, epsabs, epsrel, limit)
    total = 0.0
    for n in range(count):
        part, _ = panel(fun, args, limits, starts[n], ends[n], points)
        total += part
    total *= sign
    if moving[1] and math.isfinite(b):
        total += rest(fun, args, stop_gradient(b), b, stop_gradient(a))
    if moving[0] and math.isfinite(a):
        total -= rest(fun, args, stop_gradient(a), a, stop_gradient(b))
    return total, stop_gradient(error)
