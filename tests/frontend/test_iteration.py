"""Loops over itertools and NumPy's iterators, functions that take functions, grids: values and derivatives."""

from __future__ import annotations

import collections
import functools
import itertools
import math
import operator
from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np
import pytest

import srcgrad as sg

X, M = np.array([0.5, 1.5, -0.3, 0.9]), np.arange(6.0).reshape(2, 3) + 0.1


@np.vectorize
def gv(v: float) -> float:
    return v * v if v > 0 else -v


def indices_of_a_grid(x: Any) -> Any:
    g = np.mgrid[0:4, 0:3]
    return np.sum(g[0] * x[:, None] * g[1])


def unpacked_grid(x: Any) -> Any:
    i, j = np.mgrid[0:4, 0:3]
    return np.sum(i * x[:, None] * j)


def open_grid(x: Any) -> Any:
    i, j = np.ogrid[0:4, 0:3]
    return np.sum(i * x[:, None] * j)


def sorted_array(x: Any) -> Any:
    s = sorted(x)
    return s[0] * 2 + s[1]


def sum_of_map(x: Any) -> Any:
    return sum(map(lambda v: v * v, x))


def array_of_map(x: Any) -> Any:
    return np.sum(np.array(list(map(math.sin, x))))


def reduced(x: Any) -> Any:
    return reduce(lambda a, b: a * b, x)


def first_and_rest(x: Any) -> Any:
    a, *b = x
    return a * b[0]


def rest_as_array(x: Any) -> Any:
    a, *b = x
    return a * np.sum(np.array(b))


def largest_by_key(x: Any) -> Any:
    return max(x, key=lambda v: -v) * x[0]


def place_of_largest(x: Any) -> Any:
    return max(range(4), key=lambda i: x[i]) * x[0]


def bare_array(x: Any) -> Any:
    a = np.ndarray((4,))
    a[:] = x * x
    return np.sum(a)


def outer_sums(x: Any) -> Any:
    return np.sum(np.add.outer(x, x * x) ** 2)


def outer_products(x: Any) -> Any:
    return np.sum(np.multiply.outer(x, x)[0])


def running_largest(x: Any) -> Any:
    return np.sum(np.maximum.accumulate(x) ** 2)


def transposed_by_name(x: Any) -> Any:
    return np.sum(np.transpose(M * x[0], axes=(1, 0))[0])


def weighted_bins(x: Any) -> Any:
    h, _ = np.histogram(np.array([0.1, 0.4, 0.4, 0.9]), bins=3, weights=x)
    return np.sum(h * h)


def product_of_ranges(x: Any) -> Any:
    s = 0.0
    for i, j in itertools.product(range(4), range(2)):
        s += x[i] * x[j]
    return s


def places(x: Any) -> Any:
    s = 0.0
    for i, j in np.ndindex(2, 2):
        s += x[i] * x[j + 1]
    return s


def places_and_elements(x: Any) -> Any:
    s = 0.0
    for (i,), v in np.ndenumerate(x):
        s += i * v * v
    return s


def flat(x: Any) -> Any:
    s = 0.0
    for v in (M * x[0]).flat:
        s += v * v
    return s


def vectorized_inside(x: Any) -> Any:
    f = np.vectorize(lambda v: v * v if v > 0 else -v)
    return np.sum(f(x))


def vectorized_outside(x: Any) -> Any:
    return np.sum(gv(x))


def longest_zip(x: Any) -> Any:
    s = 0.0
    for a, b in itertools.zip_longest((1, 2, 3), (4, 5), fillvalue=0):
        s += x[a] * b
    return s


def pairs(x: Any) -> Any:
    s = 0.0
    for i, j in itertools.combinations(range(4), 2):
        s += x[i] * x[j]
    return s


def running_sums(x: Any) -> Any:
    s = 0.0
    for v in itertools.accumulate(x):
        s += v * v
    return s


def neighbours(x: Any) -> Any:
    s = 0.0
    for a, b in itertools.pairwise(x):
        s += a * b
    return s


def product_of_known(x: Any) -> Any:
    total = 0.0
    for i, c in itertools.product((0, 2), (1.5, -0.5)):
        total += x[i] * c
    return total


def repeated_product(x: Any) -> Any:
    return sum(x[i] * x[j] ** 2 for i, j in itertools.product(range(3), repeat=2))


def product_of_arrays(x: Any) -> Any:
    total = 0.0
    for a, b in itertools.product(x, x[1:]):
        if a > b:
            total += a * b
    return total


def places_of_shape(x: Any) -> Any:
    m, total = x.reshape(2, 2) ** 2, 0.0
    for at in np.ndindex(*m.shape):
        total += m[at[0], at[1]] * (at[0] + 1)
        if total > 3.0:
            break
    return total


