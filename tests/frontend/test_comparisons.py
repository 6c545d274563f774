"""`==`, `!=`, `in`, `is` and the order of structures: as Python has them, or refused."""

from __future__ import annotations

import collections
import enum
import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pytest

import srcgrad as sg


class Pt(NamedTuple):
    x: Any
    y: Any


class Other(NamedTuple):
    x: Any
    y: Any


class Plain:
    def __init__(self, x):
        self.x = x


@dataclass
class D:
    x: Any
    y: Any = 1.0


@dataclass
class E:
    x: Any
    y: Any = 1.0


@dataclass
class Below(D):
    z: Any = 2.0


class Undecorated(D):
    pass


@dataclass(frozen=True)
class Frozen:
    x: Any


@dataclass(eq=False)
class NoEq:
    x: Any


@dataclass
class Partly:
    x: Any
    note: Any = field(default=0.0, compare=False)


@dataclass(order=True)
class Ordered:
    x: Any
    y: Any = 1.0
    tag: Any = field(default=0.0, compare=False)


@dataclass
class OwnEq:
    x: Any

    def __eq__(self, other):
        return not isinstance(other, float)


class EqOnly(list[Any]):
    def __eq__(self, other):
        return True


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


CAPTURED = D(1.5)
SAME = CAPTURED
NAMES = frozenset({"a", "b"})
CONFIG = Plain(2.0)

