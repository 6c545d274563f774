"""Discrete distributions of `scipy.stats` with `loc` 0.

`shapes` names the parameters between `k` and `loc`; where `valid` is false of them, all is NaN. `k` is a number or an
array; between whole numbers the probability is 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from srcgrad.scipy.continuous import Number


class poisson:
    shapes = ("mu",)

    @staticmethod
    def valid(mu: Number) -> Any:
        return mu >= 0.0

    @staticmethod
    def last(mu: Number) -> Number:
        return np.inf

    @staticmethod
    def logpmf(k: Number, mu: Number) -> Number:
        return special.xlogy(k, mu) - special.gammaln(k + 1.0) - mu

    @staticmethod
    def cdf(k: Number, mu: Number) -> Number:
        return special.gammaincc(k + 1.0, mu)

    @staticmethod
    def sf(k: Number, mu: Number) -> Number:
        return special.gammainc(k + 1.0, mu)


class binom:
    shapes = ("n", "p")

    @staticmethod
    def valid(n: Number, p: Number) -> Any:
        return (n >= 0.0) & (np.floor(n) == n) & (p >= 0.0) & (p <= 1.0)

    @staticmethod
    def last(n: Number, p: Number) -> Number:
        return n

    @staticmethod
    def logpmf(k: Number, n: Number, p: Number) -> Number:
        ways = special.gammaln(n + 1.0) - special.gammaln(k + 1.0) - special.gammaln(n - k + 1.0)
        return ways + special.xlogy(k, p) + special.xlog1py(n - k, -p)

    @staticmethod
    def cdf(k: Number, n: Number, p: Number) -> Number:
        return special.betainc(n - k, k + 1.0, 1.0 - p)

    @staticmethod
    def sf(k: Number, n: Number, p: Number) -> Number:
        return special.betainc(k + 1.0, n - k, p)


class nbinom:
    shapes = ("n", "p")

    @staticmethod
    def valid(n: Number, p: Number) -> Any:
        return (n > 0.0) & (p > 0.0) & (p <= 1.0)

    @staticmethod
    def last(n: Number, p: Number) -> Number:
        return np.inf

    @staticmethod
    def logpmf(k: Number, n: Number, p: Number) -> Number:
        ways = special.gammaln(n + k) - special.gammaln(k + 1.0) - special.gammaln(n)
        return ways + n * np.log(p) + special.xlog1py(k, -p)

    @staticmethod
    def cdf(k: Number, n: Number, p: Number) -> Number:
        return special.betainc(n, k + 1.0, p)

    @staticmethod
    def sf(k: Number, n: Number, p: Number) -> Number:
        return special.betainc(k + 1.0, n, 1.0 - p)
