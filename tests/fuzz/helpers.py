"""What programs of the fuzzer call and find in their module; the text of what a program needs is put before it."""

import inspect
import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np


def damped(p, q):
    return 0.8 * math.sin(p) + 0.1 * q


def damped_one(p):
    return 0.8 * math.sin(p) + 0.1


def mixed(p, q, scale=0.5):
    r = p * q
    if r > 0.3:
        return r * scale
    return math.cos(r)


def stepped(p, q):
    for _ in range(3):
        p = p * q + 0.1
        if p > 0.8:
            break
    return p


def both(p, q):
    r = math.sin(p * q)
    return r, r * p + q


def twice(g, p):
    return g(g(p))


def power(p, n):
    if n == 0:
        return 1.0
    return p * power(p, n - 1)


def smooth(p, q):
    r = np.tanh(p * q)
    return r + 0.1 * p


def orbit(p, q, n):
    for k in range(n):
        p, q = math.cos(p) * 0.7 + q, 0.5 * p - q * 0.3
        if k == 2:
            yield p * q
            continue
        yield p


def endless(p):
    q = abs(p) + 0.5
    while True:
        yield q
        q = q * 1.6


def axpy(p, y, z):
    for i in range(min(len(y), len(z))):
        y[i] = y[i] * 0.5 + p * z[i]


def shift(y, p=0.3):
    y[0] += p * y[-1]
    y *= 0.9
    return y


def pick(p, q, first):
    if first:
        return p
    return q


def scaled(y, p, factor=0.7, *, offset=0.1):
    y[-1] = p * factor
    return y[0] + offset


def mingle(p, q):
    for i in range(min(len(p), len(q))):
        p[i] = math.tanh(p[i] + q[len(q) - 1 - i])
        q[i] *= p[0]


class Point(NamedTuple):
    u: Any
    v: Any


@dataclass
class Body:
    r: Any
    m: Any


FUNCTIONS = (
    damped, damped_one, mixed, stepped, both, twice, power, smooth, axpy, shift, pick, scaled, mingle, orbit, endless,
)  # fmt: skip
HELPERS = {f.__name__: inspect.getsource(f) for f in FUNCTIONS}
HELPERS |= {"RATE": "RATE = 0.37\n", "TABLE": "TABLE = np.array([0.2, 0.5, -0.3])\n"}
