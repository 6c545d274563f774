"""Solves that go straight to the compiled loop, where one like it was made before: for the same function, or for
another one with the same code. What is captured is read, and what was seen is compared, at each call."""

# mypy: disallow-untyped-calls=False
from __future__ import annotations

import functools
import sys
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from srcgrad.compiler.find_or_make import leaf_count
from srcgrad.derivatives.one_call import same
from srcgrad.derivatives.relatives import Abstract, abstract, described
from srcgrad.derivatives.straight_call import by_item
from srcgrad.derivatives.written_calls import OTHER, exact
from srcgrad.optimize.blocks import Turns

Straight = Callable[..., Any]
Known = tuple[Straight | None, Turns]

PACKAGE = "srcgrad.optimize"
MOST = 1000  # keys that are kept
KINDS = 8  # of what is captured, and ways that are kept for each

# By a key that begins with the function: what takes the loop's arguments one after another and gives what the loop
# gives, or `OTHER`; and how many steps are surely short, as a call adds little. None where a call needs more.
PLAIN: dict[Any, Known] = {}
NONE: Known = None, {}

# The same for functions with the same code: what was written, without what is a function's own; and what lives on.
_RELATIVES: dict[Any, tuple[list[tuple[Abstract, Turns]], list[Any]]] = {}
_MET: weakref.WeakKeyDictionary[Any, set[Any]] = weakref.WeakKeyDictionary()


def known(key: Any) -> Known:
    """How a solve goes straight, if it does."""
    return PLAIN.get(key) or _of_relatives(key)


def _of_relatives(key: Any) -> Known:
    """By what was written for functions with the same code. A function is kept when it is met again."""
    fun, *choices = key
    one = described(fun)
    found = None if one is None else _RELATIVES.get((*one.key, *choices))
    if one is None or found is None:
        return NONE
    straight = _first([call.of(one.things) for call, _ in found[0]])
    turns = _least([turns for _, turns in found[0]])
    met = _MET.setdefault(fun, set())
    if key[1:] in met:
        _keep(key, (straight, turns))
    met.add(key[1:])
    return straight, turns


def _first(calls: Sequence[Straight]) -> Straight:
    """The first of these that takes the call."""
    if len(calls) == 1:
        return calls[0]

    def call(*items: Any) -> Any:
        for straight in calls:
            out = straight(*items)
            if out is not OTHER:
                return out
        return OTHER

    return call


def _least(each: Sequence[Turns]) -> Turns:
    """How many steps are surely short whichever it is."""
    return each[0] if len(each) == 1 else {n: min(turns.get(n, 0) for turns in each) for n in each[0]}


def forget(key: Any) -> None:
    """A solve did not go straight: how it does is to be found again."""
    PLAIN.pop(key, None)


def remember(key: Any, solve: Any, turns: Turns, values: Sequence[Any]) -> None:
    """Next time go straight to the compiled loop, if it is called with such values and needs nothing else."""
    if key in PLAIN:
        return
    straight = _written(solve, values)
    _keep(key, (straight, turns))
    one = described(key[0])
    if straight is None or one is None or (made := abstract(straight, one.things)) is None:
        return
    if len(_RELATIVES) >= MOST:
        _RELATIVES.clear()
    calls, _ = _RELATIVES.setdefault((*one.key, *key[1:]), ([], one.kept))
    calls[:] = [(made, turns), *(known for known in calls if not _alike(known[0], made))][:KINDS]


def _written(solve: Any, values: Sequence[Any]) -> Straight | None:
    """What goes straight to the compiled loop from such numbers and arrays, one after another, and gives its flat
    result, or `OTHER`; None if a call needs more."""
    call = solve._lookup(values)
    items = [item for value in values for item in (value if type(value) is tuple else (value,))]
    types = call.meta.types[: leaf_count(call.specs)]
    if len(items) != len(types) or not all(map(exact, items, types)) or call.result is not same:
        return None
    own = [v.function for v in call.bound.made_of if str(v.function.__module__).startswith(PACKAGE)]
    names = [f"item_{k}" for k in range(len(items))]
    take = functools.partial(by_item, names, items, types)
    made: Straight | None = solve.straight(
        call, take, fixed=[*_fixed(solve.primal), *own], head=", ".join(names), sized=True
    )
    return made


def _alike(one: Abstract, other: Abstract) -> bool:
    """Whether the same text was written, of the same structures: the newer one stands."""
    return one.code is other.code and one.space["_key"] == other.space["_key"]


def _keep(key: Any, known: Known) -> None:
    if len(PLAIN) >= MOST:
        PLAIN.clear()
    PLAIN[key] = known


def _fixed(loop: Any) -> list[Any]:
    """Where nothing is bound again: this package's modules, and the cells of a loop's closure."""
    return [loop, *_cells(loop), *_modules()]


@functools.cache
def _modules() -> list[Any]:
    return [vars(module) for name, module in list(sys.modules.items()) if name.startswith(PACKAGE)]


def _cells(loop: Any) -> Iterator[Any]:
    """The cells of a loop's closure and of what this package made that stands in them: closures, tuples of these and
    their derivatives."""
    for cell in loop.__closure__ or ():
        yield cell
        content = cell.cell_contents
        for item in content if isinstance(content, tuple) else (content,):
            inner = getattr(item, "primal", item)
            if str(getattr(inner, "__module__", None)).startswith(PACKAGE) and hasattr(inner, "__closure__"):
                yield from _cells(inner)
