"""Bessel functions of integer order: J, Y, I, K and the scaled I and K, by recurrences between orders."""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from srcgrad.core.build import Builder
from srcgrad.errors import UnsupportedError
from srcgrad.numeric.bessel import bessel_i, bessel_i_scaled, bessel_j, bessel_k, bessel_k_scaled, bessel_y
from srcgrad.rules.language import arguments, of_scipy, registry
from srcgrad.rules.language.declare import Edge, Rule, as_value, elementwise, settle, widen
from srcgrad.rules.language.values import Val, emit

wide_reals = [(0.7,), (-1.3,), (7.1,), (-30.5,)]
positives = [(0.7,), (7.1,), (30.5,), (0.01,)]
ORDERS = ({"n": 0}, {"n": 2})


def _family(
    function: Callable[..., float],
    partial: Callable[..., Val],
    samples: Sequence[Any],
    params: Any = ORDERS,
    **info: Any,
) -> Rule:
    return elementwise(
        function.__name__,
        (),
        partials=lambda x, y, **how: (partial(x, y, **how),),
        numeric=function,
        samples=samples,
        params=params,
        **info,
    )


def _neighbours(rule: Rule, x: Val, n: int, sign: float) -> Val:
    """The derivative: half the sum, or the difference, of those of the orders before and after."""
    if n == 0:
        return sign * rule(x, n=1)
    return 0.5 * (rule(x, n=n - 1) + sign * rule(x, n=n + 1))


first_kind: Rule = _family(
    bessel_j,
    lambda x, y, n: _neighbours(first_kind, x, n, -1.0),
    wide_reals,
    edges=[Edge((0.0,), (0.5,), params={"n": 1})],
)
second_kind: Rule = _family(bessel_y, lambda x, y, n: _neighbours(second_kind, x, n, -1.0), positives, domain="x > 0")
modified: Rule = _family(
    bessel_i,
    lambda x, y, n: _neighbours(modified, x, n, 1.0),
    wide_reals,
    edges=[Edge((0.0,), (0.5,), params={"n": 1})],
)
SCALED = ({"n": 0, "order": 0}, {"n": 1, "order": 1})
modified_scaled: Rule = _family(
    bessel_i_scaled,
    lambda x, y, n, order: modified_scaled(x, n=n, order=order + 1),
    wide_reals,
    params=SCALED,
    edges=[Edge((0.0,), (0.0,), params={"n": 0, "order": 0})],
)


def _third_kind(x: Val, y: Val, n: int) -> Val:
    return -third_kind(x, n=1) if n == 0 else -0.5 * (third_kind(x, n=n - 1) + third_kind(x, n=n + 1))


third_kind: Rule = _family(bessel_k, _third_kind, positives, domain="x > 0")
third_kind_scaled: Rule = _family(
    bessel_k_scaled,
    lambda x, y, n, order: third_kind_scaled(x, n=n, order=order + 1),
    positives,
    params=SCALED,
    domain="x > 0",
)


# ---- the user's functions


def _of(function: Any, rule: Rule, **params: Any) -> None:
    def call(builder: Builder, x: Any) -> Val:
        (value,) = settle([as_value(builder, x)])
        return emit(rule, widen(value), **params)

    registry.adaptor(function)(call)


for _n in (0, 1):
    for _letter, _rule in (("j", first_kind), ("y", second_kind), ("i", modified), ("k", third_kind)):
        _of(getattr(of_scipy.special, f"{_letter}{_n}"), _rule, n=_n)
    _of(getattr(of_scipy.special, f"i{_n}e"), modified_scaled, n=_n, order=0)
    _of(getattr(of_scipy.special, f"k{_n}e"), third_kind_scaled, n=_n, order=0)
_of(np.i0, modified, n=0)


def _of_order(function: Any, rule: Rule, odd_sign: int, **params: Any) -> None:
    """Of any integer order that is known when the function is transformed; those below 0 by symmetry."""
    name = f"scipy.special.{function.__name__}"

    def call(builder: Builder, v: Any, x: Any) -> Val:
        (value,) = settle([as_value(builder, x)])
        whole = arguments.number(v, f"the order of {name}")
        if whole != int(whole) or abs(whole) > 50:
            raise UnsupportedError(f"{name} is differentiated for integer orders up to 50")
        n = int(whole)
        got = emit(rule, widen(value), n=abs(n), **params)
        return -got if n < 0 and n % 2 and odd_sign < 0 else got

    registry.adaptor(function)(call)


_of_order(of_scipy.special.jv, first_kind, -1)
_of_order(of_scipy.special.yn, second_kind, -1)
_of_order(of_scipy.special.yv, second_kind, -1)
_of_order(of_scipy.special.iv, modified, 1)
_of_order(of_scipy.special.ive, modified_scaled, 1, order=0)
_of_order(of_scipy.special.kn, third_kind, 1)
_of_order(of_scipy.special.kv, third_kind, 1)
_of_order(of_scipy.special.kve, third_kind_scaled, 1, order=0)
