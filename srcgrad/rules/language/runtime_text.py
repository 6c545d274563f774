"""The text of numeric functions, which generated modules carry as it stands, compiled with the code that calls them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any


def sources(*functions: Callable[..., Any]) -> dict[str, str]:
    """What `helpers` of a rule takes: the text of each by its name, and of the functions that it calls."""
    found: dict[str, str] = {}
    for function in functions:
        _add(function, found)
    return found


def _add(function: Callable[..., Any], found: dict[str, str]) -> None:
    if function.__name__ not in found:
        found[function.__name__] = inspect.getsource(function)
        for called in _called(function):
            _add(called, found)


def _called(function: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    assert isinstance(function, FunctionType)
    named = (function.__globals__.get(name) for name in function.__code__.co_names)
    return (value for value in named if isinstance(value, FunctionType))
