"""Functions of `math` that take sequences: sums, products and distances of tuples, lists and arrays of one axis."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.errors import UnsupportedError
from srcgrad.numeric.sequences import fsum
from srcgrad.rules.language import arguments, registry
from srcgrad.rules.language.declare import as_value, cast, linear, only_ranks
from srcgrad.rules.language.runtime_text import sources
from srcgrad.rules.language.values import Val, contents, emit, value_of
from srcgrad.rules.reductions.sums import row
from srcgrad.rules.shapes.broadcast import Params, Types, spread_back


def _fsum_template(types: Types, params: Params) -> Any:
    return "np.float32(fsum(_0))" if types[0].dtype == "f4" else "fsum(_0)", sources(fsum)


fsum_ = linear(
    "fsum",
    (),
    transpose=lambda g, x: spread_back(g, x, (0,), False),
    template=_fsum_template,
    samples=[(row,)],
    infer=lambda types, params: (ir.Type(types[0].dtype),),
    evaluate=lambda x: math.fsum(x),
    without=only_ranks(1),
    takes_complex=False,
)


def _line(builder: Builder, x: Any, name: str) -> Val:
    value = arguments.array_value(builder, x, name)
    if value.type.rank != 1:
        raise UnsupportedError(f"{name} takes a tuple, a list or an array of one axis")
    return value


@registry.adaptor(math.fsum)
def _fsum(builder: Builder, x: Any) -> Val:
    value = _line(builder, x, "math.fsum")
    return emit(fsum_, value if value.type.is_complex else cast(value, "f8"))


@registry.adaptor(math.prod)
def _prod(builder: Builder, x: Any, start: Any = 1) -> Val:
    out = contents(as_value(builder, start))
    if not isinstance(x, (tuple, list)):
        product = value_of(np.prod, builder, _line(builder, x, "math.prod"))
        return product if getattr(out.atom, "value", None) == 1 else out * product
    for item in x:
        out = out * contents(as_value(builder, item))
    return out


@registry.adaptor(math.dist)
def _dist(builder: Builder, p: Any, q: Any) -> Val:
    if isinstance(p, (tuple, list)) and isinstance(q, (tuple, list)):
        if len(p) != len(q):
            raise UnsupportedError("math.dist takes two points of as many coordinates")
        pairs = [(contents(as_value(builder, a)), contents(as_value(builder, b))) for a, b in zip(p, q, strict=True)]
        return value_of(math.hypot, builder, *(a - b for a, b in pairs))
    apart = _line(builder, p, "math.dist") - _line(builder, q, "math.dist")
    return value_of(np.linalg.norm, builder, apart)


def _sumprod(builder: Builder, p: Any, q: Any) -> Val:
    return value_of(np.dot, builder, _line(builder, p, "math.sumprod"), _line(builder, q, "math.sumprod"))


if hasattr(math, "sumprod"):
    registry.adaptor(math.sumprod)(_sumprod)
