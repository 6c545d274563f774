"""Random numbers of a `np.random.Generator` that stands in the function's module: they are drawn from that very object.

Compiled code goes back to Python for each draw, so one of many numbers is cheaper than many of one.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.core.traits import Traits
from srcgrad.errors import UnsupportedError
from srcgrad.rules.language import arguments
from srcgrad.rules.language.declare import as_value, cast, static
from srcgrad.rules.language.values import Val, value_of

Call = Callable[..., Val]


def _object(module: str, name: str) -> Any:
    return getattr(sys.modules[module], name)


@functools.lru_cache(maxsize=512)
def _draw(module: str, name: str, method: str, dtype: str = "f8") -> ir.Primitive:
    """sys.modules[module].name.method(*its own arguments, lengths as one shape)"""

    def evaluate(*args: Any, rank: int) -> Any:
        own, shape = args[: len(args) - rank], args[len(args) - rank :]
        return getattr(_object(module, name), method)(*own, *((shape,) if rank else ()))

    def template(types: Sequence[ir.Type], params: dict[str, Any]) -> tuple[str, dict[str, str]]:
        rank = params["rank"]
        places = [f"_{k}" for k in range(len(types))]
        names = [f"a{k}" for k in range(len(types))]
        own, shape = names[: len(names) - rank], names[len(names) - rank :]
        size = [f"({', '.join(shape)},)"] if rank else []
        kind = np.dtype(dtype).name + (f"[{', '.join(':' * rank)}]" if rank else "")
        helper = f"_{name}_{method}" + (f"_{rank}" if rank else "")
        lines = [
            f"def {helper}({', '.join(names)}):",
            f"    with objmode(drawn={kind!r}):",
            f"        drawn = sys.modules[{module!r}].{name}.{method}({', '.join([*own, *size])})",
            "    return drawn",
        ]
        return f"{helper}({', '.join(places)})", {helper: "\n".join(lines) + "\n"}

    return ir.Primitive(
        f"{name}.{method}",
        lambda types, params: (ir.Type(dtype, params["rank"]),),
        evaluate,
        template,
        traits=Traits("draw"),
    )


def call_of(module: str, name: str, method: str) -> Call | None:
    """What emits a call of this method; None if it is not one of those below."""
    made = METHODS.get(method)
    return None if made is None else functools.partial(made, functools.partial(_draw, module, name))


def _drawn(builder: Builder, op: ir.Primitive, own: Sequence[Val], size: Any) -> Val:
    lengths = () if size is None else arguments.lengths(builder, size)
    return Val(builder, builder.draw(op, *(v.atom for v in (*own, *lengths)), rank=len(lengths)))


def _number(builder: Builder, value: Any) -> Val:
    given = as_value(builder, value)
    if not given.type.is_scalar or given.type.is_complex:
        raise UnsupportedError("a generator is given an array as a parameter", hint="give numbers, or draw in a loop")
    known = static(given)
    return as_value(builder, float(known.real)) if known is not None else cast(given, "f8")


def _scaled(drawn: Val, place: Val, width: Val) -> Val:
    out = drawn if static(width) == 1.0 else width * drawn
    return out if static(place) == 0.0 else place + out


def _fixed(method: str) -> Callable[..., Val]:
    def call(draw: Any, builder: Builder, size: Any = None) -> Val:
        return _drawn(builder, draw(method), (), size)

    return call


def _normal(draw: Any, builder: Builder, loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> Val:
    drawn = _drawn(builder, draw("standard_normal"), (), size)
    return _scaled(drawn, _number(builder, loc), _number(builder, scale))


def _uniform(draw: Any, builder: Builder, low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Val:
    first, last = _number(builder, low), _number(builder, high)
    return _scaled(_drawn(builder, draw("random"), (), size), first, last if static(first) == 0.0 else last - first)


def _exponential(draw: Any, builder: Builder, scale: Any = 1.0, size: Any = None) -> Val:
    drawn = _drawn(builder, draw("standard_exponential"), (), size)
    return _scaled(drawn, as_value(builder, 0.0), _number(builder, scale))


def _lognormal(draw: Any, builder: Builder, mean: Any = 0.0, sigma: Any = 1.0, size: Any = None) -> Val:
    return value_of(np.exp, builder, _normal(draw, builder, mean, sigma, size))


def _integers(draw: Any, builder: Builder, low: Any, high: Any = None, size: Any = None) -> Val:
    ends = [as_value(builder, v) for v in ((0, low) if high is None else (low, high))]
    if any(end.type != ir.I8 for end in ends):
        raise UnsupportedError("the bounds of a generator's integers must be integers", hint="write int(...)")
    return _drawn(builder, draw("integers", "i8"), ends, size)


METHODS: dict[str, Callable[..., Val]] = {
    "standard_normal": _fixed("standard_normal"), "random": _fixed("random"), "normal": _normal, "uniform": _uniform,
    "standard_exponential": _fixed("standard_exponential"), "exponential": _exponential, "lognormal": _lognormal,
    "integers": _integers,
}  # fmt: skip
