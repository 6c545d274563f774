"""Objects made inside the function: inherited `__init__`, `super()`, classes without one; what must stand outside."""

from __future__ import annotations

import abc
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Generic, NamedTuple, TypeVar

import pytest

import srcgrad as sg

T = TypeVar("T")


class Base:
    def __init__(self, x, k=2.0):
        self.x = x
        self.k = k

    def value(self):
        return self.k * self.x

    @property
    def twice(self):
        return 2.0 * self.x

    @classmethod
    def of(cls, x):
        return cls(x * x)

    @staticmethod
    def third(x):
        return x / 3.0


class Silent(Base):
    """No `__init__` of its own."""

    def value(self):
        return 10.0 * self.x


class Deeper(Silent):
    pass


class More(Base):
    def __init__(self, x, y):
        super().__init__(x, k=y)
        self.y = y

    def value(self):
        return super().value() * self.y + super().twice

    @classmethod
    def of(cls, x):
        return cls(super().third(x), x)


class ByName(Base):
    def __init__(self, x):
        Base.__init__(self, x * x, 5.0)


class Left(Base):
    def __init__(self, x):
        super().__init__(x)
        self.left = x


class Right(Base):
    def __init__(self, x):
        super().__init__(3.0 * x)
        self.right = x


class Both(Left, Right):
    """`super()` of `Left` is `Right`."""


class Empty:
    pass


class Attributes:
    scale = 4.0


class Emptied(Empty):
    def __init__(self, x):
        super().__init__()
        self.x = x


@dataclass
class Data:
    x: Any
    y: Any = 3.0

    def value(self):
        return self.x * self.y


@dataclass
class DataBelow(Data):
    z: Any = field(default_factory=lambda: [1.0, 2.0])


class PlainBelow(Data):
    pass


class InitBelow(Data):
    def __init__(self, x):
        super().__init__(x, y=x)
        self.more = 1.0


@dataclass
class PostBelow(Data):
    def __post_init__(self):
        self.y = self.x * self.y


@dataclass
class PostTwice(PostBelow):
    def __post_init__(self):
        super().__post_init__()
        self.y = self.y + 1.0


class Shape(abc.ABC):
    def __init__(self, x):
        self.x = x

    @abc.abstractmethod
    def area(self):
        """To be defined."""


class Square(Shape):
    def area(self):
        return self.x * self.x


class Box(Generic[T]):
    def __init__(self, x):
        self.x = x


class Slots(Base):
    __slots__ = ("extra",)


class Mixin:
    def cubed(self):
        return self.x * self.x * self.x


class Mixed(Mixin, Silent):
    pass


def without_init(x):
    return Silent(x).value() * x


def without_init_by_name(x):
    return Deeper(x, k=x).k * x


def with_super(x):
    m = More(x, 2.0 * x)
    return m.value()


def super_in_a_class_method(x):
    return More.of(x).value()


def inherited_class_method(x):
    return Deeper.of(x).value()


def by_the_base(x):
    return ByName(x).value()


def two_bases(x):
    b = Both(x)
    return b.left * b.right * b.x


def nothing(x):
    e = Empty()
    e.x = x * x
    return e.x


def attributes_of_the_class(x):
    return Attributes().scale * x * Attributes.scale


def super_of_object(x):
    return Emptied(x).x * x


def inherited_fields(x):
    d = DataBelow(x, z=[x, x])
    return d.value() * d.z[1] * DataBelow(x).z[1]


def undecorated(x):
    return PlainBelow(x, y=x).value()


def an_init_below_fields(x):
    i = InitBelow(x)
    return i.value() + i.more * x


def post_inits(x):
    return PostTwice(x).value() * PostBelow(x).y


def abstract_base(x):
    return Square(x).area()


def generic(x):
    return Box(x).x * x


def slots(x):
    s = Slots(x)
    s.extra = x * x
    return s.extra * s.value()


def mixin(x):
    return Mixed(x).cubed() + Mixed(x).value()


def in_a_loop(x):
    total = 0.0
    for k in range(4):
        total += Silent(x * k).value()
    return total


FUNCTIONS = [
    without_init, without_init_by_name, with_super, super_in_a_class_method, inherited_class_method, by_the_base,
    two_bases, nothing, attributes_of_the_class, super_of_object, inherited_fields, undecorated, an_init_below_fields,
    post_inits, abstract_base, generic, slots, mixin, in_a_loop,
]  # fmt: skip


