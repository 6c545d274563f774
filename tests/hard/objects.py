"""Lists, dicts and objects that are changed in place, and functions as values."""

import copy
import dataclasses
import functools
import math
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from tests.hard.table import Table, matrix, scalar, vector
from tests.hard.table import const as number

OBJECTS = Table("objects and functions")
case = OBJECTS.case


class Pt(NamedTuple):
    x: Any
    y: Any


@dataclass
class St:
    pos: Any
    vel: Any

    def energy(self):
        return self.pos * self.pos + 0.5 * self.vel * self.vel

    def moved(self, dt):
        return St(self.pos + dt * self.vel, self.vel - dt * self.pos)

    @property
    def speed(self):
        return self.vel * self.vel

    @staticmethod
    def sq(v):
        return v * v

    def __call__(self, t):
        return self.pos * t + self.vel


@case(matrix(3), vector(3))
def enum_rows(m, a):
    s = 0.0
    for i, row in enumerate(m):
        s += np.sum(row * a) * a[i]
    return s


@case(matrix(3), vector(3))
def zip_rows(m, a):
    s = 0.0
    for row, w in zip(m, a):
        s += row[0] * w * row[1]
    return s


@case(scalar())
def list_store(x):
    ls = [x, 2.0, x * x]
    ls[0] = ls[2] * x
    ls[1] += x
    return ls[0] * ls[1]


@case(scalar())
def list_alias(x):
    ls = [x, 2.0]
    m = ls
    m[0] = x * x
    return ls[0] * m[1]


@case(lambda rng: {"w": rng.standard_normal(3), "b": 0.4}, scalar())
def dict_store(p, x):
    p["w"] = p["w"] * x
    p["b"] += x
    return np.sum(p["w"]) * p["b"]


@case(lambda rng: {"w": 0.3, "b": 0.4}, scalar(), number(3))
def dict_store_loop(p, x, n):
    for _ in range(n):
        p["w"] = p["w"] - 0.1 * x * p["b"]
    return p


@case(lambda rng: {"w": 0.3, "b": 0.4})
def dict_methods(p):
    s = 0.0
    for k, v in p.items():
        s += v * v
        if k == "w":
            s *= 2.0
    for k in p.keys():
        s += p[k]
    for v in p.values():
        s += v**3
    return s * p.get("b", 1.0) + p.get("zz", 2.0)


@case(lambda rng: {"w": 0.3, "b": 0.4}, scalar())
def dict_update(p, x):
    q = dict(p)
    q["w"] = x
    q.update(b=x * x)
    r = {**p, "c": x}
    return q["w"] * p["w"] * q["b"] + r["c"]


@case(scalar())
def dict_new_key(x):
    d = {}
    d["a"] = x
    d["b"] = d["a"] * x
    return d["b"] + d["a"]


@case(lambda rng: St(0.4, 0.7), scalar())
def dc_store(s, x):
    s.pos = s.pos * x
    s.vel += x
    return s.pos * s.vel


@case(lambda rng: St(0.4, 0.7), number(3))
def dc_store_loop(s, n):
    for _ in range(n):
        s.pos = s.pos + 0.1 * s.vel
        s.vel = s.vel - 0.1 * s.pos
    return s


@case(lambda rng: St(0.4, 0.7), scalar())
def dc_replace(s, x):
    t = replace(s, pos=x)
    u = dataclasses.replace(t, vel=x * s.vel)
    return u.pos * u.vel * s.pos


@case(number(Pt(0.4, 0.7)), scalar())
def nt_replace(p, x):
    q = p._replace(x=x)
    return q.x * q.y * p.x


@case(lambda rng: St(0.4, 0.7), scalar())
def dc_methods(s, x):
    t = s.moved(x).moved(x)
    return t.energy() * s.speed * s.sq(x) * St.sq(t.pos) + t(x)


@case(scalar())
def struct_branch(x):
    if x > 0.5:
        p = {"a": x, "b": 2.0}
    else:
        p = {"a": 1.0, "b": x}
    return p["a"] * p["b"] * x


@case(scalar(), number(3))
def struct_carried(x, n):
    p = {"a": x, "b": [x, 1.0]}
    for i in range(n):
        p = {"a": p["a"] * p["b"][0], "b": [p["b"][1], p["a"]]}
    return p


@case(scalar())
def mutate_in_branch(x):
    ls = [x, 1.0]
    if x > 0.5:
        ls[1] = x * x
    return ls[0] * ls[1]


