"""Programs that write into memory, one for each rule of the plan: small, so that a failure says which rule broke."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

ONES = np.array([0.9, 1.2, 0.7, 1.1, 0.8, 1.3])
OTHER = np.array([0.5, 0.6, 1.4, 0.3, 1.0, 0.9])


def in_place_product(a, n):
    """Each load is overwritten later: kept."""
    for i in range(1, n):
        a[i] = a[i] * a[i - 1]
    return a[n - 1]


def only_read(a, n):
    """Nothing is overwritten: loaded again; a sum keeps nothing."""
    s = 0.0
    for i in range(n):
        s += math.sin(a[i])
    return s


def carried_scalar(a, n):
    s = 1.0
    for i in range(n):
        s = s * math.sin(a[i])
    return s


def time_steps_in_place(a, n):
    """Two nested loads of rewritten memory: a snapshot a turn."""
    for t in range(n):
        for i in range(1, len(a) - 1):
            a[i] = a[i] - 0.1 * a[i] * (a[i + 1] - a[i - 1])
    return a[2] * a[3]


def buffers_of_two_lengths(a, b, n):
    """Swapped buffers need not be of one length: a snapshot is as long as the longest."""
    w = np.zeros(len(a) + 2)
    u = a.copy()
    for t in range(n):
        for i in range(1, len(b) - 1):
            w[i] = u[i] * b[i] + u[i - 1] * u[i + 1]
        u, w = w, u
    return u[2] * w[3] + u[1]


def chosen_buffer(a, b, n):
    """A reference chosen by a branch inside a loop, and carried."""
    c = a * 1.0
    d = b * 1.0
    for t in range(n):
        c[t] = c[t] * d[t + 1] + c[t + 1]
        if c[t] > 0.8:
            c, d = d, c
    return c[1] * d[2] + c[0]


def escaping(a, n):
    """Memory allocated in a nested loop, carried out of it."""
    u = a * 1.0
    for t in range(n):
        for k in range(t + 1):
            w = u * 0.9
            w[k] = u[k + 1] * u[k]
            u = w
        u[t] = u[t] * u[4]
    return u[3] * u[1]


def escaping_sometimes(a, n):
    u = a * 1.0
    for t in range(n):
        if u[t] > 0.86:
            u = u * 0.7
        else:
            u[t] = u[t] * u[0] + 0.1
    return u[3] * u[1]


def scratch(a, n):
    """Memory that lives and dies in the body: its loads are made again with it."""
    s = 0.0
    for t in range(n):
        w = np.zeros(len(a))
        for i in range(1, len(a)):
            w[i] = a[i] * a[t] + 0.1 * w[i - 1]
            s += math.sin(w[i]) * w[i - 1]
    return s


def branch_at_the_top(a, n):
    """A branch is a region too: a load in it from memory overwritten later is kept, though no loop is near."""
    s = 0.0
    if a[0] > 0.5:
        s = a[1] * a[2]
    a[1] = s * a[3]
    return s * a[n - 2]


def left_early(a, n):
    """A loop with an exit: the way back goes over the turns made."""
    s = 0.2
    for i in range(1, n):
        a[i] = a[i] * a[i - 1] + s
        s += a[i]
        if s > 2.5:
            a[i] = a[i] * s
            break
        a[i - 1] = s * a[i]
    return s * a[2]


def while_with_memory(a, n):
    k = 0
    while a[k] < 2.0 and k < n - 1:
        a[k + 1] = a[k + 1] * a[k] + 0.8
        a[k] = a[k] * 1.5
        k += 1
    return a[k] * a[0]


def down_by_two(a, n):
    for i in range(n - 1, 0, -2):
        a[i] = a[i] * a[i - 1]
        for j in range(i, n, 2):
            a[j] += a[i] * a[j - 1] * 0.5
    return a[n - 1] * a[3]


def triangular(a, n):
    for i in range(n):
        for j in range(i):
            for k in range(j, i):
                a[k] = a[k] * math.sin(a[j]) + 0.3 * a[i]
    return a[2] * a[1]


def sliced_steps(a, n):
    for t in range(n):
        a[1:-1] = a[1:-1] + 0.1 * (a[2:] - 2.0 * a[1:-1] * a[1:-1] + a[:-2])
    return np.sum(a * a)


def overlapping(a, n):
    a[1:] = a[:-1] * 2.0
    a[:-2] += a[2:] * a[:-2]
    return a[2] * a[3] * a[1]


def both_names(a, n):
    b = a
    b[0] = a[1] * 0.5
    a[1] = b[0] * b[2]
    return a[1] * b[0]


def views_of_views(a, n):
    v = a[::-1][1::2]
    for i in range(1, len(v)):
        v[i] = v[i] * v[i - 1] + a[i]
    return a[0] * a[2] * v[1]


def rotated(a, b, n):
    """A rotation of three references is undone on the way back."""
    u, v, w = a * 1.0, b * 1.0, np.zeros(len(a))
    for t in range(n):
        for i in range(len(u)):
            w[i] = 2.0 * v[i] - u[i] + 0.1 * math.sin(v[i])
        u, v, w = v, w, u
    return u[1] * v[2] * w[0]


PROGRAMS: dict[Callable[..., Any], tuple[Any, ...]] = {
    in_place_product: (ONES, 5),
    only_read: (ONES, 5),
    carried_scalar: (ONES, 5),
    time_steps_in_place: (ONES, 3),
    buffers_of_two_lengths: (ONES, OTHER, 3),
    chosen_buffer: (ONES, OTHER, 4),
    escaping: (ONES, 3),
    escaping_sometimes: (ONES, 5),
    scratch: (ONES, 3),
    branch_at_the_top: (ONES, 3),
    left_early: (ONES, 6),
    while_with_memory: (ONES, 6),
    down_by_two: (ONES, 6),
    triangular: (ONES, 4),
    sliced_steps: (ONES, 3),
    overlapping: (ONES, 3),
    both_names: (ONES, 3),
    views_of_views: (ONES, 3),
    rotated: (ONES, OTHER, 4),
}
