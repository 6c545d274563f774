"""The gamma function's family: digamma and polygamma functions and their differences, the beta function."""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

import math

import numpy as np


def cot_pi(x: float) -> float:
    # cot(pi*x), exact about its poles and its zeros
    r = x - np.rint(x)
    if abs(r) < 0.25:
        return 1.0 / np.tan(np.pi * r)
    return np.copysign(np.tan(np.pi * (0.5 - abs(r))), r)


def digamma(x: float) -> float:
    # the derivative of log(abs(gamma(x)))
    if x < 0.0:
        return digamma_positive(1.0 - x) - np.pi * cot_pi(x) if x != np.rint(x) else np.nan
    return digamma_positive(x)


def digamma_positive(x: float) -> float:
    # by the distance from its root from 1 to 2; recurrence up to 10, the asymptotic series from there
    if 1.0 <= x <= 2.0:
        return digamma_by_root(x)
    total = 0.0
    while x < 10.0:
        total -= 1.0 / x
        x += 1.0
    if np.isinf(x):
        return x
    s = 1.0 / (x * x)
    series = 1.0 / 132.0 - s * (691.0 / 32760.0 - s * (1.0 / 12.0 - s * 3617.0 / 8160.0))
    series = s * (1.0 / 12.0 - s * (1.0 / 120.0 - s * (1.0 / 252.0 - s * (1.0 / 240.0 - s * series))))
    return total + np.log(x) - 0.5 / x - series


def digamma_by_root(x: float) -> float:
    # a quotient of polynomials (Boost), for x from 1 to 2; the root in three parts
    g, u = x - 1.4616321446374059 - 3.309564688275257e-10 - 9.01631209325869e-20, x - 1.0
    p = -0.28919126444774784 + u * (-0.045251321448739056 - u * 0.0020713321167745952)
    p = 0.25479851061131551 + u * (-0.32555031186804491 + u * (-0.65031853770896507 + u * p))
    q = 0.054151797245674225 + u * (0.0021284987017821144 - u * 5.5789841321675513e-7)
    q = 1.0 + u * (2.0767117023730469 + u * (1.4606242909763515 + u * (0.43593529692665969 + u * q)))
    return g * 0.99558162689208984 + g * (p / q)


def polygamma(n: int, x: float) -> float:
    # the n-th derivative of digamma, n > 0
    if x >= 0.0 or np.isnan(x):
        return polygamma_positive(n, x)
    # reflection; the n-th derivative of cot(u) is a polynomial in cot(u): p' becomes -(1 + c**2) p'
    c = cot_pi(x)
    p = np.zeros(n + 2)
    p[1] = 1.0
    for step in range(n):
        q = np.zeros(n + 2)
        for k in range(1, step + 2):
            q[k - 1] -= k * p[k]
            q[k + 1] -= k * p[k]
        p = q
    value = 0.0
    for k in range(n + 1, -1, -1):
        value = value * c + p[k]
    sign = 1.0 if n % 2 == 0 else -1.0
    return sign * polygamma_positive(n, 1.0 - x) - np.pi ** (n + 1) * value


def polygamma_positive(n: int, x: float) -> float:
    # all terms have one sign: n! / x**(n + 1) up to n + 15, the asymptotic series from there
    if np.isinf(x):
        return 0.0
    factorial = 1.0
    for k in range(2, n + 1):
        factorial *= k
    total = 0.0
    while x < n + 15.0:
        total += factorial / x ** (n + 1)
        x += 1.0
    total += factorial / n / x**n + 0.5 * factorial / x ** (n + 1)
    numbers = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330)
    term = factorial * (n + 1) / 2.0 / x ** (n + 2)
    for k in range(1, 11):
        total += numbers[k - 1] * term
        term *= (2 * k + n) * (2 * k + n + 1) / ((2 * k + 1.0) * (2 * k + 2.0)) / (x * x)
    return total if n % 2 == 1 else -total


def stirling_rest(x: float) -> float:
    # lgamma(x) less (x - 0.5) * log(x) - x + 0.5 * log(2 * pi), for x from 10
    s = 1.0 / (x * x)
    series = 1.0 / 1680.0 - s * (1.0 / 1188.0 - s * (691.0 / 360360.0 - s / 156.0))
    return (1.0 / 12.0 - s * (1.0 / 360.0 - s * (1.0 / 1260.0 - s * series))) / x


def betaln(a: float, b: float) -> float:
    # lgamma(a) + lgamma(b) - lgamma(a + b), without the loss between large terms
    if b > a:
        a, b = b, a
    if not 10.0 <= a < np.inf or b <= 0.0:
        return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b) if a < np.inf else -a
    c = a + b
    if b < 10.0:
        bend = stirling_rest(a) - stirling_rest(c)
        return math.lgamma(b) + bend + b * (1.0 - np.log(c)) - (a - 0.5) * np.log1p(b / a)
    bend = stirling_rest(a) + stirling_rest(b) - stirling_rest(c)
    roots = 0.5 * np.log(6.283185307179586 / b * (c / a))
    return bend + roots - a * np.log1p(b / a) - b * np.log1p(a / b)


def beta(a: float, b: float) -> float:
    if 0.0 < a < 20.0 and 0.0 < b < 20.0:
        return math.gamma(a) * (math.gamma(b) / math.gamma(a + b))
    if a > 0.0 and b > 0.0:
        return np.exp(betaln(a, b))
    return math.gamma(a) * math.gamma(b) / math.gamma(a + b)


def digamma_gap(a: float, b: float) -> float:
    # digamma(a + b) - digamma(a), exact for small b
    if not (a > 0.0 and b > 0.0):
        return digamma(a + b) - digamma(a)
    total = 0.0
    while a < 10.0:
        total += b / (a * (a + b))
        a += 1.0
    c = a + b
    u, v = 1.0 / (a * a), 1.0 / (c * c)
    # the divided difference between u and v of s/12 - s**2/120 + s**3/252 - ...
    here, slope = -3617.0 / 8160.0, 0.0
    for term in (1 / 12, -691 / 32760, 1 / 132, -1 / 240, 1 / 252, -1 / 120, 1 / 12, 0.0):
        slope = slope * u + here
        here = here * v + term
    return total + np.log1p(b / a) + 0.5 * b / (a * c) + slope * b * (a + c) * u * v


def polygamma_gap(n: int, x: float, h: float) -> float:
    # polygamma(n, x + h) - polygamma(n, x), n > 0, exact for small h: as `polygamma_positive`, term by term
    if not (x > 0.0 and h > 0.0):
        return polygamma(n, x + h) - polygamma(n, x)
    factorial = 1.0
    for k in range(2, n + 1):
        factorial *= k
    total = 0.0
    while x < n + 15.0:
        total += factorial / x ** (n + 1) * np.expm1(-(n + 1) * np.log1p(h / x))
        x += 1.0
    away = np.log1p(h / x)
    total += factorial / n / x**n * np.expm1(-n * away)
    total += 0.5 * factorial / x ** (n + 1) * np.expm1(-(n + 1) * away)
    numbers = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330)
    term = factorial * (n + 1) / 2.0 / x ** (n + 2)
    for k in range(1, 11):
        total += numbers[k - 1] * term * np.expm1(-(n + 2 * k) * away)
        term *= (2 * k + n) * (2 * k + n + 1) / ((2 * k + 1.0) * (2 * k + 2.0)) / (x * x)
    return total if n % 2 == 1 else -total
