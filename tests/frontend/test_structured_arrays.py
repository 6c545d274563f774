"""Structured arrays, given and captured: an array for each field."""

from __future__ import annotations

import numpy as np
import pytest

import srcgrad as sg
from tests.frontend.as_written import Programs, check

BODIES = np.zeros(3, [("mass", "f8"), ("place", "f8", (2,)), ("number", "i8"), ("spin", [("up", "f8")])])
BODIES["mass"] = [1.0, 2.0, 3.0]
BODIES["place"] = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
BODIES["number"] = [4, 5, 6]
BODIES["spin"]["up"] = [0.1, 0.2, 0.3]
TABLE = BODIES.view(np.recarray)
programs = Programs()


@programs.at(1.3)
def fields(x):
    return np.sum(BODIES["mass"] * x) + np.sum(BODIES["place"] ** 2 * x * x) + BODIES["spin"]["up"][1] * x


@programs.at(1.3)
def elements(x):
    total = 0.0
    for i in range(len(BODIES)):
        total += BODIES[i]["mass"] * x * x + BODIES["number"][i] * x
    return total * BODIES[-1]["mass"]


@programs.at(1.3)
def loops(x):
    total = 0.0
    for body in BODIES:
        total += np.sum(body["place"]) * x * body["mass"] + body["spin"]["up"]
    return total


@programs.at(1.3)
def attributes(x):
    return np.sum(TABLE.mass * x) * TABLE.place[0, 1]


def energy(x, bodies):
    total = 0.0
    for k, body in enumerate(bodies):
        total += body["mass"] * x**2 * k
    return total + x * np.sum(bodies["place"])


@programs.at(1.3, BODIES)
def as_an_argument(x, bodies):
    return energy(x, bodies)


@pytest.mark.parametrize(("fun", "args"), programs.all[:-1], ids=programs.names[:-1])
def test_structured_arrays_that_are_captured(fun, args):
    check(fun, args)


def test_structured_arrays_that_are_given():
    h = 1e-6
    for jit in (False, True):
        wanted = (energy(1.3 + h, BODIES) - energy(1.3 - h, BODIES)) / (2 * h)
        assert np.isclose(sg.grad(as_an_argument, jit=jit)(1.3, BODIES), wanted)


def test_a_gradient_by_one_has_its_fields():
    got = sg.grad(as_an_argument, "bodies", jit=False)(2.0, BODIES)
    assert np.array_equal(got["mass"], [0.0, 4.0, 8.0])
    assert np.array_equal(got["place"], np.full((3, 2), 2.0))


def missing_field(x):
    return np.sum(BODIES["weight"] * x)


def of_a_record(x):
    return BODIES[0][1] * x


def made_inside(x):
    made = np.zeros(3, dtype=[("a", "f8")])
    made["a"] = x
    return np.sum(made["a"])


@pytest.mark.parametrize(
    ("fun", "hint"),
    [(missing_field, "mass"), (of_a_record, "field"), (made_inside, "float64")],
    ids=["field", "record", "inside"],
)
def test_what_is_refused_says_what_to_write(fun, hint):
    with pytest.raises(sg.SrcgradError, match=hint):
        sg.grad(fun, jit=False)(1.5)


def test_an_index_out_of_range_raises():
    def beyond(x, k):
        return BODIES[k]["mass"] * x

    with pytest.raises(IndexError):
        sg.grad(beyond, jit=False)(1.0, 3)
