"""Lists that change in their middle, of known and of unknown length."""

from __future__ import annotations

import numpy as np
import pytest

import srcgrad as sg
from tests.frontend.as_written import VECTOR, Programs, check

programs = Programs()


@programs.at(VECTOR)
def window(x):
    queue = [x[0]]
    total = 0.0
    for i in range(1, len(x)):
        queue.append(x[i] * x[i])
        if len(queue) > 2:
            queue.pop(0)
        total += queue[0] * queue[-1]
    return total


@programs.at(VECTOR)
def inserted(x):
    items = []
    for v in x:
        items.insert(0, v * v)
    items.insert(1, x[0] * x[1])
    items.insert(-1, x[2])
    items.insert(100, x[1] ** 3)
    return sum([(k + 1) * v for k, v in enumerate(items)])


@programs.at(VECTOR)
def inserted_at_an_index(x):
    items = [x[0], x[1]]
    for k in range(len(x)):
        items.insert(k, x[k] * items[-1])
    return items[0] * items[2] + items[3]


@programs.at(VECTOR)
def popped_at_an_index(x):
    items = [v * v for v in x]
    taken = 1.0
    for k in range(len(x) - 1):
        taken = taken * (items.pop(k % 2) + k)
    return taken * items[0]


@programs.at(VECTOR)
def deleted(x):
    items = [v * v for v in x]
    del items[1]
    del items[-1]
    items.append(x[1])
    return items[0] * items[1]


@programs.at(VECTOR)
def slice_deleted(x):
    items = [v * v for v in x]
    del items[1:]
    return items[0] * len(items)


@programs.at(VECTOR)
def slice_deleted_of_known(x):
    items = [x[0], x[1], x[0] * x[2]]
    del items[:2]
    return items[0] ** 2


@programs.at(VECTOR)
def slice_assigned(x):
    items = [v * v for v in x]
    items[1:2] = [x[0], x[1] * x[2]]
    return items[1] * items[2] + items[3]


@programs.at(VECTOR)
def slice_assigned_of_known(x):
    items = [x[0], x[1], x[0] * x[2]]
    items[0:2] = [x[2] * x[2]]
    return items[0] * items[1]


@programs.at(VECTOR)
def reversed_in_place(x):
    items = [v * v for v in x]
    items.reverse()
    return items[0] + 2 * items[1] + 3 * items[2]


@programs.at(VECTOR)
def sorted_in_place(x):
    items = [v * v for v in x]
    items.sort()
    more = [x[0], x[1]]
    more.sort(reverse=True)
    return items[0] * items[-1] + more[0] * 3 + more[1]


@programs.at(VECTOR)
def removed(x):
    items = [v * v for v in x]
    items.remove(x[1] * x[1])
    return items[0] * items[1] + items.index(x[2] * x[2]) + items.count(x[0])


@programs.at(VECTOR)
def extended(x):
    items = [v * v for v in x]
    items.extend([v * x[0] for v in x])
    items += [v for v in x if v > 0.5]
    items.extend(x)
    return sum([(k + 1) * v for k, v in enumerate(items)])


@pytest.mark.parametrize(("fun", "args"), programs.all, ids=programs.names)
def test_lists_change_in_their_middle(fun, args):
    check(fun, args)


def test_compiled():
    check(window, (VECTOR,), jit=True)


@pytest.mark.parametrize("place", [3, -4])
def test_popping_what_is_not_there_raises_as_in_python(place):
    def popped(x, place):
        items = [v * v for v in x]
        return items.pop(place)

    with pytest.raises(IndexError):
        sg.grad(popped, jit=False)(VECTOR, place)


def test_removing_what_is_not_there_raises_as_in_python():
    def removed(x):
        items = [v * v for v in x]
        items.remove(100.0)
        return items[0]

    with pytest.raises(ValueError):
        sg.grad(removed, jit=False)(VECTOR)


def test_literals_in_lists_give_way_to_single_precision():
    def some(x, a):
        items = []
        for v in a:
            if v > x:
                items.append(0.5)
        return x * len(items) + sum(items) * x

    a = np.array([1.0, 2.0, 3.0], np.float32)
    assert sg.grad(some, jit=False)(np.float32(1.5), a) == np.float32(3.0)


def test_a_literal_beside_a_number_of_double_precision():
    def some(x, a):
        items = []
        for i in range(len(a)):
            if a[i] > x:
                items.append(0.5)
            if a[i] > 2 * x:
                items.append(0.5 + i)
        return x * items[-1]

    a = np.array([1.0, 2.0, 4.0], np.float32)
    assert sg.grad(some, jit=False)(np.float32(1.5), a) == 2.5
