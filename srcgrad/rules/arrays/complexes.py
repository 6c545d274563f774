"""Complex numbers: their parts, conjugate, modulus and angle.

The convention is JAX's. A cotangent is paired with a tangent by the real part of their product, without conjugation;
so holomorphic rules and transposes are those of real numbers, and the gradient of a real f(x + iy) is
df/dx - i df/dy. The adjoint of a real number that a complex one was made of is the real part of what comes back.
"""

from __future__ import annotations

import cmath
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.core.layouts import READ_ONLY, VIEW
from srcgrad.core.traits import always
from srcgrad.errors import UnsupportedError
from srcgrad.rules.language import registry
from srcgrad.rules.language.declare import Duals, Params, Rule, as_value, cast, general, settle
from srcgrad.rules.language.values import Val, contents, emit, value_of
from srcgrad.rules.scalar.compare import not_equal, where
from srcgrad.rules.scalar.elementwise import absolute, arctan2
from srcgrad.rules.shapes.shape import as_copy, dims

numbers = [(0.7 - 0.4j,), (-1.3 + 2.0j,), (2.0 + 0.0j,)]
REAL = {"c8": "f4", "c16": "f8"}
COMPLEX = {"f4": "c8", "f8": "c16", "c8": "c8", "c16": "c16"}


def _real_of(types: tuple[ir.Type, ...], params: Params) -> tuple[ir.Type, ...]:
    return (ir.Type(REAL[types[0].dtype], types[0].rank),)


def _same(types: tuple[ir.Type, ...], params: Params) -> tuple[ir.Type, ...]:
    return types


def _of_one(
    name: str,
    function: Any,
    template: Any,
    tangent: Callable[..., Val],
    adjoint: Callable[..., Val],
    infer: Any,
    **traits: Any,
) -> Any:
    """A rule of one complex argument: tangent(dot, x, y) and adjoint(bar, x, y)."""

    def jvp(dots: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
        return [None if dots[0] is None else tangent(dots[0], args[0], outs[0])]

    def vjp(bars: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
        return [None if bars[0] is None else cast(adjoint(bars[0], args[0], outs[0]), args[0].type.dtype)]

    return general(
        name,
        (),
        jvp=jvp,
        vjp=vjp,
        infer=infer,
        evaluate=function,
        template=template,
        samples=numbers,
        elementwise=True,
        takes_complex=True,
        **traits,
    )


def _part(method: str) -> Callable[..., str]:
    return lambda types, params: f"np.{method}(_0)" if types[0].rank else f"_0.{method}"


real: Rule = _of_one(
    "real", np.real, _part("real"), lambda d, x, y: real(d), lambda g, x, y: g, _real_of, transparent=always
)
imag: Rule = _of_one(
    "imag", np.imag, _part("imag"), lambda d, x, y: imag(d), lambda g, x, y: g * (-1j), _real_of, transparent=always
)
conj: Rule = _of_one("conj", np.conj, "np.conj(_0)", lambda d, x, y: conj(d), lambda g, x, y: conj(g), _same)


def _direction(x: Val, size: Val) -> Val:
    """conj(x) / |x|, and 0 at 0."""
    return conj(x) / where(not_equal(size, 0.0), size, size.lift(1.0))


modulus = _of_one(
    "modulus",
    np.abs,
    lambda types, params: "np.abs(_0)" if types[0].rank else "abs(_0)",
    lambda d, x, y: real(_direction(x, y) * d),
    lambda g, x, y: g * _direction(x, y),
    _real_of,
)


def _is_complex(value: Any) -> bool:
    return isinstance(value, Val) and value.type.is_complex


def _parted(rule: Any, of_real: Callable[[Builder, Any], Any]) -> Callable[..., Any]:
    """The adaptor of a function that has another rule, or a plain answer, for real numbers."""

    def call(builder: Builder, x: Any) -> Any:
        (value,) = settle([as_value(builder, x)])
        return emit(rule, value) if value.type.is_complex else of_real(builder, value)

    return call


def _part_of(rule: Any, of_real: Callable[[Val], Val]) -> Callable[..., Any]:
    """The adaptor of a part of complex numbers, which NumPy gives as a view of them."""

    def call(builder: Builder, x: Any) -> Any:
        given = as_value(builder, x)
        return as_copy(emit(rule, contents(given)), given, VIEW) if given.type.is_complex else of_real(given)

    return call


def _zeros_like(x: Val) -> Val:
    """The imaginary part of real numbers."""
    builder, dtype = x.builder, x.type.dtype
    if x.type.rank == 0:
        return x.lift(0.0 if x.type.is_float else 0)
    zeros = builder.alloc(dtype, [n.atom for n in dims(x)])
    builder.layouts.doubtful(zeros, zeros, READ_ONLY)
    return Val(builder, zeros)


def _conjugate_method(builder: Builder, x: Any) -> Any:
    """Unlike np.conj, the method gives real numbers back as they are, without a copy."""
    return emit(conj, contents(x)) if x.type.is_complex else x


def _unchanged(builder: Builder, value: Val) -> Val:
    return cast(value, "i1") if value.type.dtype == "b1" and value.type.rank else value  # as NumPy does


def _real_size(builder: Builder, value: Val) -> Val:
    return emit(absolute, value)


registry.adaptor(np.real)(_part_of(real, lambda x: x))
registry.adaptor(np.imag)(_part_of(imag, _zeros_like))
registry.adaptor(np.conj, np.conjugate)(_parted(conj, _unchanged))
registry.adaptor(np.absolute, abs, operator.abs)(_parted(modulus, _real_size))
for _name in ("real", "imag"):
    registry.METHODS[_name] = registry.FUNCTIONS[getattr(np, _name)]
for _name in ("conj", "conjugate"):
    registry.METHODS[_name] = _conjugate_method


@registry.adaptor(np.angle, cmath.phase)
def _angle(builder: Builder, x: Any) -> Val:
    (value,) = settle([as_value(builder, x)])
    if not value.type.is_complex:
        return value_of(np.arctan2, builder, 0.0, value)
    return emit(arctan2, emit(imag, value), emit(real, value))


@registry.adaptor(complex, np.complex128, np.complex64)
def _complex(builder: Builder, x: Any = 0.0, y: Any = None) -> Val:
    """complex(x, y); a pair of f4 makes a c8, as it does in NumPy."""
    parts = settle([as_value(builder, v) for v in (x, y) if v is not None])
    if any(v.type.rank for v in parts):
        raise UnsupportedError("complex() takes scalars; for arrays write x + 1j * y")
    first = _as_complex(parts[0])
    return first if y is None else first + _as_complex(parts[1]) * 1j


def _as_complex(value: Val) -> Val:
    return cast(value, COMPLEX.get(value.type.dtype, "c16"))


def _same_function(of: Any) -> Callable[..., Any]:
    """A function of `cmath`: NumPy's, of a complex argument."""

    def call(builder: Builder, x: Any) -> Any:
        value = contents(as_value(builder, x))
        return registry.FUNCTIONS[of](builder, _as_complex(value))

    return call


_CMATH = {
    "exp": np.exp, "log": np.log, "log10": np.log10, "sqrt": np.sqrt, "sin": np.sin, "cos": np.cos, "tan": np.tan,
    "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh,
    "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh,
}  # fmt: skip
for _name, _function in _CMATH.items():
    registry.adaptor(getattr(cmath, _name))(_same_function(_function))
