"""Where NumPy's rules of types look at more than dtypes: literals, numbers that arrays gave, arrays of booleans."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.errors import UnsupportedError
from srcgrad.rules.language.values import Val

# What NumPy does not do with arrays of booleans, and what to write.
BOOLEANS = {
    "subtract": "use ^ for what differs, or .astype(int) before",
    "negative": "use ~ for the opposite, or .astype(int) before",
    "positive": "leave the + out, or use .astype(int)",
    "sign": "use .astype(int) before",
    "gcd": "use .astype(int) before",
    "lcm": "use .astype(int) before",
}
BITS = frozenset({"bitwise_and", "bitwise_or", "bitwise_xor", "left_shift", "right_shift", "invert", "gcd", "lcm"})


def check(name: str, values: Sequence[Val], exact: bool = False) -> None:
    """Refuse what NumPy refuses of these operands. exact: whether the function computes in their own dtype."""
    if name in BITS and any(v.type.is_float for v in values):
        raise UnsupportedError(f"`{name}` takes integers and booleans, not floats", hint="use int(...) or .astype(int)")
    if name == "invert" and values[0].type == ir.B1:
        raise UnsupportedError("~ of a bool is -1 or -2 to Python, and its opposite to NumPy", hint="use `not`")
    arrays = [v.type.dtype for v in values if v.type.rank]
    if not arrays:
        return
    if name in BOOLEANS and all(v.type.dtype == "b1" for v in values):
        raise UnsupportedError(f"NumPy has no `{name}` of arrays of booleans", hint=BOOLEANS[name])
    if name in BITS and np.result_type(*map(np.dtype, arrays)).kind == "f":
        message = f"NumPy has no `{name}` of uint64 beside signed integers"
        raise UnsupportedError(message, hint="cast one of them before")
    if exact and all(v.type.dtype[0] in "iub" for v in values):
        fits(np.result_type(*map(np.dtype, arrays)), values)


def fits(dtype: np.dtype[Any], values: Sequence[Val]) -> None:
    """Refuse integer literals that NumPy cannot put into the arrays' dtype."""
    if dtype.kind not in "iu":
        return
    info = np.iinfo(dtype)
    for value in values:
        atom = value.atom
        if isinstance(atom, ir.Const) and not info.min <= atom.value.real <= info.max:
            raise UnsupportedError(
                f"{atom.value} does not fit into {dtype.name}, the dtype of the array",
                hint="give the array a larger dtype before, with .astype(np.int64)",
            )


def bound(limit: Val, value: Val) -> Val:
    """A literal limit of an array of integers, within their range."""
    atom, dtype = limit.atom, np.dtype(value.type.dtype)
    if not value.type.rank or dtype.kind not in "iu" or not isinstance(atom, ir.Const) or atom.type != ir.I8:
        return limit
    info = np.iinfo(dtype)
    return Val(limit.builder, ir.Const(min(max(int(atom.value.real), info.min), info.max), ir.I8))


def doubled(values: Sequence[Val], cast: Callable[[Val, str], Val]) -> list[Val]:
    """The operands, of which some are in single precision and none in double, with arrays of integers that single
    precision does not hold as floats of double precision: NumPy computes in it, and Numba does not."""
    return [cast(v, "f8") if v.type.rank and v.type.dtype in ("i4", "i8", "u4", "u8") else v for v in values]


def beside_numbers(values: Sequence[Val], cast: Callable[[Val, str], Val]) -> list[Val]:
    """The operands, with an array of small integers in the dtype that an integer from another array makes of it.

    Such a number (an element, a sum) has a dtype of its own in NumPy, while Python's integers take the array's.
    """
    arrays = [np.dtype(v.type.dtype) for v in values if v.type.rank]
    if not arrays or any(v.type.is_float for v in values):
        return list(values)
    strong = [np.dtype(code) for v in values if (code := v.builder.numbers.get(v.atom)) is not None]
    have = np.result_type(*arrays)
    want = np.result_type(have, *strong)
    if have == want or have.kind == "b":
        return list(values)
    return [cast(v, want.str[1:]) if v.type.rank else v for v in values]
