"""Loops that are run again from snapshots: functions, and what they are called with."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np


def carried_scalars(r, x, n):
    s, k, up = 0.0, 0, True
    for t in range(n):
        x = r * x * (1.0 - x)
        up = x > 0.5
        s = s * 0.9 + x if up else s + x * x
        k += 1
    return s + x * k


def in_place(a, c, n):
    u = a.copy()
    for t in range(n):
        for i in range(1, len(u)):
            u[i] = u[i] + 0.1 * math.sin(u[i - 1]) * c[i]
    return np.sum(u * u)


def swapped(u0, dt, steps):
    u = u0.copy()
    w = np.zeros(len(u0))
    for t in range(steps):
        for i in range(1, len(u) - 1):
            w[i] = u[i] - dt * u[i] * (u[i + 1] - u[i - 1])
        u, w = w, u
    return np.sum(u * u)


def rotated(x, n):
    a, b, c = x.copy(), x * 2.0, x * x
    for t in range(n):
        for i in range(len(a)):
            c[i] = a[i] + 0.3 * b[i] * math.sin(c[i])
        a, b, c = b, c, a
    return np.sum(a * b) + c[0]


def slices(u0, n):
    u = u0.copy()
    for t in range(n):
        u[1:-1, 1:-1] = u[1:-1, 1:-1] + 0.1 * (u[2:, 1:-1] - u[:-2, 1:-1]) * u[1:-1, 2:]
    return np.sum(u * u)


def view_from_outside(x, n):
    u = x.copy()
    v = u[1:]
    flat = u[::2]
    for t in range(n):
        v[0] = v[0] * 0.9 + math.sin(u[0])
        u[0] = u[0] + 0.1 * v[1] * flat[1]
    return np.sum(u * u)


def fresh_each_time(m, x, n):
    for t in range(n):
        x = np.tanh(m @ x) + 0.1 * x
    return np.sum(x)


def while_loop(x, c):
    k = 0
    while x < 20.0:
        x = x * 1.05 + abs(math.sin(x)) * c
        k += 1
    return x * k


def changed_by_its_test(x, n):
    a = np.zeros(1)

    def again():
        a[0] = a[0] + 1.0
        return a[0] < n

    while again():
        x = math.sin(x) + 0.1 * a[0]
    return x


def with_break(x, c, n):
    s = 0.0
    for i in range(3, n, 2):
        x = math.sin(x) * 1.5 + c[i]
        s = s + x
        if s > 8.0:
            break
        s = s * 0.99
    return x * s


def downward(x, c):
    for i in range(len(c) - 1, 0, -1):
        x = math.cos(x) * c[i] + x
    return x


def in_a_branch(x, n, deep):
    y = x * x
    if deep:
        for t in range(n):
            y = math.sin(y) + x
    else:
        for t in range(2):
            y = y * 1.5
    return y * x


def nested(x, c, n):
    total = 0.0
    for epoch in range(3):
        for t in range(n):
            x = x + 0.1 * math.sin(x) * c[t % len(c)]
        total = total * 0.5 + x * x
    return total


def one_after_another(x, n):
    u = np.array([x, x * x, 1.0])
    for t in range(n):
        u[t % 3] = u[t % 3] + 0.2 * math.sin(u[(t + 1) % 3])
    s = u[0]
    while abs(s) > 0.3:
        s = s * 0.8 - 0.01 * u[1] * s
    for t in range(n):
        u[0] = u[0] * math.cos(s + u[2])
    return np.sum(u) + s


def counters(x, n):
    hits = np.zeros(3, dtype=np.int64)
    for t in range(n):
        k = int(x * 10.0) % 3
        hits[k] += 1
        x = math.sin(x + 0.1 * hits[k]) + 1.1
    return x


def local_list(x, n):
    for t in range(n):
        parts = []
        for i in range(3):
            parts.append(x * i)
        x = math.sin(parts[1] + parts[2])
    return x


def read_and_overwritten(x, c, n):
    k = c.copy()
    for t in range(n):
        x = math.sin(x) * k[t % len(k)] + 0.3
    k[0] = x * x
    return x * np.sum(k)


def factor(x, n):
    return x if n <= 0 else factor(x, n - 1) * 0.5 + x * x


def calls_itself(x, n):
    for t in range(n):
        x = math.sin(factor(x, 2))
    return x


def halved(x, n, depth):
    if depth <= 0:
        return x
    for t in range(n):
        x = math.sin(x) * 1.1 + 0.1 * x * x
    return halved(x, n // 2, depth - 1) * x


def loops_in_recursion(x, n):
    return halved(x, n, 3)


def square(x):
    return x * x


def helper_called(x, n):
    for t in range(n):
        x = math.cos(square(x) + 0.3)
    return x


def raises(x, c, n):
    for t in range(n):
        if x > 50.0:
            raise ValueError("too large")
        x = x * (1.0 + 0.1 * math.sin(x)) + c[t]
    return x * x


def matrix_state(a, x, n):
    p = a.copy()
    for t in range(n):
        p[:, :] = a @ p * 0.3 + np.outer(x, x)
        x = np.sin(p @ x)
    return np.sum(p) + x[0]


RNG = np.random.default_rng(11)
X = RNG.uniform(0.2, 1.0, 5)
C = RNG.uniform(0.2, 1.0, 40)
M = RNG.uniform(-0.4, 0.6, (3, 3))

PROGRAMS: dict[Callable[..., Any], tuple[Any, ...]] = {
    carried_scalars: (3.4, 0.3, 17),
    in_place: (X, X + 0.1, 9),
    swapped: (X, 0.05, 12),
    rotated: (X, 11),
    slices: (RNG.uniform(0.2, 1.0, (4, 5)), 8),
    view_from_outside: (X, 10),
    fresh_each_time: (M, X[:3].copy(), 9),
    while_loop: (0.7, 0.2),
    changed_by_its_test: (0.4, 9),
    with_break: (0.3, C, 40),
    downward: (0.4, C[:14].copy()),
    in_a_branch: (0.6, 9, True),
    nested: (0.6, X, 13),
    one_after_another: (0.7, 10),
    counters: (0.3, 14),
    local_list: (0.4, 8),
    read_and_overwritten: (0.4, X, 9),
    calls_itself: (0.6, 7),
    loops_in_recursion: (0.6, 12),
    helper_called: (0.6, 9),
    raises: (0.6, C, 12),
    matrix_state: (M, X[:3].copy(), 7),
}
