"""The methods of `scipy.stats`' distributions, over their standard forms; the normal distribution of vectors.

`kind` is a class of `continuous` or `discrete`, `shapes` are its parameters by position.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.linalg

from srcgrad.scipy.continuous import Number, log_of_part

Kind = Any
Shapes = tuple[Number, ...]


# ---- continuous: `loc` and `scale`


def _scale(kind: Kind, shapes: Shapes, scale: Number) -> Number:
    """NaN where the parameters are none of the distribution's."""
    if len(shapes) == 0:
        return np.where(scale > 0.0, scale, np.nan)
    return np.where((scale > 0.0) & kind.valid(*shapes), scale, np.nan)


def logpdf(kind: Kind, x: Number, shapes: Shapes, loc: Number, scale: Number) -> Number:
    scale = _scale(kind, shapes, scale)
    return kind.logpdf((x - loc) / scale, *shapes) - np.log(scale)


def pdf(kind: Kind, x: Number, shapes: Shapes, loc: Number, scale: Number) -> Number:
    scale = _scale(kind, shapes, scale)
    return kind.pdf((x - loc) / scale, *shapes) / scale


def cdf(kind: Kind, x: Number, shapes: Shapes, loc: Number, scale: Number) -> Number:
    return kind.cdf((x - loc) / _scale(kind, shapes, scale), *shapes)


def logcdf(kind: Kind, x: Number, shapes: Shapes, loc: Number, scale: Number) -> Number:
    return kind.logcdf((x - loc) / _scale(kind, shapes, scale), *shapes)


def sf(kind: Kind, x: Number, shapes: Shapes, loc: Number, scale: Number) -> Number:
    return kind.sf((x - loc) / _scale(kind, shapes, scale), *shapes)


def logsf(kind: Kind, x: Number, shapes: Shapes, loc: Number, scale: Number) -> Number:
    return kind.logsf((x - loc) / _scale(kind, shapes, scale), *shapes)


def ppf(kind: Kind, q: Number, shapes: Shapes, loc: Number, scale: Number) -> Number:
    return loc + _scale(kind, shapes, scale) * kind.ppf(q, *shapes)


def isf(kind: Kind, q: Number, shapes: Shapes, loc: Number, scale: Number) -> Number:
    return loc + _scale(kind, shapes, scale) * kind.isf(q, *shapes)


# ---- discrete: `loc`


def discrete_logpmf(kind: Kind, k: Number, shapes: Shapes, loc: Number) -> Number:
    k = k - loc
    outside = (k < 0.0) | (k > kind.last(*shapes)) | (np.floor(k) != k)
    return np.where(kind.valid(*shapes), np.where(outside, -np.inf, kind.logpmf(k, *shapes)), np.nan)


def discrete_pmf(kind: Kind, k: Number, shapes: Shapes, loc: Number) -> Number:
    return np.exp(discrete_logpmf(kind, k, shapes, loc))


def discrete_cdf(kind: Kind, k: Number, shapes: Shapes, loc: Number) -> Number:
    k = np.floor(k - loc)
    within = np.where(k < 0.0, 0.0, np.where(k >= kind.last(*shapes), 1.0, kind.cdf(k, *shapes)))
    return np.where(kind.valid(*shapes), within, np.nan)


def discrete_sf(kind: Kind, k: Number, shapes: Shapes, loc: Number) -> Number:
    k = np.floor(k - loc)
    within = np.where(k < 0.0, 1.0, np.where(k >= kind.last(*shapes), 0.0, kind.sf(k, *shapes)))
    return np.where(kind.valid(*shapes), within, np.nan)


def discrete_logcdf(kind: Kind, k: Number, shapes: Shapes, loc: Number) -> Number:
    return log_of_part(discrete_cdf(kind, k, shapes, loc), discrete_sf(kind, k, shapes, loc))


def discrete_logsf(kind: Kind, k: Number, shapes: Shapes, loc: Number) -> Number:
    return log_of_part(discrete_sf(kind, k, shapes, loc), discrete_cdf(kind, k, shapes, loc))


# ---- vectors


def multivariate_normal_logpdf(x: Any, mean: Any, cov: Any) -> Number:
    """x: (d,) or (n, d); mean: (d,); cov: (d, d), positive definite."""
    root = np.linalg.cholesky(cov)
    z = scipy.linalg.solve_triangular(root, (x - mean).T, lower=True)
    logdet = 2.0 * np.sum(np.log(np.diag(root)))
    return -0.5 * (len(cov) * math.log(2.0 * math.pi) + logdet + np.sum(z * z, axis=0))


def multivariate_normal_pdf(x: Any, mean: Any, cov: Any) -> Number:
    return np.exp(multivariate_normal_logpdf(x, mean, cov))
