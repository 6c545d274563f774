"""For which arguments Python's own operators and functions of numbers raise: what `try` asks in front of them.

A test is of the arguments, as builder values; where it cannot be told what is raised, it is None. What stands in no
table raises for no numbers.
"""

from __future__ import annotations

import builtins
import cmath
import functools
import math
import operator
import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.rules.language import of_scipy
from srcgrad.rules.language.values import Val, value_of

Raised = type[Exception]
Test = Callable[..., Val]
Errors = list[tuple[Raised, Test | None]]


def _ask(function: Any, *args: Any) -> Val:
    builder = next(a.builder for a in args if isinstance(a, Val))
    return value_of(function, builder, *args)


def _all(first: Val, *more: Val) -> Val:
    return functools.reduce(functools.partial(_ask, np.logical_and), more, first)


def _any(first: Val, *more: Val) -> Val:
    return functools.reduce(functools.partial(_ask, np.logical_or), more, first)


def _equals(a: Val, b: Any) -> Val:
    return _ask(operator.eq, a, b)


def _finite(*args: Val) -> list[Val]:
    """The tests that these are finite numbers; integers and literals are."""
    return [_ask(np.isfinite, a) for a in args if a.type.dtype[0] in "fc" and isinstance(a.atom, ir.Var)]


def _magnitude(x: Val) -> Val:
    return _ask(abs, x)


def _overflows(function: Any) -> Test:
    """Of finite arguments it makes an infinity."""
    return lambda *args: _all(_ask(np.isinf, _ask(function, *args)), *_finite(*args))


def _pole(x: Val) -> Val:
    """0, -1, -2, ... and minus infinity."""
    return _all(x <= 0.0, _equals(_ask(np.floor, x), x))


def _below(least: float, strictly: bool = True) -> Errors:
    return [(ValueError, lambda x: x < least if strictly else x <= least)]


def _above(largest: float) -> Errors:
    """From where on the result is too large; it may be infinite where the argument is."""
    return [(OverflowError, lambda x: _all(x > largest, x < math.inf))]


def _both_sides(largest: float) -> Errors:
    return [(OverflowError, lambda x: _all(_magnitude(x) > largest, _magnitude(x) < math.inf))]


def _negative(*args: Val) -> Val:
    return _any(*(a < 0 for a in args))


def _remainder(x: Val, y: Val) -> Val:
    """Where fmod has no result."""
    numbers = [_equals(a, a) for a in (x, y)]
    return _all(_any(_equals(y, 0.0), _ask(np.isinf, x)), *numbers)


_to_integer: Errors = [(ValueError, lambda x: _ask(np.isnan, x)), (OverflowError, lambda x: _ask(np.isinf, x))]
_no_infinity: Errors = [(ValueError, lambda x: _ask(np.isinf, x))]
_unit: Errors = [(ValueError, lambda x: _magnitude(x) > 1.0)]
_whole: Errors = [(ValueError, _negative)]
EXP_LARGEST, COSH_LARGEST = 709.782712893384, 710.4758600739439

# of Python's numbers and NumPy's: Python's functions make no difference
FUNCTIONS: dict[Any, Errors] = {
    math.log: _below(0.0, False), math.log2: _below(0.0, False), math.log10: _below(0.0, False),
    math.log1p: _below(-1.0, False), math.sqrt: _below(0.0), math.acosh: _below(1.0),
    math.asin: _unit, math.acos: _unit, math.atanh: [(ValueError, lambda x: _magnitude(x) >= 1.0)],
    math.sin: _no_infinity, math.cos: _no_infinity, math.tan: _no_infinity,
    math.exp: _above(EXP_LARGEST), math.expm1: _above(EXP_LARGEST), math.exp2: [(OverflowError, _overflows(np.exp2))],
    math.sinh: _both_sides(COSH_LARGEST), math.cosh: _both_sides(COSH_LARGEST),
    math.gamma: [(ValueError, _pole), (OverflowError, lambda x: _all(_overflows(math.gamma)(x), _not(_pole(x))))],
    math.lgamma: [
        (ValueError, lambda x: _all(_pole(x), *_finite(x))),
        (OverflowError, lambda x: _all(_overflows(math.lgamma)(x), x > 0.0)),
    ],
    math.fmod: [(ValueError, _remainder)], math.remainder: [(ValueError, _remainder)],
    math.ldexp: [(OverflowError, lambda x, n: _all(_ask(np.isinf, _ask(math.ldexp, x, n)), *_finite(x)))],
    math.floor: _to_integer, math.ceil: _to_integer, math.trunc: _to_integer, int: _to_integer,
    math.isqrt: _whole, math.factorial: _whole, math.comb: _whole, math.perm: _whole,
    math.fsum: [(ValueError, None), (OverflowError, None)],
    **{getattr(cmath, name): [(ValueError, None), (OverflowError, None)] for name in (
        "acos", "acosh", "asin", "asinh", "atan", "atanh", "cos", "cosh", "exp", "log", "log10", "sin", "sinh", "sqrt",
        "tan", "tanh",
    )},
}  # fmt: skip
DIVISIONS = (operator.truediv, operator.itruediv, operator.floordiv, operator.ifloordiv, operator.mod, operator.imod)
POWERS = (operator.pow, operator.ipow, builtins.pow)
SHIFTS = (operator.lshift, operator.rshift)


