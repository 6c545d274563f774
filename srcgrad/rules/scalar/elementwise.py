"""The functions of `math` and NumPy's ufuncs that act on each element.

Partials keep their relative accuracy in the tails: `1 - tanh(x)**2` and its like round to zero there and are not used.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from srcgrad.core.build import Builder
from srcgrad.core.traits import Slope, always
from srcgrad.errors import UnsupportedError
from srcgrad.numeric import elementary
from srcgrad.rules.language import of_scipy, registry
from srcgrad.rules.language.declare import (
    Edge,
    Rule,
    as_value,
    cast,
    elementwise,
    promote,
    settle,
    static,
    widened,
    zero,
)
from srcgrad.rules.language.runtime_text import sources
from srcgrad.rules.language.values import Val, emit
from srcgrad.rules.scalar.compare import isnan, not_equal, where
from srcgrad.rules.scalar.rounding import trunc

reals = [(0.7,), (-1.3,), (2.0,)]
positives = [(0.7,), (1.3,), (30.0,)]
inside = [(0.7,), (-0.3,), (0.99,)]  # of (-1, 1)
pairs = [(0.7, 1.9), (-1.3, 0.4), (2.0, -3.0)]


# ---- exponentials and logarithms

exp = elementwise(
    "exp",
    (np.exp, math.exp),
    slope=Slope.FLAT | Slope.EXPONENTIAL | Slope.GROWING,
    partials=lambda x, y: (y,),
    samples=reals,
    takes_complex=True,
)
exp2 = elementwise(
    "exp2",
    (np.exp2, *([math.exp2] if hasattr(math, "exp2") else [])),
    slope=Slope.FLAT | Slope.EXPONENTIAL | Slope.GROWING,
    scalar="np.exp2(_0)",
    partials=lambda x, y: (log(y.lift(2.0)) * y,),
    samples=reals,
    takes_complex=True,
)
expm1 = elementwise(
    "expm1",
    (np.expm1, math.expm1),
    slope=Slope.FLAT | Slope.EXPONENTIAL | Slope.GROWING,
    partials=lambda x, y: (exp(x),),
    samples=reals,
    takes_complex=True,
)
log: Rule = elementwise(
    "log",
    (np.log, math.log),
    slope=Slope.LOGARITHM,
    partials=lambda x, y: (lambda g: g / x,),
    samples=positives,
    takes_complex=True,
    domain="x > 0",
    edges=[Edge((0.0,), (math.inf,))],
)
log2 = elementwise(
    "log2",
    (np.log2, math.log2),
    slope=Slope.LOGARITHM,
    partials=lambda x, y: (1.0 / (log(y.lift(2.0)) * x),),
    domain="x > 0",
    samples=positives,
    takes_complex=True,
)
log10 = elementwise(
    "log10",
    (np.log10, math.log10),
    slope=Slope.LOGARITHM,
    partials=lambda x, y: (1.0 / (log(y.lift(10.0)) * x),),
    domain="x > 0",
    samples=positives,
    takes_complex=True,
)
log1p = elementwise(
    "log1p",
    (np.log1p, math.log1p),
    slope=Slope.LOGARITHM,
    partials=lambda x, y: (1.0 / (1.0 + x),),
    samples=inside,
    takes_complex=True,
    domain="x > -1",
    edges=[Edge((-1.0,), (math.inf,))],
)


@registry.adaptor(math.log)
def _log(builder: Builder, x: Any, base: Any = None) -> Val:
    """math.log(x, base) as in Python: log(x) / log(base)."""
    value = registry.FUNCTIONS[math.log10](builder, x) if static(base) == 10 else _natural(builder, x)
    return value if base is None or static(base) == 10 else value / _natural(builder, base)


def _natural(builder: Builder, x: Any) -> Val:
    (value,) = settle([as_value(builder, x)])
    if value.type.rank:
        raise UnsupportedError("math.log takes scalars, not arrays; for arrays use np.log")
    return log(value)


# ---- roots and squares

sqrt = elementwise(
    "sqrt",
    (np.sqrt, math.sqrt),
    slope=Slope.ROOT | Slope.SQUARE_ROOT,
    partials=lambda x, y: (0.5 / y,),
    samples=positives,
    takes_complex=True,
    domain="x >= 0",
    edges=[Edge((0.0,), (math.inf,))],
)
cbrt = elementwise(
    "cbrt",
    (np.cbrt, *([math.cbrt] if hasattr(math, "cbrt") else [])),
    slope=Slope.ROOT,
    steep=always,
    scalar="np.cbrt(_0)",
    partials=lambda x, y: (1.0 / (3.0 * y**2),),
    samples=reals,
    edges=[Edge((0.0,), (math.inf,))],
)
square = elementwise(
    "square",
    (np.square,),
    effort="least",
    partials=lambda x, y: (2.0 * x,),
    samples=reals,
    result="small",
    takes_complex=True,
)


@registry.adaptor(np.reciprocal)
def _reciprocal(builder: Builder, x: Any) -> Val:
    (value,) = settle([as_value(builder, x)])
    if value.type.dtype[0] != "f":
        raise UnsupportedError("np.reciprocal of integers divides as integers; make the argument a float")
    return 1.0 / value


def _guarded(size: Val) -> Val:
    """A divisor: 1 where size is 0, so that what is divided stays 0 there."""
    return where(not_equal(size, 0.0), size, size.lift(1.0))


def _hypot_partials(a: Val, b: Val, y: Val) -> tuple[Val, Val]:
    size = _guarded(y)
    return a / size, b / size


hypot = elementwise(
    "hypot",
    (np.hypot, math.hypot),
    partials=_hypot_partials,
    samples=pairs,
    edges=[Edge((0.0, 0.0), (0.0, 0.0))],
)


@registry.adaptor(math.hypot)
def _hypot(builder: Builder, *coordinates: Any) -> Val:
    values = settle([as_value(builder, c) for c in coordinates])
    if any(v.type.rank for v in values):
        raise UnsupportedError("math.hypot takes scalars, not arrays; for arrays use np.hypot or np.linalg.norm")
    if not values:
        return as_value(builder, 0.0)
    out = values[0] if len(values) > 1 else absolute(values[0])
    for value in values[1:]:
        out = hypot(out, value)
    return out


# ---- circular

sin = elementwise("sin", (np.sin, math.sin), partials=lambda x, y: (cos(x),), samples=reals, takes_complex=True)
cos: Rule = elementwise("cos", (np.cos, math.cos), partials=lambda x, y: (-sin(x),), samples=reals, takes_complex=True)
tan = elementwise("tan", (np.tan, math.tan), partials=lambda x, y: (1.0 + y**2,), samples=reals, takes_complex=True)


def _one_minus_square(x: Any) -> Any:
    return (1 - x) * (1 + x)


# 1 - x*x, exact near the ends, and its derivative near 0
one_minus_square = elementwise(
    "one_minus_square",
    (),
    evaluate=_one_minus_square,
    scalar="(1.0 - _0) * (1.0 + _0)",
    result="number",
    wide=True,
    partials=lambda x, y: (-2.0 * x,),
    samples=inside,
    takes_complex=True,
)


def _circle(x: Val) -> Val:
    """sqrt(1 - x*x)"""
    return sqrt(one_minus_square(x))


arcsin = elementwise(
    "arcsin",
    (np.arcsin, math.asin),
    slope=Slope.ROOT | Slope.SQUARE_ROOT,
    partials=lambda x, y: (1.0 / _circle(x),),
    samples=inside,
    takes_complex=True,
    domain="-1 <= x <= 1",
    edges=[Edge((1.0,), (math.inf,))],
)
arccos = elementwise(
    "arccos",
    (np.arccos, math.acos),
    slope=Slope.ROOT | Slope.SQUARE_ROOT,
    partials=lambda x, y: (-1.0 / _circle(x),),
    samples=inside,
    takes_complex=True,
    domain="-1 <= x <= 1",
    edges=[Edge((1.0,), (-math.inf,))],
)
arctan = elementwise(
    "arctan",
    (np.arctan, math.atan),
    slope=Slope.FLATTER,
    partials=lambda x, y: (1.0 / (1.0 + x**2),),
    samples=reals,
    takes_complex=True,
)


def _arctan2_partials(y: Val, x: Val, angle: Val) -> tuple[Val, Val]:
    r = hypot(y, x)
    at_all = not_equal(r, 0.0)
    return where(at_all, x / r / r, r.lift(0.0)), where(at_all, -y / r / r, r.lift(0.0))


arctan2 = elementwise(
    "arctan2",
    (np.arctan2, math.atan2),
    partials=_arctan2_partials,
    samples=pairs,
    edges=[Edge((0.0, 0.0), (0.0, 0.0))],
)
degrees = elementwise(
    "degrees", (np.degrees, np.rad2deg, math.degrees), partials=lambda x, y: (180.0 / math.pi,), samples=reals
)
radians = elementwise(
    "radians", (np.radians, np.deg2rad, math.radians), partials=lambda x, y: (math.pi / 180.0,), samples=reals
)


# ---- hyperbolic

sinh = elementwise(
    "sinh",
    (np.sinh, math.sinh),
    slope=Slope.GROWING,
    partials=lambda x, y: (cosh(x),),
    samples=reals,
    takes_complex=True,
)
cosh: Rule = elementwise(
    "cosh",
    (np.cosh, math.cosh),
    slope=Slope.GROWING,
    partials=lambda x, y: (sinh(x),),
    samples=reals,
    takes_complex=True,
)


def _tanh_partials(x: Val, y: Val) -> tuple[Val]:
    """sech(x)**2; of a complex number, by the result."""
    return ((1.0 - y) * (1.0 + y) if x.type.is_complex else sech(x) ** 2,)


tanh = elementwise(
    "tanh",
    (np.tanh, math.tanh),
    slope=Slope.FLAT,
    partials=_tanh_partials,
    samples=[*reals, (-20.0,)],
    takes_complex=True,
)
sech: Rule = elementwise(
    "sech",
    (),
    slope=Slope.FLAT,
    evaluate=lambda x: 1 / np.cosh(x),
    partials=lambda x, y: (-y * tanh(x),),
    samples=reals,
    scalar="1.0 / math.cosh(_0)",
    array="1.0 / np.cosh(_0)",
    wide=True,
)


def _arcsinh_partials(x: Val, y: Val) -> tuple[Val]:
    return (1.0 / (sqrt(x * x + 1.0) if x.type.is_complex else hypot(x, x.lift(1.0))),)


arcsinh = elementwise(
    "arcsinh", (np.arcsinh, math.asinh), partials=_arcsinh_partials, samples=reals, takes_complex=True
)
arccosh = elementwise(
    "arccosh",
    (np.arccosh, math.acosh),
    slope=Slope.ROOT | Slope.SQUARE_ROOT,
    samples=[(1.3,), (1.05,), (30.0,)],
    partials=lambda x, y: (1.0 / (sqrt(x - 1.0) * sqrt(x + 1.0)),),
    takes_complex=True,
    domain="x >= 1",
    edges=[Edge((1.0,), (math.inf,))],
)
arctanh = elementwise(
    "arctanh",
    (np.arctanh, math.atanh),
    slope=Slope.LOGARITHM,
    partials=lambda x, y: (1.0 / one_minus_square(x),),
    samples=inside,
    takes_complex=True,
    domain="-1 < x < 1",
    edges=[Edge((1.0,), (math.inf,))],
)


# ---- sigmoid, and the logarithm of a sum of exponentials


def _sigmoid(x: Any) -> Any:
    tail = np.exp(-np.abs(x))
    return np.where(np.asarray(x) >= 0, 1, tail).astype(tail.dtype)[()] / (1 + tail)


sigmoid: Rule = elementwise(
    "sigmoid",
    (of_scipy.special.expit,),
    slope=Slope.FLAT,
    evaluate=_sigmoid,
    partials=lambda x, y: (y * sigmoid(-x),),
    samples=[*reals, (-40.0,), (40.0,)],
    scalar="sigmoid(_0)",
    array="sigmoid_array(_0)",
    wide=True,
    helpers=sources(elementary.sigmoid, elementary.sigmoid_array),
)


def _difference(a: Val, b: Val) -> Val:
    """a - b, and 0 for two infinities of one sign."""
    d = a - b
    return where(isnan(d), d.lift(0.0), d)


of_infinities = [
    Edge((-math.inf, -math.inf), (0.5, 0.5)),
    Edge((math.inf, math.inf), (0.5, 0.5)),
    Edge((-math.inf, 3.0), (0.0, 1.0)),
]


def _logaddexp_partials(a: Val, b: Val, y: Val) -> tuple[Val, Val]:
    d = _difference(a, b)
    return sigmoid(d), sigmoid(-d)


def _logaddexp2_partials(a: Val, b: Val, y: Val) -> tuple[Val, Val]:
    d = _difference(a, b) * math.log(2.0)
    return sigmoid(d), sigmoid(-d)


logaddexp = elementwise(
    "logaddexp",
    (np.logaddexp,),
    slope=Slope.FLAT,
    partials=_logaddexp_partials,
    samples=[*pairs, (-3.0, 40.0)],
    edges=of_infinities,
)
logaddexp2 = elementwise(
    "logaddexp2",
    (np.logaddexp2,),
    slope=Slope.FLAT,
    partials=_logaddexp2_partials,
    samples=pairs,
    edges=of_infinities,
)


# ---- size and sign


def _absolute_template(types: tuple[Any, ...], params: dict[str, Any]) -> str:
    return "np.abs(_0)" if types[0].rank else "abs(_0)"


def _sign_template(types: tuple[Any, ...], params: dict[str, Any]) -> str:
    """Of unsigned integers Numba's own is their largest number."""
    unsigned = types[0].rank and types[0].dtype[0] == "u"
    return f"(_0 > 0).astype(np.{np.dtype(types[0].dtype).name})" if unsigned else "np.sign(_0)"


