"""A gradient has the class of its argument, made without running any of the class's code."""

from __future__ import annotations

import collections
from dataclasses import InitVar, dataclass, field
from typing import Any, ClassVar, NamedTuple

import numba
import numpy as np
import pytest

import srcgrad as sg


@dataclass
class Doubling:
    w: Any
    name: str | None = "kept"

    def __post_init__(self) -> None:
        self.w = 2.0 * self.w


@dataclass(frozen=True)
class Normalised:
    w: Any

    def __post_init__(self) -> None:
        object.__setattr__(self, "w", self.w / np.linalg.norm(self.w))


@dataclass(frozen=True, slots=True)
class Slotted:
    w: float
    v: float = 1.0

    def __post_init__(self) -> None:
        raise AssertionError("the class's code ran")


@dataclass(slots=True)
class Below(Doubling):
    more: float = 1.0


@dataclass
class WithInit:
    w: float
    scale: InitVar[float] = 3.0
    total: float = field(init=False)
    late: float = field(init=False, default=2.0)
    unset: float = field(init=False, repr=False)
    parts: list[float] = field(default_factory=lambda: [1.0, 2.0])
    count: ClassVar[int] = 0

    def __post_init__(self, scale: float) -> None:
        WithInit.count += 1
        self.total = scale * self.w


@dataclass
class OwnInit:
    w: float

    def __init__(self, a: float, b: float) -> None:
        self.w = a * b


@dataclass(kw_only=True)
class ByName:
    w: float
    v: float


class Checked(NamedTuple("Checked", [("w", float), ("v", float)])):
    def __new__(cls, w: float) -> Checked:
        assert w is not None, "the class's code ran"
        return super().__new__(cls, w, 2.0 * w)

    def __len__(self) -> int:
        return 17

    def __iter__(self) -> Any:
        raise AssertionError("the class's code ran")


class Pinned(NamedTuple("Pinned", [("w", float), ("v", float)])):
    __slots__ = ()

    def __new__(cls, w: float) -> Pinned:
        return super().__new__(cls, w, 2.0 * w)


class Dashed(dict[str, Any]):
    def __init__(self, first: float) -> None:
        super().__init__(w=first, v=first)

    def __setitem__(self, key: str, value: Any) -> None:
        raise AssertionError("the class's code ran")

    def items(self) -> Any:
        raise AssertionError("the class's code ran")


class Bounded(list[Any]):
    def __init__(self, first: float) -> None:
        super().__init__([first, 2.0])

    def append(self, item: Any) -> None:
        raise AssertionError("the class's code ran")


@dataclass
class Tree:
    inner: Doubling
    pair: Checked


@dataclass
class Watching:
    w: float

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, 10.0 * value)

    def __getattribute__(self, name: str) -> Any:
        return object.__getattribute__(self, name)


def held(value: Any) -> dict[str, Any]:
    names = [s for base in type(value).__mro__ for s in getattr(base, "__slots__", ())]
    slots = {n: object.__getattribute__(value, n) for n in names}
    return {**slots, **getattr(value, "__dict__", {})}


def by_w(p: Any) -> Any:
    return p.w * p.w


def test_a_post_init_that_doubles() -> None:
    p = Doubling(1.5)
    gradient = sg.grad(by_w, jit=False)(p)
    assert type(gradient) is Doubling
    assert held(gradient) == {"w": 6.0, "name": None}


def test_a_post_init_that_normalises() -> None:
    p = Normalised(np.array([3.0, 4.0]))
    gradient = sg.grad(lambda p: np.sum(p.w * p.w * p.w), jit=False)(p)
    assert type(gradient) is Normalised
    np.testing.assert_allclose(gradient.w, 3.0 * p.w**2)


def test_slots_and_frozen() -> None:
    p = object.__new__(Slotted)
    for name in ("w", "v"):
        object.__setattr__(p, name, 3.0)
    gradient = sg.grad(lambda p: p.w * p.w * p.v, jit=False)(p)
    assert type(gradient) is Slotted
    assert (gradient.w, gradient.v) == (18.0, 9.0)


