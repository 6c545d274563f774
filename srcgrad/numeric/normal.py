"""The error function's family and the normal distribution's. Iterated integrals i(n) of erfc obey 2n i(n) = i(n-2) -
2x i(n-1)."""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

import math

import numpy as np


def exp_of_square(x: float, factor: float) -> float:
    # exp(factor * x * x), the rounding of x * x not being magnified
    if abs(x) > 1e4 or x != x:
        return np.exp(factor * x * x)
    near = np.rint(64.0 * x) / 64.0
    return np.exp(factor * near * near) * np.exp(factor * (x - near) * (x + near))


def erfc_ratio(n: int, x: float) -> float:
    # i(n) / i(n-1) of erfc's iterated integrals, x > 0: its continued fraction from far enough down
    k = n + 12 + int(160.0 / (x * x))
    ratio = 1.0 / (x + np.sqrt(x * x + 2.0 * k + 2.0))
    while k > n:
        ratio = 0.5 / (x + k * ratio)
        k -= 1
    return ratio


def erfcx(x: float, order: int) -> float:
    # the derivative of this order of exp(x * x) * erfc(x)
    before = 1.1283791670955126
    if not x >= 1.0 or (x < 2.0 and order == 0):
        here = exp_of_square(x, 1.0) * math.erfc(x)
        for n in range(1, order + 1):
            before, here = here, (before - 2.0 * x * here) / (2.0 * n)
    else:
        here = before * erfc_ratio(0, x)
        for n in range(1, order + 1):
            here *= erfc_ratio(n, x)
    for n in range(1, order + 1):
        here *= -2.0 * n
    return here


def ndtr(x: float) -> float:
    # the normal distribution's integral up to x
    z = -0.7071067811865476 * x
    if x > -1.0 or x != x:
        return 0.5 * math.erfc(z)
    return 0.5 * erfcx(z, 0) * exp_of_square(x, -0.5)


def log_ndtr(x: float) -> float:
    if x > -1.0 or x != x:
        return np.log1p(-ndtr(-x))
    return np.log(0.5 * erfcx(-0.7071067811865476 * x, 0)) - 0.5 * x * x


def normal_hazard(x: float, order: int) -> float:
    # of h = density / integral up to x, the derivative of this order: h' = -h * s with s = x + h, and s' = 1 + h'
    if x < -1.0:
        z = -0.7071067811865476 * x
        r = erfc_ratio(1, z)
        h, s = z + r, 1.4142135623730951 * r
        h *= 1.4142135623730951
        ds = 2.0 * r * (2.0 * erfc_ratio(2, z) - r)
    else:
        h = 0.3989422804014327 * exp_of_square(x, -0.5) / ndtr(x)
        s = x + h
        ds = 1.0 - h * s
    if order == 0:
        return h
    if order == 1:
        return -h * s
    hs, ss = np.zeros(order + 1), np.zeros(order + 1)
    hs[0], ss[0], hs[1], ss[1] = h, s, -h * s, ds
    for n in range(1, order):
        choose = 1.0
        for k in range(n + 1):
            hs[n + 1] -= choose * hs[k] * ss[n - k]
            choose *= (n - k) / (k + 1.0)
        ss[n + 1] = hs[n + 1]
    return hs[order]


def erfinv(x: float) -> float:
    return np.copysign(erfcinv_tail(1.0 - abs(x)), x) if abs(x) > 0.5 else erfinv_near(x)


def erfinv_near(x: float) -> float:
    # Winitzki's approximation, then Newton's steps
    low = np.log1p(-x * x)
    half = 4.330746750799873 + 0.5 * low
    y = np.copysign(np.sqrt(max(np.sqrt(half * half - low / 0.147) - half, 0.0)), x)
    for _ in range(4):
        y -= (math.erf(y) - x) / (1.1283791670955126 * np.exp(-y * y))
    return y


def erfcinv(q: float) -> float:
    if 0.5 <= q <= 1.5:
        return erfinv_near(1.0 - q)
    return -erfcinv_tail(2.0 - q) if q > 1.0 else erfcinv_tail(q)


def erfcinv_tail(q: float) -> float:
    if q <= 0.0 or q != q:
        return np.inf if q == 0.0 else np.nan
    # Winitzki's approximation, then Newton's steps on the logarithm, which is nearly a parabola
    goal = np.log(q)
    low = goal + np.log(2.0 - q)
    half = 4.330746750799873 + 0.5 * low
    y = np.sqrt(np.sqrt(half * half - low / 0.147) - half)
    for _ in range(4):
        scaled = erfcx(y, 0)
        y += (np.log(scaled) - y * y - goal) * scaled / 1.1283791670955126
    return y


def ndtri(p: float) -> float:
    if 0.25 < p < 0.75:
        return 1.4142135623730951 * erfinv(2.0 * p - 1.0)
    return -1.4142135623730951 * erfcinv(2.0 * p) if p < 0.5 else 1.4142135623730951 * erfcinv(2.0 - 2.0 * p)
