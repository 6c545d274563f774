"""Casts, which carry a derivative from float to float, and rounding, which carries none."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.errors import UnsupportedError
from srcgrad.rules.language import declare, registry
from srcgrad.rules.language.declare import Duals, as_value, general, settle, static, zero
from srcgrad.rules.language.values import Val, contents, emit

halves = [(0.7,), (-1.3,), (2.5,), (-0.5,)]


# ---- casts


def _cast_infer(types: tuple[ir.Type, ...], params: dict[str, Any]) -> tuple[ir.Type, ...]:
    return (ir.Type(params["dtype"], types[0].rank),)


def _cast_evaluate(x: Any, dtype: str) -> Any:
    """Of a complex number into a real type: its real part."""
    array = np.asarray(x)
    return (array.real if array.dtype.kind == "c" and dtype[0] == "f" else array).astype(dtype)[()]


def _cast_template(types: tuple[ir.Type, ...], params: dict[str, Any]) -> str:
    name = np.dtype(params["dtype"]).name
    if _takes_part(types, params):
        part = "np.real(_0)" if types[0].rank else "_0.real"
        same = types[0].dtype[1:] == str(2 * int(params["dtype"][1:]))
        return part if same else f"{part}.astype(np.{name})" if types[0].rank else f"np.{name}({part})"
    if types[0].rank:
        return f"_0.astype(np.{'bool_' if name == 'bool' else name})"
    return {"int64": "int(_0)", "bool": "bool(_0)"}.get(name, f"np.{name}(_0)")


def _takes_part(types: Sequence[ir.Type], params: Mapping[str, Any]) -> bool:
    """Whether it is the real part of complex numbers."""
    return types[0].is_complex and params["dtype"][0] == "f"


def _cast_jvp(dots: Duals, args: Sequence[Val], outs: Sequence[Val], params: dict[str, Any]) -> list[Val | None]:
    (dot,) = dots
    return [None if dot is None or params["dtype"][0] not in "fc" else declare.cast(dot, params["dtype"])]


def _cast_vjp(bars: Duals, args: Sequence[Val], outs: Sequence[Val], params: dict[str, Any]) -> list[Val | None]:
    (g,), (x,) = bars, args
    carries = g is not None and x.type.dtype[0] in "fc" and g.type.dtype[0] in "fc"
    return [declare.cast(g, x.type.dtype) if g is not None and carries else None]


cast = general(
    "cast", (), effort="least", constant_slope=True, python_integer=True, transparent=_takes_part, jvp=_cast_jvp,
    vjp=_cast_vjp, infer=_cast_infer, evaluate=_cast_evaluate, template=_cast_template,
    samples=[(0.7,), (-1.3,)], params=({"dtype": "f8"}, {"dtype": "f4"}, {"dtype": "i8"}), elementwise=True,
    takes_complex=True,
)  # fmt: skip


def _no_part_lost(value: Val, dtype: str) -> None:
    if value.type.is_complex and dtype[0] != "c":
        raise UnsupportedError("a complex number is made real, which drops its imaginary part; take `.real`")


def number_to(builder: Builder, x: Any, dtype: str) -> Val:
    given = as_value(builder, x)
    if given.type.rank and given.type.dtype == dtype:
        return given  # NumPy gives the array itself
    (value,) = settle([given])
    literal = static(value)
    _no_part_lost(value, dtype)
    if literal is not None and dtype[0] == "f" and not isinstance(literal, complex):
        return Val(builder, ir.Const(float(literal), ir.Type(dtype)))
    return declare.cast(value, dtype)


@registry.adaptor(float)
def _float(builder: Builder, x: Any = 0.0) -> Val:
    """float(x): an f4 stays, as it does in compiled code; float('inf') and its like are literals."""
    if isinstance(x, str):
        return Val(builder, ir.Const(float(x), ir.F8))
    value = _scalar(builder, x, "float")
    return value if value.type.dtype in ("f4", "f8") else number_to(builder, value, "f8")


@registry.adaptor(int)
def _int(builder: Builder, x: Any = 0) -> Val:
    value = _scalar(builder, x, "int")
    if value.atom in builder.numbers:
        return emit(cast, value, dtype="i8")  # a number of Python's own
    return number_to(builder, value, "i8")


@registry.adaptor(bool, np.bool_)
def _bool(builder: Builder, x: Any = False) -> Val:
    return declare.cast(_scalar(builder, x, "bool"), "b1")


def _scalar(builder: Builder, x: Any, name: str) -> Val:
    value = contents(as_value(builder, x))
    if value.type.rank:
        raise UnsupportedError(f"{name}() takes a scalar here; for arrays use .astype")
    return value


def _register_constructor(dtype: str, *kinds: Any) -> None:
    registry.adaptor(*kinds)(lambda builder, x=0: number_to(builder, x, dtype))


_register_constructor("f8", np.float64)
_register_constructor("f4", np.float32)
_register_constructor("i8", np.int64, np.intp)


# ---- rounding


def _whole(name: str, function: Any) -> Any:
    """math.floor and its like give an integer; they take scalars only."""
    code = f"math.{function.__name__}(_0)"
    return zero(name, (function,), scalar=code, result="int", samples=halves, evaluate=lambda x: function(float(x)))


floor = zero("floor", (np.floor,), result="same", samples=halves)
ceil = zero("ceil", (np.ceil,), result="same", samples=halves)
trunc = zero("trunc", (np.trunc,), result="same", samples=halves)
rint = zero("rint", (np.rint,), result="float", samples=halves)
int_floor = _whole("int_floor", math.floor)
int_ceil = _whole("int_ceil", math.ceil)
int_trunc = _whole("int_trunc", math.trunc)
int_round = zero(
    "int_round", (), scalar="round(_0)", evaluate=lambda x: round(float(x)), result="int", samples=halves, scalars=True
)
round_to = zero(
    "round_to",
    (),
    scalar="round(_0, _1)",
    array="np.round(_0, _1)",
    evaluate=np.round,
    result="float",
    wide=True,
    samples=[(0.7351, 2), (-1.3, 0)],
    as_is=(1,),
)


@registry.adaptor(round)
def _round(builder: Builder, x: Any, ndigits: Any = None) -> Val:
    value = contents(as_value(builder, x))
    if ndigits is not None or value.type.rank:
        return _around(builder, value, 0 if ndigits is None else ndigits)
    return value if value.type == ir.I8 else emit(int_round, value)


@registry.adaptor(np.round, np.around)
def _around(builder: Builder, x: Any, decimals: Any = 0) -> Val:
    value, digits = contents(as_value(builder, x)), as_value(builder, decimals)
    if value.type.dtype[0] in "iub":
        if not (isinstance(count := static(digits), int) and count >= 0):
            raise UnsupportedError("rounding integers to tens is not supported; write (x + 5) // 10 * 10")
        if value.type.dtype == "b1" and value.type.rank:
            raise UnsupportedError("np.round makes halves of booleans; use .astype(float) before")
        return value
    return emit(rint, value) if static(digits) == 0 else emit(round_to, value, digits)


registry.adaptor(np.fix)(registry.FUNCTIONS[np.trunc])
registry.METHODS["round"] = _around
