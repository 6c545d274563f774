"""Evenly spaced numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.errors import UnsupportedError
from srcgrad.rules.language import arguments, registry
from srcgrad.rules.language.declare import Duals, as_value, cast, general, settle, static, zero
from srcgrad.rules.language.values import Val, contents, emit
from srcgrad.rules.reductions.sums import total
from srcgrad.rules.shapes.broadcast import Params, Types
from srcgrad.rules.shapes.shape import length

# ---- arange


spaced = zero(
    "arange",
    (),
    infer=lambda types, params: (ir.Type("i8", 1),),
    evaluate=lambda *given: np.arange(*given, dtype="i8"),
    template=lambda types, params: f"np.arange({', '.join(f'_{k}' for k in range(len(types)))})",
    samples=[(3,), (1, 4), (5, 0, -2)],
    elementwise=False,
)


def _steps(y: Val) -> Val:
    """0, 1, 2 ... as many as y has, in y's dtype."""
    return cast(spaced(length(y, 0)), y.type.dtype)


def _float_range_template(types: Types, params: Params) -> str:
    code = "np.arange(_0, _1, _2)"
    return code if types[0].dtype == "f8" else f"{code}.astype(np.float32)"


def _float_range_jvp(dots: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    start, _, step = dots
    (y,) = outs
    if start is None and step is None:
        return [None]
    slope = None if step is None else _steps(y) * step
    level = None if start is None else registry.PRIMITIVES["broadcast_like"]
    base = None if level is None or start is None else emit(level, start, y)
    return [slope if base is None else base if slope is None else slope + base]


def _float_range_vjp(bars: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (g,), (y,) = bars, outs
    return [None, None, None] if g is None else [total(g), None, total(g * _steps(y))]


float_range = general(
    "float_arange",
    (),
    jvp=_float_range_jvp,
    vjp=_float_range_vjp,
    template=_float_range_template,
    infer=lambda types, params: (ir.Type(types[0].dtype, 1),),
    evaluate=lambda a, b, c: np.arange(a, b, c, dtype=np.asarray(a).dtype),
    samples=[(0.5, 2.3, 0.4), (1.0, -1.1, -0.5)],
)


@registry.adaptor(np.arange)
def _arange(builder: Builder, *given: Any, dtype: Any = None, **options: Any) -> Val:
    named = [options.pop(k) for k in ("start", "stop", "step") if k in options]
    arguments.no_options(options, "np.arange")
    values = settle([as_value(builder, v) for v in (*given, *named)])
    if not 1 <= len(values) <= 3 or any(v.type.rank for v in values):
        raise UnsupportedError("np.arange takes one to three numbers")
    if all(v.type.dtype == "i8" for v in values):
        out = emit(spaced, *values)
    else:
        start = values[0] if len(values) > 1 else as_value(builder, 0)
        step = values[2] if len(values) > 2 else as_value(builder, 1)
        stop = values[1] if len(values) > 1 else values[0]
        out = emit(float_range, *(_as_float(v, "f8") for v in (start, stop, step)))
    return out if dtype is None else cast(out, arguments.dtype_of(dtype))


def _as_float(value: Val, code: str) -> Val:
    known = static(value)
    if known is not None and not isinstance(known, complex):
        return Val(value.builder, ir.Const(float(known), ir.Type(code)))
    return cast(value, code)


# ---- linspace


def _linspace_template(types: Types, params: Params) -> str:
    code = "np.linspace(_0, _1, _2)"
    return code if types[0].dtype == "f8" else f"{code}.astype(np.float32)"


def _linspace_jvp(dots: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    start, stop, _ = dots
    if start is None and stop is None:
        return [None]
    zero_of = args[0].lift(0.0)
    return [emit(linspace, zero_of if start is None else start, zero_of if stop is None else stop, args[2])]


def _linspace_vjp(bars: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (g,), (start, _, num) = bars, args
    if g is None:
        return [None, None, None]
    none, one = start.lift(0.0), start.lift(1.0)
    return [total(g * emit(linspace, one, none, num)), total(g * emit(linspace, none, one, num)), None]


linspace = general(
    "linspace",
    (),
    jvp=_linspace_jvp,
    vjp=_linspace_vjp,
    infer=lambda types, params: (ir.Type(types[0].dtype, 1),),
    evaluate=lambda a, b, n: np.linspace(a, b, n, dtype=np.asarray(a).dtype),
    template=_linspace_template,
    samples=[(0.5, 2.3, 4), (1.0, -1.1, 1)],
)


@registry.adaptor(np.linspace)
def _linspace(
    builder: Builder, start: Any, stop: Any, num: Any = 50, endpoint: Any = True, dtype: Any = None, **options: Any
) -> Val:
    arguments.no_options(options, "np.linspace")
    first, last = settle([as_value(builder, v) for v in (start, stop)])
    (n,) = arguments.lengths(builder, num)
    if first.type.is_complex or last.type.is_complex:
        raise UnsupportedError("np.linspace takes no complex numbers here; write a + (b - a) * np.linspace(0, 1, n)")
    code = arguments.result_type([v.type.dtype for v in (first, last) if v.type.dtype[0] == "f"] or ["f8"])
    first, last = _as_float(contents(first), code), _as_float(contents(last), code)
    if first.type.rank or last.type.rank:
        raise UnsupportedError("np.linspace takes numbers, not arrays")
    if arguments.flag(endpoint, "endpoint"):
        out = emit(linspace, first, last, n)
    else:
        out = first + cast(emit(spaced, n), code) * ((last - first) / n)
    return out if dtype is None else cast(out, arguments.dtype_of(dtype))
