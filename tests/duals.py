"""Nested dual numbers, arrays of them, and the elementary functions on both."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy import special

# Called with the distance to every kink, step or branch that a dual number passes (tests may put their own here).
WATCH: list[Callable[[float], None]] = []


def near(x: Any, y: Any = 0.0) -> None:
    """x and y are compared. If they are one number exactly, what follows is not a matter of rounding."""
    for watch in WATCH:
        watch(abs(float(prim(x)) - float(prim(y))) or math.inf)


def near_step(x: Any, width: float = 1.0) -> None:
    """x is rounded to a multiple of width: how far it is from the nearest one."""
    if WATCH and math.isfinite(prim(x)):
        near(abs(math.remainder(float(prim(x)), width)) + 1e-300)


def compare(x: Any, o: Any, operation: Callable[[Any, Any], Any]) -> Any:
    if isinstance(o, np.ndarray):
        return NotImplemented
    near(x, o)
    return operation(prim(x), prim(o))


class Dual:
    """v + e ε with ε² = 0; v and e may be duals again."""

    __slots__ = ("e", "v")
    __array_priority__ = -1.0  # NumPy's scalars defer to it, its arrays do not
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, v: Any, e: Any) -> None:
        self.v, self.e = v, e

    def __add__(self, o: Any) -> Any:
        return NotImplemented if isinstance(o, np.ndarray) else Dual(self.v + value_of(o), self.e + tangent_of(o))

    def __sub__(self, o: Any) -> Any:
        return NotImplemented if isinstance(o, np.ndarray) else Dual(self.v - value_of(o), self.e - tangent_of(o))

    def __rsub__(self, o: Any) -> Any:
        return Dual(o - self.v, -self.e)

    def __mul__(self, o: Any) -> Any:
        if isinstance(o, np.ndarray):
            return NotImplemented
        return Dual(self.v * value_of(o), _times(self.v, tangent_of(o)) + _times(value_of(o), self.e))

    def __truediv__(self, o: Any) -> Any:
        if isinstance(o, np.ndarray):
            return NotImplemented
        q = self.v / value_of(o)
        return Dual(q, _times(1.0 / value_of(o), self.e) - _times(q / value_of(o), tangent_of(o)))

    def __rtruediv__(self, o: Any) -> Any:
        return Dual(np.float64(o), 0.0) / self

    def __pow__(self, o: Any) -> Any:
        return NotImplemented if isinstance(o, np.ndarray) else power(self, o)

    def __rpow__(self, o: Any) -> Any:
        return power(o, self)

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self) -> Dual:
        return Dual(-self.v, -self.e)

    def __pos__(self) -> Dual:
        return self

    def __abs__(self) -> Dual:
        near(self)
        return Dual(abs(self.v), _times(np.sign(prim(self)), self.e))

    def __floordiv__(self, o: Any) -> Any:
        if isinstance(o, np.ndarray):
            return NotImplemented
        near_step(self, float(prim(o)) or 1.0)
        return np.floor_divide(prim(self), prim(o))

    def __rfloordiv__(self, o: Any) -> Any:
        return np.floor_divide(o, prim(self))

    def __mod__(self, o: Any) -> Any:
        if isinstance(o, np.ndarray):
            return NotImplemented
        near_step(self, float(prim(o)) or 1.0)
        return self - o * np.floor_divide(prim(self), prim(o))

    def __rmod__(self, o: Any) -> Any:
        return o - self * np.floor_divide(o, prim(self))

    def __lt__(self, o: Any) -> Any:
        return compare(self, o, operator.lt)

    def __le__(self, o: Any) -> Any:
        return compare(self, o, operator.le)

    def __gt__(self, o: Any) -> Any:
        return compare(self, o, operator.gt)

    def __ge__(self, o: Any) -> Any:
        return compare(self, o, operator.ge)

    def __eq__(self, o: object) -> Any:
        return NotImplemented if isinstance(o, np.ndarray) else prim(self) == prim(o)

    def __ne__(self, o: object) -> Any:
        return NotImplemented if isinstance(o, np.ndarray) else prim(self) != prim(o)

    def __bool__(self) -> bool:
        return bool(prim(self))

    def __int__(self) -> int:
        near_step(self)
        return int(prim(self))

    def __round__(self, digits: int | None = None) -> Any:
        near_step(float(prim(self)) * 10.0 ** (digits or 0) * 2.0)
        return round(float(prim(self)), digits)


def value_of(o: Any) -> Any:
    return o.v if isinstance(o, Dual) else o


def tangent_of(o: Any) -> Any:
    return o.e if isinstance(o, Dual) else 0.0


def _zero(x: Any) -> bool:
    return _zero(x.v) and _zero(x.e) if isinstance(x, Dual) else x == 0.0


def _times(partial: Any, tangent: Any) -> Any:
    """A tangent that is exactly zero gives zero, even where the partial is infinite."""
    return 0.0 if _zero(tangent) else partial * tangent


def prim(x: Any) -> Any:
    while isinstance(x, Dual):
        x = x.v
    return x


class Array(np.ndarray):
    """An object array of duals and floats (or one of integers or bools); a ufunc's float result becomes one again."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **options: Any) -> Any:
        if out is not None:
            options["out"] = tuple(plain(o) for o in out)
        result = getattr(ufunc, method)(*map(plain, inputs), **options)
        return out[0] if out is not None else array(result)

    def max(self, axis: Any = None, keepdims: bool = False, **_: Any) -> Any:  # type: ignore[override]
        return extreme(self, axis, keepdims, maximum_rule)

    def min(self, axis: Any = None, keepdims: bool = False, **_: Any) -> Any:  # type: ignore[override]
        return extreme(self, axis, keepdims, lambda xs: -maximum_rule([-x for x in xs]))

    def fill(self, value: Any) -> None:
        self[...] = value

    def astype(self, dtype: Any, **_: Any) -> Any:  # type: ignore[override]
        return array(np.vectorize(int, otypes=[int])(self)) if is_int(dtype) else array(self).copy()


