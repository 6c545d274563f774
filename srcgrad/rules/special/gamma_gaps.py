"""Differences of polygamma functions at places near each other, which generated modules carry."""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

import numpy as np

from srcgrad.rules.language.runtime_text import polygamma


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
