"""Keyword-only and default arguments, methods, partials and objects that are called, in every transformer."""

from __future__ import annotations

import dataclasses
import functools
import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import srcgrad as sg
from tests.api.helpers import plain

X = np.array([1.0, 2.0, 3.0])


def scaled(x, y=2.0, *, by=3.0, n=2):
    return x**n * y * by


def test_defaults_and_keywords_in_every_transformer():
    every = ("x", "y", "by")
    assert plain(sg.grad, scaled, argnums=every)(2.0, by=5.0) == (40.0, 20.0, 8.0)
    assert plain(sg.value_and_grad, scaled, argnums=("by", -4))(2.0) == (24.0, (8.0, 24.0))
    assert plain(sg.forward, scaled, argnums="by")(2.0, 1.0) == (24.0, 8.0)
    assert plain(sg.forward, scaled, argnums=("x", "by"))(2.0, 5.0, 1.0, 1.0, by=1.0, n=3) == (40.0, 60.0 + 40.0)
    assert plain(sg.forward, scaled)(2.0, x_dot=1.0) == (24.0, 24.0)
    assert plain(sg.reverse, scaled, argnums=("by", "x"))(2.0, 2.0, by=1.0) == (8.0, (16.0, 16.0))
    assert plain(sg.hvp, scaled)(2.0, 1.0, by=1.0) == 4.0
    assert plain(sg.hvp, scaled, argnums=("x", "by"))(2.0, (1.0, 0.5), y=1.0) == (6.0 + 2.0, 4.0)
    assert plain(sg.hessian, scaled, argnums="x")(2.0, by=1.0) == 4.0
    assert plain(sg.jacfwd, scaled, argnums="by")(2.0, n=3) == 16.0
    assert plain(sg.jacrev, scaled, argnums=("y",))(2.0, by=1.0) == (4.0,)
    assert sg.jvp(scaled, (2.0,), (1.0,), jit=False) == (24.0, 24.0)
    value, pullback = sg.vjp(scaled, 2.0, jit=False)
    assert value == 24.0 and pullback(1.0) == (24.0, 12.0, 8.0, None)
    np.testing.assert_array_equal(plain(sg.vmap, scaled)(X), X**2 * 6.0)


def test_keywords_compiled():
    assert sg.reverse(scaled, argnums=("by", "x"))(2.0, 2.0, by=1.0) == (8.0, (16.0, 16.0))
    assert sg.grad(scaled, argnums="by")(2.0, n=3) == 16.0


def test_a_derivative_inside_a_function_takes_defaults_and_keywords():
    slope = plain(sg.grad, scaled, argnums="by")

    def inner(x):
        return slope(x) + slope(x, 3.0, n=3) + slope(x, by=x)

    assert plain(sg.grad, inner)(2.0) == 8.0 + 36.0 + 8.0


def test_missing_arguments_are_named():
    with pytest.raises(TypeError, match="x_dot"):
        plain(sg.forward, scaled)()
    with pytest.raises(TypeError, match="`x`"):
        plain(sg.forward, scaled)(1.0)


def test_python_integers_count_as_floats_in_vjp_where_nothing_else_does():
    def product(x, y):
        return x * y

    assert sg.vjp(product, 3, 4, jit=False)[1](1.0) == (4.0, 3.0)
    assert sg.vjp(product, 3.0, 4, jit=False)[1](1.0) == (4.0, None)


def test_no_items():
    none = np.zeros(0)
    assert plain(sg.vmap, scaled)(none).shape == (0,)
    assert plain(sg.vmap, lambda x: x * X)(none).shape[0] == 0
    assert plain(sg.vmap, lambda row: np.sum(row * row))(np.zeros((0, 3))).shape == (0,)
    assert sg.vmap(sg.grad(scaled))(none).shape == (0,)


# ---- auxiliary results


@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_aux_of_any_structure(mode):
    def f(x, n):
        parts = {"name": "loss", "n": n, "rows": [x * i for i in range(3)], "a": X * x, "none": None, "ok": x > 1.0}
        return x * x, (parts, (n + 1, "end"))

    gradient, (parts, end) = plain(sg.grad, f, has_aux=True, mode=mode)(2.0, 5)
    assert gradient == 4.0 and end == (6, "end")
    assert parts["name"] == "loss" and parts["n"] == 5 and parts["rows"] == [0.0, 2.0, 4.0]
    assert parts["none"] is None and parts["ok"]
    np.testing.assert_array_equal(parts["a"], X * 2.0)
    ((value, (parts, _)), gradient) = plain(sg.value_and_grad, f, has_aux=True, mode=mode)(2.0, 5)
    assert (value, gradient, parts["n"]) == (4.0, 4.0, 5)