# pairs (left, right) of what can be compared, from x
PAIRS: dict[str, Callable[[Any], tuple[Any, Any]]] = {
    "dicts of another order": lambda x: ({"a": x, "b": 2.0}, {"b": 2.0, "a": x}),
    "dicts of other keys": lambda x: ({"a": x}, {"b": x}),
    "dicts of other values": lambda x: ({"a": x}, {"a": x + 1.0}),
    "a dict inside a list": lambda x: ([{"a": x, "b": 1.0}], [{"b": 1.0, "a": x}]),
    "a tuple and a list": lambda x: ((x, 1.0), [x, 1.0]),
    "lists": lambda x: ([x, 1.0], [x, 1.0]),
    "lists of other lengths": lambda x: ([x], [x, 1.0]),
    "a tuple and a NamedTuple": lambda x: ((x, 1.0), Pt(x, 1.0)),
    "two NamedTuples": lambda x: (Pt(x, 1.0), Other(x, 1.0)),
    "other NamedTuples": lambda x: (Pt(x, 1.0), Other(x, 2.0)),
    "plain objects": lambda x: (Plain(x), Plain(x)),
    "plain objects in lists": lambda x: ([Plain(x)], [Plain(x)]),
    "one object in lists": lambda x: (lambda o: ([o], [o]))(Plain(x)),
    "dataclasses": lambda x: (D(x), D(x)),
    "other dataclasses": lambda x: (D(x), D(x, 2.0)),
    "dataclasses of two classes": lambda x: (D(x), E(x)),
    "a dataclass and its subclass": lambda x: (D(x), Below(x)),
    "an undecorated subclass": lambda x: (D(x), Undecorated(x)),
    "two of an undecorated subclass": lambda x: (Undecorated(x), Undecorated(x)),
    "frozen dataclasses": lambda x: (Frozen(x), Frozen(x)),
    "eq=False": lambda x: (NoEq(x), NoEq(x)),
    "compare=False": lambda x: (Partly(x, 1.0), Partly(x, 2.0)),
    "compare=False, others": lambda x: (Partly(x, 1.0), Partly(x + 1.0, 1.0)),
    "an __eq__ of its own": lambda x: (OwnEq(x), OwnEq(x + 1.0)),
    "a number and an __eq__": lambda x: (x, OwnEq(x)),
    "a dataclass and a number": lambda x: (D(x), x),
    "a dataclass and a tuple": lambda x: (D(x), (x, 1.0)),
    "a dict and a number": lambda x: ({"a": x}, x),
    "a tuple and a literal": lambda x: ((x,), 1.0),
    "a string and a tuple": lambda x: ("a", (x,)),
    "None and an object": lambda x: (None, Plain(x)),
    "None and a number": lambda x: (None, x),
    "members": lambda x: (Colour.RED, Colour.BLUE),
    "the same members": lambda x: (Colour.RED, Colour.RED),
    "strings": lambda x: ("a", "a"),
    "nested": lambda x: ((x, [D(x)], {"k": (x,)}), (x, [D(x)], {"k": (x,)})),
    "captured and made": lambda x: (CAPTURED, D(1.5)),
    "captured twice": lambda x: (CAPTURED, SAME),
    "captured objects": lambda x: (CONFIG, CONFIG),
    "captured and other": lambda x: (CONFIG, Plain(x)),
    "functions": lambda x: (np.sin, np.cos),
}
ORDERED: dict[str, Callable[[Any], tuple[Any, Any]]] = {
    "tuples": lambda x: ((1.0, x), (1.0, 2.0)),
    "tuples, the first decides": lambda x: ((x, 9.0), (2.0, 1.0)),
    "shorter": lambda x: ((x,), (x, 1.0)),
    "equal": lambda x: ([x, 1.0], [x, 1.0]),
    "lists": lambda x: ([x, [x, 2.0]], [x, [x, 1.0]]),
    "NamedTuples": lambda x: (Pt(x, 1.0), Pt(x, 2.0)),
    "order=True": lambda x: (Ordered(x, 1.0, 5.0), Ordered(x, 2.0, 1.0)),
    "order=True, equal": lambda x: (Ordered(x, 1.0, 5.0), Ordered(x, 1.0, 1.0)),
    "strings": lambda x: ("a", "b"),
    "objects in tuples": lambda x: ((Ordered(x), 1.0), (Ordered(x), 2.0)),
}
MEMBERS: dict[str, Callable[[Any], Any]] = {
    "a number in a list": lambda x: x in [1.0, x],
    "a number in a tuple": lambda x: x in (1.0, 2.0),
    "a number in a dict": lambda x: x in {"a": x},
    "a key in a dict": lambda x: "a" in {"a": x},
    "another key": lambda x: "b" in {"a": x},
    "None in a tuple": lambda x: None in (x, None),
    "None in numbers": lambda x: None in (x, x),
    "an object in a list": lambda x: Plain(x) in [Plain(x), Plain(x)],
    "the object in a list": lambda x: (lambda o: o in [Plain(x), o])(Plain(x)),
    "a dataclass in a list": lambda x: D(x) in [D(2.0), D(x)],
    "a dataclass not in a list": lambda x: D(x) not in [D(7.0), E(x)],
    "a tuple in a list": lambda x: (x, 1.0) in [[x, 1.0], (x, 1.0)],
    "a list in a list": lambda x: [x] in [(x,), 1.0],
    "a string in a string": lambda x: "a" in "bab",
    "a string in a frozenset": lambda x: "c" in NAMES,
    "a string in a tuple": lambda x: "a" in ("b", x),
    "a member in a tuple": lambda x: Colour.RED in (Colour.BLUE, Colour.RED),
    "not in": lambda x: "a" not in {"a": x},
    "is None": lambda x: x is None,
    "is not None": lambda x: Plain(x) is not None,
    "None is None": lambda x: None is None,
    "the same object": lambda x: (lambda o: o is o)(Plain(x)),
    "two objects": lambda x: Plain(x) is Plain(x),
    "two lists": lambda x: [x] == [x],
    "two classes": lambda x: D(x) is E(x),  # type: ignore[comparison-overlap]
    "an object and a number": lambda x: Plain(x) is x,
    "an object through a list": lambda x: (lambda o: [1.0, o][1] is o)(Plain(x)),
    "a class": lambda x: type(D(x)) is D,
    "True": lambda x: True is True,
    "a captured object": lambda x: CONFIG is CONFIG,
}


def agrees(f: Callable[[Any], Any]) -> None:
    for x in (1.5, 3.0):
        assert sg.grad(lambda x: 2.0 * x if f(x) else 3.0 * x, jit=False)(x) == (2.0 if f(x) else 3.0)


@pytest.mark.parametrize("name", PAIRS)
def test_equal(name: str) -> None:
    pair = PAIRS[name]
    agrees(lambda x: (lambda a, b: a == b)(*pair(x)))
    agrees(lambda x: (lambda a, b: a != b)(*pair(x)))
    agrees(lambda x: (lambda a, b: b == a)(*pair(x)))
    agrees(lambda x: (lambda a, b: (a == b) and not (a != b))(*pair(x)))


@pytest.mark.parametrize("name", ORDERED)
def test_ordered(name: str) -> None:
    pair = ORDERED[name]
    agrees(lambda x: (lambda a, b: a < b)(*pair(x)))
    agrees(lambda x: (lambda a, b: a <= b)(*pair(x)))
    agrees(lambda x: (lambda a, b: b > a)(*pair(x)))
    agrees(lambda x: (lambda a, b: b >= a)(*pair(x)))


