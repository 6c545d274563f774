"""Continuous distributions of `scipy.stats` in their standard form: `loc` 0 and `scale` 1.

`shapes` names the parameters between `x` and `loc`; where `valid` is false of them, all is NaN. `z` is a float or an
array. The formulas are those of the functions' definitions, in forms that keep their accuracy in both tails.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

LOG_ROOT = 0.5 * math.log(2.0 * math.pi)
ROOT = math.sqrt(2.0 * math.pi)
Number = Any  # a float or an array


def log_of_part(part: Number, rest: Number) -> Number:
    """log(part), where part + rest is 1: accurate near 0 and near 1."""
    return np.where(part < 0.5, np.log(part), np.log1p(-rest))


class norm:
    shapes = ()

    @staticmethod
    def logpdf(z: Number) -> Number:
        return -0.5 * z * z - LOG_ROOT

    @staticmethod
    def pdf(z: Number) -> Number:
        return np.exp(-0.5 * z * z) / ROOT

    @staticmethod
    def cdf(z: Number) -> Number:
        return special.ndtr(z)

    @staticmethod
    def logcdf(z: Number) -> Number:
        return special.log_ndtr(z)

    @staticmethod
    def sf(z: Number) -> Number:
        return special.ndtr(-z)

    @staticmethod
    def logsf(z: Number) -> Number:
        return special.log_ndtr(-z)

    @staticmethod
    def ppf(q: Number) -> Number:
        return special.ndtri(q)

    @staticmethod
    def isf(q: Number) -> Number:
        return -special.ndtri(q)


class expon:
    shapes = ()

    @staticmethod
    def logpdf(z: Number) -> Number:
        return np.where(z < 0.0, -np.inf, -z)

    @staticmethod
    def pdf(z: Number) -> Number:
        return np.where(z < 0.0, 0.0, np.exp(-z))

    @staticmethod
    def cdf(z: Number) -> Number:
        return np.where(z < 0.0, 0.0, -np.expm1(-z))

    @staticmethod
    def logcdf(z: Number) -> Number:
        return np.where(z <= 0.0, -np.inf, log_of_part(-np.expm1(-z), np.exp(-z)))

    @staticmethod
    def sf(z: Number) -> Number:
        return np.where(z < 0.0, 1.0, np.exp(-z))

    @staticmethod
    def logsf(z: Number) -> Number:
        return np.where(z < 0.0, 0.0, -z)

    @staticmethod
    def ppf(q: Number) -> Number:
        return -np.log1p(-q)

    @staticmethod
    def isf(q: Number) -> Number:
        return -np.log(q)


class gamma:
    shapes = ("a",)

    @staticmethod
    def valid(a: Number) -> Any:
        return a > 0.0

    @staticmethod
    def logpdf(z: Number, a: Number) -> Number:
        return np.where(z < 0.0, -np.inf, special.xlogy(a - 1.0, z) - z - special.gammaln(a))

    @staticmethod
    def pdf(z: Number, a: Number) -> Number:
        return np.exp(gamma.logpdf(z, a))

    @staticmethod
    def cdf(z: Number, a: Number) -> Number:
        return special.gammainc(a, np.where(z < 0.0, 0.0, z))

    @staticmethod
    def logcdf(z: Number, a: Number) -> Number:
        return log_of_part(gamma.cdf(z, a), gamma.sf(z, a))

    @staticmethod
    def sf(z: Number, a: Number) -> Number:
        return special.gammaincc(a, np.where(z < 0.0, 0.0, z))

    @staticmethod
    def logsf(z: Number, a: Number) -> Number:
        return log_of_part(gamma.sf(z, a), gamma.cdf(z, a))


class chi2:
    shapes = ("df",)

    @staticmethod
    def valid(df: Number) -> Any:
        return df > 0.0

    @staticmethod
    def logpdf(z: Number, df: Number) -> Number:
        return gamma.logpdf(0.5 * z, 0.5 * df) - math.log(2.0)

    @staticmethod
    def pdf(z: Number, df: Number) -> Number:
        return 0.5 * gamma.pdf(0.5 * z, 0.5 * df)

    @staticmethod
    def cdf(z: Number, df: Number) -> Number:
        return gamma.cdf(0.5 * z, 0.5 * df)

    @staticmethod
    def logcdf(z: Number, df: Number) -> Number:
        return gamma.logcdf(0.5 * z, 0.5 * df)

    @staticmethod
    def sf(z: Number, df: Number) -> Number:
        return gamma.sf(0.5 * z, 0.5 * df)

    @staticmethod
    def logsf(z: Number, df: Number) -> Number:
        return gamma.logsf(0.5 * z, 0.5 * df)


class beta:
    shapes = ("a", "b")

    @staticmethod
    def valid(a: Number, b: Number) -> Any:
        return (a > 0.0) & (b > 0.0)

    @staticmethod
    def logpdf(z: Number, a: Number, b: Number) -> Number:
        inside = special.xlogy(a - 1.0, z) + special.xlog1py(b - 1.0, -z) - special.betaln(a, b)
        return np.where((z < 0.0) | (z > 1.0), -np.inf, inside)

    @staticmethod
    def pdf(z: Number, a: Number, b: Number) -> Number:
        return np.exp(beta.logpdf(z, a, b))

    @staticmethod
    def cdf(z: Number, a: Number, b: Number) -> Number:
        return special.betainc(a, b, np.where(z < 0.0, 0.0, np.where(z > 1.0, 1.0, z)))

    @staticmethod
    def logcdf(z: Number, a: Number, b: Number) -> Number:
        return log_of_part(beta.cdf(z, a, b), beta.sf(z, a, b))

    @staticmethod
    def sf(z: Number, a: Number, b: Number) -> Number:
        return beta.cdf(1.0 - z, b, a)

    @staticmethod
    def logsf(z: Number, a: Number, b: Number) -> Number:
        return log_of_part(beta.sf(z, a, b), beta.cdf(z, a, b))


class t:
    shapes = ("df",)

    @staticmethod
    def valid(df: Number) -> Any:
        return df > 0.0

    @staticmethod
    def logpdf(z: Number, df: Number) -> Number:
        scale = special.gammaln(0.5 * (df + 1.0)) - special.gammaln(0.5 * df) - 0.5 * np.log(math.pi * df)
        return scale - 0.5 * (df + 1.0) * np.log1p(z * z / df)

    @staticmethod
    def pdf(z: Number, df: Number) -> Number:
        return np.exp(t.logpdf(z, df))

    @staticmethod
    def cdf(z: Number, df: Number) -> Number:
        lower = 0.5 * special.betainc(0.5 * df, 0.5, df / (df + z * z))
        # at 0 the slope of `lower` is infinity times 0
        return np.where(z < 0.0, lower, np.where(z == 0.0, 0.5 + z * t.pdf(0.0, df), 1.0 - lower))

    @staticmethod
    def logcdf(z: Number, df: Number) -> Number:
        return log_of_part(t.cdf(z, df), t.sf(z, df))

    @staticmethod
    def sf(z: Number, df: Number) -> Number:
        return t.cdf(-z, df)

    @staticmethod
    def logsf(z: Number, df: Number) -> Number:
        return log_of_part(t.sf(z, df), t.cdf(z, df))


class lognorm:
    shapes = ("s",)

    @staticmethod
    def valid(s: Number) -> Any:
        return s > 0.0

    @staticmethod
    def logpdf(z: Number, s: Number) -> Number:
        return np.where(z <= 0.0, -np.inf, norm.logpdf(np.log(z) / s) - np.log(s * z))

    @staticmethod
    def pdf(z: Number, s: Number) -> Number:
        return np.exp(lognorm.logpdf(z, s))

    @staticmethod
    def cdf(z: Number, s: Number) -> Number:
        return np.where(z <= 0.0, 0.0, special.ndtr(np.log(z) / s))

    @staticmethod
    def logcdf(z: Number, s: Number) -> Number:
        return np.where(z <= 0.0, -np.inf, special.log_ndtr(np.log(z) / s))

    @staticmethod
    def sf(z: Number, s: Number) -> Number:
        return np.where(z <= 0.0, 1.0, special.ndtr(-np.log(z) / s))

    @staticmethod
    def logsf(z: Number, s: Number) -> Number:
        return np.where(z <= 0.0, 0.0, special.log_ndtr(-np.log(z) / s))

    @staticmethod
    def ppf(q: Number, s: Number) -> Number:
        return np.exp(s * special.ndtri(q))

    @staticmethod
    def isf(q: Number, s: Number) -> Number:
        return np.exp(-s * special.ndtri(q))


class uniform:
    shapes = ()

    @staticmethod
    def logpdf(z: Number) -> Number:
        return np.where((z < 0.0) | (z > 1.0), -np.inf, 0.0 * z)

    @staticmethod
    def pdf(z: Number) -> Number:
        return np.where((z < 0.0) | (z > 1.0), 0.0, 1.0 + 0.0 * z)

    @staticmethod
    def cdf(z: Number) -> Number:
        return np.clip(z, 0.0, 1.0)

    @staticmethod
    def logcdf(z: Number) -> Number:
        return np.log(np.clip(z, 0.0, 1.0))

    @staticmethod
    def sf(z: Number) -> Number:
        return np.clip(1.0 - z, 0.0, 1.0)

    @staticmethod
    def logsf(z: Number) -> Number:
        return np.log(np.clip(1.0 - z, 0.0, 1.0))

    @staticmethod
    def ppf(q: Number) -> Number:
        return np.where((q < 0.0) | (q > 1.0), np.nan, q)

    @staticmethod
    def isf(q: Number) -> Number:
        return np.where((q < 0.0) | (q > 1.0), np.nan, 1.0 - q)


class laplace:
    shapes = ()

    @staticmethod
    def logpdf(z: Number) -> Number:
        return -np.abs(z) - math.log(2.0)

    @staticmethod
    def pdf(z: Number) -> Number:
        return 0.5 * np.exp(-np.abs(z))

    @staticmethod
    def cdf(z: Number) -> Number:
        return np.where(z > 0.0, 1.0 - 0.5 * np.exp(-z), 0.5 * np.exp(z))

    @staticmethod
    def logcdf(z: Number) -> Number:
        return np.where(z > 0.0, np.log1p(-0.5 * np.exp(-z)), z - math.log(2.0))

    @staticmethod
    def sf(z: Number) -> Number:
        return laplace.cdf(-z)

    @staticmethod
    def logsf(z: Number) -> Number:
        return laplace.logcdf(-z)

    @staticmethod
    def ppf(q: Number) -> Number:
        return np.where(q > 0.5, -np.log(2.0 * (1.0 - q)), np.log(2.0 * q))

    @staticmethod
    def isf(q: Number) -> Number:
        return -laplace.ppf(q)


class logistic:
    shapes = ()

    @staticmethod
    def logpdf(z: Number) -> Number:
        return special.log_expit(z) + special.log_expit(-z)

    @staticmethod
    def pdf(z: Number) -> Number:
        return special.expit(z) * special.expit(-z)

    @staticmethod
    def cdf(z: Number) -> Number:
        return special.expit(z)

    @staticmethod
    def logcdf(z: Number) -> Number:
        return special.log_expit(z)

    @staticmethod
    def sf(z: Number) -> Number:
        return special.expit(-z)

    @staticmethod
    def logsf(z: Number) -> Number:
        return special.log_expit(-z)

    @staticmethod
    def ppf(q: Number) -> Number:
        return special.logit(q)

    @staticmethod
    def isf(q: Number) -> Number:
        return -special.logit(q)


class cauchy:
    shapes = ()

    @staticmethod
    def logpdf(z: Number) -> Number:
        return -math.log(math.pi) - np.log1p(z * z)

    @staticmethod
    def pdf(z: Number) -> Number:
        return 1.0 / (math.pi * (1.0 + z * z))

    @staticmethod
    def cdf(z: Number) -> Number:
        return np.arctan2(1.0, -z) / math.pi

    @staticmethod
    def logcdf(z: Number) -> Number:
        return np.log(np.arctan2(1.0, -z) / math.pi)

    @staticmethod
    def sf(z: Number) -> Number:
        return np.arctan2(1.0, z) / math.pi

    @staticmethod
    def logsf(z: Number) -> Number:
        return np.log(np.arctan2(1.0, z) / math.pi)

    @staticmethod
    def ppf(q: Number) -> Number:
        return np.tan(math.pi * (q - 0.5))

    @staticmethod
    def isf(q: Number) -> Number:
        return -np.tan(math.pi * (q - 0.5))
