"""Reading the arguments of NumPy's functions: axes, shapes, dtypes, and what may stand for an array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.errors import UnsupportedError
from srcgrad.rules.language.declare import as_value, static
from srcgrad.rules.language.values import Val, contents, value_of

LENGTHS = ("f8", "f4", "c16", "c8", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "b1")


class NotKnown(UnsupportedError):
    """Something must be known here which a loop that is written out turn by turn would tell."""


def dtype_of(given: Any) -> str:
    """The code of `float`, `np.float32`, `'f4'`, a dtype ..."""
    try:
        code = np.dtype(given).str
    except TypeError:
        raise UnsupportedError(f"unknown dtype {given!r}; use np.float64 or np.float32") from None
    if code[0] == ">" or code[1:] not in LENGTHS:
        raise UnsupportedError(f"arrays of dtype {np.dtype(given)} are not supported; use float64 or float32")
    return str(code[1:])


def integer(value: Any, what: str) -> int:
    """An integer that is known when the function is transformed."""
    number = static(value) if isinstance(value, Val) else value
    if isinstance(number, bool) or not isinstance(number, (int, np.integer)):
        raise NotKnown(f"{what} must be an integer literal; write the number into the call")
    return int(number)


def number(value: Any, what: str) -> float:
    """A number that is known when the function is transformed."""
    known = static(value) if isinstance(value, Val) else value
    if not isinstance(known, (int, float)):
        raise NotKnown(f"{what} must be a literal number; write the number into the call")
    return known


def flag(value: Any, what: str) -> bool:
    """A boolean that is known when the function is transformed."""
    known = static(value) if isinstance(value, Val) else value
    if not isinstance(known, (bool, np.bool_)):
        raise NotKnown(f"{what} must be True or False; write it into the call")
    return bool(known)


def one_axis(axis: Any, rank: int) -> int:
    number = integer(axis, "axis")
    if not -rank <= number < rank:
        raise UnsupportedError(
            f"axis {number} is out of bounds for a {rank}-D array; count axes from 0, or from -1 backwards"
        )
    return number % rank


def all_axes(axis: Any, rank: int) -> tuple[int, ...]:
    """The axes meant by None (all), an integer, or a tuple of them; ascending."""
    if axis is None:
        return tuple(range(rank))
    given = axis if isinstance(axis, (tuple, list)) else (axis,)
    axes = sorted(one_axis(k, rank) for k in given)
    if len(set(axes)) != len(axes):
        raise UnsupportedError("one axis is named twice; name each once")
    return tuple(axes)


def no_options(options: dict[str, Any], name: str) -> None:
    left = [k for k, v in options.items() if v is not None]
    if left:
        raise UnsupportedError(f"{name} is differentiated without its option {left[0]!r}; leave it out")


def lengths(builder: Builder, shape: Any) -> tuple[Val, ...]:
    """The lengths of a shape: an integer or a tuple of them."""
    items = shape if isinstance(shape, (tuple, list)) else (shape,)
    values = tuple(as_value(builder, int(n) if isinstance(n, np.integer) else n) for n in items)
    for n in values:
        if not n.type.is_scalar or n.type.dtype[0] != "i":
            raise UnsupportedError("the lengths of a shape must be integers; use int(...)")
    return values


def as_array(builder: Builder, value: Any) -> Val:
    """An array, a scalar, or a list or tuple of them (made an array), as memory or as a value."""
    if isinstance(value, (tuple, list)):
        return value_of(np.array, builder, value)
    return as_value(builder, value)


def array_value(builder: Builder, value: Any, name: str) -> Val:
    """The contents of an array of one axis at least."""
    got = contents(as_array(builder, value))
    if got.type.rank == 0:
        raise UnsupportedError(f"{name} takes an array, not a scalar; index or loop over numbers instead")
    return got


def scalar_type(dtype: str) -> ir.Type:
    """The scalar that an element of an array of this dtype is."""
    return ir.I8 if dtype[0] in "iu" else ir.Type(dtype)


def result_type(dtypes: Sequence[str]) -> str:
    return str(np.result_type(*map(np.dtype, dtypes)).str[1:])