@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
def test_as_python_makes_them(f: Callable[[float], float]) -> None:
    h = 1e-6
    for x in (0.6, 1.3):
        value, gradient = sg.value_and_grad(f, jit=False)(x)
        assert value == pytest.approx(f(x))
        assert gradient == pytest.approx((f(x + h) - f(x - h)) / (2.0 * h), rel=1e-6, abs=1e-8)


def test_compiled() -> None:
    h = 1e-6
    expected = (with_super(1.3 + h) - with_super(1.3 - h)) / (2.0 * h)
    assert sg.grad(with_super)(1.3) == pytest.approx(expected, rel=1e-6)


def test_an_attribute_of_a_class_is_read_at_each_call() -> None:
    d = sg.grad(attributes_of_the_class, jit=False)
    assert d(1.0) == 16.0
    Attributes.scale = 5.0
    try:
        assert d(1.0) == 25.0
    finally:
        Attributes.scale = 4.0


def test_an_edited_special_method_gets_a_derivative_of_its_own() -> None:
    """In the cache, the code of a class's special methods and of its bases counts."""
    spaces: list[dict[str, Any]] = []
    import linecache

    for n, body in enumerate(("self.x", "5.0 * self.x")):
        text = (
            f"class B:\n    def __neg__(self):\n        return {body}\n"
            "class C(B):\n    def __init__(self, x):\n        self.x = x\n"
            "def f(x):\n    return -C(x)\n"
        )
        name = f"<edited {n}>"
        linecache.cache[name] = (len(text), None, text.splitlines(True), name)
        space: dict[str, Any] = {"__name__": "edited"}
        exec(compile(text, name, "exec"), space)
        spaces.append(space)
    assert [sg.grad(space["f"], jit=False)(1.0) for space in spaces] == [1.0, 5.0]


# ---- refused


class Exacting:
    def __init__(self, x):
        self.x = x


def square(x):
    return x * x


def forth(x):
    return x * x, x


def back(x, bar):
    return (3.0 * x * bar,)


def vjp_inside(x):
    f = sg.custom_vjp(square)
    f.defvjp(forth, back)
    return f(x)


def jvp_inside(x):
    return sg.custom_jvp(square)(x)


def checked_inside(x):
    sg.testing.check_grads(square, (x,))
    return x


def refused_programs():
    """What no type checker would let through: a function without types."""
    return {
        "custom_vjp": (vjp_inside, "`custom_vjp` is called inside"),
        "custom_jvp": (jvp_inside, "`custom_jvp` is called inside"),
        "check_grads": (checked_inside, "`check_grads` is called inside"),
        "an argument too many": (lambda x: Empty(x), "has no `__init__` that takes arguments"),
        "an abstract class": (lambda x: Shape(x).x, "is abstract"),
        "an argument that is missing": (lambda x: Exacting().x, "missing argument"),
        "a builtin": (lambda x: dict.fromkeys(["a"], x)["a"], "no rule"),
        "a list of its own": (lambda x: Listed([x])[0], "no rule"),
        "super outside": (lambda x: super().value(x), "outside of a method"),
    }


REFUSED: dict[str, tuple[Callable[[Any], Any], str]] = refused_programs()


class Listed(list[Any]):
    pass


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    f, words = REFUSED[name]
    with pytest.raises(sg.SrcgradError, match=words) as caught:
        sg.grad(f, jit=False)(1.5)
    problem = caught.value.problems[0]
    assert problem.file == __file__
    assert problem.line
    assert problem.hint


@dataclass(frozen=True)
class Inner:
    rate: float = 0.5


@dataclass(frozen=True)
class Defaults:
    damping: float = 0.1
    weights: tuple[float, ...] = (1.0, 2.0, 3.0)
    inner: Inner = Inner()


class NamedDefaults(NamedTuple):
    pair: tuple[float, float] = (2.0, 3.0)


def structures_as_defaults(x: float) -> float:
    made, other = Defaults(0.2), replace(Defaults(), damping=0.3)
    pair = NamedDefaults().pair
    return made.damping * made.weights[1] * x + other.weights[2] * other.inner.rate * x**2 + pair[0] * x * pair[1]


def test_defaults_that_are_structures() -> None:
    assert sg.grad(structures_as_defaults, jit=False)(0.7) == pytest.approx(0.2 * 2.0 + 3.0 * 0.7 + 6.0)
