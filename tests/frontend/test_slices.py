"""Slices as values: made in the function, in front of it, by np.s_, held in dicts and tuples."""

from __future__ import annotations

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.testing import check_grads

X = np.array([1.0, 2.0, 3.0, 4.0])
INNER, CORNER, FIRST = slice(1, -1), np.s_[1:, :-1], (slice(None), 0)


def made_inside(x, n):
    part = slice(1, n)
    x[part] = x[part] * 2.0
    back = slice(None, None, -1)
    return np.sum(x[back] * x * np.arange(len(x))) + sum(x[slice(2)])


def made_in_front(x):
    m = x.reshape(2, 2)
    row, last = np.s_[0, 1:], np.index_exp[1]
    return np.sum(m[CORNER]) ** 2 + np.sum(x[INNER]) * m[FIRST][0] + np.sum(m[row]) * m[last][1]


def held(x):
    parts = {"u": slice(0, 2), "v": slice(2, 4)}
    u, v = x[parts["u"]], x[parts["v"]]
    items = [x[0], x[1], x[2]]
    items[slice(1, 2)] = [x[3], x[3]]
    return np.sum(u * v**2) + sum(items[slice(1, None)]) ** 2


def in_a_loop(x, n):
    total = 0.0
    for i in range(n):
        window = slice(i, i + 2) if i > 0 else slice(i, None)
        total += np.prod(x[window])
    return total


def blocks_of_a_matrix(x, ends):
    k = np.zeros((4, 4))
    for stiffness, (i, j) in zip(x, ends):
        first, second = slice(i, i + 2), slice(j, j + 2)
        k[first, first] += stiffness
        k[second, first] -= stiffness**2
    return np.sum(k * k)


CASES = {
    made_inside: (X, 3),
    made_in_front: (X,),
    held: (X,),
    blocks_of_a_matrix: (X, [(0, 2), (1, 2), (0, 1)]),
}


@pytest.mark.parametrize("fun", CASES, ids=lambda f: f.__name__)
def test_right(fun):
    check_grads(fun, CASES[fun], order=2, jit=False)


def test_compiled():
    got, expected = sg.grad(blocks_of_a_matrix), sg.grad(blocks_of_a_matrix, jit=False)
    np.testing.assert_allclose(got(*CASES[blocks_of_a_matrix]), expected(*CASES[blocks_of_a_matrix]))


@pytest.mark.parametrize("fun", [lambda x: np.sum(x[slice(*x)]), lambda x: np.sum(x[slice(1.5)])])
def test_refused(fun):
    with pytest.raises(sg.SrcgradError, match="test_slices.py"):
        sg.grad(fun, jit=False)(X)


def test_slices_that_paths_join():
    with pytest.raises(sg.SrcgradError, match="test_slices.py"):
        sg.grad(in_a_loop, jit=False)(X, 3)
