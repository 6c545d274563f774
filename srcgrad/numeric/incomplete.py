"""The incomplete gamma and beta functions, their densities, and Hurwitz's zeta function."""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

import math

import numpy as np

from srcgrad.numeric.gamma import betaln, stirling_rest
from srcgrad.numeric.logistic import log_less


def gamma_share(a: float, x: float) -> float:
    # x**a * exp(-x) / gamma(a + 1)
    if a >= 10.0:
        return np.exp(a * log_less(x, a) - stirling_rest(a)) / np.sqrt(6.283185307179586 * a)
    return x**a * np.exp(-x) / math.gamma(a + 1.0) if x < 1e4 else 0.0


def gamma_density(a: float, x: float) -> float:
    # x**(a - 1) * exp(-x) / gamma(a)
    if not (a > 0.0 and x > 0.0):
        if x == 0.0 and a > 0.0:
            return 1.0 if a == 1.0 else np.inf if a < 1.0 else 0.0
        return np.nan
    return a / x * gamma_share(a, x)


def gamma_lower(a: float, x: float) -> float:
    # the lower incomplete gamma function's series, for x up to a + 1
    n, term, total = a, 1.0, 1.0
    while term > 1e-17 * total:
        n += 1.0
        term *= x / n
        total += term
    return gamma_share(a, x) * total


def gamma_upper(a: float, x: float) -> float:
    # the upper one's continued fraction by Lentz's algorithm, for x from a + 1
    b = x + 1.0 - a
    c, d = 1e300, 1.0 / b
    value, change, k = d, 0.0, 0
    while abs(change - 1.0) > 2e-16 and k < 100000:
        k += 1
        step = k * (a - k)
        b += 2.0
        d = 1.0 / (step * d + b)
        c = b + step / c
        change = c * d
        value *= change
    return a * gamma_share(a, x) * value


def log_gamma_1p(a: float) -> float:
    # lgamma(1 + a), exact for small a
    if a > 0.2:
        return math.lgamma(1.0 + a)
    total = 0.0
    for k in range(24, 1, -1):
        total = a * (hurwitz(float(k), 1.0) / k - total)
    return a * (total - 0.5772156649015329)


def gamma_upper_near_0(a: float, x: float) -> float:
    # the upper one for small a and x, of which 1 less the lower one would keep little
    total, term = 0.0, 1.0
    for k in range(1, 40):
        term *= -x / k
        total += term / (a + k)
    head = a * np.log(x) - log_gamma_1p(a)
    return -np.expm1(head) - a * np.exp(head) * total


def gammainc(a: float, x: float) -> float:
    if not (a > 0.0 and 0.0 < x < np.inf):
        return np.nan if not (a >= 0.0 and x >= 0.0) or a == x else 0.0 if x == 0.0 else 1.0
    return gamma_lower(a, x) if x < a + 1.0 else 1.0 - gamma_upper(a, x)


def gammaincc(a: float, x: float) -> float:
    if not (a > 0.0 and 0.0 < x < np.inf):
        return np.nan if not (a >= 0.0 and x >= 0.0) or a == x else 1.0 if x == 0.0 else 0.0
    if x >= a + 1.0:
        return gamma_upper(a, x)
    return gamma_upper_near_0(a, x) if a < 1.0 and x < 1.1 else 1.0 - gamma_lower(a, x)


def beta_share(a: float, b: float, x: float, y: float) -> float:
    # x**a * y**b / beta(a, b) for x + y = 1
    low = np.log(x) if x < 0.5 else np.log1p(-y)
    high = np.log(y) if y < 0.5 else np.log1p(-x)
    return np.exp(a * low + b * high - betaln(a, b))


def beta_density(a: float, b: float, x: float) -> float:
    # x**(a - 1) * (1 - x)**(b - 1) / beta(a, b)
    if 0.0 < x < 1.0 and a > 0.0 and b > 0.0:
        return beta_share(a, b, x, 1.0 - x) / (x * (1.0 - x))
    if (x == 0.0 or x == 1.0) and a > 0.0 and b > 0.0:
        power, other = (a, b) if x == 0.0 else (b, a)
        return other if power == 1.0 else np.inf if power < 1.0 else 0.0
    return np.nan


def beta_fraction(a: float, b: float, x: float) -> float:
    # the incomplete beta function's continued fraction by Lentz's algorithm
    d = 1.0 / (1.0 - (a + b) * x / (a + 1.0))
    c, value, change, m = 1.0, d, 0.0, 0
    while abs(change - 1.0) > 2e-16 and m < 100000:
        m += 1
        step = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
        d = 1.0 / (1.0 + step * d)
        c = 1.0 + step / c
        value *= c * d
        step = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0))
        d = 1.0 / (1.0 + step * d)
        c = 1.0 + step / c
        change = c * d
        value *= change
    return value


def beta_series(a: float, b: float, x: float) -> float:
    # the incomplete beta function without x**a / beta(a, b), of positive terms for b < 1
    total, term, n = 1.0 / a, 1.0, 0.0
    while term > 1e-17 * total * (a + n):
        n += 1.0
        term *= (n - b) / n * x
        total += term / (a + n)
    return total


def betainc(a: float, b: float, x: float) -> float:
    if not (a > 0.0 and b > 0.0 and 0.0 < x < 1.0):
        return x if (x == 0.0 or x == 1.0) and a > 0.0 and b > 0.0 else np.nan
    share = beta_share(a, b, x, 1.0 - x)
    if b < 1.0 and x < 0.95:
        return share / (1.0 - x) ** b * beta_series(a, b, x)
    if x < (a + 1.0) / (a + b + 2.0):
        return share * beta_fraction(a, b, x) / a
    return 1.0 - share * beta_fraction(b, a, 1.0 - x) / b


def hurwitz(x: float, q: float) -> float:
    # the sum of (q + k)**-x over k from 0, by Euler's and Maclaurin's formula
    if x <= 1.0 or q <= 0.0:
        raise ValueError("scipy.special.zeta is differentiated for x > 1 and q > 0")
    total, last = 0.0, 1.0
    while q < 12.0 + 0.5 * x and last > 1e-18 * total:
        last = q**-x
        total += last
        q += 1.0
    term = q**-x
    total += term * (q / (x - 1.0) + 0.5)
    numbers = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330)
    term *= 0.5 * x / q
    for k in range(1, 11):
        total += numbers[k - 1] * term
        term *= (x + 2 * k - 1.0) * (x + 2 * k) / ((2 * k + 1.0) * (2 * k + 2.0)) / (q * q)
    return total