def written_by_place(x: Any) -> Any:
    m = np.zeros((2, 2))
    for (i, j), v in np.ndenumerate(x.reshape(2, 2)):
        m[j, i] = v * v * (i + 2 * j + 1)
    return np.sum(m[0] * m[1])


def permuted(x: Any) -> Any:
    return sum([x[i] * x[j] * k for k, (i, j) in enumerate(itertools.permutations(range(3), 2))])


def chained(x: Any) -> Any:
    total = 0.0
    for i in itertools.chain((0, 3), range(2)):
        total += x[i] * (i + 1)
    return total


def list_of_choices(x: Any) -> Any:
    chosen = list(itertools.combinations(range(4), 3))
    return x[chosen[1][2]] * len(chosen)


def running_products(x: Any) -> Any:
    return sum(itertools.accumulate((x[0], x[1], x[3]), lambda a, b: a * b))


def sorted_numbers(x: Any) -> Any:
    low, middle, high = sorted((x[0], x[1], x[2] * 2.0), reverse=True)
    return low + 2.0 * middle + 3.0 * high * high


def sorted_downwards(x: Any) -> Any:
    total = 0.0
    for k, v in enumerate(sorted(x, reverse=True)):
        total += (k + 1) * v * v
    return total


def middle_of_array(x: Any) -> Any:
    first, *middle, last = x * x
    return first * last + len(middle) * middle[1]


def rows_of_matrix(x: Any) -> Any:
    first, *others = x.reshape(2, 2)
    return first @ others[0]


def smallest_object(x: Any) -> Any:
    pairs = [(x[0], x[1]), (x[2], x[3]), (x[1], x[0])]
    return min(pairs, key=lambda p: p[0])[1]


def reduced_from(x: Any) -> Any:
    return functools.reduce(lambda total, v: total * 0.5 + v * v, x, 2.0)


def mapped_list(x: Any) -> Any:
    made = list(map(lambda item: item * item + x[0], x))
    return made[1] * made[2]


def points_between(x: Any) -> Any:
    return np.sum(np.mgrid[0:1:4j] * x)


def vectorized_of_two(x: Any) -> Any:
    f = np.vectorize(lambda a, b: a * b if a > b else b - a)
    return np.sum(f(x, x[::-1]) * x)


def running_smallest(x: Any) -> Any:
    return np.sum(np.minimum.accumulate(x.reshape(2, 2)) ** 2)


def names_beside_elements(x: Any) -> Any:
    weights = {"a": 2.0, "b": 3.0, "c": 5.0}
    return sum(weights[name] * v**2 for name, v in zip(weights, x))


def ends_beside_elements(x: Any) -> Any:
    total = 0.0
    for k, (v, (i, j)) in enumerate(zip(x, [(0, 1), (2, 3), (1, 3)])):
        total += v * x[i] * x[j] + k * v
    return total


def elements_read_in_their_turn(x: Any) -> Any:
    x = x.copy()
    total = 0.0
    for v, weight in zip(x, (1.0, 2, 3.0)):
        x[2] = x[2] * 2.0
        total += v * v * weight
        if total > 30.0:
            break
    return total


def tuple_beside_array_in_a_comprehension(x: Any) -> Any:
    return math.prod([f(v) for f, v in zip((math.sin, math.exp), x)])


def grown(x: Any) -> Any:
    wealth = list(itertools.accumulate(x, lambda w, r: w * (1.0 + r), initial=x[1] + 1.0))
    return wealth[-1] * wealth[1] + max(wealth)


def running_powers(x: Any) -> Any:
    return sum(a * b for a, b in zip(itertools.accumulate(x, operator.mul), x))


def running_rows(x: Any) -> Any:
    total = 0.0
    for row in itertools.accumulate(x.reshape(2, 2), initial=x[:2]):
        total += np.sum(row**2)
    return total


def axis_by_axis(x: Any) -> Any:
    m, total = x.reshape(2, 2), 0.0
    for axis in range(2):
        e = np.exp(m - m.max(axis=axis, keepdims=True))
        m = np.concatenate([m, e / e.sum(axis=axis, keepdims=True)], axis=axis)
        total += np.sum(m**3)
    return total


def bins_by_edges(x: Any) -> Any:
    counts, _ = np.histogram(np.array([0.1, 0.4, 0.6, 2.0]), bins=np.array([0.0, 0.5, 1.0]), weights=x)
    return counts[0] * counts[1]


