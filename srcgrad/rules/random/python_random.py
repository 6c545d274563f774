"""Random numbers of the module `random`: numbers one at a time, from a stream of its own."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.core.traits import Traits
from srcgrad.errors import UnsupportedError
from srcgrad.rules.language import registry
from srcgrad.rules.language.declare import as_value, cast, static
from srcgrad.rules.language.values import Val, value_of


def _draw(name: str, dtype: str = "f8") -> ir.Primitive:
    """random.name(*arguments)"""
    function = getattr(random, name)

    def template(types: Sequence[ir.Type], params: dict[str, Any]) -> str:
        return f"random.{name}({', '.join(f'_{k}' for k in range(len(types)))})"

    return ir.Primitive(
        f"random.{name}",
        lambda types, params: (ir.Type(dtype),),
        lambda *args, rank: function(*args),
        template,
        traits=Traits("draw"),
    )


def _drawn(builder: Builder, op: ir.Primitive, *own: Val) -> Val:
    return Val(builder, builder.draw(op, *(v.atom for v in own), rank=0))


def _number(builder: Builder, value: Any) -> Val:
    given = as_value(builder, value)
    if not given.type.is_scalar or given.type.is_complex:
        raise UnsupportedError("the functions of the module random take numbers", hint="use those of np.random")
    known = static(given)
    return as_value(builder, float(known.real)) if known is not None else cast(given, "f8")


def _whole(builder: Builder, value: Any) -> Val:
    given = as_value(builder, value)
    if given.type != ir.I8:
        raise UnsupportedError("random.randint and random.randrange take integers", hint="write int(...)")
    return given


UNIFORM, EXPONENTIAL = _draw("random"), _draw("expovariate")
RANDRANGE, RANDINT = _draw("randrange", "i8"), _draw("randint", "i8")


@registry.adaptor(random.random)
def _random(builder: Builder) -> Val:
    return _drawn(builder, UNIFORM)


@registry.adaptor(random.uniform)
def _uniform(builder: Builder, a: Any, b: Any) -> Val:
    low, high = _number(builder, a), _number(builder, b)
    return low + (high - low) * _drawn(builder, UNIFORM)


def _normal(name: str) -> None:
    op = _draw(name)

    @registry.adaptor(getattr(random, name))
    def call(builder: Builder, mu: Any = 0.0, sigma: Any = 1.0) -> Val:
        place, scale = _number(builder, mu), _number(builder, sigma)
        return place + scale * _drawn(builder, op, as_value(builder, 0.0), as_value(builder, 1.0))


_normal("gauss")
_normal("normalvariate")


@registry.adaptor(random.expovariate)
def _expovariate(builder: Builder, lambd: Any = 1.0) -> Val:
    return _drawn(builder, EXPONENTIAL, as_value(builder, 1.0)) / _number(builder, lambd)


@registry.adaptor(random.lognormvariate)
def _lognormvariate(builder: Builder, mu: Any = 0.0, sigma: Any = 1.0) -> Val:
    exponent = registry.FUNCTIONS[random.normalvariate](builder, mu, sigma)
    return value_of(np.exp, builder, exponent)


@registry.adaptor(random.randint)
def _randint(builder: Builder, a: Any, b: Any) -> Val:
    return _drawn(builder, RANDINT, _whole(builder, a), _whole(builder, b))


@registry.adaptor(random.randrange)
def _randrange(builder: Builder, start: Any, stop: Any = None, step: Any = None) -> Val:
    given = [_whole(builder, v) for v in (start, stop, step) if v is not None]
    return _drawn(builder, RANDRANGE, *given)


@registry.adaptor(random.seed)
def _seed(builder: Builder, a: Any = None) -> None:
    if a is None:
        raise UnsupportedError("random.seed is given no number", hint="compiled code needs one: random.seed(0)")
    builder.put(ir.Effect("random.seed(_0)", (_whole(builder, a).atom,), span=builder.span))
