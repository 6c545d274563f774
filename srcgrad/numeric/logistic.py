"""The logistic function's logarithm and inverse; x * log(y) and the entropies, which are 0 where x is."""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

import numpy as np


def log_expit(x: float) -> float:
    # the logarithm of 1 / (1 + exp(-x))
    return min(x, 0.0) - np.log1p(np.exp(-abs(x)))


def logit(p: float) -> float:
    # log(p / (1 - p)), exact where that is near 0
    if 0.25 < p < 0.75:
        return np.log1p((2.0 * p - 1.0) / (1.0 - p))
    return np.log(p / (1.0 - p))


def xlogy(x: float, y: float) -> float:
    if x == 0.0 and y == y:
        return 0.0
    return x * np.log(y)


def xlog1py(x: float, y: float) -> float:
    if x == 0.0 and y == y:
        return 0.0
    return x * np.log1p(y)


def entr(x: float) -> float:
    if x == 0.0:
        return 0.0
    return -np.inf if x < 0.0 else -x * np.log(x)


def rel_entr(x: float, y: float) -> float:
    # x * log(x / y), exact where x and y are near each other
    if x > 0.0 and y > 0.0:
        if 0.5 * y < x < 2.0 * y:
            return x * np.log1p((x - y) / y)
        return x * (np.log(x) - np.log(y))
    if x != x or y != y:
        return np.nan
    return 0.0 if x == 0.0 and y >= 0.0 else np.inf


def log_less(x: float, a: float) -> float:
    # log(x / a) - (x - a) / a, exact where x is near a
    u = (x - a) / a
    if abs(u) > 0.3:
        return np.log(x / a) - u
    r = u / (2.0 + u)
    s, total = r * r, 0.0
    for k in range(13, 0, -1):
        total = total * s + 1.0 / (2.0 * k + 1.0)
    return 2.0 * r * s * total - u * r


def kl_div(x: float, y: float) -> float:
    if x > 0.0 and y > 0.0:
        return -x * log_less(y, x)
    if x != x or y != y:
        return np.nan
    return y if x == 0.0 and y >= 0.0 else np.inf


def log_ratio(x: float, y: float) -> float:
    # log(x / y), exact where x and y are near each other
    if 0.5 * y < x < 2.0 * y:
        return np.log1p((x - y) / y)
    return np.log(x) - np.log(y)
