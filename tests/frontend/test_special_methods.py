"""The data model's page, method by method: each special method is called as Python calls it, or the call is refused.

Every expression is computed with an object that is made inside the function, with one that it closes over, and with one
that is given as an argument, and compared with Python's own value and with central differences of it.
"""

from __future__ import annotations

import copy
import functools
import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest

import srcgrad as sg


class Methods:
    """Each method does something else than what would be computed without it."""

    scale = 3.0

    def __bool__(self):
        return self.x > 100.0

    def __len__(self):
        return 5

    def __iter__(self):
        return iter((self.x, 2.0 * self.x, 4.0))

    def __contains__(self, item):
        return item * item > self.x

    def __getitem__(self, key):
        return self.x * key

    def __call__(self, y, *more, by=2.0):
        return by * self.x * y + len(more)

    def __getattr__(self, name):
        return self.x * 7.0 if name == "seven" else self.x * 11.0

    def __eq__(self, other):
        return self.x < 100.0

    def __hash__(self):
        return 1

    def __lt__(self, other):
        return self.x > other

    def __ge__(self, other):
        return self.x < other

    def __add__(self, other):
        return 3.0 * self.x + other

    def __radd__(self, other):
        return 5.0 * self.x - other

    def __sub__(self, other):
        return self.x * other

    def __rsub__(self, other):
        return self.x / other

    def __mul__(self, other):
        return self.x + other

    def __rmul__(self, other):
        return self.x - other

    def __truediv__(self, other):
        return self.x * other * 2.0

    def __rtruediv__(self, other):
        return self.x * other * 3.0

    def __floordiv__(self, other):
        return self.x * 0.5

    def __mod__(self, other):
        return self.x * 0.25

    def __rmod__(self, other):
        return self.x * 0.125

    def __pow__(self, other):
        return self.x * other

    def __rpow__(self, other):
        return other * self.x * 2.0

    def __matmul__(self, other):
        return self.x * 9.0

    def __divmod__(self, other):
        return self.x, other

    def __and__(self, other):
        return self.x * 6.0

    def __or__(self, other):
        return self.x * 7.0

    def __xor__(self, other):
        return self.x * 8.0

    def __lshift__(self, other):
        return self.x * 10.0

    def __rshift__(self, other):
        return self.x * 12.0

    def __neg__(self):
        return self.x * 13.0

    def __pos__(self):
        return self.x * 14.0

    def __invert__(self):
        return self.x * 15.0

    def __abs__(self):
        return self.x * 16.0

    def __float__(self):
        return self.x * 17.0

    def __int__(self):
        return 18

    def __complex__(self):
        return complex(self.x * 19.0, 0.0)

    def __round__(self, digits=0):
        return self.x * 20.0 + digits

    def __floor__(self):
        return self.x * 21.0

    def __ceil__(self):
        return self.x * 22.0

    def __trunc__(self):
        return self.x * 23.0

    @property
    def double(self):
        return 2.0 * self.x

    @staticmethod
    def square(y):
        return y * y

    @classmethod
    def scaled(cls, y):
        return cls.scale * y


class Plain(Methods):
    def __init__(self, x):
        self.x = x


@dataclass(eq=False)
class Data(Methods):
    x: float