def test_inherited_fields_in_slots() -> None:
    gradient = sg.grad(lambda p: p.w * p.more, jit=False)(Below(1.0, more=5.0))
    assert type(gradient) is Below
    assert held(gradient) == {"w": 5.0, "name": None, "more": 2.0}


def test_init_var_init_false_and_factories() -> None:
    p = WithInit(2.0)
    before = WithInit.count
    gradient = sg.grad(lambda p: p.total * p.w + p.late * p.parts[1], jit=False)(p)
    assert WithInit.count == before
    assert held(gradient) == {"w": 6.0, "total": 2.0, "late": 2.0, "parts": [0.0, 2.0]}


def test_an_init_of_its_own() -> None:
    gradient = sg.grad(by_w, jit=False)(OwnInit(2.0, 3.0))
    assert type(gradient) is OwnInit
    assert gradient.w == 12.0


def test_fields_by_name_only() -> None:
    gradient = sg.grad(lambda p: p.w * p.v, jit=False)(ByName(w=2.0, v=3.0))
    assert gradient == ByName(w=3.0, v=2.0)


def test_setattr_of_its_own() -> None:
    p = object.__new__(Watching)
    object.__setattr__(p, "w", 3.0)
    # what `__getattribute__` would do is not read in place: a function that asks for an attribute is refused
    with pytest.raises(sg.UnsupportedError, match="__getattribute__"):
        sg.grad(by_w, jit=False)(p)


def test_a_named_tuple_with_a_new() -> None:
    p = Checked(3.0)
    gradient = sg.grad(lambda p: p.w * p.w * p.v, jit=False)(p)
    assert type(gradient) is Checked
    assert (gradient.w, gradient.v) == (36.0, 9.0)


def test_dicts() -> None:
    f = lambda p: p["w"] * p["w"] * p["v"]  # noqa: E731
    ordered = collections.OrderedDict(v=2.0, w=3.0)
    ordered.move_to_end("v")
    for p in (collections.defaultdict(lambda: 1.0, w=3.0, v=2.0), ordered, Dashed(2.0)):
        gradient = sg.grad(f, jit=False)(p)
        assert type(gradient) is type(p)
        assert list(gradient) == list(p)
        assert dict.__getitem__(gradient, "w") == 2.0 * p["w"] * p["v"]
        assert dict.__getitem__(gradient, "v") == p["w"] ** 2
    made = sg.grad(f, jit=False)(collections.defaultdict(lambda: 1.0, w=3.0, v=2.0))
    with pytest.raises(KeyError):
        made["missing"]  # no 1.0: what is missing has no gradient


def test_lists() -> None:
    gradient = sg.grad(lambda p: p[0] * p[0] * p[1], jit=False)(Bounded(3.0))
    assert type(gradient) is Bounded
    assert list(gradient) == [12.0, 9.0]


def test_nested_and_compiled() -> None:
    p = Tree(Doubling(1.0), Checked(3.0))
    gradient = sg.grad(lambda p: p.inner.w * p.pair.v)(p)
    assert type(gradient) is Tree
    assert held(gradient.inner) == {"w": 6.0, "name": None}
    assert (type(gradient.pair), gradient.pair.w, gradient.pair.v) == (Checked, 0.0, 2.0)


