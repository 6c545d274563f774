"""The logistic function and its inverse; x * log(y) and the entropies, which are 0 where x is."""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

import numpy as np

from srcgrad.core.traits import Slope
from srcgrad.numeric import logistic
from srcgrad.rules.language import of_scipy
from srcgrad.rules.language.declare import Edge, elementwise
from srcgrad.rules.language.values import Val
from srcgrad.rules.scalar.compare import equal, logical_and, where
from srcgrad.rules.scalar.elementwise import expm1, log, log1p, sigmoid

reals = [(0.7,), (-1.3,), (2.0,)]
shares = [(0.7,), (0.02,), (0.41,), (1e-9,)]
pairs = [(0.7, 1.9), (1.3, 0.4), (2.0, 3.0)]


expit_log = elementwise(
    "log_expit",
    (of_scipy.special.log_expit,),
    slope=Slope.FLAT,
    partials=lambda x, y: (sigmoid(-x),),
    numeric=logistic.log_expit,
    samples=[*reals, (-40.0,), (40.0,)],
)
log_odds = elementwise(
    "logit",
    (of_scipy.special.logit,),
    slope=Slope.LOGARITHM,
    partials=lambda p, y: (1.0 / (p * (1.0 - p)),),
    numeric=logistic.logit,
    samples=shares,
    domain="0 < p < 1",
)


def _ratio(x: Val, y: Val) -> Val:
    """x / y, and 0 where both are 0."""
    both = logical_and(equal(x, 0.0), equal(y, 0.0))
    return x / where(both, y.lift(1.0), y)


x_log_y = elementwise(
    "xlogy",
    (of_scipy.special.xlogy,),
    slope=Slope.LOGARITHM,
    partials=lambda x, y, z: (log(y), _ratio(x, y)),
    numeric=logistic.xlogy,
    samples=pairs,
    domain="y > 0, or x = 0",
    edges=[Edge((0.0, 2.0), (np.log(2.0), 0.0)), Edge((0.0, 0.0), (-np.inf, 0.0))],
)
x_log1p_y = elementwise(
    "xlog1py",
    (of_scipy.special.xlog1py,),
    slope=Slope.LOGARITHM,
    partials=lambda x, y, z: (log1p(y), _ratio(x, 1.0 + y)),
    numeric=logistic.xlog1py,
    samples=pairs,
    domain="y > -1, or x = 0",
    edges=[Edge((0.0, 2.0), (np.log(3.0), 0.0)), Edge((0.0, -1.0), (-np.inf, 0.0))],
)
entropy = elementwise(
    "entr",
    (of_scipy.special.entr,),
    slope=Slope.LOGARITHM,
    partials=lambda x, y: (-log(x) - 1.0,),
    numeric=logistic.entr,
    samples=[(0.7,), (0.02,), (2.0,)],
    domain="x > 0",
    edges=[Edge((0.0,), (np.inf,))],
)


log_quotient = elementwise(
    "log_ratio",
    (),
    slope=Slope.LOGARITHM,
    partials=lambda x, y, z: (1.0 / x, -1.0 / y),
    numeric=logistic.log_ratio,
    samples=pairs,
)
relative_entropy = elementwise(
    "rel_entr",
    (of_scipy.special.rel_entr,),
    slope=Slope.LOGARITHM,
    partials=lambda x, y, z: (log_quotient(x, y) + 1.0, -_ratio(x, y)),
    numeric=logistic.rel_entr,
    samples=pairs,
    domain="x > 0, y > 0",
    edges=[Edge((0.0, 2.0), (-np.inf, 0.0)), Edge((0.0, 0.0), (np.nan, 0.0))],
)
divergence = elementwise(
    "kl_div",
    (of_scipy.special.kl_div,),
    slope=Slope.LOGARITHM,
    partials=lambda x, y, z: (log_quotient(x, y), -expm1(log_quotient(x, y))),
    evaluate=of_scipy.special.kl_div,
    numeric=logistic.kl_div,
    samples=pairs,
    domain="x > 0, y > 0",
    edges=[Edge((0.0, 2.0), (-np.inf, 1.0))],
)