def _not(x: Val) -> Val:
    return _ask(np.logical_not, x)


def errors(function: Any, args: Sequence[ir.Atom], of_numpy: bool) -> Errors:
    """What a function, or an operator, raises for some of these numbers. of_numpy: one of them is NumPy's own."""
    if function is math.log and len(args) == 2:
        outside: Test = lambda x, base: _any(x <= 0.0, base <= 0.0)  # noqa: E731
        return [(ValueError, outside), (ZeroDivisionError, lambda x, base: _equals(base, 1))]
    if function is math.pow:
        return _math_power(*args)
    if function is math.isclose and len(args) > 2:
        return [(ValueError, None)]
    if function is round:
        return _rounded(args, of_numpy)
    if function == of_scipy.linalg.solve_triangular:
        return [(np.linalg.LinAlgError, None)]
    if function in FUNCTIONS:
        plain = function is int and (len(args) > 1 or args[0].type.dtype[0] in "ib")
        return [] if plain else FUNCTIONS[function]
    return [] if of_numpy else _operator(function, args)


def draws(function: Any) -> bool:
    """Whether it draws random numbers of a distribution with parameters."""
    owner = getattr(function, "__self__", None)
    return isinstance(owner, (np.random.RandomState, random.Random)) and function.__name__ not in SURE


SURE = ("rand", "randn", "random", "random_sample", "standard_normal", "seed", "shuffle", "permutation", "gauss")


def _operator(function: Any, args: Sequence[ir.Atom]) -> Errors:
    """Of Python's own numbers."""
    if function in (*DIVISIONS, divmod) and len(args) == 2:
        return [(ZeroDivisionError, lambda x, y: _equals(y, 0))]
    if function in POWERS and len(args) == 2:
        return _power(*args)
    if function in SHIFTS:
        return [(ValueError, lambda x, n: n < 0)]
    if function in (abs, operator.abs) and args[0].type.is_complex:
        return [(OverflowError, _overflows(abs))]
    return []


def _rounded(args: Sequence[ir.Atom], of_numpy: bool) -> Errors:
    if args[0].type.dtype[0] in "ib":
        return []
    if len(args) == 1:
        return _to_integer
    digits = args[1]
    plain = of_numpy or (isinstance(digits, ir.Const) and digits.value.real > -290)
    return [] if plain else [(OverflowError, None)]


def _power(base: ir.Atom, exponent: ir.Atom) -> Errors:
    """Powers of negative numbers to broken exponents are complex ones in Python, and raise nothing."""
    if base.type.is_complex or exponent.type.is_complex:
        return [(ZeroDivisionError, None), (OverflowError, None)]
    n = exponent.value.real if isinstance(exponent, ir.Const) else None
    found: Errors = []
    if n is None or n < 0:
        found.append((ZeroDivisionError, lambda x, y: _all(_equals(x, 0), y < 0, *_finite(y))))
    whole = all(a.type.dtype[0] in "ib" for a in (base, exponent))
    if not whole and (n is None or not 0 <= n <= 1):
        broken = exponent.type.is_float and (n is None or n != int(n))
        found.append((OverflowError, functools.partial(_too_large, broken=broken)))
    return found


def _too_large(x: Val, y: Val, broken: bool) -> Val:
    """broken: the exponent may be, so that the power of a negative number is a complex one, of the same size."""
    large = _overflows(operator.pow)(_magnitude(x) if broken else x, y)
    known = isinstance(y.atom, ir.Const) and y.atom.value.real >= 0
    return large if known else _all(large, _ask(operator.ne, x, 0))


def _math_power(base: ir.Atom, exponent: ir.Atom) -> Errors:
    def outside(x: Val, y: Val) -> Val:
        zero = _all(_equals(x, 0), y < 0)
        return _all(_any(zero, _all(x < 0, _ask(operator.ne, _ask(np.floor, y), y))), *_finite(x, y))

    def large(x: Val, y: Val) -> Val:
        return _all(_overflows(math.pow)(x, y), _ask(operator.ne, x, 0))

    return [(ValueError, outside), (OverflowError, large)]
