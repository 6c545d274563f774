"""What a function was when a derivative was made of it. A function stays one object when its code is exchanged, as
notebooks do that reload edited modules."""

from __future__ import annotations

import builtins
import functools
import types
from collections.abc import Iterable
from typing import Any, NamedTuple


class Version(NamedTuple):
    """A function, and its code and defaults at one time.

    items: of `named`, which may be changed in place.   builtins: names in its code that stand for Python's builtins as
    long as there are no globals of these names.
    """

    function: types.FunctionType
    code: types.CodeType
    defaults: tuple[Any, ...] | None
    named: dict[str, Any] | None
    items: tuple[tuple[str, Any], ...]
    builtins: tuple[str, ...]


def versions(functions: Iterable[types.FunctionType]) -> tuple[Version, ...]:
    """The present version of each of these functions, once."""
    return tuple(_version(fun) for fun in {id(fun): fun for fun in functions}.values())


def _version(fun: types.FunctionType) -> Version:
    named = fun.__kwdefaults__
    taken = tuple(name for name in _builtins(fun.__code__) if name not in fun.__globals__)
    return Version(fun, fun.__code__, fun.__defaults__, named, tuple((named or {}).items()), taken)


@functools.lru_cache(maxsize=1024)
def _builtins(code: types.CodeType) -> tuple[str, ...]:
    """The names in a function's code, and in what stands in it, that builtins have."""
    inner = (name for const in code.co_consts if isinstance(const, types.CodeType) for name in _builtins(const))
    return tuple(dict.fromkeys(name for name in (*code.co_names, *inner) if hasattr(builtins, name)))


def current(made_of: Iterable[Version]) -> bool:
    """Whether each function is still what it was."""
    for fun, code, defaults, named, items, taken in made_of:
        if fun.__code__ is not code or fun.__defaults__ is not defaults or fun.__kwdefaults__ is not named:
            return False
        for name, value in items:
            if named is None or named.get(name, items) is not value:
                return False
        for name in taken:
            if name in fun.__globals__:
                return False
    return True