sign = zero("sign", (np.sign,), scalar=_sign_template, result="same", samples=[*reals, (0.0,)])
absolute = elementwise(
    "absolute",
    (np.absolute, abs),
    effort="little",
    is_size=True,
    partials=lambda x, y: (sign(x),),
    samples=reals,
    scalar=_absolute_template,
    result="number",
    edges=[Edge((0.0,), (0.0,), (0.0,))],
)
fabs = elementwise(
    "fabs",
    (np.fabs, math.fabs),
    is_size=True,
    partials=lambda x, y: (sign(x),),
    samples=reals,
    edges=[Edge((0.0,), (0.0,), (0.0,))],
)
copysign: Rule = elementwise(
    "copysign",
    (np.copysign, math.copysign),
    samples=pairs,
    partials=lambda x, s, y: (sign(x) * copysign(y.lift(1.0), s), None),
    edges=[Edge((0.0, -1.0), (0.0, 0.0))],
)


@registry.adaptor(np.heaviside)
def _heaviside(builder: Builder, x: Any, at_zero: Any) -> Val:
    values = settle([as_value(builder, v) for v in (x, at_zero)])
    kind = promote([v.type for v in widened(values)], "float").dtype
    x, at_zero = (cast(v, kind) for v in values)
    if x.type.is_complex or at_zero.type.is_complex:
        raise UnsupportedError("np.heaviside takes no complex numbers; take real or imaginary parts")
    step = where(not_equal(x, 0.0), 0.5 * (sign(x) + 1.0), at_zero)
    return step


@registry.adaptor(math.modf, np.modf)
def _modf(builder: Builder, x: Any) -> tuple[Val, Val]:
    (value,) = settle([as_value(builder, x)])
    whole = emit(trunc, value)
    return value - whole, whole
