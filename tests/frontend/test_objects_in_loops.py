"""Objects with methods of their own in loops and branches: changed in place, compared, made again in each iteration."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pytest

import srcgrad as sg


class Acc:
    def __init__(self):
        self.t = 0.0
        self.n = 0

    def __iadd__(self, v):
        self.t += v * v
        self.n += 1
        return self

    def __len__(self):
        return self.n

    def __bool__(self):
        return self.n < 4

    def __setitem__(self, k, v):
        self.t = self.t * v + k

    def __eq__(self, o):
        return self.t == o

    def __lt__(self, o):
        return self.t < o

    def __contains__(self, v):
        return v < self.t

    def __getattr__(self, name):
        return 2.0


def added_in_place(x):
    a = Acc()
    for i in range(5):
        a += x * i
    return a.t * len(a)


def until_it_is_false(x):
    a = Acc()
    while a:
        a += x
        x = x * 1.1
    return a.t


def set_compared_and_looked_into(x):
    a = Acc()
    for i in range(3):
        a[i] = x + i
        if a < 2.0:
            a += x
        if x in a:
            a.t = a.t * x
    return a.t * a.other


@dataclass(frozen=True)
class Fz:
    w: Any
    h: Any = field(init=False)

    def __post_init__(self):
        if self.w > 1.0:
            object.__setattr__(self, "h", self.w * 3.0)
        else:
            object.__setattr__(self, "h", self.w * self.w)


def frozen_with_branches(x):
    p = Fz(x)
    for i in range(3):
        p = Fz(p.h * 0.5)
    return p.h * p.w


class V(NamedTuple):
    x: Any
    y: Any

    def __add__(self, o):
        return V(self.x + o.x, self.y + o.y)

    def __sub__(self, o):
        return V(self.x - o.x, self.y - o.y)

    def __mul__(self, k):
        return V(self.x * k, self.y * k)

    __rmul__ = __mul__  # type: ignore[misc]  # as any class may

    def __abs__(self):
        return math.hypot(self.x, self.y)


def vectors(x):
    p, v = V(x, 1.0), V(0.0, x)
    for i in range(10):
        a = p * (-1.0 / abs(p) ** 3)
        v = v + 0.01 * a
        p += 0.01 * v
    return abs(p) + p.x


class Base:
    def __init__(self, x):
        self.x = x

    def step(self, k):
        if k > 1:
            self.x = self.x * 1.5
        else:
            self.x = self.x + 1.0


class Sub(Base):
    def step(self, k):
        super().step(k)
        self.x *= 2.0


def super_in_a_loop(x):
    s = Sub(x)
    for k in range(4):
        s.step(k)
    return s.x * x


def compared_in_a_loop(x):
    pts = [V(x * i, 1.0) for i in range(4)]
    s = 0.0
    for p in pts:
        if p == V(x, 1.0):
            s += p.x * 5.0
        elif p < V(2.0 * x, 2.0):
            s += p.x * p.x
        else:
            s += x
    return s


def tuples_of_a_growing_list(x):
    items = []
    for i in range(6):
        if x * i > 1.0:
            items.append((x * i, 1.0))
    s = 0.0
    for t in items:
        if t == (x * 3, 1.0):
            s += t[0] ** 2
        if t >= (x * 4, 0.5):
            s += t[0]
    return s


@dataclass
class Mat:
    a: Any

    def __matmul__(self, o):
        return Mat(self.a @ o.a)

    def __getitem__(self, k):
        return self.a[k]

    def __setitem__(self, k, v):
        self.a[k] = v

    def __iter__(self):
        return iter(self.a)

    @property
    def T(self):
        return Mat(self.a.T)


def matrices(x):
    m = Mat(np.array([[x, 1.0], [2.0, x * x]]))
    n = m @ m.T
    n[0, 1] = x
    n[1, 1] += 3.0 * x
    s = 0.0
    for row in n:
        s += row[0] * row[1]
    return s + n[1, 1]


class Poly:
    def __init__(self, c):
        self.c = c

    def __call__(self, t):
        s = 0.0
        for a in reversed(self.c):
            s = s * t + a
        return s

    def __mul__(self, o):
        if isinstance(o, Poly):
            out = [0.0] * (len(self.c) + len(o.c) - 1)
            for i, a in enumerate(self.c):
                for j, b in enumerate(o.c):
                    out[i + j] += a * b
            return Poly(out)
        return Poly([a * o for a in self.c])

    __rmul__ = __mul__

    def __len__(self):
        return len(self.c)


def polynomials(x):
    p = Poly([x, 1.0, x * x])
    q = 2.0 * p * Poly([1.0, x])
    return q(x) * len(q)


class Prop:
    def __init__(self, x):
        self._x = x

    @property
    def x(self):
        return self._x * 2

    @x.setter
    def x(self, v):
        self._x = v * v


def a_property_that_is_set(x):
    p = Prop(x)
    for i in range(2):
        p.x = p.x + x
    return p.x


FUNCTIONS = [
    added_in_place,
    until_it_is_false,
    set_compared_and_looked_into,
    frozen_with_branches,
    vectors,
    super_in_a_loop,
    compared_in_a_loop,
    tuples_of_a_growing_list,
    matrices,
    polynomials,
    a_property_that_is_set,
]
COMPILED = [set_compared_and_looked_into, frozen_with_branches, matrices]


def agrees(f: Callable[[float], float], x: float, jit: bool) -> None:
    value, gradient = sg.value_and_grad(f, jit=jit)(x)
    h = 1e-6
    assert value == pytest.approx(f(x), rel=1e-12)
    assert gradient == pytest.approx((f(x + h) - f(x - h)) / (2.0 * h), rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("x", [0.7, 1.4])
def test_in_loops(f: Callable[[float], float], x: float) -> None:
    agrees(f, x, jit=False)


@pytest.mark.parametrize("f", COMPILED, ids=lambda f: f.__name__)
def test_compiled(f: Callable[[float], float]) -> None:
    agrees(f, 1.4, jit=True)