ALL: list[Callable[[Any], Any]] = [
    indices_of_a_grid,
    unpacked_grid,
    open_grid,
    sorted_array,
    sum_of_map,
    array_of_map,
    reduced,
    first_and_rest,
    rest_as_array,
    largest_by_key,
    place_of_largest,
    bare_array,
    outer_sums,
    outer_products,
    running_largest,
    transposed_by_name,
    weighted_bins,
    product_of_ranges,
    places,
    places_and_elements,
    flat,
    vectorized_inside,
    vectorized_outside,
    longest_zip,
    pairs,
    running_sums,
    neighbours,
    product_of_known,
    repeated_product,
    product_of_arrays,
    places_of_shape,
    written_by_place,
    permuted,
    chained,
    list_of_choices,
    running_products,
    sorted_numbers,
    sorted_downwards,
    middle_of_array,
    smallest_object,
    reduced_from,
    mapped_list,
    points_between,
    vectorized_of_two,
    running_smallest,
    bins_by_edges,
    names_beside_elements,
    ends_beside_elements,
    elements_read_in_their_turn,
    tuple_beside_array_in_a_comprehension,
    grown,
    running_powers,
    running_rows,
    axis_by_axis,
]


def numerical(fun: Callable[[Any], Any]) -> Any:
    steps = 1e-6 * np.eye(4)
    return np.array([(fun(X + e) - fun(X - e)) / 2e-6 for e in steps])


@pytest.mark.parametrize("fun", ALL, ids=lambda f: f.__name__)
def test_right(fun: Callable[[Any], Any]) -> None:
    value, slope = sg.value_and_grad(fun, jit=False)(X)
    assert value == pytest.approx(fun(X), rel=1e-12)
    want = numerical(fun)
    assert np.allclose(slope, want, rtol=1e-6, atol=1e-7)
    assert np.allclose([sg.jvp(fun, (X,), (e,), jit=False)[1] for e in np.eye(4)], slope, rtol=1e-10, atol=1e-12)
    assert np.allclose(sg.hessian(fun, jit=False)(X), sg.hessian(fun, jit=False)(X).T, atol=1e-12)


def several(x: Any) -> Any:
    total = places_of_shape(x) + product_of_arrays(x) + rest_as_array(x)
    return total + sorted_downwards(x) + vectorized_of_two(x) + place_of_largest(x)


def test_compiled() -> None:
    value, slope = sg.value_and_grad(several)(X)
    plain = sg.value_and_grad(several, jit=False)(X)
    assert value == pytest.approx(plain[0]) and np.allclose(slope, plain[1], rtol=1e-12)


def test_empty_products() -> None:
    assert sg.value_and_grad(product_of_arrays, jit=False)(X[:1]) == (0.0, 0.0)


def running_largest_of_none(x: Any) -> Any:
    total = x[0]
    for v in itertools.accumulate(x[:0], max):
        total += v
    return total


def test_running_totals_of_nothing() -> None:
    assert sg.grad(running_largest_of_none, jit=False)(X).tolist() == [1.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize("fun", [names_beside_elements, ends_beside_elements])
def test_fewer_elements_than_items(fun: Callable[[Any], Any]) -> None:
    with pytest.raises(sg.SrcgradError, match="what is zipped with 3 items is shorter"):
        sg.grad(fun, jit=False)(X[:2])


def too_few(x: Any) -> Any:
    a, b, *_ = x
    return a * b


def test_too_few_to_unpack() -> None:
    with pytest.raises(ValueError, match="fewer than 2 values"):
        sg.grad(too_few, jit=False)(X[:1])


def unknown_pairs(x: Any) -> Any:
    total = 0.0
    for i, j in itertools.combinations(range(len(x)), 2):
        total += x[i] * x[j]
    return total


def kept_product(x: Any) -> Any:
    pairs = itertools.product(range(len(x)), range(2))
    return sum(x[i] * j for i, j in pairs)


def sorted_by_key(x: Any) -> Any:
    items = [v for v in x]
    items.sort(key=lambda v: -v)
    return items[0]


def signed(x: Any) -> Any:
    return np.sum(np.vectorize(np.sum, signature="(n)->()")(x.reshape(2, 2)))


def neighbours_of_a_zip(x: Any) -> Any:
    return sum(a[0] * b[0] for a, b in itertools.pairwise(zip(x, (1.0, 2.0, 3.0))))


def window(x: Any) -> Any:
    held: collections.deque[Any] = collections.deque(maxlen=2)
    for v in x:
        held.append(v)
    return held[0]


def from_a_tuple(x: Any) -> Any:
    return sum(tuple(x))


REFUSED = [
    (window, "use a list"),
    (from_a_tuple, "a, b = x"),
    (neighbours_of_a_zip, "loop over the zip itself"),
    (unknown_pairs, "for i in range"),
    (kept_product, "loop over it where it is made"),
    (sorted_by_key, "np.argsort"),
    (signed, "make it outside"),
    (rows_of_matrix, "keep it an array"),
]


@pytest.mark.parametrize(("fun", "hint"), REFUSED)
def test_refused(fun: Callable[[Any], Any], hint: str) -> None:
    with pytest.raises(sg.SrcgradError) as caught:
        sg.grad(fun, jit=False)(X)
    assert hint in str(caught.value) and "test_iteration.py" in str(caught.value)
