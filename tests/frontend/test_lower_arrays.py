"""Subscripts, views, in-place operations: NumPy's meaning."""

from __future__ import annotations

import math

import numpy as np
import pytest

from srcgrad.core import ir
from srcgrad.core.walk import walk
from srcgrad.errors import UnsupportedError
from tests.frontend.lowering import lowered, same

A = np.array([0.3, -0.7, 1.1, 0.4, 2.0, -1.5])
B = np.array([1.3, 0.2, -0.4, 0.9, 0.1, 0.6])
M = np.arange(12.0).reshape(3, 4) / 7 - 0.5
K = np.array([4, 0, 2, 0])


def negative_indices(a):
    return a[-1] * a[-2] + a[len(a) - 1]


def slices(a):
    return a[1:4], a[::-2], a[:-1] * a[1:], a[-3:][1]


def overlapping(a):
    a[1:] = a[:-1]
    a[:-2] += a[2:] * 0.5
    a[::2] -= a[1::2]
    a[1:] *= a[:-1]
    return a


def rows_and_columns(m):
    m[0] = m[:, 1][::-1].sum()
    r = m[1]
    r[1:] = r[:-1] + 1.0
    c = m[:, -1]
    c *= 2.0
    m[..., 0] = 7.0
    m.T[2, 1] = -1.0
    return m, m[1, 2], m[2][3]


def aliases(a):
    b = a
    c = a[2:]
    b[3] = 5.0
    c[0] += a[3]
    a = a * 2.0
    a[0] = 100.0
    return b, c, a


def in_place_against_rebinding(a, b):
    c, d = a, b
    a += b
    b = b + a
    a -= 1
    a *= a
    a /= 2.0
    a **= 2
    return a, b, c, d


def elements_in_place(a):
    a[0] += 1.0
    a[0] -= 0.5
    a[1] *= 3.0
    a[2] /= 2.0
    a[3] **= 2
    a[4] += a[4]
    return a


def right_side_changes_the_element(a):
    a[0] += bump(a)
    a[1] *= bump(a)
    return a


def bump(a):
    a[0] = a[0] * 10.0
    a[1] = a[1] * 10.0
    return 1.0


def swaps_of_elements_and_rows(a, m):
    a[0], a[1] = a[1], a[0]
    m[0], m[1] = m[1], m[0]
    return a, m


def index_arrays(a, k, m):
    s = a[k]
    a[k] += 1.0
    b = m[:, k[1:3]]
    m[k[1:], 0] = 9.0
    return s, a, b, m


def masks(a):
    a[a < 0] = 0.25
    a[a > 0.35] *= 3.0
    b = np.outer(a, a)
    b[b > 1.0] -= 0.5
    b[b == a[0]] = a[1]
    return b, a


def new_axes(a, b):
    return a[:, None] * b[None, :], a[np.newaxis], (a + b)[..., None]


def unpacks(a, m):
    p, q, r = a[:3]
    s, t, _u = m
    return p * q + r + s[3] + t[1]


def integers(k, n):
    s = k * 2
    s[1] = n
    s[0] += 3
    return s, k[0] // 2, k.sum()


def shapes(m):
    n, k = m.shape
    return n * k + m.shape[-1] + m.size + len(m.T) + m[0].ndim


def views_in_loops(m):
    for i in range(1, m.shape[0]):
        old, new = m[i - 1], m[i]
        new[1:] += old[:-1] * math.sin(old[0])
    return m


def returns_a_view(a):
    b = a * 2.0
    return b[1:3], a[:2]


PROGRAMS = [
    (negative_indices, A), (slices, A), (overlapping, A), (rows_and_columns, M), (aliases, A),
    (in_place_against_rebinding, A, B), (elements_in_place, A), (right_side_changes_the_element, A),
    (swaps_of_elements_and_rows, A, M), (index_arrays, A, K, np.outer(B, B)), (masks, A), (new_axes, A, B),
    (unpacks, A, M), (integers, K, 7), (shapes, M), (views_in_loops, M), (returns_a_view, A),
]  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p[0].__name__)
def test_runs_as_the_function_does(program) -> None:
    same(*program)


def test_an_argument_reshaped_and_written_must_come_in_order() -> None:
    def f(x, m):
        f = m.reshape(12)
        for i in range(1, 12):
            f[i] = f[i] * m[0, i % 4] + x
        return m[2, 3] * f[5], m

    facts = same(f, 0.5, M).program.main.facts
    assert facts.ordered == facts.overwritten == ("m",)

    def transposed(m):
        f = m.T.reshape(12)
        f[0] = 5.0
        return m

    with pytest.raises(UnsupportedError, match="layout"):
        lowered(transposed, M)


def test_sums_into_elements_and_slices_are_accumulated() -> None:
    def f(a, x):
        a[0] += x
        a[1:] += a[:-1]
        a -= x
        a[2] *= x
        return a

    kinds = [type(s) for s in walk(same(f, A, 0.5).program.main.body)]
    assert kinds.count(ir.Accumulate) == 3 and kinds.count(ir.Store) == 1


def test_repeated_places_are_not_summed() -> None:
    def f(a, k):
        a[k] += 1.0
        return a

    assert ir.Accumulate not in [type(s) for s in walk(same(f, A, K).program.main.body)]


def test_a_float_into_an_integer_array_is_refused() -> None:
    def element(k, x):
        k[0] = x
        return k

    def in_place(k, x):
        k *= x
        return k

    for f in (element, in_place):
        with pytest.raises(UnsupportedError, match="make the array float"):
            lowered(f, K, 0.5)


def test_shapes_that_cannot_fit_are_refused() -> None:
    def into_element(a):
        a[0] = a
        return a

    def too_many(a):
        return a[0, 1]

    def truth(a):
        return 1.0 if a > 0 else 0.0

    for f in (into_element, too_many, truth):
        with pytest.raises(UnsupportedError):
            lowered(f, A)
