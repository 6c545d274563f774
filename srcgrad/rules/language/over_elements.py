"""What an array primitive means: a plain Python function over elements, for arrays of any rank.

It runs as it stands, with NumPy's arrays. The printer writes it out for the ranks of a call: `np.ndindex` as a nest of
loops, tuples of indices as subscripts, what the known parameters decide as decided.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from srcgrad.core import ir


@dataclass(frozen=True, slots=True)
class OverElements:
    """The function, the ranks of its first parameters, and the values of others that are known."""

    function: Callable[..., Any]
    ranks: tuple[int, ...]
    known: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class EachElement:
    """A template for numbers, for each element of arguments of these types. single: the result is in single precision,
    what is computed in double."""

    template: str
    types: tuple[ir.Type, ...]
    single: bool


@dataclass(frozen=True, slots=True)
class Contraction:
    """The sum of products of two arrays over the letters of their axes that the result has not."""

    left: str
    right: str
    out: str
    dtype: str


def written_out(
    function: Callable[..., Any], types: Sequence[ir.Type], name: str, /, **known: Any
) -> tuple[str, dict[str, OverElements]]:
    """A template's call of the function under this name, with the function as its helper."""
    places = ", ".join(f"_{k}" for k in range(len(types)))
    over = OverElements(function, tuple(t.rank for t in types), tuple(known.items()))
    return f"{name}({places})", {name: over}


def suffix(axes: Sequence[int], keepdims: bool = False) -> str:
    """How a helper's name tells the axes that it goes over."""
    return "".join(f"_{k}" for k in axes) + ("_keepdims" if keepdims else "")


def evaluated(function: Callable[..., Any]) -> Callable[..., Any]:
    """What the interpreter of the core computes: the function as it stands."""

    def evaluate(*args: Any, **params: Any) -> Any:
        with np.errstate(all="ignore"):
            return function(*map(np.asarray, args), **params)[()]

    return evaluate
