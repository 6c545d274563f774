"""What NumPy makes of dtypes, asked of NumPy itself: the user's function is the oracle, for every pair of dtypes."""

from __future__ import annotations

import functools
import itertools
import linecache
import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from srcgrad.backend.shim import NumPyShim, interpreted, math_shim
from srcgrad.compiler import program, to_source
from srcgrad.compiler.request import Recipe
from srcgrad.errors import SrcgradError
from srcgrad.frontend.source.structure import describe, leaf_types

CODES = ("b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8", "c8", "c16")
LITERALS = ("True", "2", "-1", "300", "1.5", "0.5j")
NUMBERS: tuple[Any, ...] = (True, 2)
HALF = 0.5
Case = tuple[str, Sequence[Any]]  # an expression over {a} and {b}, and what they are
_count = itertools.count()


def function(expressions: Sequence[str], params: Sequence[str]) -> Callable[..., Any]:
    """A function that returns these expressions, each on a line of its own."""
    lines = [f"def f({', '.join(params)}):\n", "    return (\n", *(f"        {e},\n" for e in expressions), "    )\n"]
    return defined("".join(lines))


def defined(text: str) -> Callable[..., Any]:
    """The function that this source defines, which can be read as if it stood in a file."""
    name = f"<promotion {next(_count)}>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    space: dict[str, Any] = {"np": np, "math": math, "HALF": HALF}
    exec(compile(text, name, "exec"), space)
    return space["f"]


def large(code: str) -> np.ndarray[Any, Any]:
    """Five numbers of this dtype, the ends of its range among them where sums then wrap round."""
    if code == "b1":
        return np.array([True, False, True, True, False])
    if code[0] == "i":
        ends = (1 << 20, 7) if code == "i8" else (np.iinfo(code).max, np.iinfo(code).min)
        return np.array([3, -5, *ends, 1], code)
    if code[0] == "u":
        return np.array([3, 200, 9 if code == "u8" else np.iinfo(code).max, 0, 1], code)
    reals = np.array([0.5, -1.25, 3.0, 0.0, 2.5])
    return (reals + 1j * reals[::-1]).astype(code) if code[0] == "c" else reals.astype(code)


def small(code: str) -> np.ndarray[Any, Any]:
    values = np.array([1, 2, 3, 1, 2])
    return values > 1 if code == "b1" else values.astype(code)


def by_numpy(fun: Callable[..., Any], args: Sequence[Any]) -> Any:
    """What NumPy gives, or the error that it raises."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return fun(*args)
        except (TypeError, ValueError, OverflowError) as error:
            return error


def ours(fun: Callable[..., Any], args: Sequence[Any]) -> tuple[list[str], Any]:
    """The dtypes that are inferred, and what the un-jitted function gives."""
    made = program.derive(fun, Recipe("value"), [describe(a) for a in args])
    space: dict[str, Any] = {}
    exec(compile(to_source.text(made.program, None), "generated", "exec"), space)
    space |= {"np": NumPyShim(), "math": math_shim()}
    captured = [c.read() for c in made.captured]
    return [t.dtype for t in leaf_types(made.result)], interpreted(space[made.program.main.name])(*args, *captured)


def wide(value: Any) -> Any:
    """An argument in double precision."""
    return value.astype("f8") if isinstance(value, np.ndarray) and value.dtype.kind in "iub" else value


def differs(inferred: str, got: Any, want: Any, doubled: Callable[[], Any]) -> str:
    """How one result differs from NumPy's, in words. Where NumPy makes floats of fewer bits of small integers, a
    float64 is wanted; scalars count as Python's, whose dtype says nothing."""
    dtype = np.asarray(want).dtype
    if dtype == "f2" or (dtype == "f4" and inferred == "f8"):
        want = doubled()
        dtype = np.asarray(want).dtype
    if np.shape(got) != np.shape(want):
        return f"has the shape {np.shape(got)}, not {np.shape(want)}"
    if np.ndim(want) and not (inferred == dtype.str[1:] and np.asarray(got).dtype == dtype):
        return f"is inferred as {inferred} and computed as {np.asarray(got).dtype}, not {dtype}"
    same = np.allclose(np.asarray(got, "c16"), np.asarray(want, "c16"), rtol=1e-6, equal_nan=True)
    return "" if same else f"is {got}, not {want}"


def wrong(cases: Sequence[Case], refused: Callable[[Sequence[Any]], bool]) -> list[str]:
    """What is wrong of these expressions, each with its arguments. What NumPy computes must come out, unless it is
    known to be refused; what NumPy refuses must be refused in words."""
    right, bad = [], []
    for text, args in cases:
        fun = alone(text, args)
        want = by_numpy(fun, args)
        if not isinstance(want, Exception) and not refused(args):
            right.append((text, args))
            continue
        try:
            types, got = ours(fun, args)
        except SrcgradError:
            continue
        except ValueError:  # what depends on numbers is raised when it is run
            if isinstance(want, ValueError):
                continue
            raise
        bad.append(f"{text} of {told(args)} gives {types} {got}, where NumPy gives {want!r}")
    return bad + _wrong_at_once(right)


def _wrong_at_once(cases: Sequence[Case]) -> list[str]:
    """All in one function, which is transformed once."""
    if not cases:
        return []
    texts, values = batch(cases)
    types, got = ours(function(texts, [f"x{k}" for k in range(len(values))]), values)
    return compared(cases, types, got)


def compared(cases: Sequence[Case], types: Sequence[str], got: Any) -> list[str]:
    """What differs from NumPy of the results of such a function."""
    bad, rest = [], iter(zip(types, _flat(got), strict=True))
    for text, args in cases:
        for k, want in enumerate(_flat(by_numpy(alone(text, args), args))):
            inferred, one = next(rest)
            doubled = functools.partial(_doubled, text, args, k)
            if problem := differs(inferred, one, want, doubled):
                bad.append(f"{text} of {told(args)} {problem}")
    return bad


def _doubled(text: str, args: Sequence[Any], k: int) -> Any:
    return _flat(by_numpy(alone(text, args), [wide(a) for a in args]))[k]


def alone(text: str, args: Sequence[Any]) -> Callable[..., Any]:
    names = "ab"[: len(args)]
    return function([text.format(**dict(zip(names, names, strict=True)))], names)


def batch(cases: Sequence[Case]) -> tuple[list[str], list[Any]]:
    """The expressions over shared parameters x0, x1, ..., and the values of these."""
    places: dict[int, str] = {}
    values: list[Any] = []
    texts = []
    for text, args in cases:
        for arg in args:
            if id(arg) not in places:
                places[id(arg)] = f"x{len(values)}"
                values.append(arg)
        texts.append(text.format(**{name: places[id(arg)] for name, arg in zip("ab", args, strict=False)}))
    return texts, values


def _flat(value: Any) -> list[Any]:
    return [x for part in value for x in _flat(part)] if isinstance(value, (tuple, list)) else [value]


def told(args: Sequence[Any]) -> str:
    return ", ".join(a.dtype.name if isinstance(a, np.ndarray) else repr(a) for a in args)
