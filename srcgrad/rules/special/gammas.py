"""The gamma function's family: gamma and its logarithm, polygamma functions, the beta function and its logarithm."""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.special

from srcgrad.core.build import Builder
from srcgrad.errors import UnsupportedError
from srcgrad.rules.language import arguments, registry, runtime_text
from srcgrad.rules.language.declare import Rule, as_value, elementwise, settle, widen
from srcgrad.rules.language.runtime_text import digamma, sources
from srcgrad.rules.language.values import Val, emit
from srcgrad.rules.special.gamma_gaps import polygamma_gap

reals = [(0.7,), (-1.3,), (2.0,)]
pairs = [(0.7, 1.9), (13.0, 0.4), (20.5, 31.0), (3.0, 12.5)]


# ---- what generated modules carry


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


# ---- polygamma functions


def _polygamma_partials(x: Val, y: Val, order: int) -> tuple[Val]:
    return (polygamma(x, order=order + 1),)


def _polygamma(x: Any, order: int) -> Any:
    return scipy.special.polygamma(order, x).astype(np.asarray(x).dtype)[()]


polygamma: Rule = elementwise(
    "polygamma",
    (),
    evaluate=_polygamma,
    partials=_polygamma_partials,
    wide=True,
    each=True,
    samples=[(0.7,), (2.0,), (30.0,), (-1.3,)],
    params=({"order": 1}, {"order": 2}),
    scalar=lambda types, params: f"polygamma({params['order']}, _0)",
    helpers=sources(runtime_text.polygamma, runtime_text.polygamma_positive, runtime_text.cot_pi),
)
DIGAMMA = sources(
    runtime_text.digamma, runtime_text.digamma_positive, runtime_text.digamma_by_root, runtime_text.cot_pi
)
digamma_: Rule = elementwise(
    "digamma",
    (scipy.special.digamma,),
    partials=lambda x, y: (polygamma(x, order=1),),
    scalar="digamma(_0)",
    samples=reals,
    helpers=DIGAMMA,
    wide=True,
    each=True,
)


@registry.adaptor(scipy.special.polygamma)
def _scipy_polygamma(builder: Builder, n: Any, x: Any) -> Val:
    order = arguments.integer(n, "the order of scipy.special.polygamma")
    if order < 0:
        raise UnsupportedError("scipy.special.polygamma takes orders from 0")
    (value,) = settle([as_value(builder, x)])
    return emit(polygamma, widen(value), order=order) if order else emit(digamma_, widen(value))


# ---- gamma and its logarithm

lgamma = elementwise(
    "lgamma",
    (math.lgamma, scipy.special.gammaln),
    evaluate=scipy.special.gammaln,
    samples=reals,
    each=True,
    wide=True,
    scalar="math.lgamma(_0)",
    partials=lambda x, y: (digamma_(x),),
)
gamma = elementwise(
    "gamma",
    (math.gamma, scipy.special.gamma),
    evaluate=scipy.special.gamma,
    samples=reals,
    each=True,
    wide=True,
    scalar="math.gamma(_0)",
    partials=lambda x, y: (y * digamma_(x),),
)


# ---- beta and its logarithm


def _gap(a: Any, b: Any) -> Any:
    return np.vectorize(digamma_gap, otypes=[np.result_type(a, b, np.float32)])(a, b)[()]


def _wide_gap(a: Any, b: Any, order: int) -> Any:
    made = np.vectorize(lambda x, h: polygamma_gap(order, x, h), otypes=[np.result_type(a, b, np.float32)])
    return made(np.asarray(a, float), np.asarray(b, float))[()]


def _wide_partials(a: Val, b: Val, y: Val, order: int) -> tuple[Val, Val]:
    return wide_gap(a, b, order=order + 1), polygamma(a + b, order=order + 1)


wide_gap: Rule = elementwise(
    "polygamma_gap",
    (),
    evaluate=_wide_gap,
    partials=_wide_partials,
    samples=pairs,
    each=True,
    wide=True,
    scalar=lambda types, params: f"polygamma_gap({params['order']}, _0, _1)",
    params=({"order": 1}, {"order": 2}),
    helpers=sources(polygamma_gap, runtime_text.polygamma, runtime_text.polygamma_positive, runtime_text.cot_pi),
)


def _gap_partials(a: Val, b: Val, y: Val) -> tuple[Val, Val]:
    return wide_gap(a, b, order=1), polygamma(a + b, order=1)


gap: Rule = elementwise(
    "digamma_gap",
    (),
    evaluate=_gap,
    partials=_gap_partials,
    scalar="digamma_gap(_0, _1)",
    samples=pairs,
    each=True,
    helpers={**sources(digamma_gap), **DIGAMMA},
    wide=True,
)
log_beta = elementwise(
    "betaln",
    (scipy.special.betaln,),
    partials=lambda a, b, y: (-gap(a, b), -gap(b, a)),
    scalar="betaln(_0, _1)",
    samples=pairs,
    each=True,
    helpers=sources(betaln, stirling_rest),
    wide=True,
    domain="a > 0, b > 0",
)
beta_ = elementwise(
    "beta",
    (scipy.special.beta,),
    partials=lambda a, b, y: (-y * gap(a, b), -y * gap(b, a)),
    scalar="beta(_0, _1)",
    samples=pairs,
    each=True,
    helpers=sources(beta, betaln, stirling_rest),
    wide=True,
    domain="a > 0, b > 0",
)
