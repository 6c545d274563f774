"""The text of numeric functions, which generated modules carry as it stands, compiled with the code that calls them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from types import FunctionType
from typing import Any


class Sources(Mapping[str, str]):
    """The text of each function by its name, and of the functions that it calls; texts are read when they are asked
    for, since reading all takes as long as many a derivation."""

    def __init__(self, functions: tuple[Callable[..., Any], ...]) -> None:
        self._functions: dict[str, Callable[..., Any]] = {}
        for function in functions:
            self._add(function)

    def _add(self, function: Callable[..., Any]) -> None:
        if function.__name__ not in self._functions:
            self._functions[function.__name__] = function
            for called in _called(function):
                self._add(called)

    def __getitem__(self, name: str) -> str:
        return _text(self._functions[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._functions)

    def __len__(self) -> int:
        return len(self._functions)


def sources(*functions: Callable[..., Any]) -> Sources:
    """What `helpers` of a rule takes: the text of each by its name, and of the functions that it calls."""
    return Sources(functions)


_text = lru_cache(maxsize=None)(inspect.getsource)


def _called(function: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    assert isinstance(function, FunctionType)
    named = (function.__globals__.get(name) for name in function.__code__.co_names)
    return (value for value in named if isinstance(value, FunctionType))
