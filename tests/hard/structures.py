"""Structure in and out: tuples, lists, dicts, NamedTuples, dataclasses, nested."""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from tests.hard.table import Table, scalar, vector
from tests.hard.table import const as number

STRUCTURES = Table("structure")
case = STRUCTURES.case


class Point(NamedTuple):
    x: Any
    y: Any


@dataclass
class Body:
    position: Any
    mass: Any
    count: int = 2


@case(number((0.5, 0.9)), third=True)
def tuple_in(p):
    x, y = p
    return x * math.sin(y) + p[1] * p[0] * p[-1]


@case(number([0.5, 0.9, 1.3]))
def list_in(p):
    s = 0.0
    for v in p:
        s += v * v * p[0]
    return s * len(p)


@case(lambda rng: {"w": rng.standard_normal(3), "b": 0.4}, vector(3), jit=True)
def dict_in(params, x):
    return np.dot(params["w"], x) * params["b"] + params["b"] ** 2


@case(number(Point(0.5, 0.9)))
def named_tuple_in(p):
    return p.x * p.y + math.sin(p[0])


@case(lambda rng: Body(rng.standard_normal(3), 1.5))
def dataclass_in(body):
    r = body.position
    return body.mass * np.sum(r * r) * body.count


@case(
    lambda rng: {"layers": [(rng.standard_normal((2, 2)), 0.3), (rng.standard_normal((2, 2)), 0.1)], "k": 2}, vector(2)
)
def nested_in(net, x):
    for w, b in net["layers"]:
        x = np.tanh(w @ x + b)
    return np.sum(x) * net["k"]


@case(scalar(), vector(3))
def dict_out(x, a):
    return {"square": x * x, "scaled": a * x}


@case(scalar(), vector(3))
def named_tuple_out(x, a):
    return Point(x * a[0], a * a)


@case(scalar(), vector(3))
def nested_out(x, a):
    return (x * x, [a * x, {"s": np.sum(a)}]), x


@case(scalar(), scalar(0.3))
def tuple_variables(x, y):
    p = (x, y)
    q = (p[1] * x, p[0])
    (a, b), c = q, p[0]
    return a * b * c + q[0]


@case(scalar(), scalar(0.3), number(4))
def tuple_carried(x, y, n):
    state = (x, y)
    for _ in range(n):
        p, q = state
        state = (q, math.sin(p) + q * x)
    return state[0] * state[1]


@case(number(Point(0.5, 0.9)), number(3))
def named_tuple_carried(p, n):
    for _ in range(n):
        p = Point(p.y, p.x * 0.5 + math.cos(p.y))
    return p.x * p.y


@case(lambda rng: (rng.standard_normal(4), rng.standard_normal(4)), scalar())
def arrays_in_tuple_written(pair, x):
    u, w = pair
    u[0] = w[1] * x
    w[0] = u[0] * u[1]
    return pair[0] * pair[1]


@case(scalar(), vector(4))
def starred(x, a):
    first, *rest = (x, a[0], a[1])
    args = (a[2], x)
    return first * rest[0] * rest[1] + math.hypot(*args)


@case(scalar(), number("cube"), number(None))
def static_arguments(x, kind, nothing):
    if kind == "square":
        return x * x
    if nothing is None:
        return x * x * x
    return x


@case(scalar(), vector(3))
def list_of_arrays(x, a):
    rows = [a * x, a + x]
    rows[0][1] = rows[1][0] * x
    return rows[0] * rows[1]


@case(vector(3), scalar())
def array_from_scalars(a, x):
    m = np.array([x, a[0] * x, 2.0])
    return m * a
