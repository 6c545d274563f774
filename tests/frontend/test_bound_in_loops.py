"""Loops without an end that are left by returns alone; names that a loop or a branch binds first."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import srcgrad as sg
from tests.frontend.as_written import VECTOR, Programs, check

programs = Programs()


@programs.at(1.7)
def returns_from_within_only(x):
    y = x
    while True:
        d = (y * y - x) / (2 * y)
        y = y - d
        if abs(d) < 1e-12:
            return y


@programs.at(VECTOR)
def returns_a_sum_of_an_array(x):
    y = x * 1.0
    k = 0
    while True:
        y = np.sin(y) + x
        k += 1
        if k > 3:
            return np.sum(y * x)


@programs.at(1.7)
def two_returns(x):
    k = 0
    while True:
        if x > 2:
            return x * x
        x = x * 1.5
        k += 1
        if k == 10:
            return x * k


@programs.at(1.7)
def in_a_nested_function(x):

    def solve(a):
        z = a
        while True:
            zn = 0.5 * (z + a / z)
            if abs(zn - z) < 1e-13:
                return zn
            z = zn

    return solve(x) * solve(x + 1)


@programs.at(1.7)
def behind_another_loop(x):
    for i in range(3):
        y = x
        while True:
            y = y * 0.5
            if y < 0.1:
                break
        while True:
            y = y * 2
            if y > 1:
                return y * x


@programs.at(1.7)
def within_another_loop(x):
    s = 0.0
    while True:
        while True:
            x = x * 0.9
            s += x
            if s > 3:
                return s * x


@programs.at(1.7)
def on_one_side(x):
    if x > 0:
        while True:
            x = x * 2
            if x > 10:
                return x
    else:
        return x * x


@programs.at(1.7)
def returns_a_tuple(x):

    def g(a):
        while True:
            a = a * 2
            if a > 10:
                return (a, a * a)

    p, q = g(x)
    return p + q


@programs.at(1.7)
def while_one(x):
    while 1:
        x = math.sqrt(x)
        if x < 1.5:
            return x * 3


@programs.at(1.7)
def raises_after_many_turns(x):
    k = 0
    while True:
        x = x * 0.5
        k += 1
        if k > 50:
            raise ValueError("no")
        if x < 0.3:
            return x * k


@programs.at(1.7)
def with_a_break(x):
    while True:
        x = x * 0.5
        if x < 0.1:
            break
    return x * x


@programs.at(VECTOR)
def an_array_of_the_last_turn(x):
    for i in range(3):
        y = x * i
    return np.sum(y**2)


@programs.at(VECTOR)
def before_a_break(x):
    k = 0
    while True:
        y = np.sin(x) * (k + 1)
        k += 1
        if k > 2:
            break
    return np.sum(y * x)


@programs.at(VECTOR)
def turns_not_known(x):
    n = len(x)
    for i in range(n):
        y = x * i
    return np.sum(y**2)


@programs.at(VECTOR)
def an_array_of_the_turn_before(x):
    s = 0.0
    for i in range(4):
        if i > 0:
            s = s + np.sum(prev * x)
        prev = np.cos(x) * i
    return s


@programs.at(VECTOR)
def two_arrays(x):
    for i in range(3):
        p, q = (x * i, x + i)
    return p @ q


@programs.at(VECTOR)
def in_one_branch(x):
    if x[0] > 0:
        y = x * 2
    return np.sum(y)


@programs.at(VECTOR)
def in_one_of_two_branches(x):
    if x[0] < 0:
        y = x * 2
    if x[0] < 0:
        return np.sum(y)
    return np.sum(x**3)


@programs.at(VECTOR)
def a_matrix_made_anew(x):
    for i in range(2):
        a = np.outer(x, x)
        for j in range(3):
            a = a @ a * 0.1
    return a.sum()


@programs.at(VECTOR)
def of_other_lengths_each_turn(x):
    for i in range(3):
        y = np.zeros(i + 1)
        y[i] = x[i]
    return np.sum(y * x[2])


@programs.at(VECTOR)
def of_rows(x):
    for row in np.outer(x, x):
        z = row * 2
    return z.sum()


@programs.at(VECTOR)
def written_to_behind_the_loop(x):
    for i in range(3):
        y = x * i
        y[0] = 2 * y[1]
    y[1] = 3 * y[0]
    return np.sum(y**2)


@programs.at(VECTOR)
def in_front_of_a_break(x):
    for i in range(5):
        y = x * i
        if i == 2:
            break
    return np.sum(y**2)


@programs.at(VECTOR)
def only_in_front_of_a_break(x):
    for i in range(5):
        if i > 2:
            t = x * i
            break
    return np.sum(t**2)


@programs.at(VECTOR)
def a_dict(x):
    for i in range(3):
        st = {"a": x * i, "b": i * x[0]}
    return np.sum(st["a"] ** 2) * st["b"]


@pytest.mark.parametrize(("fun", "args"), programs.all, ids=programs.names)
def test_its_derivatives(fun: Any, args: tuple[Any, ...]) -> None:
    check(fun, args)


def test_compiled() -> None:
    check(an_array_of_the_turn_before, (VECTOR,), jit=True)


def a_number_of_the_turn_before(x, n):
    total = 0.0
    for i in range(n):
        if i > 0 and last > 1.0:
            total += last * x
        last = x * i
    return total


def test_a_name_of_the_turn_before_is_unbound_in_the_first() -> None:
    check(a_number_of_the_turn_before, (1.7, 4))

    def too_early(x):
        for i in range(3):
            x = x * y
            y = x + i
        return x

    with pytest.raises(sg.UnboundError, match="`y` is not bound here"):
        sg.grad(too_early, jit=False)(1.7)


def test_no_turn_leaves_a_name_unbound() -> None:
    def last(x, n):
        for i in range(n):
            y = x * i
        return np.sum(y)

    got = sg.grad(last, jit=False)
    np.testing.assert_array_equal(got(VECTOR, 3), [2.0, 2.0, 2.0])
    with pytest.raises(sg.UnboundError, match="`y` is not bound here"):
        got(VECTOR, 0)
    assert "has_y" not in sg.grad(an_array_of_the_last_turn, jit=False).source_for(VECTOR)


def read_in_a_branch(x, z):
    a = z
    for i in range(2):
        if z <= -0.64:
            a = 0.9 * a + 1.0
        else:
            unbound += 2
            a += x[i]
    return a


def read_in_an_empty_loop(x, z):
    a = z
    for i in range(2):
        if x[i] <= -0.64:
            a = 0.9 * a
        else:
            for _ in range(0):
                unbound += 2
            a += x[i]
    return a


def read_in_a_loop_of_a_branch(x, z):
    a = z
    while a < 3.0:
        if z <= -0.64:
            a = 0.9 * a + 1.0
        else:
            for _ in range(x.shape[0]):
                unbound = unbound * 2.0
            a += x[0]
    return a


def of_two_names(x, z):
    a = z
    for i in range(2):
        if z > 0.0:
            first = second + 1.0 if i > 5 else x[i]
            second += first
        a += x[i]
    return a


def given_by_the_turn_before(x, z):
    a = z
    for i in range(4):
        if i > 0:
            a += last * x[i]
        last = x[i] * z
    return a


@pytest.mark.parametrize(
    "fun", [read_in_a_branch, read_in_an_empty_loop, read_in_a_loop_of_a_branch, of_two_names], ids=lambda f: f.__name__
)
@pytest.mark.parametrize("z", [0.5, -1.0])
def test_a_path_that_reads_what_nothing_binds_is_not_left_out(fun, z):
    with pytest.raises(sg.UnboundError, match="not bound|may be unbound"):
        sg.compiled(fun, jit=False)(np.array([1.0, 2.0, 3.0, 4.0]), z)


def test_what_the_turn_before_binds_is_read():
    x = np.array([1.0, 2.0, 3.0, 4.0])
    assert sg.value_and_grad(given_by_the_turn_before, argnums="z", jit=False)(x, 0.5) == (10.5, 21.0)
