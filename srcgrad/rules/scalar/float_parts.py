"""sinc, mantissa and exponent, integers, and what is not finite replaced."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.core.traits import always
from srcgrad.errors import UnsupportedError
from srcgrad.numeric import elementary, integers
from srcgrad.rules.language import registry
from srcgrad.rules.language.declare import Rule, as_value, cast, elementwise, promote, settle, zero
from srcgrad.rules.language.over_elements import written_out
from srcgrad.rules.language.runtime_text import sources
from srcgrad.rules.language.values import Val, contents, emit, value_of
from srcgrad.rules.scalar.compare import equal, isnan, where

reals = [(0.7,), (-1.3,), (2.0,)]

# ---- sinc


def _sinc_template(types: tuple[ir.Type, ...], params: dict[str, Any]) -> str:
    return f"sinc_derivative{'_array' if types[0].rank else ''}(_0, {params['order']})"


def _sinc_evaluate(x: Any, order: int) -> Any:
    return np.vectorize(elementary.sinc_derivative, otypes=[float])(x, order).astype(np.asarray(x).dtype)[()]


sinc_derivative: Rule = elementwise(
    "sinc_derivative",
    (),
    evaluate=_sinc_evaluate,
    scalar=_sinc_template,
    wide=True,
    partials=lambda x, y, order: (sinc_derivative(x, order=order + 1),),
    samples=[*reals, (0.01,), (7.3,)],
    params=({"order": 1}, {"order": 2}),
    helpers=sources(elementary.sinc_derivative, elementary.sinc_derivative_array),
)
sinc = elementwise(
    "sinc",
    (np.sinc,),
    partials=lambda x, y: (sinc_derivative(x, order=1),),
    samples=[*reals, (0.0,)],
    scalar="np.sinc(_0)",
    wide=True,
)


# ---- mantissa and exponent


def _scaled_infer(types: tuple[ir.Type, ...], params: dict[str, Any]) -> tuple[ir.Type, ...]:
    return (promote(types[:1], "float"),)


ldexp: Rule = elementwise(
    "ldexp",
    (math.ldexp, np.ldexp),
    evaluate=np.ldexp,
    partials=lambda x, n, y: (lambda g: ldexp(g, n), None),
    infer=_scaled_infer,
    samples=[(0.7, 3), (-1.3, -2)],
    as_is=(1,),
)


def _exponents_template(types: tuple[ir.Type, ...], params: dict[str, Any]) -> Any:
    rank = types[0].rank
    if not rank:
        return "np.int64(math.frexp(_0)[1])"
    return written_out(elementary.binary_exponents, types, f"binary_exponents_{rank}")


binary_exponent = zero(
    "binary_exponent",
    (),
    evaluate=lambda x: np.int64(np.frexp(x)[1]),
    template=_exponents_template,
    result="int",
    samples=[(0.7,), (40.0,)],
)


@registry.adaptor(math.frexp, np.frexp)
def _frexp(builder: Builder, x: Any) -> tuple[Val, Val]:
    (value,) = settle([contents(as_value(builder, x))])
    value = value if value.type.is_float else cast(value, "f8")
    exponent = emit(binary_exponent, value)
    return emit(ldexp, value, -exponent), exponent


# ---- integers

isqrt = zero(
    "isqrt",
    (math.isqrt,),
    may_raise=always,
    scalar="isqrt(_0)",
    helpers=sources(integers.isqrt),
    result="int",
    samples=[(0,), (17,)],
)
factorial = zero(
    "factorial",
    (math.factorial,),
    may_raise=always,
    scalar="factorial(_0)",
    helpers=sources(integers.factorial),
    result="int",
    samples=[(0,), (5,)],
)


zero(
    "comb",
    (math.comb,),
    may_raise=always,
    scalar="comb(_0, _1)",
    helpers=sources(integers.comb),
    result="int",
    samples=[(5, 2), (0, 0), (3, 4)],
)
_perm = zero(
    "perm",
    (),
    may_raise=always,
    evaluate=math.perm,
    scalar="perm(_0, _1)",
    helpers=sources(integers.perm),
    result="int",
    samples=[(5, 2), (4, 0), (3, 4)],
    scalars=True,
)


@registry.adaptor(math.perm)
def _of_places(builder: Builder, n: Any, k: Any = None) -> Val:
    if k is None:
        return value_of(math.factorial, builder, n)
    return emit(_perm, as_value(builder, n), as_value(builder, k))


gcd = zero("gcd", (np.gcd, math.gcd), scalar="np.gcd(_0, _1)", result="same", samples=[(12, 18), (-4, 6)])
lcm = zero("lcm", (np.lcm, math.lcm), scalar="np.lcm(_0, _1)", result="same", samples=[(4, 6)])


# ---- what is not finite replaced


@registry.adaptor(np.nan_to_num)
def _nan_to_num(
    builder: Builder, x: Any, copy: Any = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None
) -> Val:
    (value,) = settle([as_value(builder, x)])
    if value.type.dtype[0] != "f":
        return value
    limits = np.finfo(value.type.dtype)
    high = float(limits.max) if posinf is None else posinf
    low = float(limits.min) if neginf is None else neginf
    if isinstance(copy, Val) and not getattr(copy.atom, "value", False):
        raise UnsupportedError("np.nan_to_num is differentiated with copy=True only", hint="x = np.nan_to_num(x)")
    value = where(isnan(value), nan, value)
    value = where(equal(value, math.inf), high, value)
    return where(equal(value, -math.inf), low, value)
