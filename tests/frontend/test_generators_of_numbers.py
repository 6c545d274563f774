"""Random numbers of a generator that is a name of the module: those that Python draws, once, in order."""

from __future__ import annotations

import numpy as np
import pytest

import srcgrad as sg

RNG = np.random.default_rng(3)


def path(x):
    total = x
    for _ in range(4):
        total = total + 0.1 * RNG.normal() * x + 0.2 * RNG.uniform(0.5, 2.0)
    return total * total


def arrays(x):
    steps = RNG.standard_normal(5)
    more = RNG.normal(x, 2.0, size=(2, 3))
    return np.sum(steps * x) + np.sum(more**2)


def scaled(x):
    return RNG.exponential(x) + RNG.uniform(0.0, x) * RNG.random() + RNG.lognormal(x, 0.1)


def chosen(x):
    places = RNG.integers(0, 3, size=4)
    weights = np.array([1.0, 2.0, 3.0])
    return np.sum(weights[places]) * x**2 + RNG.integers(5) * x


def in_a_branch(x):
    if x > 0.5:
        x = x * RNG.random()
    return x * RNG.standard_exponential()


CASES = [(fun, False) for fun in (path, arrays, scaled, chosen, in_a_branch)] + [(path, True), (arrays, True)]


@pytest.mark.parametrize(("fun", "jit"), CASES, ids=lambda v: getattr(v, "__name__", str(v)))
def test_the_numbers_are_pythons(fun, jit):
    state = RNG.bit_generator.state

    def at(x):
        RNG.bit_generator.state = state
        return fun(x)

    value, after = at(1.2), RNG.random()
    slope = (at(1.2 + 1e-6) - at(1.2 - 1e-6)) / 2e-6
    for derivative in (sg.value_and_grad(fun, jit=jit, cache=False), lambda x: sg.jvp(fun, (x,), (1.0,), jit=jit)):
        RNG.bit_generator.state = state
        got = derivative(1.2)
        assert np.isclose(got[0], value, rtol=1e-13)
        assert np.isclose(got[1], slope, rtol=1e-6)
        assert RNG.random() == after


def made_inside(x):
    return x * np.random.default_rng(3).normal()


def given(x, rng):
    return x * rng.normal()


def other_method(x):
    return x * RNG.vonmises(0.0, 1.0)


@pytest.mark.parametrize(
    ("fun", "args"),
    [(made_inside, ()), (given, (np.random.default_rng(1),)), (other_method, ())],
    ids=["inside", "argument", "method"],
)
def test_other_generators_are_refused(fun, args):
    with pytest.raises(sg.SrcgradError, match="global name"):
        sg.grad(fun, jit=False)(1.0, *args)
