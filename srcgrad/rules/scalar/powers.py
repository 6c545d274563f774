"""Powers: the derivative at 0, of negative bases and of integer exponents is right to any order."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.core.traits import Slope
from srcgrad.errors import UnsupportedError
from srcgrad.numeric import integers
from srcgrad.rules.language import promotion, registry
from srcgrad.rules.language.declare import Edge, Literal, as_value, cast, elementwise, settle, static
from srcgrad.rules.language.runtime_text import sources
from srcgrad.rules.language.values import Val, contents, emit
from srcgrad.rules.scalar.compare import logical_or, not_equal, where
from srcgrad.rules.scalar.elementwise import log


def _power_template(types: tuple[ir.Type, ...], params: dict[str, Any]) -> str:
    if _may_raise(types, params):
        return "int_power_array(_0, _1)" if types[1].rank else "int_power(_0, _1)"
    return "_0 ** _1"


def _may_raise(types: Sequence[ir.Type], params: Mapping[str, Any]) -> bool:
    return all(t.dtype[0] in "iub" for t in types) and not params.get("checked")


def _steep(args: Sequence[ir.Atom], params: Mapping[str, Any]) -> bool:
    """At 0, or of negative numbers."""
    n = args[1].value.real if isinstance(args[1], ir.Const) else -1.0
    return not (n >= 0 and float(n).is_integer())


def _power_partials(a: Val, b: Val, y: Val, checked: bool = False) -> tuple[Any, Any]:
    n = static(b)
    if n is not None:
        return _base_partial_of_constant(a, b, n), None
    if b.type.dtype[0] in "iub":
        # The exponent 0 in place of -1 where n is 0: the factor n makes the partial 0, at a == 0 too, to any order.
        return b * power(a, where(not_equal(b, 0), b - 1, 0)), None
    safe = b - 1.0
    if static(a) is None:
        safe = where(logical_or(not_equal(a, 0.0), not_equal(b, 0.0)), safe, b.lift(0.0))
    return b * power(a, safe), _exponent_partial(a, y)


def _base_partial_of_constant(a: Val, b: Val, n: Any) -> Any:
    if n == 0:
        return None
    if n == 1:
        return 1
    factor = a.lift(float(n)) if a.type.is_float else Val(a.builder, ir.Const(float(n), ir.F8))
    if n == 2:
        return factor * a
    return factor * power(a, Val(b.builder, ir.Const(n - 1, b.type)))


def _exponent_partial(a: Val, y: Val) -> Val | None:
    """y * log(a), and 0 where a is (y is 0 there, but for exponents <= 0)."""
    base = static(a)
    if base == 0:
        return None
    if base is not None:
        return y * log(_as_dtype(a, y))
    a = _as_dtype(a, y)
    return y * log(where(not_equal(a, 0.0), a, a.lift(1.0)))


def _as_dtype(value: Val, like: Val) -> Val:
    """An integer in the precision of like; literals at once."""
    if value.type.dtype == like.type.dtype:
        return value
    number = static(value)
    if number is not None and not isinstance(number, complex):
        return Val(value.builder, ir.Const(float(number), ir.Type(like.type.dtype)))
    return cast(value, like.type.dtype)


power = elementwise(
    "power", (np.power,), arithmetic=True, steep=_steep, slope=Slope.ROOT, may_raise=_may_raise,
    partials=_power_partials, scalar=_power_template, result="small", as_is=(1,),
    samples=[
        (0.7, 1.9), (2.0, -3.0), (1.3, 2.0), (2.5, 0.5), (-0.7, 3), (1.3, -2), (2, 1.5),
        *((-1.3, Literal(n)) for n in (0, 1, 2, 3, -1, 2.0)), (0.7, Literal(2.5)),
        (Literal(2), 0.7), (Literal(0.3), -0.7), (Literal(0.0), 1.3),
    ],
    domain="a**b: b whole where a < 0", ties="at a = 0: by a 0 for b = 0 and b > 1, 1 for b = 1; by b 0",
    edges=[
        Edge((0.0, 2.0), (0.0, 0.0)), Edge((0.0, 1.0), (1.0, 0.0)), Edge((0.0, 0.5), (math.inf, 0.0)),
        Edge((0.0, 0.0), (0.0, 0.0)), Edge((-2.0, 3.0), (12.0, math.nan)), Edge((0.0, 0), (0.0,), (0.0,)),
        Edge((0.0, 1), (1.0,), (0.0,)), Edge((0.0, 2), (0.0,), (2.0,)), Edge((0.0, Literal(2)), (0.0,), (2.0,)),
    ],
    helpers=sources(integers.int_power, integers.int_power_array),
    evaluate=lambda a, b, checked=False: np.power(a, b), takes_complex=True,
)  # fmt: skip


def _power(builder: Builder, *args: Any) -> Val:
    """a ** b. A negative literal exponent makes a float of an integer base, as in Python; one >= 0 needs no check."""
    if len(args) != 2:
        raise UnsupportedError("pow with a modulus is not differentiated; write pow(a, b) % c")
    a, b = settle([as_value(builder, x) for x in args])
    n = static(b)
    whole = a.type.dtype[0] in "iub" and b.type.dtype[0] in "iub"
    promotion.check("power", (a, b), exact=True)
    if whole and b.type.rank:
        _expect_nonnegative(builder, b)
        return emit(power, a, b, checked=True)
    if not whole or not isinstance(n, (int, float)):
        return emit(power, a, b)
    if n < 0 and a.type.rank:
        raise UnsupportedError("an array of integers to a negative power; NumPy refuses it: use floats, 1.0 / a")
    if n < 0:
        return emit(power, cast(a, "f8"), b)
    if a.type.dtype == "b1" and a.type.rank and n == 2:
        a = cast(a, "i1")  # NumPy squares
    return emit(power, a, b, checked=True)


def _expect_nonnegative(builder: Builder, exponents: Val) -> None:
    negative = registry.FUNCTIONS[np.any](builder, registry.FUNCTIONS[np.less](builder, exponents, 0))
    raising = ir.Effect("raise PowerError('an integer is raised to a negative power')", span=builder.span)
    builder.put(ir.If(negative.atom, (raising,), (), span=builder.span))


registry.adaptor(np.power, operator.pow, operator.ipow, pow)(_power)


@registry.adaptor(math.pow)
def _float_power(builder: Builder, a: Any, b: Any) -> Val:
    a, b = settle([as_value(builder, x) for x in (a, b)])
    return emit(power, _float(a), _float(b))


@registry.adaptor(np.float_power)
def _double_power(builder: Builder, a: Any, b: Any) -> Val:
    """In double precision, whatever comes in."""
    values = [as_value(builder, x) for x in (a, b)]
    kinds = ["c16" if v.type.is_complex else "f8" for v in values]
    return emit(power, *(cast(contents(v), kind) for v, kind in zip(values, kinds, strict=True)))


def _float(value: Val) -> Val:
    return value if value.type.is_float else cast(value, "f8")


Val.operators.update(power=power)
