"""Memory where several rules meet: elimination in place, aliases in containers, overlap, wrapped indices."""

import numpy as np

from tests.hard.table import Table, matrix, scalar, vector
from tests.hard.table import const as number

STORAGE = Table("elimination, aliases in containers, overlap")
case = STORAGE.case


@case(matrix(4))
def lu_by_slices(a):
    for k in range(4):
        a[k, k] += 3.0
        a[k + 1 :, k] /= a[k, k]
        a[k + 1 :, k + 1 :] -= a[k + 1 :, k][:, None] * a[k, k + 1 :]
    return a


@case(matrix(4), vector(4))
def triangular_solves_in_place(m, b):
    for i in range(4):
        for j in range(i):
            b[i] -= m[i, j] * b[j]
        b[i] /= 2.0 + m[i, i]
    for i in range(3, -1, -1):
        b[i] -= np.sum(m[i + 1 :, i] * b[i + 1 :])
    return b


@case(matrix(3), number(np.array([1, 0, 2])))
def rows_swapped_by_pivot(a, pivot):
    for k in range(3):
        for j in range(3):
            a[k, j], a[pivot[k], j] = a[pivot[k], j] * 1.1, a[k, j]
        a[k] *= a[k, k]
    return a


@case(vector(5), scalar())
def indices_that_wrap(a, x):
    s = 0.0
    for i in range(5):
        s += a[i - 1] * a[i - 2]
        a[i] = s * x
        a[-i] += a[i]
    return a * s


@case(vector(8), scalar())
def butterflies(a, x):
    h = 4
    while h >= 1:
        for i in range(0, 8, 2 * h):
            for j in range(i, i + h):
                u = a[j]
                w = a[j + h] * x
                a[j] = u + w
                a[j + h] = (u - w) * u
        h //= 2
    return a


@case(vector(5), vector(5), scalar())
def swapped_views_of_two(a, b, x):
    u = a[1:]
    w = b[:-1]
    for i in range(3):
        u[i] = w[i] * u[i] + x
        w[i + 1] *= u[i]
        u, w = w, u
    return a * b, u * w


@case(vector(5), scalar())
def arrays_in_containers(a, x):
    d = {"u": a, "w": a * x}
    pair = [a, a[1:]]
    d["u"][1] = d["w"][0] * x
    d["w"] *= d["u"]
    pair[0] -= d["w"]
    pair[1][0] *= x
    return d["w"] * a


def shift(to, source):
    to[:] = source


def mix(to, source, x):
    for i in range(len(to)):
        to[i] += source[i] * x


@case(vector(6), scalar())
def overlap_through_helpers(a, x):
    shift(a[1:], a[:-1])
    mix(a[:-1], a[1:], x)
    shift(a[::2], a[::-2])
    mix(a, a[::-1], x)
    return a


@case(vector(5), scalar(0.3))
def last_of_fresh(a, x):
    last = a
    for i in range(3):
        w = a * x
        w[i] = last[i + 1]
        last = w
        if w[i] > 0.2:
            last = a
        a = a * 1.1
    return last * a


@case(vector(6), number(np.array([1, 2, 2, 0])), scalar(0.3))
def places_copied_and_written(a, k, x):
    b = a[k]
    b[1:] *= b[:-1]
    a[k] = b
    c = a[k]
    a[0] = c[1] * x
    b[0] = 7.0
    return a * a, c


@case(matrix(3))
def column_before_it_changes(a):
    c = a[:, 1][:, None]
    d = a * c
    a[0, 1] = 2.0 * a[0, 0]
    return a * d


@case(matrix(4), scalar(0.3))
def elimination_downwards(m, x):
    for k in range(3, -1, -1):
        m[k, k] = m[k, k] * x + 2.0
        for i in range(k - 1, -1, -1):
            m[i, k] /= m[k, k]
            m[i, :k] -= m[i, k] * m[k, :k]
            m[k - 4, i] += m[i, k] * 0.1
    return m


@case(vector(6), scalar(0.3))
def finished_and_unfinished_halves(a, x):
    for i in range(3):
        a[i + 3] = a[i] * a[i + 3]
    for i in range(3):
        a[i] = a[i + 3] * x + a[i] ** 2
        a[2 * i] *= a[i + 1]
    return a