def setfirst(ls, v):
    ls[0] = v * ls[0]


@case(scalar())
def helper_mutates_list(x):
    ls = [x, 1.0]
    setfirst(ls, x)
    return ls[0] * x


@case(scalar())
def nested_dict_mut(x):
    d = {"net": {"w": x, "b": [x, 2.0]}}
    d["net"]["w"] = x * x
    d["net"]["b"][1] *= x
    return d["net"]["w"] * d["net"]["b"][1]


def sq(v):
    return v * v


def cube(v):
    return v**3


OPS = {"sq": sq, "cube": cube}


FUNS = (sq, cube)


@case(scalar())
def funs_in_dict(x):
    return OPS["sq"](x) * OPS["cube"](x)


@case(scalar())
def funs_in_tuple(x):
    s = 0.0
    for f in FUNS:
        s += f(x)
    for f in (sq, cube, lambda v: v * x):
        s += f(x)
    return s


def mul(a, b):
    return a * b


@case(scalar())
def partial_local(x):
    f = functools.partial(mul, x)
    return f(x * x) + functools.partial(mul, b=2.0)(x)


@case(scalar())
def closure_chain(x):
    def adder(n):
        def add(v):
            return v + n

        return add

    def twice(f):
        return lambda v: f(f(v))

    return twice(adder(x))(x * x)


@case(scalar(), scalar(0.3), scalar(0.2))
def star_args_call(x, y, z):
    def f(*args):
        s = 0.0
        for a in args:
            s += a * a
        return s * len(args)

    return f(x, y, z) + f(x)


@case(scalar(), scalar(0.3))
def kwargs_call(x, y):
    def f(a, **kw):
        return a * kw["b"] * kw.get("c", 2.0)

    return f(x, b=y) + f(x, b=y, c=x)


@case(scalar(), number(3))
def nonlocal_counter(x, n):
    total = 0.0

    def add(v):
        nonlocal total
        total += v * v

    for i in range(n):
        add(x * i)
    return total


def tree(x, node):
    if node is None:
        return 0.0
    return x * node[0] + tree(x * 0.5, node[1])


@case(scalar(), number((0.3, (0.4, (0.5, None)))))
def recursion_struct(x, t):
    return tree(x, t)


@case(scalar(), number(4))
def recursion_tuple(x, n):
    return rec2((x, 1.0), n)[0]


def rec2(p, n):
    if n == 0:
        return p
    return rec2((p[0] * p[1], p[0] + p[1]), n - 1)


@case(scalar(), number(3))
def kw_fun_arg(x, n):
    def run(x, *, f, n=2):
        for _ in range(n):
            x = f(x)
        return x

    return run(x, f=sq) * run(x, n=1, f=lambda v: v + x)


@case(scalar())
def map_filter(x):
    return sum(map(lambda v: v * v, [x, 2.0 * x, 3.0]))


@case(scalar())
def reduce_(x):
    return functools.reduce(lambda a, b: a * b, [x, 2.0 * x, x + 1.0], 1.0)


@case(scalar(), number(3))
def alias_in_loop(x, n):
    ls = [x, 1.0]
    m = ls
    for i in range(n):
        m[0] = m[0] * x + i
        ls[1] += ls[0]
    return ls[0] * m[1]


@case(scalar())
def alias_in_dict(x):
    ls = [x, 1.0]
    d = {"a": ls, "b": ls}
    d["a"][0] = x * x
    return d["b"][0] * ls[0]


@case(scalar())
def alias_branch_choice(x):
    a, b = [x, 1.0], [2.0, x]
    c = a if x > 0.5 else b
    return c[0] * a[0] * b[1]


@case(scalar())
def alias_branch_mutate_before(x):
    a, b = [x, 1.0], [2.0, x]
    a[0] = x * x
    if x > 0.5:
        c = a
    else:
        c = b
    return c[0] * a[0]


@case(scalar(), number(4))
def rebind_in_loop(x, n):
    s = [x, 0.5]
    for i in range(n):
        s = [s[1], s[0] * x]
    return s[0] + s[1]


@case(scalar(), number(4))
def rebind_then_mutate(x, n):
    s = [x, 0.5]
    for i in range(n):
        t = [s[1], s[0]]
        t[0] = t[0] * x
        s = t
    return s[0] + s[1]


@case(scalar(), number(4))
def swap_lists_in_loop(x, n):
    a, b = [x, 1.0], [0.5, x]
    for i in range(n):
        a, b = b, a
    return a[0] * b[1]


