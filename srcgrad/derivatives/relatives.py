"""Functions that are made anew with the same code: lambdas and local functions. What was written for one of them serves
the next, with its own functions, defaults and closure cells in the places of the other's; what these hold is checked at
the call, as if the first one's had been bound again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from types import CellType, CodeType, FunctionType
from typing import Any, NamedTuple

from srcgrad.derivatives.straight_call import Straight

PLAIN = (float, int, bool, str, type(None))
MOST = 512  # families that are kept
KINDS = 8  # of arguments, and calls that are kept for each


class Abstract(NamedTuple):
    """A straight call without what is its function's own. own: (name, number) of such things."""

    code: CodeType
    space: dict[str, Any]
    own: tuple[tuple[str, int], ...]

    def of(self, things: Sequence[Any]) -> Straight:
        space = self.space.copy()
        for name, number in self.own:
            space[name] = things[number]
        return FunctionType(self.code, space)


class Family:
    """What derivatives of functions with the same code have in common.

    state: attributes of the derivatives; kept: what must live on, as it is told from others by its id.
    """

    def __init__(self, state: dict[str, Any], kept: Sequence[Any]) -> None:
        self.state, self.kept = state, kept
        self.calls: dict[Any, list[Abstract]] = {}

    def add(self, classes: Any, straight: Straight, things: Sequence[Any]) -> None:
        """Keep a straight call, if it refers to its function's own things only by names."""
        made = abstract(straight, things)
        if made is None or len(self.calls) >= KINDS:
            return
        known = self.calls.setdefault(classes, [])
        if len(known) < KINDS:
            known.append(made)


def abstract(straight: Straight, things: Sequence[Any]) -> Abstract | None:
    """A straight call for relatives, whose own things come in the places of these; None where functions that it calls
    look at some of these."""
    numbers = {id(thing): k for k, thing in enumerate(things)}
    space: dict[str, Any] = straight.__globals__
    if any(id(item) in numbers for item in space["_beside"]):
        return None
    own = tuple((name, numbers[id(value)]) for name, value in space.items() if id(value) in numbers)
    names = {"_alone", *(name for name, _ in own)}
    return Abstract(straight.__code__, {name: value for name, value in space.items() if name not in names}, own)


_FAMILIES: dict[Any, Family] = {}


def family(key: Any) -> Family | None:
    return _FAMILIES.get(key)


def begin(key: Any, state: dict[str, Any], kept: Sequence[Any]) -> Family:
    """A new family."""
    if len(_FAMILIES) >= MOST:
        _FAMILIES.clear()
    return _FAMILIES.setdefault(key, Family(state, kept))


@dataclass(eq=False)
class Described:
    """What is known of a function: a key that it has in common with its relatives, its own things, in a fixed order,
    and what else the key's ids are of."""

    key: list[Any] = field(default_factory=list)
    things: list[Any] = field(default_factory=list)
    kept: list[Any] = field(default_factory=list)
    _numbers: dict[int, int] = field(default_factory=dict)

    def function(self, fun: FunctionType) -> bool:
        """Take a function in; False if there is more to know of it than its code, defaults, annotations and closure."""
        if self._met(fun):
            return True
        if fun.__dict__ or not self._annotated(fun):
            return False
        code, space = fun.__code__, fun.__globals__
        self.kept += (code, space)
        self.key += (id(code), id(space), fun.__qualname__, fun.__module__, fun.__name__)
        if fun.__defaults__ is not None and not self._met(fun.__defaults__):
            self._values(fun.__defaults__)
        if fun.__kwdefaults__ is not None and not self._met(fun.__kwdefaults__):
            self.key += fun.__kwdefaults__
            self._values(fun.__kwdefaults__.values())
        return all(self._cell(cell) for cell in fun.__closure__ or ())

    def _annotated(self, fun: FunctionType) -> bool:
        """Take in what annotations say, which may tell types: in words, or by classes."""
        for name, value in fun.__annotations__.items():
            if not isinstance(value, (str, type, type(None))):
                return False
            self.key += (name, value if type(value) is str else id(value))
            self.kept.append(value)
        return True

    def _cell(self, cell: CellType) -> bool:
        if self._met(cell):
            return True
        try:
            content = cell.cell_contents
        except ValueError:  # it is empty
            content = cell
        if type(content) is FunctionType:
            return self.function(content)
        self.key.append(type(content))
        return True

    def _met(self, thing: Any) -> bool:
        """Whether it was met before; what is met is numbered."""
        number = self._numbers.setdefault(id(thing), len(self.things))
        self.key.append(number)
        if number == len(self.things):
            self.things.append(thing)
            return False
        return True

    def _values(self, values: Iterable[Any]) -> None:
        for value in values:
            self.key.append((type(value), repr(value)) if type(value) in PLAIN else id(value))
            self.kept.append(value)


def described(fun: Any) -> Described | None:
    """None where a function has no relatives that could be told."""
    out = Described()
    return out if type(fun) is FunctionType and out.function(fun) else None
