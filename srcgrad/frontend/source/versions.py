"""What a function was when a derivative was made of it. A function stays one object when its code is exchanged, as
notebooks do that reload edited modules."""

from __future__ import annotations

import types
from collections.abc import Iterable
from typing import Any, NamedTuple


class Version(NamedTuple):
    """A function, and its code and defaults at one time."""

    function: types.FunctionType
    code: types.CodeType
    defaults: tuple[Any, ...] | None
    named: dict[str, Any] | None


def versions(functions: Iterable[types.FunctionType]) -> tuple[Version, ...]:
    """The present version of each of these functions, once."""
    different = {id(fun): fun for fun in functions}.values()
    return tuple(Version(f, f.__code__, f.__defaults__, f.__kwdefaults__) for f in different)


def current(made_of: Iterable[Version]) -> bool:
    """Whether each function is still what it was."""
    for fun, code, defaults, named in made_of:
        if fun.__code__ is not code or fun.__defaults__ is not defaults or fun.__kwdefaults__ is not named:
            return False
    return True
