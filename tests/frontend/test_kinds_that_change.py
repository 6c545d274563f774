"""Names that change their kind in a loop: None and a value, a number and an array, integers and floats."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import srcgrad as sg
from tests.frontend.as_written import VECTOR, Programs, check

programs = Programs()


@programs.at(1.7)
def best_so_far(x):
    best = None
    for i in range(4):
        c = (x - i) ** 2
        if best is None or c < best:
            best = c
    return best * x


@programs.at(1.7)
def best_of_some(x):
    best = None
    for i in range(4):
        c = (x - i) ** 2
        if c > 0.3:
            if best is None:
                best = c
            else:
                best = min(best, c)
    return best * x


@programs.at(1.7)
def the_last_number(x):
    prev = None
    s = 0.0
    for i in range(4):
        y = math.sin(x * i)
        if prev is not None:
            s += y * prev
        prev = y
    return s


@programs.at(1.7)
def until_it_stays(x):
    prev = None
    y = x
    while prev is None or abs(y - prev) > 1e-10:
        prev = y
        y = math.cos(y) * x * 0.3
    return y


@programs.at(1.7)
def starts_with_its_first(x):
    last = None
    for i in range(3):
        last = x * i if last is None else last * x + i
    return last


@programs.at(1.7)
def none_in_one_branch(x):
    a = None
    if x > 1:
        a = x * 2
    if a is None:
        return x
    return a * a


@programs.at(1.7)
def another_name_for_it(x):
    a = None
    for i in range(3):
        if x > i and i > 0:
            a = x * i
    b = a
    if b is not None:
        return b * a
    return x


@programs.at(1.7)
def best_and_its_place(x):
    best, arg = (None, None)
    for k in range(5):
        v = math.cos(x * k)
        if best is None or v > best:
            best, arg = (v, k)
    return best * arg + x


@programs.at(1.7)
def best_with_continue(x):
    best = None
    for i in range(4):
        c = (x - i) ** 2
        if best is None:
            best = c
            continue
        if c < best:
            best = c
    return best


@programs.at(1.7)
def found_or_not(x):
    t = None
    for i in range(5):
        if i * x > 3:
            t = x * i
            break
    else:
        return x
    return t * t if t is not None else x


@programs.at(1.7)
def within_two_loops(x):
    prev = None
    total = 0.0
    for i in range(4):
        for j in range(2):
            v = x * (i + j)
            if prev is not None and i > 0:
                total += math.sin(prev) * v
            prev = v
    return total


@programs.at(VECTOR)
def the_last_array(x):
    prev = None
    s = 0.0
    for i in range(4):
        y = np.sin(x * i)
        if prev is not None:
            s += np.sum((y - prev) ** 2)
        prev = y
    return s


@programs.at(VECTOR)
def the_best_array(x):
    best = None
    bestv = np.inf
    for i in range(4):
        y = x * i - 1
        v = np.sum(y**2)
        if v < bestv:
            bestv = v
            best = y
    return np.sum(best**3)


@programs.at(VECTOR)
def sum_that_starts_with_none(x):
    out = None
    for row in np.outer(x, x):
        out = row if out is None else out + row**2
    return out.sum()


@programs.at(VECTOR)
def sum_of_arrays(x):
    s = 0
    for i in range(3):
        s = s + x * i
    return np.sum(s**2)


@programs.at(VECTOR)
def sum_of_arrays_in_place(x):
    s = 0
    for i in range(len(x)):
        s += x * x[i]
    return np.sum(np.sin(s))


@programs.at(VECTOR)
def integers_that_become_floats(x):
    y = np.array([1, 0])
    for i in range(4):
        y = y + 0.1 * np.array([x[0] * y[1], -x[1] * y[0]])
    return y[0] * y[1]


@programs.at(VECTOR)
def in_a_while(x):
    s = 0
    k = 0
    while k < 3:
        s = s + np.outer(x, x) * k
        k += 1
    return np.sum(s**2)


@programs.at(VECTOR)
def product_of_arrays(x):
    p = 1
    for k in range(3):
        p = p * (x + k)
    return np.sum(p)


@programs.at(VECTOR)
def with_continue_and_break(x):
    s = 0
    for i in range(3):
        if i == 1:
            continue
        s = s + x * i
        if i > 5:
            break
    return np.sum(s**2)


@programs.at(VECTOR)
def two_sums(x):
    s = 0
    for i in range(3):
        t = 0
        for j in range(2):
            t = t + x * (i + j)
        s = s + t**2
    return np.sum(s)


@programs.at(VECTOR)
def zeros_of_integers(x):
    y = np.zeros(3, dtype=int)
    for i in range(3):
        y = y + x * i
    return y @ x


@programs.at(VECTOR)
def sum_of_rows(x):
    s = 0.0
    for row in np.outer(x, x):
        s = s + row
    return s @ x


@programs.at(VECTOR)
def a_tuple_that_becomes_arrays(x):
    st = (0, 1)
    for i in range(3):
        st = (st[0] + x, st[1] * x)
    return np.sum(st[0] * st[1])


@programs.at(VECTOR)
def two_turns_late(x):
    a = 0
    b = 0
    for i in range(5):
        b = a
        a = a + x * i
    return np.sum(a * b)


@programs.at(VECTOR)
def other_than_by_elements(x):
    s = 0
    for i in range(3):
        s = np.dot(s, x) + x
    return np.sum(s)


@programs.at(VECTOR)
def sum_and_an_element(x):
    s = 0
    for i in range(0, 3):
        s += x * i
        s[0] += 1
    return np.sum(s**2)


@programs.at(VECTOR)
def in_a_loop_without_an_end(x):
    s = 0
    k = 0
    while True:
        s = s + x * k
        k += 1
        if k > 3:
            return np.sum(s**2)


@programs.at(VECTOR)
def a_list_that_becomes_an_array(x):
    y = [1, 0]
    for i in range(3):
        y = np.array([y[0] + x[0] * y[1], y[1] - x[1] * y[0]])
    return y[0] + y[1] ** 2


@programs.at(VECTOR)
def the_sum_before(x):
    s = 0
    t = 0.0
    for i in range(3):
        prev = s
        s += x * i
        t += np.sum(prev * x)
    return np.sum(s * x) + t


@programs.at(VECTOR)
def sum_of_some(x):
    s = 0
    for i in range(4):
        if x[0] * i > 1.0:
            s = s + x * i
    return np.sum(s**2)


@programs.at(VECTOR)
def sum_in_two_loops(x):
    s = 0
    for i in range(3):
        for j in range(2):
            if i != j:
                s += x * (i - j)
    return np.sum(s**3)


@programs.at(VECTOR)
def product_over_pairs(x):
    acc = 1
    for i in range(len(x)):
        for j in range(i):
            acc = acc * (1 + x * j)
    return np.sum(acc) if len(x) > 1 else 0.0


@programs.at(VECTOR)
def integers_in_one_branch(x):
    y = np.arange(3)
    for i in range(3):
        if x[1] > i:
            y = y - 0.1 * (y - x) * y
    return np.sum(y**2)


@programs.at(VECTOR)
def fibonacci(x):
    a, b = (0, 1)
    for i in range(4):
        a, b = (b, a + b * x)
    return np.sum(a * b)


@programs.at(VECTOR)
def the_larger(x):
    s = 0
    for i in range(3):
        s = np.maximum(s, x * i - 1)
    return np.sum(s)


@programs.at(VECTOR)
def weights_of_integers(x):
    tot = 0
    w = np.array([1, 2, 3])
    for i in range(3):
        w = w / np.sum(w * x)
        tot += w
    return np.sum(tot * x**2)


@programs.at(VECTOR)
def an_element_of_integers_first(x):
    z = np.zeros(2, dtype=np.int64)
    for i in range(2):
        z[i] = i
        z = z + x[:2]
    return np.sum(z * x[1:])


@programs.at(VECTOR)
def by_a_helper(x):

    def acc(a, b):
        a += b
        return a

    s = 0
    t = 0
    for i in range(3):
        p = s
        s = acc(s, x)
        t = t + p
    return np.sum(s * x + t * x)


@pytest.mark.parametrize(("fun", "args"), programs.all, ids=programs.names)
def test_its_derivatives(fun: Any, args: tuple[Any, ...]) -> None:
    check(fun, args)


def test_compiled() -> None:
    check(integers_that_become_floats, (VECTOR,), jit=True)


def sum_of_turns(x, n):
    s = 1
    for i in range(n):
        s = s + x * i
    return np.sum(s)


def test_without_a_turn_a_number_stays_one() -> None:
    check(sum_of_turns, (VECTOR, 3))
    with pytest.raises(sg.UnboundError, match="`s` is still an integer here.*\n.*\n.*\n.*np.zeros"):
        sg.grad(sum_of_turns, jit=False)(VECTOR, 0)


def test_what_others_hold_does_not_change_with_it() -> None:
    """In the first turn `prev` is the number, whatever is added to the sum in place."""
    got, _ = sg.value_and_grad(the_sum_before, jit=False)(VECTOR)
    assert got == pytest.approx(the_sum_before(VECTOR), rel=1e-14)


def test_a_name_that_every_turn_changes_is_refused() -> None:
    def f(x, n):
        y = 1.0
        for _ in range(n):
            y = np.array([y, y]) * x
        return np.sum(y)

    with pytest.raises(sg.UnsupportedError, match="is a 1-dimensional|is a 2-dimensional"):
        sg.grad(f, jit=False)(1.5, 5)


def test_the_source_starts_wide() -> None:
    source = sg.grad(sum_of_arrays_in_place, jit=False).source_for(VECTOR)
    assert source.count("for i in range") == 2