@case(scalar(), number(3))
def mutate_in_loop_branch(x, n):
    d = {"s": x, "c": 0.0}
    for i in range(n):
        if d["s"] > 0.5:
            d["s"] = d["s"] * 0.7
            d["c"] += x
        else:
            d["s"] += x * x
    return d["s"] * d["c"] + d["c"]


@case(scalar(), number(5))
def mutate_break(x, n):
    d = [x]
    for i in range(n):
        d[0] = d[0] * 1.5
        if d[0] > 2.0:
            break
        d[0] += x
    return d[0] * d[0]


@case(scalar(), number(5))
def mutate_continue(x, n):
    d = [x, 0.0]
    for i in range(n):
        if i % 2 == 0:
            d[1] += d[0]
            continue
        d[0] = d[0] * x + d[1]
    return d


@case(scalar(), number(5))
def mutate_return_in_loop(x, n):
    d = [x, 0.0]
    for i in range(n):
        d[1] += d[0] * x
        if d[1] > 1.2:
            return d[0] * d[1]
        d[0] += 0.3
    return d[1]


@case(scalar())
def mutate_while_test(x):
    d = {"v": x}
    while d["v"] < 4.0:
        d["v"] = d["v"] * 1.7
    return d["v"] * x


def bump(d, k):
    d["n"] += k
    return d["n"] < 3.0


@case(scalar())
def while_test_mutates(x):
    d = {"n": x}
    s = 1.0
    while bump(d, x):
        s *= d["n"]
    return s * d["n"]


@case(scalar())
def and_mutates(x):
    d = {"n": x}
    if x > 0.1 and bump(d, x) and bump(d, x):
        return d["n"] * x
    return d["n"]


@case(scalar())
def ternary_mutates(x):
    d = {"n": x}
    y = (1.0 if bump(d, x) else 2.0) if x > 0.2 else 3.0
    return d["n"] * y


@case(scalar())
def nested_list_rows(x):
    g = [[x, 1.0], [2.0, x]]
    r = g[0]
    r[1] = x * x
    g[1] = r
    g[1][0] = 3.0 * x
    return g[0][0] * g[1][1] * r[0]


@case(lambda rng: [[0.3, 0.4], [0.5, 0.6]], scalar())
def list_arg_nested_mut(g, x):
    for i in range(2):
        for row in g:
            row[0] = row[0] * x + row[1]
    return g


@case(vector(3), scalar())
def array_in_list_alias(a, x):
    ls = [a, a * 2.0]
    ls[0][1] = x
    a[2] = x * x
    return ls[0] * ls[1]


@case(vector(3), scalar(), number(3))
def array_list_carried(a, x, n):
    ls = [a, a * 0.0]
    for i in range(n):
        ls[1] = ls[1] + ls[0] * x
        ls[0][0] = ls[0][0] * x
    return ls[1]


@case(vector(3), number(3))
def array_dict_update_inplace(a, n):
    p = {"w": a, "m": np.zeros(3)}
    for i in range(n):
        g = p["w"] * 2.0
        p["m"] = 0.9 * p["m"] + g
        p["w"] -= 0.1 * p["m"]
    return p["w"]


@case(lambda rng: {"w": rng.standard_normal((2, 3)), "b": rng.standard_normal(2)}, vector(3), number(3))
def sgd_dict(p, x, n):
    for _ in range(n):
        y = np.tanh(p["w"] @ x + p["b"])
        g = {"w": np.outer(y, x), "b": y}
        p = {k: p[k] - 0.1 * g[k] for k in p}
    return np.sum(p["w"]) + np.sum(p["b"])


def total(ls):
    s = 0.0
    for v in ls:
        s += v
    return s


class Particle:
    MASS = 2.0

    def __init__(self, x, v):
        self.x = x
        self.v = v
        self.trace = 0.0

    def step(self, dt):
        a = -self.x / self.MASS
        self.v = self.v + dt * a
        self.x = self.x + dt * self.v
        self.trace += self.x
        return self

    @property
    def energy(self):
        return 0.5 * self.MASS * self.v * self.v + self.x * self.x

    def __call__(self, y):
        return self.x * y


@case(scalar(), scalar(0.3), number(3))
def plain_class(x, v, n):
    p = Particle(x, v)
    for i in range(n):
        p.step(0.1)
    return p.energy * p.trace + p(x)


