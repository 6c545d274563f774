"""Numba's own building blocks inside differentiated functions."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from numba import float64, guvectorize, int64, vectorize
from numba.experimental import jitclass
from numba.typed import Dict, List

import srcgrad as sg
from tests.frontend.as_written import VECTOR, Programs, check

programs = Programs()
MATRIX = np.array([[1.0, 2.0, 0.5], [3.0, -4.0, 0.3]])


@vectorize
def soft(x, y):
    return x * x * y


@vectorize(["float64(float64)", "float32(float32)"])
def leaky(x):
    if x > 0:
        return x * x
    return 0.1 * x


@guvectorize([(float64[:], float64[:], float64[:])], "(n),(n)->()")
def dotted(a, b, out):
    out[0] = 0.0
    for i in range(len(a)):
        out[0] += a[i] * b[i]


@guvectorize([(float64[:], float64, float64[:])], "(n),()->(n)")
def running(a, y, out):
    total = 0.0
    for i in range(len(a)):
        total += a[i] ** 2 * y
        out[i] = total


@guvectorize([(float64[:, :], float64[:], float64[:])], "(m,n),(n)->(m)")
def applied(a, x, out):
    for i in range(a.shape[0]):
        out[i] = 0.0
        for j in range(a.shape[1]):
            out[i] += a[i, j] * x[j]


@jitclass([("k", float64), ("weights", float64[:]), ("count", int64)])
class Spring:
    def __init__(self, k, weights):
        self.k = k
        self.weights = weights
        self.count = 0

    @property
    def twice(self):
        return 2 * self.k

    @staticmethod
    def square(x):
        return x * x

    def energy(self, x):
        self.count += 1
        return 0.5 * self.k * self.square(x) * self.weights[0] + self.twice

    def force(self, x):
        return -self.k * x * np.sum(self.weights)


SPRING = Spring(2.0, np.array([3.0, 1.0]))
NUMBERS = List([1.0, 2.0])
NAMED = Dict.empty(numba.types.unicode_type, float64)
NAMED["a"] = 2.0


@programs.at(VECTOR)
def of_numbers(x):
    return soft(x[0], x[1]) * leaky(x[2])


@programs.at(VECTOR)
def of_arrays(x):
    return np.sum(soft(x, 3.0) + leaky(x - 0.8)) + np.sum(soft(MATRIX, x) ** 2)


@programs.at(MATRIX)
def rows_to_numbers(x):
    return np.sum(dotted(x, VECTOR) ** 2) + dotted(x[0], x[1])


@programs.at(MATRIX)
def rows_to_rows(x):
    return np.sum(running(x, 1.5) * x) + running(VECTOR, x[0, 0])[1]


@programs.at(VECTOR)
def matrix_and_vector(x):
    return np.sum(applied(MATRIX, x) ** 2)


@programs.at(1.3)
def force_of_an_object(x):
    return SPRING.force(x) * SPRING.k + SPRING.square(x) + SPRING.twice * x


@programs.at(1.3)
def object_made_inside(x):
    spring = Spring(x, np.array([x, 1.0]))
    return spring.energy(x) + spring.energy(2 * x) * spring.count


@programs.at(1.3)
def list_made_inside(x):
    items = List()
    for i in range(3):
        items.append(x * i)
    more = List.empty_list(float64)
    more.append(x * x)
    return items[1] * items[2] * more[0] + len(items)


@programs.at(1.3)
def dict_made_inside(x):
    table = Dict.empty(numba.types.unicode_type, float64)
    table["a"] = x
    table["b"] = table["a"] * x
    return table["a"] * table["b"]


@programs.at(1.3)
def captured_list_and_dict(x):
    return NUMBERS[0] * x + NUMBERS[1] * x * x + NAMED["a"] * x**3


@programs.at(1.3, List([1.0, 2.0]))
def list_as_an_argument(x, items):
    return items[0] * items[1] * x * x


@pytest.mark.parametrize(("fun", "args"), programs.all[:-1], ids=programs.names[:-1])
def test_building_blocks_of_numba(fun, args):
    check(fun, args)


def test_a_typed_list_as_an_argument():
    items = List([1.0, 2.0])
    assert np.isclose(sg.grad(list_as_an_argument, jit=False)(1.3, items), 2 * 2.0 * 1.3)
    assert sg.grad(list_as_an_argument, "items", jit=False)(1.0, items) == [2.0, 1.0]


def test_a_vectorized_function_is_differentiated_itself():
    assert sg.grad(leaky, jit=False)(2.0) == 4.0
    assert sg.grad(soft, 1)(2.0, 3.0) == 4.0


def test_compiled():
    check(of_arrays, (VECTOR,), jit=True)
    check(rows_to_rows, (MATRIX,), jit=True)


@pytest.mark.parametrize("name", ["several", "own_axis"])
def test_layouts_that_are_not_plain_are_refused(name):
    @guvectorize([(float64[:], float64[:], float64[:])], "(n)->(n),(n)")
    def several(a, out, other):
        out[0] = other[0] = a[0]

    @guvectorize([(float64[:], float64[:], float64[:])], "(n),(m)->(m)")
    def own_axis(a, b, out):
        out[0] = a[0]

    def two(x):
        return several(x)[0][0]

    def one(x):
        return own_axis(x)[0]

    with pytest.raises(sg.SrcgradError, match="guvectorize"):
        sg.grad({"several": two, "own_axis": one}[name], jit=False)(VECTOR)


def test_a_float_in_an_integer_field_is_refused():
    @jitclass([("n", int64)])
    class Counter:
        def __init__(self, n):
            self.n = n

    def counted(x):
        return Counter(x * 2.5).n * x

    with pytest.raises(sg.UnsupportedError, match="declare it float64"):
        sg.grad(counted, jit=False)(2.0)
