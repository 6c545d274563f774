"""Arrays of other libraries as arguments: what a method of theirs means otherwise than NumPy's is refused."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from srcgrad.errors import ArgumentError
from srcgrad.frontend.source.structure import of_arrays, parts

OTHERWISE = ("std", "var")  # pandas and PyTorch divide by n - 1


def check(value: Any, name: str, functions: Callable[[], Iterable[types.FunctionType]]) -> None:
    """Refuse another library's array where the functions ask an array for its deviation.

    Raises
    ------
    ArgumentError
        If the argument of this name is, or holds, such an array.
    """
    if not _holds(value):
        return
    asked = {method for fun in functions() for method in OTHERWISE if method in set(_names(fun.__code__))}
    if asked:
        method = min(asked)
        raise ArgumentError(
            f"`{name}` is another library's array, whose `{method}`, which the function asks for, may divide by n - 1",
            hint=f"give it as NumPy's: {name}.to_numpy()",
            about=name,
        )


def _holds(value: Any) -> bool:
    return of_arrays(value) or any(map(_holds, parts(value)[2]))


def _names(code: types.CodeType) -> Iterator[str]:
    """The names that code looks up, in the functions inside it too."""
    yield from code.co_names
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            yield from _names(const)
