"""`match`: each pattern beside Python's own, for subjects that fit it and that do not."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pytest

import srcgrad as sg
from tests.frontend.lowering import same


@dataclass
class Point:
    x: Any
    y: Any
    tag: str = field(default="p", kw_only=True)


class Pair(NamedTuple):
    a: Any
    b: Any


class Plain:
    __match_args__ = ("size",)

    def __init__(self, size: Any) -> None:
        self.size = size


class Sizes:
    two = 2
    pair = (1, 2)


def numbers(v: Any) -> Any:
    match v:
        case 0 | -1:
            return 1.0
        case 2.5:
            return 2.0
        case 1j:
            return 3.0
        case "a" | "b":
            return 4.0
        case None:
            return 5.0
        case Sizes.two:
            return 8.0
        case ():
            return 10.0
    return 0.0


def booleans(v: Any) -> Any:
    match bool(v), not v, v is None:
        case True, False, True:
            return 1.0
        case False, True, False:
            return 2.0
        case True, bool(w), False:
            return 4.0 if w else 5.0
        case False, True, True:
            return 6.0
    return 7.0


def named(v: Any) -> Any:
    match v:
        case Sizes.pair:
            return 1.0
        case (a, Sizes.two):
            return a * 2.0
    return 0.0


def sequences(v: Any) -> Any:
    match v:
        case [] | [_]:
            return 1.0
        case (a, (b, c)):
            return a + b * c
        case (0, b):
            return b * 2.0
        case (a, 0) if a > 1:
            return a * 3.0
        case (a, b):
            return a - b
        case (a, *rest, 7):
            return a + len(rest)
        case (a, *_):
            return a * 5.0
        case str():
            return 8.0
    return 9.0


def classes(v: Any) -> Any:
    match v:
        case Point(x=x, y=Point(y=y)):
            return x * y
        case Point(0, y):
            return y * 2.0
        case Point(x, y, tag="q"):
            return x - y
        case Point(x) | Pair(x):
            return x * 3.0
        case int(n) if n > 2:
            return n * 4.0
        case float() | int():
            return 5.0
        case tuple((a, b)) | list([a, b]):
            return a * b
        case str(s):
            return float(len(s))
        case dict():
            return 7.0
        case object():
            return 8.0


def captures(v: Any) -> Any:
    n = 10.0
    match v:
        case (n, 1) if n > 3:
            y = 1.0
        case (1 | 2 | 3 as m, k) as whole if k > 1:
            y = m * k + len(whole)
        case (0, p) | (p, 0):
            y = p * 2.0
        case _:
            y = 3.0
    return n * 100.0 + y


SUBJECTS: dict[Callable[[Any], Any], tuple[Any, ...]] = {
    numbers: (0, -1, 1, 2, 2.5, -1.0, 1j, 2j, "a", "b", "c", None, (1, 3), (), (1,), 3),
    booleans: (True, False, 0, 1.5, None, "a", ""),
    named: ((1, 2), (1, 3), (3, 2), [1, 2], (1.0, 2.0), ()),
    sequences: ((), [1], (0, 2), [0, 2], (1, 0), (3, 0), (4, 5), (4, (5, 6)), (4, [5, 6], 7), (1, 2, 3), (1, 7),
                Pair(0, 3), "ab", 2.0, np.array([0.0, 2.0]), {"a": 1}, None),
    classes: (Point(0, 2.0), Point(1.0, Point(2.0, 3.0)), Point(1.0, 2.0, tag="q"), Point(4.0, 2.0), Pair(2.0, 1.0), 1,
              3, 2.5, (2.0, 3.0), [2.0, 3.0], (1.0, 2.0, 3.0), "abc", {"a": 1.0}, None, np.array([1.0])),
    captures: ((5, 1), (2, 1), (2, 5), (0, 4), (4, 0), (4, 4), (0, 0), [3, 2], (1, 1), (2,)),
}  # fmt: skip
PAIRS = [(fun, subject) for fun, subjects in SUBJECTS.items() for subject in subjects]


@pytest.mark.parametrize(("fun", "subject"), PAIRS, ids=lambda v: getattr(v, "__name__", str(v)))
def test_as_in_python(fun: Callable[[Any], Any], subject: Any) -> None:
    same(fun, subject)


def test_the_subject_and_properties_of_classes_are_read_as_in_python() -> None:
    def f(x: Any, k: Any) -> Any:
        made = Plain(x * k)
        y = 0.0
        match made:
            case Plain(missing=_):  # type: ignore[misc]
                y = 1.0
            case Plain(2.0):
                y = 2.0
            case Plain(size):
                y = size * 3.0
        match bool(made.size > 1.0), k:
            case (True, 1) | (False, 2):
                return y
            case (flag, n):
                return y * n if flag else y - n

    for x, k in itertools.product((0.5, 1.0, 2.0), (1, 2, 3)):
        same(f, x, k)


def test_names_that_are_bound_by_a_pattern_are_live() -> None:
    """In loops, and after a match that may have left them as they were."""

    def f(x: Any, k: Any) -> Any:
        last, total = 0.0, x
        for i in range(k):
            match i % 3, total:
                case 0, last if last > 1.0:
                    total = total * 0.5
                case 1, _:
                    total += last
                case n, t:
                    total = t + n
        return total * 10.0 + last

    for x, k in itertools.product((0.5, 1.5), range(6)):
        same(f, x, k)


def test_each_case_is_a_line_of_the_source() -> None:
    def f(x: Any, k: Any) -> Any:
        match k:
            case 1 | 2:
                y = math.sin(x)
            case _:
                y = x
        return y * y

    source = sg.grad(f, jit=False).source_for(1.0, 1)
    assert "# case 1 | 2:" in source and "k == 1 or k == 2" in source
    assert sg.grad(f, jit=False)(0.5, 2) == pytest.approx(2 * math.sin(0.5) * math.cos(0.5))
    assert sg.grad(sg.grad(f, jit=False), jit=False)(0.5, 3) == 2.0


class Computed:
    @property
    def size(self) -> float:
        return 2.0


def mapping(x: Any, v: Any) -> Any:
    match v:
        case {"a": a}:
            return a * x


def of_numpy(x: Any, v: Any) -> Any:
    match v[0]:
        case int():
            return x


def single(x: Any, v: Any) -> Any:
    match x:
        case float():
            return x * v


def computed(x: Any, v: Any) -> Any:
    match Computed():
        case Computed(size=s):
            return x * s


def unknown_length(x: Any, v: Any) -> Any:
    items = [x]
    for i in range(v):
        if i % 2:
            items.append(x)
    match items:
        case [a, b]:
            return a * b
    return x


def too_many(x: Any, v: Any) -> Any:
    match Point(x, v):
        case Point(a, b, c):  # type: ignore[misc]
            return a * b * c
    return x


def array_and_number(x: Any, v: Any) -> Any:
    match v:
        case 0:
            return x
    return x * x


def in_global(x: Any, v: Any) -> Any:
    global WRITTEN
    match v:
        case WRITTEN:
            return x * WRITTEN


def boolean(x: Any, v: Any) -> Any:
    match v:
        case True:
            return x
    return x * x


def compared(x: Any, v: Any) -> Any:
    match v, x > 0.0:
        case 1, False:
            return x
    return x * x


def class_of_boolean(x: Any, v: Any) -> Any:
    match x > 0.0:
        case int():
            return x
    return x * x


WRITTEN = 0
REFUSED: list[tuple[Callable[..., Any], Any, Any, str]] = [
    (mapping, 1.0, {"a": 2.0}, "a pattern for dicts"),
    (of_numpy, 1.0, np.array([1, 2]), "NumPy's class or of Python's"),
    (boolean, 1.0, True, "does not fit NumPy's booleans"),
    (boolean, 1.0, np.True_, "does not fit NumPy's booleans"),
    (compared, 1.0, 1, "does not fit NumPy's booleans"),
    (class_of_boolean, 1.0, 1, "NumPy's class or of Python's"),
    (single, np.float32(1.0), 2, "NumPy's class or of Python's"),
    (computed, 1.0, 1, "is computed"),
    (unknown_length, 1.0, 3, "a list of unknown length is matched"),
    (too_many, 1.0, 2.0, "takes 2 positional patterns, not 3"),
    (array_and_number, 1.0, np.array([1.0, 2.0]), "the truth of an array is ambiguous"),
    (in_global, 1.0, 2, "the global name `WRITTEN` is written to"),
]


@pytest.mark.parametrize(("fun", "x", "v", "message"), REFUSED, ids=lambda v: getattr(v, "__name__", ""))
def test_refused_with_a_line_and_a_hint(fun: Callable[..., Any], x: Any, v: Any, message: str) -> None:
    with pytest.raises(sg.UnsupportedError) as caught:
        sg.grad(fun, jit=False)(x, v)
    problem = caught.value.problems[0]
    assert message in problem.message and problem.hint and problem.line and problem.source.strip()
