"""SciPy's functions by their names: SciPy, whose import takes longer than to make a derivative, is imported by whoever
calls one."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, eq=False, slots=True)
class Named:
    """A function of SciPy. It is equal to the function itself; called, it is imported."""

    module: str
    name: str

    @property
    def __name__(self) -> str:
        return self.name

    def found(self) -> Any:
        """The function; None in a version of SciPy that has none of this name."""
        return getattr(importlib.import_module(self.module), self.name, None)

    def __call__(self, *args: Any, **options: Any) -> Any:
        return self.found()(*args, **options)

    def __hash__(self) -> int:
        return hash((self.module, self.name))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Named):
            return (self.module, self.name) == (other.module, other.name)
        return self.module in sys.modules and other is not None and self.found() is other


class Library:
    """A module of SciPy: its attributes are names of functions."""

    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Named:
        if name.startswith("__"):
            raise AttributeError(name)
        return Named(self._module, name)


fft, linalg, special = (Library(f"scipy.{name}") for name in ("fft", "linalg", "special"))


class Functions(MutableMapping[Any, Callable[..., Any]]):
    """A table by functions, some of them `Named`. Those of a module are found once somebody has imported it: who asks
    for a function of it has."""

    def __init__(self) -> None:
        self._known: dict[Any, Callable[..., Any]] = {}
        self._waiting: dict[str, list[Named]] = {}  # by module

    def __setitem__(self, function: Any, value: Callable[..., Any]) -> None:
        self._known[function] = value
        if isinstance(function, Named):
            self._waiting.setdefault(function.module, []).append(function)

    def __getitem__(self, function: Any) -> Callable[..., Any]:
        self._find()
        return self._known[function]

    def __delitem__(self, function: Any) -> None:
        self._find()
        del self._known[function]

    def __iter__(self) -> Iterator[Any]:
        self._find()
        return (function for function in self._known if not isinstance(function, Named))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _find(self) -> None:
        for module in [module for module in self._waiting if module in sys.modules]:
            for named in self._waiting[module]:
                function = named.found()
                if function is not None:
                    self._known[function] = self._known[named]
            del self._waiting[module]
