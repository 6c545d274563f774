"""Sets, and dicts whose keys are computed."""

from __future__ import annotations

import numpy as np
import pytest

import srcgrad as sg
from tests.frontend.as_written import VECTOR, Programs, check

programs = Programs()
KEYS = np.array([4, 0, 4])


@programs.at(VECTOR)
def one_a_turn(x):
    table = {}
    for i in range(len(x)):
        table[i] = x[i] * x[i]
    return table[0] * table[2] + len(table)


@programs.at(VECTOR, KEYS)
def counted(x, keys):
    sums = {}
    for i in range(len(x)):
        if keys[i] not in sums:
            sums[keys[i]] = 0.0
        sums[keys[i]] += x[i] ** 2
    product = 1.0
    for key in sums:
        product *= sums[key] + key
    return product


@programs.at(VECTOR, KEYS)
def with_get(x, keys):
    sums = dict()
    for i in range(len(x)):
        sums[keys[i]] = sums.get(keys[i], 0.0) + x[i] ** 3
    product = 1.0
    for key, value in sums.items():
        product = product * value + key
    return product * sum(sums.values())


@programs.at(1.1, 8)
def memo(x, n):
    known = {0: x, 1: x * x}
    for i in range(2, n):
        known[i] = known[i - 1] + 0.5 * known[i - 2]
    return known[n - 1] if n - 1 in known else 0.0


@programs.at(VECTOR)
def pairs_as_keys(x):
    table = {}
    for i in range(len(x)):
        for j in range(len(x)):
            table[i, j] = x[i] * x[j] ** 2
    return table[0, 1] + table[2, 2] * table[1, 0]


@programs.at(VECTOR, KEYS)
def taken_out(x, keys):
    table = {}
    for i in range(len(x)):
        table[i] = x[i] * 3.0
    table.setdefault(7, x[0])
    first = table.pop(keys[1])
    del table[1]
    total = 0.0
    for value in table.values():
        total += value * value
    return total * first


@programs.at(VECTOR)
def of_a_comprehension(x):
    squares = {k: x[k] * x[k] for k in range(len(x))}
    more = squares.copy()
    more[0] = x[1]
    return squares[0] + more[0] * squares[2]


def record(table, key, value):
    table[key] = value
    return len(table)


@programs.at(VECTOR, KEYS)
def in_a_helper(x, keys):
    table = {}
    n = 0
    for k in range(len(x)):
        n = record(table, keys[k], x[k])
    return table[4] * table[0] * n


@programs.at(VECTOR)
def with_a_walk(x):
    cache = {}

    def energy(k):
        if k not in cache:
            cache[k] = x[k % 3] ** 2
        return cache[k]

    total = 0.0
    for k in range(len(x) + 3):
        total += energy(k) * energy(k % 2)
    return total


@programs.at(1.2, 3.0)
def known_sets(x, y):
    total = 0.0
    for k in {8, 1, 3}:
        total = total * y + k * x
    return total if 2 in {1, 2} else y


@programs.at(1.2, 3.0)
def names_in_a_set(x, y):
    active = {"a", "b"} | set(("c",))
    for name in ("a", "b", "d"):
        if name in active:
            x = x * y
    return x * len(active - {"a"}) if active >= {"a"} else y


@programs.at(1.2, 3.0)
def seen(x, y):
    found, total = set(), 0.0
    for k in (1, 2, 1, 3):
        if k in found:
            continue
        found.add(k)
        total += k * x * y
    found.discard(2)
    return total * len(found)


@programs.at(VECTOR, KEYS)
def computed_sets(x, keys):
    visited = set()
    total = 0.0
    for i in range(len(keys)):
        if keys[i] in visited:
            total = total * 2
        else:
            visited.add(keys[i])
            total += x[i] ** 2
    for key in sorted(visited):
        total = total * x[0] + key
    return total * len(visited)


@programs.at(VECTOR, KEYS)
def set_of_what_is_given(x, keys):
    different = set(keys)
    lengths = {int(k) % 3 for k in keys}
    return np.sum(x**2) * len(different) + (x[0] if 4 in different else 0.0) * len(lengths)


@programs.at(VECTOR, KEYS)
def in_a_list_that_grew(x, keys):
    visited = []
    total = 0.0
    for i in range(len(keys)):
        if keys[i] not in visited:
            visited.append(keys[i])
            total += x[i] ** 2
    return total


@pytest.mark.parametrize(("fun", "args"), programs.all, ids=programs.names)
def test_sets_and_computed_keys(fun, args):
    check(fun, args)


@pytest.mark.parametrize("fun", [counted, with_get, computed_sets], ids=lambda f: f.__name__)
def test_compiled(fun):
    check(fun, (VECTOR, KEYS), jit=True)


def test_a_missing_key_raises_as_in_python():
    def missing(x):
        table = {}
        for i in range(len(x)):
            table[i] = x[i]
        return table[len(x)]

    with pytest.raises(KeyError):
        sg.grad(missing, jit=False)(VECTOR)


def order_of_strings(x):
    total = 0.0
    for name in {"a", "b"}:
        total = total * 2 + (x if name == "a" else 1.0)
    return total


def order_of_computed(x):
    found = set()
    for k in range(int(x) + 2):
        found.add(k)
    total = 0.0
    for k in found:
        total = total * x + k
    return total


def of_two_kinds(x):
    table = {}
    for k in range(int(x) + 2):
        table[k] = x
    table["a"] = x
    return table["a"]


def returned(x):
    table = {}
    for k in range(int(x) + 2):
        table[k] = x
    return table


@pytest.mark.parametrize(
    ("fun", "hint"),
    [(order_of_strings, "sorted"), (order_of_computed, "sorted"), (of_two_kinds, "two dicts"), (returned, "list")],
    ids=lambda f: getattr(f, "__name__", ""),
)
def test_what_is_refused_says_what_to_write(fun, hint):
    with pytest.raises(sg.SrcgradError, match=hint):
        sg.grad(fun, jit=False)(1.5)