@pytest.mark.parametrize("name", MEMBERS)
def test_in_and_is(name: str) -> None:
    agrees(MEMBERS[name])


def test_given_structures() -> None:
    f = lambda p, q, x: x * x if p == q else x  # noqa: E731
    d = sg.grad(f, argnums=2, jit=False)
    pairs: list[tuple[Any, Any]] = [
        ({"a": 1.0, "b": 2.0}, {"b": 2.0, "a": 1.0}),
        ((1.0, 2.0), [1.0, 2.0]),
        (D(1.0), D(1.0)),
        (D(1.0), E(1.0)),
        (Plain(1.0), Plain(1.0)),
        (OwnEq(1.0), OwnEq(2.0)),
        (Partly(1.0, 2.0), Partly(1.0, 3.0)),
        (collections.OrderedDict(a=1.0, b=2.0), collections.OrderedDict(b=2.0, a=1.0)),
        (collections.OrderedDict(a=1.0, b=2.0), {"b": 2.0, "a": 1.0}),
        (Frozen(2.0), Frozen(2.0)),
        (EqOnly([1.0]), EqOnly([2.0])),
    ]
    for p, q in pairs:
        assert d(p, q, 3.0) == (6.0 if p == q else 1.0), (p, q)
    e = sg.grad(lambda p, q, x: x * x if p != q else x, argnums=2, jit=False)
    assert e(EqOnly([1.0]), EqOnly([2.0]), 3.0) == 6.0  # `!=` is the list's own


def test_a_later_item_is_not_compared_where_an_earlier_decides() -> None:
    class Strict:
        def __init__(self, x):
            self.x = x

        def __eq__(self, other):
            if self.x > 0.0:
                raise ValueError("compared")
            return True

    f = lambda x: x if (x, Strict(x)) == (2.0, Strict(x)) else 3.0 * x  # noqa: E731
    assert sg.grad(f, jit=False)(1.0) == 3.0
    with pytest.raises(ValueError, match="compared"):
        sg.grad(f, jit=False)(2.0)


def refused_programs():
    """What no type checker would let through: a function without types."""
    return {
        "an order of objects": lambda x: Plain(x) < Plain(x),
        "an order of dataclasses": lambda x: D(x) < D(x),
        "an order of dicts": lambda x: {"a": x} < {"a": x},
        "an order of a tuple and a list": lambda x: (x,) < [x],
        "an order of other classes": lambda x: Ordered(x) < D(x),
        "an order of None": lambda x: None < x,
        "an order of None and a string": lambda x: None < "a",
        "complex literals": lambda x: 1j < 2j,
        "an array and a tuple": lambda x: np.array([x, x]) == (x, x),
        "an array and None": lambda x: np.array([x, x]) == None,  # noqa: E711
        "arrays in tuples": lambda x: (np.array([x, x]),) == (np.array([x, x]),),
        "an item of a number": lambda x: x in x,
        "an item of an array": lambda x: x in np.array([x]),
        "an item of an object": lambda x: x in Plain(x),
        "a tuple as a key": lambda x: (x,) in {"a": x},
        "numbers by is": lambda x: x is 2.0 * x,
        "frozen ones by is": lambda x: Frozen(x) is Frozen(x),
    }


REFUSED: dict[str, Callable[[Any], Any]] = refused_programs()


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    f = REFUSED[name]
    with pytest.raises(sg.SrcgradError) as caught:
        sg.grad(lambda x: 2.0 * x if f(x) else x, jit=False)(1.5)
    assert caught.value.problems[0].line
    assert caught.value.problems[0].hint
    assert caught.value.problems[0].file == __file__


def test_whether_two_arguments_are_one_object_is_not_known() -> None:
    p = D(1.0)
    with pytest.raises(sg.UnsupportedError, match="same D"):
        sg.grad(lambda p, q, x: x if p is q else 2.0 * x, argnums=2, jit=False)(p, p, 3.0)


def test_total_ordering_and_the_fuller_of_two_classes():
    @functools.total_ordering
    class Rank:
        def __init__(self, x):
            self.x = x

        def __eq__(self, other):
            return self.x == other.x

        def __lt__(self, other):
            return self.x < other.x

    agrees(lambda x: Rank(x) <= Rank(2.0))
    agrees(lambda x: Rank(x) > Rank(2.0))
    agrees(lambda x: (Rank(x), 1.0) >= (Rank(x), 1.0))
