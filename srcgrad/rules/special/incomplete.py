"""The incomplete gamma and beta functions and Hurwitz's zeta function, differentiated by their last arguments."""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

from typing import Any

from srcgrad.core.build import Builder
from srcgrad.core.traits import always
from srcgrad.numeric import incomplete
from srcgrad.rules.language import of_scipy, registry
from srcgrad.rules.language.declare import Rule, as_value, elementwise, settle, widen
from srcgrad.rules.language.values import Val, emit

pairs = [(0.7, 0.4), (2.5, 1.9), (2.5, 8.0), (31.0, 28.5), (0.3, 2.7)]
triples = [(0.7, 1.9, 0.4), (2.5, 0.8, 0.9), (13.0, 21.0, 0.3)]
GAMMA_ONLY = "the incomplete gamma functions are differentiated by x only; use stop_gradient for a"
BETA_ONLY = "the incomplete beta functions are differentiated by x only; use stop_gradient for a and b"


density: Rule = elementwise(
    "gamma_density",
    (),
    samples=pairs,
    numeric=incomplete.gamma_density,
    refuses={0: GAMMA_ONLY},
    partials=lambda a, x, y: (None, y * ((a - 1.0) / x - 1.0)),
)
lower_gamma = elementwise(
    "gammainc",
    (of_scipy.special.gammainc,),
    samples=pairs,
    numeric=incomplete.gammainc,
    domain="a > 0, x >= 0",
    partials=lambda a, x, y: (None, density(a, x)),
    refuses={0: GAMMA_ONLY},
)
upper_gamma = elementwise(
    "gammaincc",
    (of_scipy.special.gammaincc,),
    may_raise=always,
    samples=pairs,
    numeric=incomplete.gammaincc,
    domain="a > 0, x >= 0",
    partials=lambda a, x, y: (None, -density(a, x)),
    refuses={0: GAMMA_ONLY},
)

between: Rule = elementwise(
    "beta_density",
    (),
    samples=triples,
    numeric=incomplete.beta_density,
    refuses={0: BETA_ONLY, 1: BETA_ONLY},
    partials=lambda a, b, x, y: (None, None, y * ((a - 1.0) / x - (b - 1.0) / (1.0 - x))),
)
beta_integral = elementwise(
    "betainc",
    (of_scipy.special.betainc,),
    samples=triples,
    numeric=incomplete.betainc,
    domain="a > 0, b > 0, 0 <= x <= 1",
    partials=lambda a, b, x, y: (None, None, between(a, b, x)),
    refuses={0: BETA_ONLY, 1: BETA_ONLY},
)

zeta: Rule = elementwise(
    "hurwitz_zeta",
    (),
    may_raise=always,
    samples=[(1.3, 0.7), (3.5, 1.0), (2.0, 21.5), (40.0, 2.0)],
    numeric=incomplete.hurwitz,
    domain="x > 1, q > 0",
    refuses={0: "scipy.special.zeta is differentiated by q only; use stop_gradient for x"},
    partials=lambda x, q, y: (None, -x * zeta(x + 1.0, q)),
)


@registry.adaptor(of_scipy.special.zeta)
def _zeta(builder: Builder, x: Any, q: Any = None) -> Val:
    values = settle([as_value(builder, v) for v in (x, 1.0 if q is None else q)])
    return emit(zeta, *map(widen, values))
