"""Where a function finds what it takes from around it. A process that finds all in the cache needs this alone."""

from __future__ import annotations

import builtins
import types
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

PLAIN = (str, int, float, bool, type(None))
Path = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an object is found: a name in a dict of globals, a closure cell, a class, or among a function's defaults;
    then attributes and keys."""

    space: Any
    name: str
    path: Path = ()

    @property
    def key(self) -> tuple[Any, ...]:
        return id(self.space), self.name, self.path

    def read(self) -> Any:
        return follow(found(self.space, self.name), self.path)

    def then(self, how: str, step: str) -> Origin:
        return Origin(self.space, self.name, (*self.path, (how, step)))

    def __str__(self) -> str:
        return self.name + "".join(f".{s}" if how == "." else f"[{s}]" if how == "[" else "" for how, s in self.path)


def found(space: Any, name: str) -> Any:
    """What a name stands for now in this space."""
    if isinstance(space, types.CellType):
        return space.cell_contents
    if isinstance(space, types.FunctionType):
        return default_of(space, name)
    if isinstance(space, type):
        return getattr(space, name)
    return space[name] if name in space else getattr(builtins, name)


def follow(value: Any, path: Iterable[tuple[str, str]]) -> Any:
    for how, step in path:
        if how == "()":
            value = np.asarray(value)
            continue
        named = hasattr(value, "keys") or not step.isdigit()
        value = getattr(value, step) if how == "." else value[step if named else int(step)]
    return value


def default_of(fun: types.FunctionType, name: str) -> Any:
    """The default of a parameter."""
    keyword_only = fun.__kwdefaults__ or {}
    if name in keyword_only:
        return keyword_only[name]
    defaults = fun.__defaults__ or ()
    names = fun.__code__.co_varnames[: fun.__code__.co_argcount]
    return dict(zip(names[len(names) - len(defaults) :], defaults, strict=True))[name]


def unchanged(now: Any, seen: Any) -> bool:
    """Whether an object that a transformation has seen is still the same."""
    if now is seen:
        return True
    if isinstance(seen, types.MethodType):  # a new one each time that it is looked up
        return isinstance(now, types.MethodType) and now.__func__ is seen.__func__ and now.__self__ is seen.__self__
    return isinstance(seen, PLAIN) and type(now) is type(seen) and bool(now == seen)
