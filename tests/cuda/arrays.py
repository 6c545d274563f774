"""Functions of small arrays, as (kind of derivative, function, options, arguments): for the simulator and for PTX."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

x = np.array([0.3, -1.2, 0.7, 2.0])
A = np.array([[2.0, -0.3, 0.4], [0.5, 1.7, -0.6], [0.1, 0.2, 3.0]])
b = np.array([0.3, -1.2, 0.7])


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def form(A, x):
    return x @ A @ x + np.sum(np.sin(A) @ x)


def linear_system(A, b):
    return np.sum(np.linalg.solve(A, b) ** 2)


def recurrence(x):
    y = x.copy()
    for i in range(1, len(y)):
        y[i] = y[i] * y[i - 1] + math.sin(y[i])
    return y.sum()


def extrema(x):
    return np.max(x) + np.min(x * x) + np.mean(x)


def softmax(x):
    e = np.exp(x - np.max(x))
    return np.log(np.sum(e)) + (e / e.sum())[0]


def broadcast(A, x):
    return np.sum((A * x + x[:, None]) ** 2)


def determinant(A):
    return np.linalg.det(A) + np.trace(np.linalg.inv(A))


def joined(x):
    return np.sum(np.concatenate((x, x * x)) * np.arange(2 * len(x)))


def overlapping(x):
    y = x.copy()
    y[1:] = y[:-1] * 2 + y[1:]
    return np.sum(y * y)


def gathered(x):
    return np.sum(x[np.array([0, 2, 2, 1])] ** 3)


def product(x):
    return np.prod(x)


def running(x):
    return np.sum(np.cumsum(x) ** 2)


def norms(x):
    return np.linalg.norm(x) + np.std(x)


def sides(x):
    return np.sum(np.where(x > 0, np.log(np.abs(x)), x * x))


def gram(A):
    return np.sum((A @ A.T) ** 2)


def to_vector(x):
    return np.sin(x) * x[::-1]


def to_matrix(A):
    return A @ A


def swapped(x):
    u, v = x.copy(), np.zeros_like(x)
    for _ in range(3):
        for i in range(1, len(u) - 1):
            v[i] = u[i] + 0.1 * (u[i - 1] - 2 * u[i] + u[i + 1])
        u, v = v, u
    return np.sum(u * u)


def rows(A):
    s = 0.0
    for i in range(A.shape[0]):
        r = A[i]
        s += (r * r).sum() * r[0]
    return s


def in_place(x):
    y = np.zeros(3)
    for k in range(3):
        y[k] = x[k] * x[k + 1]
    y *= 2.0
    y[::-1] += x[:3]
    return y @ y


def masked(x):
    return np.sum(x[x > 0.0] ** 2) + x[np.argmax(x)] * x[np.argmin(x)]


def ranged(x):
    return np.sum(np.linspace(x[0], x[1], 4) * np.arange(0.0, 1.0, 0.25) * x)


Case = tuple[str, Callable[..., Any], dict[str, Any], tuple[Any, ...]]
CASES: list[Case] = [
    ("grad", rosenbrock, {}, (x,)), ("hessian", rosenbrock, {}, (x,)), ("hvp", rosenbrock, {}, (x, x)),
    ("grad", form, {"argnums": (0, 1)}, (A, b)), ("hessian", form, {"argnums": 1}, (A, b)),
    ("value_and_grad", linear_system, {"argnums": (0, 1)}, (A, b)), ("hessian", linear_system, {"argnums": 1}, (A, b)),
    ("grad", recurrence, {}, (x,)), ("hessian", recurrence, {}, (x,)), ("grad", extrema, {}, (x,)),
    ("grad", softmax, {}, (x,)), ("grad", broadcast, {"argnums": (0, 1)}, (A, b)), ("grad", determinant, {}, (A,)),
    ("grad", joined, {}, (x,)), ("grad", overlapping, {}, (x,)), ("grad", gathered, {}, (x,)),
    ("grad", product, {}, (x,)), ("hessian", product, {}, (x,)), ("grad", running, {}, (x,)), ("grad", norms, {}, (x,)),
    ("grad", sides, {}, (x,)), ("grad", gram, {}, (A,)), ("jacobian", to_vector, {}, (x,)),
    ("jacrev", to_matrix, {}, (A,)), ("jacfwd", to_matrix, {}, (A,)), ("grad", swapped, {}, (x,)),
    ("grad", rows, {}, (A,)), ("grad", in_place, {}, (x,)), ("grad", masked, {}, (x,)), ("grad", ranged, {}, (x,)),
]  # fmt: skip


# ---- functions whose loops take as many turns as the run says: what is kept for the reverse sweep lies in work arrays


def powers(x, n):
    s = 1.0
    for k in range(n):
        s = s * math.sin(x + k) + x
    return s


def nested(x, n):
    s = x
    for i in range(n):
        for _ in range(i):
            s = s * math.cos(s) + x
    return s


def root(a):
    x = a
    while abs(x * x - a) > 1e-6:
        x = 0.5 * (x + a / x)
    return x


def shrinking(a, n):
    s = 0.0
    for k in range(n):
        x = a + k
        while x > 0.1:
            x = 0.5 * x * math.cos(x * 0.1)
        s += x * a
    return s


def left_early(x, n):
    s = x
    for _ in range(n):
        s = s * s * 0.9 + 0.1
        if s < 0.3:
            break
    return s


def scratch(x, n):
    y = np.zeros(n)
    for i in range(n):
        y[i] = math.sin(x * i)
    for i in range(1, n):
        y[i] = y[i] * y[i - 1]
    return y.sum()


def rotated(x, n):
    u = x.copy()
    for _ in range(n):
        u = np.sin(u) * x[0]
    return u.sum()


def until_small(x):
    u = x.copy()
    while np.sum(u * u) > 0.01:
        u = u * u * 0.5
    return u.sum()


DYNAMIC: list[tuple[str, Callable[..., Any], tuple[Any, ...]]] = [
    ("grad", powers, (0.7, 5)),
    ("hessian", powers, (0.7, 5)),
    ("grad", powers, (0.7, 0)),
    ("grad", nested, (0.7, 5)),
    ("grad", root, (2.0,)),
    ("hessian", root, (2.0,)),
    ("grad", shrinking, (2.0, 3)),
    ("grad", left_early, (0.6, 20)),
    ("grad", scratch, (0.6, 6)),
    ("grad", rotated, (b, 4)),
    ("hessian", rotated, (b, 4)),
    ("grad", until_small, (b,)),
    ("jacobian", rotated, (b, 0)),
]
