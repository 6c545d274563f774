"""Keys of dicts that are known when the function is read, and loops over many known items."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import srcgrad as sg
from tests.frontend.as_written import VECTOR, Programs, check

programs = Programs()
BIG = [0.1 * k for k in range(300)]
PAIRS = [(k, 0.5 * k) for k in range(250)]


@programs.at(1.7)
def weights_by_string(x):
    p = {"W1": x, "W2": x * 2, "W3": x**2}
    y = 1.0
    for layer in range(1, 4):
        y = y * p["W" + str(layer)] + layer
    return y


@programs.at(1.7)
def weights_by_f_string(x):
    p = {f"W{k}": x * k for k in range(4)}
    y = 0.0
    for layer in range(4):
        y = math.tanh(y + p[f"W{layer}"])
    return y


@programs.at(1.7)
def keys_in_a_helper(x):
    p = {"a_1": x, "b_1": x * x, "a_2": x + 1, "b_2": x - 1}

    def layer(i, y):
        return p[f"a_{i}"] * y + p[f"b_{i}"]

    y = x
    for i in range(2):
        y = layer(i + 1, y)
    return y


@programs.at(1.7)
def within_another_loop(x):
    p = {"w0": x, "w1": x * 3}
    s = 0.0
    for j in range(5):
        for layer in range(2):
            s += p[f"w{layer}"] * j
    return s * x


@programs.at(1.7)
def many_numbers(x):
    s = 0.0
    for c in BIG:
        s = s + math.sin(c * x)
    return s


@programs.at(1.7)
def many_pairs(x):
    s = 0.0
    for k, c in PAIRS:
        if k % 50 == 0:
            s += c * x * x
    return s


@programs.at(1.7)
def keys_that_are_made(x):
    d = {}
    for k in range(3):
        d["x" + str(k)] = x**k
    return sum(d.values()) * d["x2"]


@programs.at(1.7)
def keys_of_two_numbers(x):
    out = {}
    for i in range(3):
        for j in range(2):
            out[f"{i}_{j:02d}"] = x * i + j
    return out["2_01"] * out["1_00"]


@programs.at(1.7)
def asked_for(x):
    s = 0.0
    for k in range(3):
        key = f"k{k}"
        d = {"k0": x, "k1": x * x, "k2": 1.0}
        if key in d and k > 0:
            s += d[key] * d.get(f"k{k - 1}", 0.0)
    return s


@programs.at(1.7)
def integers_from_minus_one(x):
    hs = {-1: 0.0}
    for t in range(4):
        hs[t] = math.tanh(0.5 * hs[t - 1] + x)
    return hs[3] * hs[0]


@programs.at(VECTOR)
def a_recurrent_network(x):
    xs, hs = ({}, {})
    hs[-1] = np.zeros(3)
    loss = 0.0
    for t in range(3):
        xs[t] = x * t
        hs[t] = np.tanh(xs[t] + hs[t - 1])
        loss += np.sum(hs[t] ** 2)
    for t in reversed(range(3)):
        loss += np.sum(hs[t] * hs[t - 1])
    return loss


@programs.at(1.7)
def integers_in_a_sum(x):
    w = {1: x, 2: x * x, 5: 3 * x}
    return sum((k * v for k, v in w.items())) * len(w)


@programs.at(1.7)
def integers_of_a_comprehension(x):
    c = {k: x**k for k in range(4)}
    s = 0.0
    for k in c:
        s += c[k] / (k + 1) if k in c else 0.0
    return s


@programs.at(1.7)
def a_memory(x):
    m = {0: x}

    def fib(k):
        if k in m:
            return m[k]
        m[k] = x * k + m[k - 1]
        return m[k]

    return fib(1) + fib(2) + fib(1)


@programs.at(1.7)
def integers_of_pairs(x):
    d = dict(zip(range(3), (x, 2 * x, x * x)))
    t = d.pop(1) + d.get(7, 1.0)
    return t * d[2] + (1.0 if 1 in d else 0.0)


@pytest.mark.parametrize(("fun", "args"), programs.all, ids=programs.names)
def test_its_derivatives(fun: Any, args: tuple[Any, ...]) -> None:
    check(fun, args)


def test_compiled() -> None:
    check(weights_by_string, (1.7,), jit=True)


def test_only_the_loop_that_needs_it_is_written_out() -> None:
    source = sg.grad(within_another_loop, jit=False).source_for(1.7)
    assert "for j in range(5)" in source
    assert "for layer in" not in source


def test_gradients_by_the_weights() -> None:
    def network(p, x):
        y = x
        for layer in range(1, 3):
            y = np.tanh(p[f"W{layer}"] @ y + p["b" + str(layer)])
        return np.sum(y)

    rng = np.random.default_rng(1)
    p = {f"W{k}": rng.normal(size=(3, 3)) for k in (1, 2)} | {f"b{k}": rng.normal(size=3) for k in (1, 2)}
    check(network, (p, np.ones(3)))


def test_keys_that_are_not_known_are_refused() -> None:
    def by_argument(p, x, n):
        s = 0.0
        for k in range(n):
            s += p[f"W{k}"] * x
        return s

    with pytest.raises(sg.UnsupportedError, match=r"(?s)not known here.*loop over a range that is known"):
        sg.grad(by_argument, argnums=1, jit=False)({"W0": 1.0}, 1.7, 1)

    def of_a_float(x):
        return {"1.7": x}[str(x)]

    with pytest.raises(sg.UnsupportedError, match="a string is made of a float or an array"):
        sg.grad(of_a_float, jit=False)(1.7)

    def returned(x):
        return {1: x}

    with pytest.raises(sg.UnsupportedError, match="a dict with integers as keys"):
        sg.vjp(returned, 1.7, jit=False)

    def missing(x):
        return {1: x, 2: x}[3]

    with pytest.raises(sg.UnsupportedError, match=r"(?s)there is no key 3.*the keys are 1, 2"):
        sg.grad(missing, jit=False)(1.7)
