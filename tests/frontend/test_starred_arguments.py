"""Calls with an array behind a star: as many elements as the function has parameters left."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

import srcgrad as sg

X = np.array([3.0, 2.0, 0.5])


def model(t, a, tau, c):
    return a * np.exp(-t / tau) + c


@njit
def jitted_model(t, a, tau, c):
    return a * np.exp(-t / tau) + c


def keyword_model(t, a, tau, *, c):
    return a * np.exp(-t / tau) + c


def of_all(a, b, c):
    return a * b + c


def of_rows(first, second):
    return first @ second


def whole(p):
    return of_all(*p)


def behind_another(p):
    return model(1.5, *p)


def of_a_jitted_one(p):
    return jitted_model(1.5, *p)


def with_one_named(p):
    return model(1.5, *p[:2], c=p[2] ** 2)


def keyword_only(p):
    return keyword_model(1.5, *p[1:], c=p[0])


def of_a_local_one(p):
    def inner(a, b):
        return a**b

    return inner(*p[:2]) + (lambda a: a * a)(*p[2:])


def rows(p):
    return of_rows(*np.stack((p, p * p)))


PROGRAMS = [whole, behind_another, of_a_jitted_one, with_one_named, keyword_only, of_a_local_one, rows]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_elements_go_to_the_parameters_that_are_left(program):
    sg.testing.check_grads(program, (X,), jit=False)


def test_another_length_is_an_error():
    with pytest.raises(ValueError, match="wrong number of values to unpack"):
        sg.grad(whole, jit=False)(np.ones(4))
    with pytest.raises(ValueError, match="wrong number of values to unpack"):
        sg.grad(whole, jit=False)(np.ones(2))


def with_default(a, b=2.0):
    return a * b


def collecting(*items):
    return items[0]


@pytest.mark.parametrize(
    "program",
    [lambda p: with_default(*p), lambda p: collecting(*p), lambda p: of_all(*p[:1], *p[1:])],
    ids=["default", "star", "two"],
)
def test_what_the_parameters_do_not_tell_is_refused(program):
    with pytest.raises(sg.UnsupportedError, match="cannot be unpacked"):
        sg.grad(program, jit=False)(X)