@pytest.mark.parametrize("what", ["jvp", "vjp", "hvp", "value", "jacobian", "forward"])
def test_every_transformer(what: str) -> None:
    """What comes in is taken as it stands, and what goes out is of its class."""
    p, way = Doubling(1.5), object.__new__(Doubling)
    way.w, way.name = 1.0, None
    match what:
        case "jvp":
            assert sg.jvp(by_w, (p,), (way,), jit=False) == (9.0, 6.0)
        case "vjp":
            value, pullback = sg.vjp(by_w, p, jit=False)
            assert (value, held(pullback(1.0)[0])) == (9.0, {"w": 6.0, "name": None})
        case "hvp":
            assert held(sg.hvp(by_w, jit=False)(p, way)) == {"w": 2.0, "name": None}
        case "value":
            given = sg.value_and_grad(lambda p: (p.w, p), has_aux=True, jit=False)(p)[0][1]
            assert (type(given), held(given)) == (Doubling, {"w": 3.0, "name": "kept"})
        case "jacobian":
            assert held(sg.jacobian(lambda p: p.w * np.ones(2), jit=False)(p))["w"].tolist() == [1.0, 1.0]
        case "forward":
            assert sg.forward(by_w, jit=False)(p, way) == (9.0, 6.0)


def test_what_an_object_holds_beside_its_fields_wins_over_its_class() -> None:
    @dataclass
    class Scaled:
        w: float
        scale: ClassVar[float] = 3.0

    p = Scaled(2.0)
    f = lambda p: p.w * p.scale  # noqa: E731
    derivative = sg.grad(f, jit=False)
    assert held(derivative(p)) == {"w": 3.0}
    p.scale = 5.0  # type: ignore[misc]
    assert held(derivative(p)) == {"w": 5.0, "scale": 2.0}


def test_a_field_that_is_computed_is_refused() -> None:
    @dataclass
    class Odd:
        w: float

    Odd.w = property(lambda self: 5.0, lambda self, value: None)  # type: ignore[assignment]
    with pytest.raises(sg.ArgumentError, match="computed"):
        sg.grad(by_w, jit=False)(Odd(1.0))


def test_from_compiled_code_a_class_with_a_new_is_refused() -> None:
    derivative = sg.grad(lambda p: p.w * p.v)

    @numba.njit
    def run(p):
        return derivative(p)

    with pytest.raises((sg.ArgumentError, numba.TypingError), match="`__new__` of its own"):
        run(Pinned(1.0))


# ---- made inside


def inside_post_init(x: float) -> Any:
    return Doubling(x).w * x


def inside_frozen(x: float) -> Any:
    return Halving(x).half * x


@dataclass(frozen=True)
class Halving:
    w: float
    half: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "half", 0.5 * self.w)


def inside_init_var(x: float) -> Any:
    p = Initial(x, x * x)
    q = Initial(x, scale=2.0, parts=[x, x])
    return p.total * p.late + p.parts[1] * q.total + q.parts[0]


@dataclass
class Initial:
    w: float
    scale: InitVar[float] = 3.0
    total: float = field(init=False)
    late: float = field(init=False, default=2.0)
    parts: list[float] = field(default_factory=lambda: [1.0, 2.0])

    def __post_init__(self, scale: float) -> None:
        self.total = scale * self.w


def inside_own_init(x: float) -> Any:
    return OwnInit(x, x).w * x


def inside_replaced_branch(x: float) -> Any:
    p = Halving(x) if x > 1.0 else Halving(3.0 * x)
    return p.half * p.w


INSIDE = [inside_post_init, inside_frozen, inside_init_var, inside_own_init, inside_replaced_branch]


@pytest.mark.parametrize("f", INSIDE, ids=lambda f: f.__name__)
def test_made_inside(f: Any) -> None:
    h = 1e-6
    for x in (0.7, 1.4):
        value, gradient = sg.value_and_grad(f, jit=False)(x)
        assert value == pytest.approx(f(x))
        assert gradient == pytest.approx((f(x + h) - f(x - h)) / (2.0 * h), rel=1e-6)


def test_what_is_returned_is_not_made_twice() -> None:
    value = sg.vjp(lambda x: Doubling(x), 1.5, jit=False)[0]
    assert (type(value), value.w) == (Doubling, 3.0)


def test_a_frozen_object_is_not_changed_later() -> None:
    def f(x):
        p = Halving(x)
        object.__setattr__(p, "w", 2.0)
        return p.w * x

    with pytest.raises(sg.UnsupportedError, match="cannot be changed"):
        sg.grad(f, jit=False)(1.0)