# ---- methods


class Scale:
    """A plain class, whose attributes are read at each call."""

    unit = 2.0

    def __init__(self, by: Any) -> None:
        self.by = by

    def times(self, x, y=1.0):
        return self.by * x * x * y * self.unit

    def __call__(self, x):
        return self.times(x)

    @property
    def double(self):
        return 2.0 * self.by

    def doubled(self, x):
        return self.double * x

    def helper(self, x):
        return self.times(x) + self.doubled(x)

    @sg.grad(jit=False)
    def slope(self, x, y=1.0):
        return self.times(x, y)

    @sg.value_and_grad(argnums=("y", "x"), jit=False)
    def both(self, x, y):
        return self.times(x, y)

    @sg.hessian(jit=False)
    def curve(self, x):
        return self.times(x)

    @sg.grad(jit=False)
    @sg.grad(jit=False)
    def second(self, x):
        return self.times(x) * x


def test_bound_methods_are_differentiated_by_what_comes_after_self():
    scale = Scale(3.0)
    d = plain(sg.grad, scale.times)
    assert d(2.0) == 24.0
    assert d(2.0, y=2.0) == 48.0
    scale.by = 1.0
    assert d(2.0) == 8.0
    scale.by = 1
    assert d(2.0) == 8.0
    assert plain(sg.grad, scale.times, argnums="y")(2.0) == 8.0
    assert plain(sg.grad, scale.helper)(2.0) == 8.0 + 2.0
    assert plain(sg.jacfwd, Scale(X).times)(2.0).tolist() == [8.0, 16.0, 24.0]
    assert sg.jvp(scale.times, (2.0,), (1.0,), jit=False) == (8.0, 8.0)
    assert sg.vjp(scale.times, 2.0, jit=False)[1](1.0) == (8.0, 8.0)
    np.testing.assert_array_equal(plain(sg.vmap, scale.times)(X), 2.0 * X * X)
    assert sg.grad(scale.times)(2.0) == 8.0


def test_class_attributes_are_read_at_each_call(monkeypatch):
    scale = Scale(3.0)
    d = plain(sg.grad, scale.times)
    assert d(1.0) == 12.0
    monkeypatch.setattr(Scale, "unit", 5.0)
    assert d(1.0) == 30.0
    scale.unit = 1.0
    assert d(1.0) == 6.0


def test_objects_that_are_called():
    scale = Scale(3.0)
    assert plain(sg.grad, scale)(2.0) == 24.0
    assert plain(sg.grad, lambda x: scale(x) + scale.double * x)(2.0) == 30.0


def test_derivatives_as_methods():
    scale, other = Scale(3.0), Scale(1.0)
    assert (scale.slope(2.0), other.slope(2.0), scale.slope(2.0, 2.0)) == (24.0, 8.0, 48.0)
    assert scale.both(2.0, 1.0) == (24.0, (24.0, 24.0))
    assert scale.curve(2.0) == 12.0 and scale.second(2.0) == 36.0 * 2.0
    assert scale.slope is scale.slope
    scale.by = 2.0
    assert scale.slope(2.0) == 16.0


@dataclasses.dataclass
class Model:
    w: Any
    rate: float = 0.5

    def loss(self, x):
        return self.rate * np.sum((self.w * x) ** 2)

    @sg.grad(jit=False)
    def slope(self, x):
        return self.loss(x)


def test_methods_of_dataclasses():
    model = Model(X)
    np.testing.assert_array_equal(plain(sg.grad, model.loss)(X), X**3)
    np.testing.assert_array_equal(model.slope(X), X**3)
    model.w[0] = 2.0
    model.rate = 1.0
    np.testing.assert_array_equal(plain(sg.grad, model.loss)(X), 2.0 * model.w**2 * X)
    model.w[0] = 1.0
    got = plain(sg.grad, Model.loss)(model, X)
    assert isinstance(got, Model) and got.rate == np.sum(X**4)


