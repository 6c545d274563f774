"""The error function's family: erf, erfc, erfcx, their inverses, and the normal distribution's."""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

import math
from typing import Any

import numpy as np

from srcgrad.core.build import Builder
from srcgrad.core.traits import Slope
from srcgrad.numeric import normal
from srcgrad.rules.language import of_scipy, registry
from srcgrad.rules.language.declare import Edge, Rule, as_value, elementwise, settle, widen
from srcgrad.rules.language.values import Val, emit
from srcgrad.rules.scalar.elementwise import exp

reals = [(0.7,), (-1.3,), (2.0,)]
wide_reals = [*reals, (-5.2,), (0.02,), (6.1,)]
SLOPE = 2.0 / math.sqrt(math.pi)
DENSITY = 1.0 / math.sqrt(2.0 * math.pi)


bell: Rule = elementwise(
    "bell",
    (),
    evaluate=lambda x: np.exp(-(x**2)),
    partials=lambda x, y: (-2.0 * x * y,),
    samples=wide_reals,
    scalar="exp_of_square(_0, -1.0)",
    numeric=normal.exp_of_square,
)
erf = elementwise(
    "erf",
    (math.erf, of_scipy.special.erf),
    slope=Slope.FLAT,
    evaluate=of_scipy.special.erf,
    partials=lambda x, y: (SLOPE * bell(x),),
    samples=reals,
    scalar="math.erf(_0)",
    each=True,
)
erfc_ = elementwise(
    "erfc",
    (math.erfc, of_scipy.special.erfc),
    slope=Slope.FLAT,
    evaluate=of_scipy.special.erfc,
    samples=reals,
    scalar="math.erfc(_0)",
    partials=lambda x, y: (-SLOPE * bell(x),),
    each=True,
)


scaled: Rule = elementwise(
    "erfcx",
    (),
    samples=wide_reals,
    params=({"order": 0}, {"order": 1}, {"order": 2}),
    partials=lambda x, y, order: (scaled(x, order=order + 1),),
    numeric=normal.erfcx,
)
hazard: Rule = elementwise(
    "normal_hazard",
    (),
    samples=wide_reals,
    params=({"order": 0}, {"order": 1}),
    partials=lambda x, y, order: (hazard(x, order=order + 1),),
    numeric=normal.normal_hazard,
)


def _density(x: Val, y: Val) -> tuple[Val]:
    return (DENSITY * exp(-0.5 * x**2),)


integral = elementwise(
    "ndtr",
    (of_scipy.special.ndtr,),
    partials=_density,
    samples=wide_reals,
    numeric=normal.ndtr,
)
log_integral = elementwise(
    "log_ndtr",
    (of_scipy.special.log_ndtr,),
    partials=lambda x, y: (hazard(x, order=0),),
    samples=wide_reals,
    numeric=normal.log_ndtr,
)

inside = [(0.7,), (-0.3,), (0.02,), (0.995,)]
erf_inverse = elementwise(
    "erfinv",
    (of_scipy.special.erfinv,),
    partials=lambda x, y: (exp(y**2) / SLOPE,),
    samples=inside,
    numeric=normal.erfinv,
    domain="-1 < x < 1",
    edges=[Edge((1.0,), (np.inf,))],
)
erfc_inverse = elementwise(
    "erfcinv",
    (of_scipy.special.erfcinv,),
    partials=lambda q, y: (-exp(y**2) / SLOPE,),
    samples=[(0.7,), (1.3,), (1.9,), (0.02,)],
    numeric=normal.erfcinv,
    domain="0 < x < 2",
    edges=[Edge((0.0,), (-np.inf,))],
)
quantile = elementwise(
    "ndtri",
    (of_scipy.special.ndtri,),
    partials=lambda p, y: (exp(0.5 * y**2) / DENSITY,),
    numeric=normal.ndtri,
    samples=[(0.7,), (0.3,), (0.02,), (0.995,)],
    domain="0 < p < 1",
    edges=[Edge((0.0,), (np.inf,))],
)


@registry.adaptor(of_scipy.special.erfcx)
def _erfcx(builder: Builder, x: Any) -> Val:
    (value,) = settle([as_value(builder, x)])
    return emit(scaled, widen(value), order=0)