def plain(x: Any) -> Any:
    return x.view(np.ndarray) if isinstance(x, Array) else x


def array(x: Any) -> Any:
    """An array that can hold duals (integers and bools stay); a scalar as it is."""
    if not isinstance(x, np.ndarray):
        return x
    if x.dtype.kind == "f":
        x = np.asarray(np.frompyfunc(np.float64, 1, 1)(plain(x)), dtype=object).reshape(x.shape)
    return x.view(Array)


def is_int(dtype: Any) -> bool:
    return dtype is not None and dtype is not to_float and np.dtype(dtype).kind in "iub"


def lift(function: Callable[..., Any], arity: int) -> Callable[..., Any]:
    """function on scalars and, element by element with broadcasting, on arrays."""
    on_arrays = np.frompyfunc(function, arity, 1)

    def call(*args: Any, out: Any = None) -> Any:
        if not any(isinstance(a, (np.ndarray, list)) for a in args):
            return function(*args)
        result = array(np.asarray(on_arrays(*map(plain, args)), dtype=object))
        if out is None:
            return result
        out[...] = result
        return out

    return call


def unary(value: Callable[[Any], Any], slope: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def call(x: Any) -> Any:
        return Dual(call(x.v), _times(slope(x.v), x.e)) if isinstance(x, Dual) else value(np.float64(x))

    return call


def binary(value: Callable[..., Any], dx: Callable[..., Any], dy: Callable[..., Any]) -> Callable[..., Any]:
    def call(x: Any, y: Any) -> Any:
        if not (isinstance(x, Dual) or isinstance(y, Dual)):
            return value(np.float64(x), np.float64(y))
        a, b, da, db = value_of(x), value_of(y), tangent_of(x), tangent_of(y)
        first = 0.0 if _zero(da) else dx(a, b) * da
        return Dual(call(a, b), first + (0.0 if _zero(db) else dy(a, b) * db))

    return call


def power(x: Any, y: Any) -> Any:
    if isinstance(x, (np.ndarray)) or isinstance(y, np.ndarray):
        return F["power"](x, y)
    if not isinstance(y, Dual):
        if not isinstance(x, Dual):
            return np.float64(x) ** y
        return Dual(power(x.v, y), 0.0 if y == 0 else _times(y * power(x.v, y - 1), x.e))
    return _power_of_two(x, y)


def _power_of_two(x: Any, y: Dual) -> Any:
    a, b = value_of(x), y.v
    by_base = 0.0 if _zero(tangent_of(x)) else b * power(a, b - 1.0) * tangent_of(x)
    by_exponent = 0.0 if _zero(y.e) or prim(a) == 0.0 else power(a, b) * F["log"](a) * y.e
    return Dual(power(a, b), by_base + by_exponent)


def choose(x: Any, y: Any) -> Any:
    """The larger of two; the derivative of a tie is shared."""
    return maximum_rule([x, y])


def maximum_rule(values: Sequence[Any]) -> Any:
    best = max(prim(v) for v in values)
    if WATCH and any(isinstance(v, Dual) for v in values) and len(values) > 1:
        near(*sorted(map(prim, values))[-2:])
    tied = [v for v in values if prim(v) == best]
    return tied[0] if len(tied) == 1 else sum(tied[1:], tied[0]) / len(tied)


def extreme(x: Any, axis: Any, keepdims: bool, rule: Callable[[Sequence[Any]], Any]) -> Any:
    x = plain(np.asarray(x))
    axes = tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    moved = np.moveaxis(x, axes, range(-len(axes), 0))
    rows = moved.reshape(*moved.shape[: x.ndim - len(axes)], -1)
    out = np.empty(rows.shape[:-1], dtype=object)
    for i in np.ndindex(out.shape):
        out[i] = rule(list(rows[i]))
    if keepdims:
        return array(np.expand_dims(out, axes))
    return array(out) if out.ndim else out[()]


def flat_step(value: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def call(x: Any) -> Any:
        near_step(x)
        return value(prim(x))

    return call


def polygamma(n: int) -> Callable[[Any], Any]:
    return unary(lambda x: special.polygamma(n, x), lambda x: polygamma(n + 1)(x))


LN2, LN10, ROOT = math.log(2.0), math.log(10.0), 2.0 / math.sqrt(math.pi)
SLOPES: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "sin": (np.sin, lambda x: F["cos"](x)),
    "cos": (np.cos, lambda x: -F["sin"](x)),
    "tan": (np.tan, lambda x: 1.0 + F["tan"](x) * F["tan"](x)),
    "arcsin": (np.arcsin, lambda x: 1.0 / F["sqrt"](1.0 - x * x)),
    "arccos": (np.arccos, lambda x: -1.0 / F["sqrt"](1.0 - x * x)),
    "arctan": (np.arctan, lambda x: 1.0 / (1.0 + x * x)),
    "sinh": (np.sinh, lambda x: F["cosh"](x)),
    "cosh": (np.cosh, lambda x: F["sinh"](x)),
    "tanh": (np.tanh, lambda x: 1.0 / (F["cosh"](x) * F["cosh"](x))),
    "arcsinh": (np.arcsinh, lambda x: 1.0 / F["sqrt"](1.0 + x * x)),
    "arccosh": (np.arccosh, lambda x: 1.0 / F["sqrt"](x * x - 1.0)),
    "arctanh": (np.arctanh, lambda x: 1.0 / (1.0 - x * x)),
    "exp": (np.exp, lambda x: F["exp"](x)),
    "exp2": (np.exp2, lambda x: F["exp2"](x) * LN2),
    "expm1": (np.expm1, lambda x: F["exp"](x)),
    "log": (np.log, lambda x: 1.0 / x),
    "log2": (np.log2, lambda x: 1.0 / (x * LN2)),
    "log10": (np.log10, lambda x: 1.0 / (x * LN10)),
    "log1p": (np.log1p, lambda x: 1.0 / (1.0 + x)),
    "sqrt": (np.sqrt, lambda x: 0.5 / F["sqrt"](x)),
    "cbrt": (np.cbrt, lambda x: 1.0 / (3.0 * F["cbrt"](x) * F["cbrt"](x))),
    "square": (np.square, lambda x: 2.0 * x),
    "reciprocal": (np.reciprocal, lambda x: -1.0 / (x * x)),
    "erf": (special.erf, lambda x: ROOT * F["exp"](-(x * x))),
    "erfc": (special.erfc, lambda x: -ROOT * F["exp"](-(x * x))),
    "gamma": (special.gamma, lambda x: F["gamma"](x) * polygamma(0)(x)),
    "lgamma": (special.gammaln, lambda x: polygamma(0)(x)),
    "degrees": (np.degrees, lambda x: 180.0 / math.pi),
    "radians": (np.radians, lambda x: math.pi / 180.0),
    "fabs": (np.fabs, lambda x: np.sign(prim(x))),
}
PAIRS: dict[str, tuple[Callable[..., Any], ...]] = {
    "arctan2": (np.arctan2, lambda y, x: x / (x * x + y * y), lambda y, x: -y / (x * x + y * y)),
    "hypot": (np.hypot, lambda x, y: _unit(x, y), lambda x, y: _unit(y, x)),
    "logaddexp": (np.logaddexp, lambda x, y: _share(x, y), lambda x, y: _share(y, x)),
    "copysign": (
        np.copysign,
        lambda x, y: np.copysign(1.0, prim(x)) * np.copysign(1.0, prim(y)),
        lambda x, y: 0.0,
    ),
    "fmod": (np.fmod, lambda x, y: 1.0, lambda x, y: -np.trunc(prim(x) / prim(y))),
}
STEPS: dict[str, Callable[..., Any]] = {
    "floor": np.floor,
    "ceil": np.ceil,
    "trunc": np.trunc,
    "rint": np.rint,
    "round": np.round,
    "sign": np.sign,
    "isnan": np.isnan,
    "isfinite": np.isfinite,
    "isinf": np.isinf,
    "signbit": np.signbit,
}
F: dict[str, Callable[..., Any]] = {name: lift(unary(*pair), 1) for name, pair in SLOPES.items()}
F |= {name: lift(binary(*triple), 2) for name, triple in PAIRS.items()}
F |= {name: lift(flat_step(value), 1) for name, value in STEPS.items()}
F |= {"power": lift(power, 2), "maximum": lift(choose, 2), "minimum": lift(lambda x, y: -choose(-x, -y), 2)}
F |= {"absolute": lift(abs, 1), "clip": lambda x, lo, hi: F["minimum"](F["maximum"](x, lo), hi)}
OTHER_NAMES = {
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "asinh": "arcsinh",
    "acosh": "arccosh",
    "atanh": "arctanh",
    "atan2": "arctan2",
    "pow": "power",
    "abs": "absolute",
    "rad2deg": "degrees",
    "deg2rad": "radians",
}
F |= {name: F[known] for name, known in OTHER_NAMES.items()}


def _unit(x: Any, y: Any) -> Any:
    return 0.0 if prim(x) == 0.0 == prim(y) else x / F["hypot"](x, y)


def _share(x: Any, y: Any) -> Any:
    return 1.0 / (1.0 + F["exp"](y - x))


def to_float(x: Any = 0.0) -> Any:
    return x if isinstance(x, Dual) else np.float64(x)
