"""Un-jitted runs behave like the jitted ones: the names of `math` over NumPy, scalars as NumPy's, no warnings."""

from __future__ import annotations

import functools
import math
import types
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

# names of `math` that NumPy spells in another way
SPELLED = {
    "acos": "arccos",
    "asin": "arcsin",
    "atan": "arctan",
    "atan2": "arctan2",
    "acosh": "arccosh",
    "asinh": "arcsinh",
    "atanh": "arctanh",
    "pow": "power",
    "fabs": "fabs",
    "fmod": "fmod",
}
WIDE: dict[type, Callable[[Any], Any]] = {float: np.float64, complex: np.complex128}
PLAIN: dict[type, Callable[[Any], Any]] = {np.float64: float, np.complex128: complex, np.int64: int, np.bool_: bool}


def math_shim() -> types.ModuleType:
    """A module like `math` that gives infinity and NaN where `math` raises, as compiled code does."""
    shim = types.ModuleType("math", "math over NumPy")
    for name in dir(math):
        value = getattr(math, name)
        ufunc = getattr(np, SPELLED.get(name, name), None)
        if isinstance(ufunc, np.ufunc):
            setattr(shim, name, ufunc)
        elif callable(value):
            setattr(shim, name, _lenient(value))
        else:
            setattr(shim, name, value)
    vars(shim).update(floor=_whole(np.floor), ceil=_whole(np.ceil), trunc=_whole(np.trunc))
    return shim


def _whole(rounded: np.ufunc) -> Callable[[Any], int]:
    return lambda x: int(rounded(x))


def chooser(function: Callable[..., Any]) -> Callable[..., Any]:
    """`max` or `min`, whose result is NumPy's scalar even if it is the literal among the arguments."""

    def call(*args: Any) -> Any:
        out = function(*args)
        if type(out) is not float:
            return out
        kinds = {type(a) for a in args if isinstance(a, np.floating)} or {np.float64}
        return np.result_type(*kinds).type(out)

    return call


def drawing_shim(module: types.ModuleType) -> types.SimpleNamespace:
    """A module of functions that draw, whose numbers are NumPy's: Python's would raise where one is divided by zero."""
    public = {name: f for name, f in vars(module).items() if name[0] != "_"}
    return types.SimpleNamespace(**{name: _widened(f) if callable(f) else f for name, f in public.items()})


class NumPyShim:
    """NumPy, with numbers that are drawn as its own scalars."""

    def __init__(self) -> None:
        self.random = drawing_shim(np.random)

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


def _widened(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any) -> Any:
        out = function(*args)
        return WIDE.get(type(out), _same)(out)

    return call


def _lenient(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of `math` that NumPy lacks (gamma, erf, lgamma): outside its domain NaN, at a pole infinity."""

    def call(*args: Any) -> Any:
        try:
            out = function(*args)
        except ValueError:
            out = math.inf if function is math.lgamma else math.nan
        except OverflowError:
            out = math.inf
        return args[0].dtype.type(out) if isinstance(out, float) and isinstance(args[0], np.floating) else out

    return call


def interpreted(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function on NumPy's scalars, with floating-point errors let pass as in compiled code."""

    @functools.wraps(function)  # debuggers and `inspect` find the generated lines
    def call(*args: Any) -> Any:
        with np.errstate(all="ignore"):
            out = function(*(WIDE.get(type(a), _same)(a) for a in args))
        return tuple(map(_plain, out)) if isinstance(out, tuple) else _plain(out)

    return call


def precise(function: Callable[..., Any], kinds: Sequence[str]) -> Callable[..., Any]:
    """The function with results of these dtypes: compiled code takes literals for numbers of full precision, NumPy
    does not."""

    @functools.wraps(function)
    def call(*args: Any) -> Any:
        out = function(*args)
        if len(kinds) == 1 and not isinstance(out, tuple):
            return _in_precision(out, kinds[0])
        return tuple(map(_in_precision, out, kinds)) if isinstance(out, tuple) else out

    return call


def _in_precision(value: Any, kind: str) -> Any:
    if kind == "f8" and getattr(value, "dtype", None) == np.float32:
        return _plain(value.astype(np.float64))
    return value


def scalars(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function on NumPy's scalars, which it gives back, too: what follows in the caller computes as compiled."""

    @functools.wraps(function)  # debuggers and `inspect` find the generated lines
    def call(*args: Any) -> Any:
        with np.errstate(all="ignore"):
            out = function(*(WIDE.get(type(a), _same)(a) for a in args))
        return tuple(map(_scalar, out)) if isinstance(out, tuple) else _scalar(out)

    return call


def _scalar(value: Any) -> Any:
    return WIDE.get(type(value), _same)(value)


def _same(value: Any) -> Any:
    return value


def _plain(value: Any) -> Any:
    return PLAIN.get(type(value), _same)(value)