def test_partials():
    half = functools.partial(scaled, y=0.5)
    assert plain(sg.grad, half)(2.0) == 6.0
    assert plain(sg.grad, half, argnums="by")(2.0) == 2.0
    at_two = functools.partial(scaled, 2.0)
    assert plain(sg.grad, at_two)(3.0) == 12.0
    assert plain(sg.grad, at_two, argnums="by")(1.0) == 4.0


def test_bound_derivatives_travel():
    d = plain(sg.grad, Scale(3.0).times)
    assert pickle.loads(pickle.dumps(d))(2.0) == 24.0


# ---- objects that are changed


def bumped(p, q):
    p["w"] = p["w"] * 2.0
    return p["w"] * q["w"]


def test_the_callers_objects_do_not_change():
    p, q = {"w": 2.0}, {"w": 3.0}
    assert plain(sg.grad, bumped, argnums=(0, 1))(p, q) == ({"w": 6.0}, {"w": 4.0})
    assert (p, q) == ({"w": 2.0}, {"w": 3.0})


def test_one_object_given_twice_is_refused_where_it_is_changed():
    p = {"w": 2.0}
    with pytest.raises(sg.ArgumentError, match="stands twice"):
        plain(sg.grad, bumped)(p, p)
    row = [1.0, 2.0]

    def f(g):
        g[0][0] = g[1][1] * 3.0
        return g[0][0] * g[1][0]

    with pytest.raises(sg.ArgumentError, match="stands twice"):
        plain(sg.grad, f)([row, row])
    assert plain(sg.grad, f)([row, [1.0, 2.0]]) == [[0.0, 0.0], [6.0, 3.0]]
    assert plain(sg.grad, lambda g: g[0][0] * g[1][1])([row, row]) == [[2.0, 0.0], [0.0, 1.0]]


def test_one_object_given_twice_to_a_derivative_inside_a_function():
    slopes = plain(sg.grad, bumped, argnums=(0, 1))
    readers = plain(sg.grad, lambda p, q: p["w"] * q["w"], argnums=(0, 1))

    def twice(x):
        p = {"w": x}
        return slopes(p, p)[0]["w"]

    def read(x):
        p = {"w": x}
        return readers(p, p)[0]["w"]

    with pytest.raises(sg.UnsupportedError, match="twice"):
        plain(sg.grad, twice)(2.0)
    assert plain(sg.grad, read)(2.0) == 1.0


def test_integers_of_few_bits():
    def f(x, k, j):
        return np.sum(x * (k - j)) + x[0] * (int(k[2]) - int(j[2])) + np.sum(x * -k) + x[j[3]] * np.sum(k - 201)

    x = np.array([0.3, -1.2, 0.7, 2.0])
    k, j = np.array([200, 100, 3, 4], np.uint8), np.array([100, 200, 5, 1], np.uint8)
    slopes = (k - j) - 1.0 * k + np.array([-2.0, 0.0, 0.0, 0.0]) + np.array([0.0, 1.0, 0.0, 0.0]) * np.sum(k - 201)
    slopes += 256.0 * (k > 0)
    for jit in (False, True):
        value, got = sg.value_and_grad(f, jit=jit)(x, k, j)
        assert value == pytest.approx(f(x, k, j), rel=1e-14)
        np.testing.assert_allclose(got, slopes, rtol=1e-14)


@pytest.mark.parametrize("mode", [sg.grad, sg.jacfwd, sg.jacrev])
def test_a_factor_that_is_zero_here_moves(mode: Callable[..., Any]) -> None:
    """The derivative beside an exponential is 0 where a factor of it is 0, and that factor has a derivative."""
    beside = sg.grad(lambda a, b, c: b * math.exp(-(a * c)), jit=False)
    assert mode(beside, 1, jit=False)(0.7, 0.0, 1.3) == pytest.approx(-1.3 * math.exp(-0.91))
    over = sg.grad(lambda a, b: b * math.exp(-1.0 / a), jit=False)
    assert mode(over, 1, jit=False)(0.7, 0.0) == pytest.approx(math.exp(-1.0 / 0.7) / 0.49)
    assert beside(0.7, 2.0, math.inf) == 0.0 and over(0.0, 1.0) == 0.0
