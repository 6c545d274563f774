"""+ - * / ** // % and the rest of Python's arithmetic."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.numeric import elementary
from srcgrad.rules.language import promotion, registry
from srcgrad.rules.language.declare import Edge, as_value, cast, elementwise, settle, zero
from srcgrad.rules.language.runtime_text import sources
from srcgrad.rules.language.values import Val, emit
from srcgrad.rules.scalar.rounding import rint

reals = [(0.7,), (-1.3,), (2.0,)]
pairs = [(0.7, 1.9), (-1.3, 0.4), (2.0, -3.0)]

add = elementwise(
    "add",
    (np.add, operator.add, operator.iadd),
    arithmetic=True,
    folds=True,
    commutative=True,
    effort="least",
    constant_slope=True,
    straight=True,
    partials=lambda a, b, y: (1, 1),
    samples=pairs,
    scalar="_0 + _1",
    result="number",
    takes_complex=True,
)
subtract = elementwise(
    "subtract",
    (np.subtract, operator.sub, operator.isub),
    arithmetic=True,
    folds=True,
    effort="least",
    constant_slope=True,
    straight=True,
    partials=lambda a, b, y: (1, -1),
    samples=pairs,
    scalar="_0 - _1",
    result="number",
    takes_complex=True,
)
multiply = elementwise(
    "multiply",
    (np.multiply, operator.mul, operator.imul),
    arithmetic=True,
    folds=True,
    commutative=True,
    effort="least",
    straight=True,
    partials=lambda a, b, y: (b, a),
    samples=pairs,
    scalar="_0 * _1",
    result="number",
    takes_complex=True,
)
divide = elementwise(
    "divide",
    (np.divide, operator.truediv, operator.itruediv),
    arithmetic=True,
    effort="little",
    straight=True,
    steep=lambda args, params: isinstance(args[1], ir.Var),
    partials=lambda a, b, y: (lambda g: g / b, -y / b),
    samples=pairs,
    scalar="_0 / _1",
    takes_complex=True,
)
negative = elementwise(
    "negative",
    (np.negative, operator.neg),
    arithmetic=True,
    folds=True,
    effort="least",
    constant_slope=True,
    straight=True,
    partials=lambda x, y: (-1,),
    samples=reals,
    scalar="-_0",
    result="number",
    takes_complex=True,
)

floor_divide = zero(
    "floor_divide",
    (np.floor_divide, operator.floordiv, operator.ifloordiv),
    arithmetic=True,
    scalar="_0 // _1",
    result="small",
    samples=[*pairs, (7, -2)],
)
remainder = elementwise(
    "remainder",
    (np.remainder, operator.mod, operator.imod),
    arithmetic=True,
    partials=lambda a, b, y: (1, -floor_divide(a, b)),
    samples=[*pairs, (-7.5, 2.0)],
    scalar="_0 % _1",
    result="small",
)


# ---- with the sign of the dividend, or nearest to it


def _ratio_partials(a: Val, b: Val, y: Val) -> tuple[Any, ...]:
    """Of a - n*b with n constant: n is (a - y) / b but for rounding."""
    return 1, -rint((a - y) / b)


def _fmod_template(types: tuple[ir.Type, ...], params: dict[str, Any]) -> str:
    """Of integers Numba's own has the sign of the divisor."""
    if any(t.dtype[0] == "f" for t in types):
        return "np.fmod(_0, _1)"
    if any(t.rank for t in types):
        return "_0 % _1 - np.where((_0 % _1 != 0) & ((_0 < 0) != (_1 < 0)), _1, 0)"
    return "_0 % _1 - (_1 if _0 % _1 != 0 and (_0 < 0) != (_1 < 0) else 0)"


fmod = elementwise(
    "fmod",
    (np.fmod, math.fmod),
    partials=_ratio_partials,
    samples=[*pairs, (-7.5, 2.0)],
    scalar=_fmod_template,
    result="small",
)


def _ieee_remainder(x: Any, y: Any) -> Any:
    bad = not np.isfinite(x) or np.isnan(y) or y == 0
    return np.result_type(x, y).type(np.nan if bad else math.remainder(x, y))


ieee_remainder = elementwise(
    "ieee_remainder",
    (math.remainder,),
    partials=_ratio_partials,
    samples=[(0.7, 1.9), (7.5, 2.0), (-1.3, 0.4)],
    edges=[Edge((975.6499999999999, 1.9), (1.0, -513.0))],  # whose quotient rounds to a half
    evaluate=_ieee_remainder,
    scalar="ieee_remainder(_0, _1)",
    helpers=sources(elementary.ieee_remainder),
    wide=True,
)


@registry.adaptor(divmod, np.divmod)
def _divmod(builder: Builder, a: Any, b: Any) -> tuple[Val, Val]:
    a, b = settle([as_value(builder, x) for x in (a, b)])
    promotion.check("floor_divide", (a, b), exact=True)
    return emit(floor_divide, a, b), emit(remainder, a, b)


@registry.adaptor(operator.pos, np.positive)
def _positive(builder: Builder, x: Any) -> Val:
    (x,) = settle([as_value(builder, x)])
    promotion.check("positive", [x])
    return cast(x, "i8") if x.type == ir.B1 else x


# ---- integers and bits


def _bits_template(word: str, sign: str) -> Any:
    def template(types: tuple[ir.Type, ...], params: dict[str, Any]) -> str:
        return f"_0 {word} _1" if word and types == (ir.B1, ir.B1) else f"_0 {sign} _1"

    return template


def _bits(name: str, functions: tuple[Any, ...], word: str, sign: str) -> Any:
    return zero(name, functions, scalar=_bits_template(word, sign), result="same", samples=[(6, 3), (True, False)])


bitwise_and = _bits("bitwise_and", (np.bitwise_and, operator.and_, operator.iand), "and", "&")
bitwise_or = _bits("bitwise_or", (np.bitwise_or, operator.or_, operator.ior), "or", "|")
bitwise_xor = _bits("bitwise_xor", (np.bitwise_xor, operator.xor, operator.ixor), "", "^")
left_shift = zero("left_shift", (np.left_shift, operator.lshift), scalar="_0 << _1", result="small", samples=[(6, 3)])
right_shift = zero(
    "right_shift", (np.right_shift, operator.rshift), scalar="_0 >> _1", result="small", samples=[(6, 1)]
)
invert = zero("invert", (np.invert, operator.invert), scalar="~_0", result="same", samples=[(6,)])

Val.operators.update(add=add, subtract=subtract, multiply=multiply, divide=divide, negative=negative)