CAPTURED = Plain(1.7)
Expression = Callable[[Any, Any], Any]
EXPRESSIONS: dict[str, Expression] = {
    "bool": lambda o, x: 2.0 * x if o else 3.0 * x,
    "not": lambda o, x: 2.0 * x if not o else 3.0 * x,
    "bool()": lambda o, x: x * bool(o) + x,
    "len": lambda o, x: x * len(o),
    "iter": lambda o, x: sum(v * x for v in o),
    "unpack": lambda o, x: (lambda a, b, c: a * b * x)(*o),
    "list": lambda o, x: list(o)[1] * x,
    "tuple": lambda o, x: tuple(o)[2] * x * tuple(o)[1],
    "zip": lambda o, x: sum(a * b * x for a, b in zip(o, (1.0, 2.0, 3.0))),
    "enumerate": lambda o, x: sum(k * v * x for k, v in enumerate(o)),
    "sum": lambda o, x: x * sum(o),
    "max": lambda o, x: x * max(o),
    "any": lambda o, x: x * any(v > 100.0 for v in o) + x,
    "contains": lambda o, x: x if 1.2 in o else 2.0 * x,
    "not in": lambda o, x: x if 1.2 not in o else 2.0 * x,
    "getitem": lambda o, x: o[x] * 2.0,
    "call": lambda o, x: o(x),
    "call with more": lambda o, x: o(x, 1.0, 2.0, by=3.0),
    "getattr": lambda o, x: o.seven * x,
    "getattr()": lambda o, x: getattr(o, "eleven") * x,  # noqa: B009
    "property": lambda o, x: o.double * x,
    "staticmethod": lambda o, x: o.square(x) * o.x,
    "classmethod": lambda o, x: o.scaled(x) * o.x,
    "class attribute": lambda o, x: o.scale * x,
    "eq": lambda o, x: x if o == 5.0 else 2.0 * x,
    "eq of the right": lambda o, x: x if 5.0 == o else 2.0 * x,
    "ne by eq": lambda o, x: x if o != 5.0 else 2.0 * x,
    "lt": lambda o, x: x if o < 1.0 else 2.0 * x,
    "gt of the right": lambda o, x: x if 1.0 > o else 2.0 * x,
    "ge": lambda o, x: x if o >= 1.0 else 2.0 * x,
    "le of the right": lambda o, x: x if 1.0 <= o else 2.0 * x,
    "chained": lambda o, x: x if 0.5 < x < 9.0 > o else 2.0 * x,
    "add": lambda o, x: o + x,
    "radd": lambda o, x: x + o,
    "sub": lambda o, x: o - x,
    "rsub": lambda o, x: x - o,
    "mul": lambda o, x: (o * x) * x,
    "rmul": lambda o, x: (x * o) * x,
    "truediv": lambda o, x: o / x,
    "rtruediv": lambda o, x: x / o,
    "floordiv": lambda o, x: (o // x) * x,
    "mod": lambda o, x: (o % x) * x,
    "rmod": lambda o, x: (x % o) * x,
    "pow": lambda o, x: o**x,
    "rpow": lambda o, x: x**o,
    "pow()": lambda o, x: pow(o, x),
    "matmul": lambda o, x: (o @ x) * x,
    "divmod": lambda o, x: divmod(o, x)[0] * x,
    "and_": lambda o, x: (o & x) * x,
    "or_": lambda o, x: (o | x) * x,
    "xor": lambda o, x: (o ^ x) * x,
    "lshift": lambda o, x: (o << x) * x,
    "rshift": lambda o, x: (o >> x) * x,
    "neg": lambda o, x: (-o) * x,
    "pos": lambda o, x: (+o) * x,
    "invert": lambda o, x: (~o) * x,
    "abs": lambda o, x: abs(o) * x,
    "float": lambda o, x: float(o) * x,
    "int": lambda o, x: int(o) * x,
    "complex": lambda o, x: complex(o).real * x,
    "round": lambda o, x: round(o) * x,
    "round to digits": lambda o, x: round(o, 2) * x,
    "floor": lambda o, x: math.floor(o) * x,
    "ceil": lambda o, x: math.ceil(o) * x,
    "trunc": lambda o, x: math.trunc(o) * x,
    "operator.add": lambda o, x: operator.add(o, x),
    "operator.neg": lambda o, x: operator.neg(o) * x,
    "sum of objects": lambda o, x: sum([o, x]),
    "reduce": lambda o, x: functools.reduce(operator.add, [o, x, x]),
    "map": lambda o, x: sum(map(o, (x, 2.0))),
}


def slope(f: Callable[[float], float], x: float) -> float:
    h = 1e-6
    return (float(f(x + h)) - float(f(x - h))) / (2.0 * h)


def agrees(f: Callable[[float], float], x: float) -> None:
    value, gradient = sg.value_and_grad(f, jit=False)(x)
    assert value == pytest.approx(float(f(x)), rel=1e-12)
    assert gradient == pytest.approx(slope(f, x), rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_of_an_object_made_inside(name: str) -> None:
    expression = EXPRESSIONS[name]
    agrees(lambda x: expression(Plain(1.3 * x), x), 1.1)
    if not name.startswith("getattr"):  # of a dataclass only the fields are seen, so that nothing is known to miss
        agrees(lambda x: expression(Data(1.3 * x), x), 1.1)


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_of_an_object_closed_over(name: str) -> None:
    expression = EXPRESSIONS[name]
    agrees(lambda x: expression(CAPTURED, x), 1.1)


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_of_an_object_given(name: str) -> None:
    expression = EXPRESSIONS[name]
    plain = sg.grad(expression, argnums=1, jit=False)
    assert plain(Plain(1.7), 1.1) == pytest.approx(slope(lambda x: expression(Plain(1.7), x), 1.1), rel=1e-6, abs=1e-8)
    if name.startswith("getattr"):
        refused(expression, Data(1.7), 1.1)
        return
    by_both = sg.grad(expression, argnums=(0, 1), jit=False)(Data(1.7), 1.1)
    assert type(by_both[0]) is Data
    wanted = slope(lambda v: expression(Data(v), 1.1), 1.7), slope(lambda x: expression(Data(1.7), x), 1.1)
    assert (by_both[0].x, by_both[1]) == pytest.approx(wanted, rel=1e-6, abs=1e-8)


def test_what_a_given_object_holds_is_read_at_each_call() -> None:
    derivative = sg.grad(EXPRESSIONS["call"], argnums=1, jit=False)
    thing = Plain(1.0)
    assert derivative(thing, 1.0) == 2.0
    thing.x = 5.0
    assert derivative(thing, 1.0) == 10.0
    assert derivative(Plain(2.0), 1.0) == 4.0  # equal to the first, by its `__eq__`


class Counting:
    def __init__(self) -> None:
        self.n = 2


def test_an_integer_of_a_given_object_is_compared_at_each_call() -> None:
    derivative = sg.grad(lambda x, c: x**c.n, jit=False)
    count = Counting()
    assert derivative(3.0, count) == 6.0
    count.n = 3
    assert derivative(3.0, count) == 27.0


def test_an_integer_behind_a_given_method_is_compared_at_each_call() -> None:
    class Power:
        def __init__(self) -> None:
            self.n = 2

        def of(self, x):
            return x**self.n

    derivative = sg.grad(lambda x, f: f(x), jit=False)
    power = Power()
    assert derivative(3.0, power.of) == 6.0
    power.n = 3
    assert derivative(3.0, power.of) == 27.0


# ---- in place, set, and by the other operand


class Growing:
    def __init__(self, x):
        self.x = x
        self.kept = [x, 1.0]

    def __iadd__(self, other):
        self.x = self.x * other
        return self

    def __isub__(self, other):
        return self.x - 3.0 * other

    def __setitem__(self, key, value):
        self.kept[key] = 2.0 * value

    def __getitem__(self, key):
        return self.kept[key]

    def __setattr__(self, name, value):
        object.__setattr__(self, name, value)
        if name == "x":
            object.__setattr__(self, "half", 0.5 * value)


class Limited:
    __slots__ = ("x",)

    def __init__(self, x):
        self.x = x

    @property
    def tripled(self):
        return 3.0 * self.x

    @tripled.setter
    def tripled(self, value):
        self.x = value / 3.0


class Unknowing:
    def __init__(self, x):
        self.x = x

    def __add__(self, other):
        return NotImplemented

    def __eq__(self, other):
        return NotImplemented


class Knowing(Unknowing):
    def __radd__(self, other):
        return self.x * other.x * 4.0

    def __eq__(self, other):
        return True


class Base:
    def __init__(self, x):
        self.x = x

    def __add__(self, other):
        return self.x

    def __lt__(self, other):
        return True


class Derived(Base):
    def __radd__(self, other):
        return self.x * 6.0

    def __gt__(self, other):
        return False


class Vector(NamedTuple):
    x: Any
    y: Any

    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y)

    def __mul__(self, k):
        return Vector(self.x * k, self.y * k)

    __rmul__ = __mul__  # type: ignore[misc]  # as any class may

    def __neg__(self):
        return Vector(-self.x, -self.y)

    def __matmul__(self, other):
        return self.x * other.x + self.y * other.y


@functools.total_ordering
class Ranked:
    def __init__(self, x):
        self.x = x

    def __eq__(self, other):
        return self.x == other.x

    def __lt__(self, other):
        return self.x < other.x


class Once(dict[str, Any]):
    def __missing__(self, key):
        return 3.0

    def get(self, key, default=None):
        return 5.0


def in_place_add(x):
    o = Growing(x)
    o += 3.0 * x
    return o.x


def in_place_sub(x):
    o = Growing(x)
    o -= x
    return o


def set_item(x):
    o = Growing(x)
    o[0] = x * x
    o[1] += x
    return o[0] * o.kept[1]


def set_attribute(x):
    o = Growing(x)
    o.x = x * x
    o.x *= 3.0
    return o.half


def set_slot(x):
    o = Limited(x)
    o.x = x * x
    return o.x * o.tripled


def set_property(x):
    o = Limited(x)
    o.tripled = x * x
    o.tripled += x
    return o.x


def not_implemented_then_reflected(x):
    return Unknowing(x) + Knowing(2.0 * x)


def not_implemented_equal(x):
    a = Unknowing(x)
    return x if a == Knowing(x) else 2.0 * x


def nobody_knows_equal(x):
    a, b = Unknowing(x), Unknowing(x)
    return (3.0 * x if a == b else 2.0 * x) * (x if a == a else 1.0)


def the_subclass_on_the_right_first(x):
    return (Base(x) + Derived(x * x)) * (x if Base(x) < Derived(x) else 2.0)


def a_vector(x):
    v = 2.0 * Vector(x, 1.0) + Vector(x * x, x) * 3.0
    return (-v) @ v


def ordered_by_one_method(x):
    a, b = Ranked(x), Ranked(2.0 * x)
    return x * (a <= b) + 2.0 * x * (a >= b) + 4.0 * x * (b > a)


def iter_of_a_list(x):
    class_ = Boxed([x, x * x])
    return sum(v for v in class_)


class Boxed:
    def __init__(self, items):
        self.items = items

    def __iter__(self):
        return iter(self.items)

    def __len__(self):
        return len(self.items) + 1

    def __reversed__(self):
        return iter(self.items)


def truth_by_length(x):
    return x if Boxed([]) else 2.0 * x


def an_object_is_true(x):
    return x if Empty() else 2.0 * x


class Empty:
    pass


INSIDE = [
    in_place_add, in_place_sub, set_item, set_attribute, set_slot, set_property, not_implemented_then_reflected,
    not_implemented_equal, nobody_knows_equal, the_subclass_on_the_right_first, a_vector, ordered_by_one_method,
    iter_of_a_list, truth_by_length, an_object_is_true,
]  # fmt: skip


@pytest.mark.parametrize("function", INSIDE, ids=lambda f: f.__name__)
def test_inside(function: Callable[..., Any]) -> None:
    agrees(function, 1.1)


def test_a_loop_ends_where_the_object_says_so() -> None:
    class Left:
        def __init__(self, n):
            self.n = n

        def __bool__(self):
            return self.n > 0

    def f(x):
        left = Left(3)
        while left:
            x = x * x
            left.n -= 1
        return x

    agrees(f, 1.1)


def test_a_dict_of_its_own() -> None:
    made = dict.__new__(Once)
    dict.__setitem__(made, "a", 2.0)
    f = lambda p, x: p["a"] * x * p["b"] * p.get("a")  # noqa: E731
    gradient = sg.grad(f, jit=False)(made, 1.5)
    assert type(gradient) is Once
    assert dict(gradient) == {"a": 22.5}


# ---- what is refused


class Odd:
    """What cannot be read, or what Python would refuse."""

    def __init__(self, x):
        self.x = x

    def __getitem__(self, key):
        return self.x

    def __iter__(self):
        yield self.x

    def __bool__(self):
        return 1

    def __float__(self):
        return 1

    def __copy__(self):
        return self

    __contains__ = None

    @functools.cached_property
    def once(self):
        return self.x


class Bare:
    def __init__(self, x):
        self.x = x


class Watched(Bare):
    def __getattribute__(self, name):
        return object.__getattribute__(self, name)


class Meta(type):
    def __call__(cls, x):
        return x * 100.0

    def __instancecheck__(cls, other):
        return True


class Made(metaclass=Meta):
    pass


class New:
    def __new__(cls, x):
        return super().__new__(cls)


class Ending(Bare):
    def __del__(self):
        pass


class Doubling:
    def __get__(self, instance, owner):
        return 2.0

    def __set__(self, instance, value):
        raise AttributeError


class Described(Bare):
    two = Doubling()


class Asked(Bare):
    def __array__(self, dtype=None, copy=None):
        return np.array([self.x, self.x])


@dataclass
class Fields:
    x: Any
    y: Any


def refused_programs():
    """What no type checker would let through: a function without types."""
    return {
        "a bool that is none": lambda x: x if Odd(x) else 2.0 * x,
        "a float that is none": lambda x: float(Odd(x)) * x,
        "a slice of an object": lambda x: Odd(x)[0:1],
        "no __contains__": lambda x: x if x in Odd(x) else 1.0,
        "a cached property": lambda x: Odd(x).once * x,
        "a copy of its own": lambda x: copy.copy(Odd(x)).x,
        "a deep copy of its own": lambda x: copy.deepcopy(Odd(x)).x,
        "no length": lambda x: x * len(Bare(x)),
        "no iteration": lambda x: sum(v for v in Bare(x)),
        "no membership": lambda x: x if x in Bare(x) else 1.0,
        "no items": lambda x: Bare(x)[0],
        "no order": lambda x: x if Bare(x) < Bare(x) else 1.0,
        "no sum": lambda x: (Bare(x) + Bare(x)).x,
        "no sign": lambda x: (-Bare(x)).x,
        "no float": lambda x: float(Bare(x)),
        "no call": lambda x: Bare(x)(x),
        "no attribute": lambda x: Bare(x).y,
        "the sum of a list starts at 0": lambda x: sum([Base(x), Base(x)]).x,
        "an array on the left": lambda x: np.sum(np.array([x, x]) * Plain(x)),
        "an object in NumPy": lambda x: np.sum(Asked(x)),
        "fields in NumPy": lambda x: np.sum(Fields(x, x)),
        "unpacked fields": lambda x: [v for v in Fields(x, x)][1],
        "the length of fields": lambda x: x * len(Fields(x, x)),
        "fields times a number": lambda x: Fields(x, x) * x,
        "an object that watches": lambda x: Watched(x).x,
        "a metaclass that is called": lambda x: Made(x),
        "a metaclass that is asked": lambda x: x if isinstance(x, Made) else 1.0,
        "a __new__": lambda x: New(x).x,
        "a __del__": lambda x: Ending(x).x,
        "a descriptor": lambda x: Described(x).two * x,
        "hash": lambda x: x * hash(Plain(x)),
        "a __dict__": lambda x: Bare(x).__dict__["x"],
        "vars": lambda x: vars(Bare(x))["x"],
        "an index": lambda x: np.array([x, x])[Plain(x)],
        "math of an object": lambda x: math.sqrt(Plain(x)),
        "an iterator that is kept": lambda x: list(iter((x, x)))[1],
        "next": lambda x: next(iter((x, x))),
        "reversed": lambda x: list(reversed(Boxed([x, x])))[1],
        "a slot that is not there": lambda x: [Limited(x), setattr(Limited(x), "y", x)][0].x,
    }


REFUSED: dict[str, Callable[[Any], Any]] = refused_programs()


def refused(f: Callable[..., Any], *args: Any) -> None:
    with pytest.raises(sg.SrcgradError) as caught:
        sg.grad(f, jit=False)(*args)
    problem = caught.value.problems[0]
    assert problem.line
    assert problem.hint
    assert problem.file.endswith("test_special_methods.py")


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    refused(REFUSED[name], 1.5)


def test_more_that_is_refused_and_printed(capsys: pytest.CaptureFixture[str]) -> None:
    class Shown(Bare):
        def __repr__(self):
            return "shown"

    class Keyed(dict[str, Any]):
        def keys(self):
            return ("b",)

    def printed(x):
        print(Bare(x), Fields(x, x))
        return x

    def shown(x):
        print(Shown(x))
        return x

    made = dict.__new__(Keyed)
    dict.__setitem__(made, "a", 2.0)
    assert sg.grad(printed, jit=False)(1.0) == 1.0
    assert "1.0" in capsys.readouterr().out
    refused(shown, 1.0)
    refused(lambda x, p: x * len({**p}), 1.0, made)
    refused(lambda x, p: x * len(dict(p)), 1.0, made)
    refused(lambda x, p: (lambda **k: x)(**p), 1.0, made)


def test_of_a_metaclass():
    class Sized(type):
        def __len__(cls):
            return 3

        def __bool__(cls):
            return False

        def __getitem__(cls, k):
            return 2.0 * k

    class Thing(metaclass=Sized):
        pass

    agrees(lambda x: x * len(Thing) * Thing[x] * (2.0 if Thing else 3.0), 1.1)  # type: ignore[truthy-function]