@dataclass
class Acc:
    total: float = 0.0
    items: list[Any] = field(default_factory=list)

    def add(self, v):
        self.total += v
        self.items.append(v * v)


@case(scalar(), number(3))
def dc_accumulator(x, n):
    a = Acc()
    for i in range(n):
        a.add(x * i)
    return a.total * a.items[-1] + sum(a.items)


@dataclass
class Post:
    a: Any
    b: Any = 1.0

    def __post_init__(self):
        self.c = self.a * self.b


@case(scalar())
def dc_post_init(x):
    p = Post(x, b=x * 2.0)
    return p.c * p.a


@dataclass(frozen=True)
class Fr:
    a: Any
    b: Any

    def scaled(self, k):
        return Fr(self.a * k, self.b)


@case(scalar(), number(3))
def frozen_carried(x, n):
    p = Fr(x, 1.0)
    for _ in range(n):
        p = p.scaled(x)
    return p.a * p.b


class Base:
    def f(self, v):
        return v * self.k

    @classmethod
    def make(cls, k):
        return cls(k)

    @staticmethod
    def sq(v):
        return v * v


class Sub(Base):
    def __init__(self, k):
        self.k = k

    def g(self, v):
        return self.f(v) + self.sq(v)


@case(scalar())
def inheritance(x):
    return Sub.make(x).g(x) * Sub(2.0).f(x)


@case(scalar(), number(3))
def copies(x, n):
    d = {"a": [x, 1.0], "b": 2.0}
    e = copy.copy(d)
    f = copy.deepcopy(d)
    e["a"][0] = x * x
    f["a"][1] = x
    e["b"] = x
    return d["a"][0] * f["a"][1] * d["b"] + e["b"] * f["a"][0]


@case(scalar())
def closure_over_list(x):
    acc = [0.0]

    def add(v):
        acc[0] += v * v

    add(x)
    add(2.0 * x)
    return acc[0] * x


@case(scalar(), number(4))
def nonlocal_branch(x, n):
    best, count = 0.0, 0

    def see(v):
        nonlocal best, count
        count += 1
        if v > best:
            best = v

    for i in range(n):
        see(math.sin(x * i))
    return best * count


@case(scalar())
def make_counter(x):
    def counter():
        c = 0.0

        def inc(d):
            nonlocal c
            c += d
            return c

        return inc

    a, b = counter(), counter()
    a(x)
    a(x)
    b(x * x)
    return a(0.0) * b(1.0)


@case(scalar())
def default_mutable_shared(x):
    d = dict(a=x)
    d2 = {**d, "a": d["a"] * 2.0}
    d3 = d | {"c": x}
    return d["a"] * d2["a"] * d3["c"]


@case(vector(3), scalar())
def star_mix(a, x):
    def f(p, *rest, k=1.0, **kw):
        s = p * k
        for r in rest:
            s += r * x
        for name, v in kw.items():
            s += v * (2.0 if name == "w" else 3.0)
        return s

    t = (a[0], a[1])
    return f(*t, a[2], k=x, w=a[0], z=a[1]) + f(x) + f(*t, **{"k": 2.0, "q": x})


@case(scalar())
def fn_returns_dict(x):
    def model(x):
        return {"loss": x * x, "aux": (x, 2.0 * x)}

    out = model(x)
    loss, (p, q) = out["loss"], out["aux"]
    return loss * p * q


@case(scalar(), number("relu"))
def table_dispatch(x, name):
    acts = {"relu": lambda v: max(v, 0.0), "tanh": math.tanh}
    return acts[name](x) * acts["tanh"](x)


@case(scalar(), number(2))
def struct_out_of_loop_return(x, n):
    for i in range(5):
        r = {"i": x * i, "v": [x, i * 1.0]}
        if i == n:
            return r
    return {"i": x, "v": [0.0, x]}


@case(scalar(), number(3))
def maybe_bound_scalar_in_struct(x, n):
    st = (x, (1.0, 2))
    for i in range(n):
        a, (b, c) = st
        st = (a * b, (b + x, c + 1))
    return st[0] * st[1][0] * st[1][1]


@case(scalar())
def pop_insert(x):
    ls = [x, 2.0, x * x]
    y = ls.pop()
    ls.insert(1, y * x)
    z = ls.pop(0)
    d = {"a": x, "b": y}
    w = d.pop("a")
    return ls[0] * z * w + ls[1] * d["b"] + len(ls) + d.get("a", x)
