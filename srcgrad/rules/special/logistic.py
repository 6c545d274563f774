"""The logistic function and its inverse; x * log(y) and the entropies, which are 0 where x is."""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special

from srcgrad.core.traits import Slope
from srcgrad.rules.language.declare import Edge, elementwise
from srcgrad.rules.language.runtime_text import sources
from srcgrad.rules.language.values import Val
from srcgrad.rules.scalar.compare import equal, logical_and, where
from srcgrad.rules.scalar.elementwise import expm1, log, log1p, sigmoid

reals = [(0.7,), (-1.3,), (2.0,)]
shares = [(0.7,), (0.02,), (0.41,), (1e-9,)]
pairs = [(0.7, 1.9), (1.3, 0.4), (2.0, 3.0)]


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


expit_log = elementwise(
    "log_expit",
    (scipy.special.log_expit,),
    slope=Slope.FLAT,
    partials=lambda x, y: (sigmoid(-x),),
    scalar="log_expit(_0)",
    each=True,
    samples=[*reals, (-40.0,), (40.0,)],
    helpers=sources(log_expit),
    wide=True,
)
log_odds = elementwise(
    "logit",
    (scipy.special.logit,),
    slope=Slope.LOGARITHM,
    partials=lambda p, y: (1.0 / (p * (1.0 - p)),),
    scalar="logit(_0)",
    each=True,
    samples=shares,
    helpers=sources(logit),
    wide=True,
    domain="0 < p < 1",
)


def _ratio(x: Val, y: Val) -> Val:
    """x / y, and 0 where both are 0."""
    both = logical_and(equal(x, 0.0), equal(y, 0.0))
    return x / where(both, y.lift(1.0), y)


x_log_y = elementwise(
    "xlogy",
    (scipy.special.xlogy,),
    slope=Slope.LOGARITHM,
    partials=lambda x, y, z: (log(y), _ratio(x, y)),
    scalar="xlogy(_0, _1)",
    each=True,
    samples=pairs,
    helpers=sources(xlogy),
    wide=True,
    domain="y > 0, or x = 0",
    edges=[Edge((0.0, 2.0), (np.log(2.0), 0.0)), Edge((0.0, 0.0), (-np.inf, 0.0))],
)
x_log1p_y = elementwise(
    "xlog1py",
    (scipy.special.xlog1py,),
    slope=Slope.LOGARITHM,
    partials=lambda x, y, z: (log1p(y), _ratio(x, 1.0 + y)),
    each=True,
    scalar="xlog1py(_0, _1)",
    samples=pairs,
    helpers=sources(xlog1py),
    wide=True,
    domain="y > -1, or x = 0",
    edges=[Edge((0.0, 2.0), (np.log(3.0), 0.0)), Edge((0.0, -1.0), (-np.inf, 0.0))],
)
entropy = elementwise(
    "entr",
    (scipy.special.entr,),
    slope=Slope.LOGARITHM,
    partials=lambda x, y: (-log(x) - 1.0,),
    scalar="entr(_0)",
    each=True,
    samples=[(0.7,), (0.02,), (2.0,)],
    helpers=sources(entr),
    wide=True,
    domain="x > 0",
    edges=[Edge((0.0,), (np.inf,))],
)


def log_ratio(x: float, y: float) -> float:
    # log(x / y), exact where x and y are near each other
    if 0.5 * y < x < 2.0 * y:
        return np.log1p((x - y) / y)
    return np.log(x) - np.log(y)


def _log_ratio_of(x: Any, y: Any) -> Any:
    return np.vectorize(log_ratio, otypes=[np.result_type(x, y, np.float32)])(x, y)[()]


log_quotient = elementwise(
    "log_ratio",
    (),
    slope=Slope.LOGARITHM,
    evaluate=_log_ratio_of,
    partials=lambda x, y, z: (1.0 / x, -1.0 / y),
    scalar="log_ratio(_0, _1)",
    each=True,
    samples=pairs,
    helpers=sources(log_ratio),
    wide=True,
)
relative_entropy = elementwise(
    "rel_entr",
    (scipy.special.rel_entr,),
    slope=Slope.LOGARITHM,
    partials=lambda x, y, z: (log_quotient(x, y) + 1.0, -_ratio(x, y)),
    each=True,
    scalar="rel_entr(_0, _1)",
    samples=pairs,
    helpers=sources(rel_entr),
    wide=True,
    domain="x > 0, y > 0",
    edges=[Edge((0.0, 2.0), (-np.inf, 0.0)), Edge((0.0, 0.0), (np.nan, 0.0))],
)
divergence = elementwise(
    "kl_div",
    (scipy.special.kl_div,),
    slope=Slope.LOGARITHM,
    each=True,
    partials=lambda x, y, z: (log_quotient(x, y), -expm1(log_quotient(x, y))),
    scalar="kl_div(_0, _1)",
    samples=pairs,
    helpers=sources(kl_div, log_less),
    wide=True,
    domain="x > 0, y > 0",
    edges=[Edge((0.0, 2.0), (-np.inf, 1.0))],
)
