"""The gamma function's family: gamma and its logarithm, polygamma functions, the beta function and its logarithm."""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

import math
from typing import Any

from srcgrad.core.build import Builder
from srcgrad.errors import UnsupportedError
from srcgrad.numeric import gamma
from srcgrad.rules.language import arguments, of_scipy, registry
from srcgrad.rules.language.declare import Rule, as_value, elementwise, settle, widen
from srcgrad.rules.language.values import Val, emit

reals = [(0.7,), (-1.3,), (2.0,)]
pairs = [(0.7, 1.9), (13.0, 0.4), (20.5, 31.0), (3.0, 12.5)]


# ---- polygamma functions


def _polygamma_partials(x: Val, y: Val, n: int) -> tuple[Val]:
    return (polygamma(x, n=n + 1),)


polygamma: Rule = elementwise(
    "polygamma",
    (),
    partials=_polygamma_partials,
    samples=[(0.7,), (2.0,), (30.0,), (-1.3,)],
    params=({"n": 1}, {"n": 2}),
    numeric=gamma.polygamma,
)
digamma_: Rule = elementwise(
    "digamma",
    (of_scipy.special.digamma,),
    partials=lambda x, y: (polygamma(x, n=1),),
    numeric=gamma.digamma,
    samples=reals,
)


@registry.adaptor(of_scipy.special.polygamma)
def _scipy_polygamma(builder: Builder, n: Any, x: Any) -> Val:
    order = arguments.integer(n, "the order of scipy.special.polygamma")
    if order < 0:
        raise UnsupportedError("scipy.special.polygamma takes orders from 0")
    (value,) = settle([as_value(builder, x)])
    return emit(polygamma, widen(value), n=order) if order else emit(digamma_, widen(value))


# ---- gamma and its logarithm

lgamma = elementwise(
    "lgamma",
    (math.lgamma, of_scipy.special.gammaln),
    evaluate=of_scipy.special.gammaln,
    samples=reals,
    each=True,
    scalar="math.lgamma(_0)",
    partials=lambda x, y: (digamma_(x),),
)
gamma_ = elementwise(
    "gamma",
    (math.gamma, of_scipy.special.gamma),
    evaluate=of_scipy.special.gamma,
    samples=reals,
    each=True,
    scalar="math.gamma(_0)",
    partials=lambda x, y: (y * digamma_(x),),
)


# ---- beta and its logarithm


def _wide_partials(a: Val, b: Val, y: Val, n: int) -> tuple[Val, Val]:
    return wide_gap(a, b, n=n + 1), polygamma(a + b, n=n + 1)


wide_gap: Rule = elementwise(
    "polygamma_gap",
    (),
    partials=_wide_partials,
    samples=pairs,
    numeric=gamma.polygamma_gap,
    params=({"n": 1}, {"n": 2}),
)


def _gap_partials(a: Val, b: Val, y: Val) -> tuple[Val, Val]:
    return wide_gap(a, b, n=1), polygamma(a + b, n=1)


gap: Rule = elementwise(
    "digamma_gap",
    (),
    partials=_gap_partials,
    numeric=gamma.digamma_gap,
    samples=pairs,
)
log_beta = elementwise(
    "betaln",
    (of_scipy.special.betaln,),
    partials=lambda a, b, y: (-gap(a, b), -gap(b, a)),
    numeric=gamma.betaln,
    samples=pairs,
    domain="a > 0, b > 0",
)
beta_ = elementwise(
    "beta",
    (of_scipy.special.beta,),
    partials=lambda a, b, y: (-y * gap(a, b), -y * gap(b, a)),
    numeric=gamma.beta,
    samples=pairs,
    domain="a > 0, b > 0",
)
