"""What a function takes from around it is read afresh at each call."""

from __future__ import annotations

import sys
import types

import numpy as np
import pytest

import srcgrad as sg

RATE = 2.0
COUNT = 2
OFFSETS = np.array([1.0, 2.0])
SETTINGS = {"gain": 3.0, "steps": 2}


def helper(x):
    return RATE * x * x


def through_helper(x):
    return helper(x)


def loop(x):
    s = 0.0
    for _ in range(COUNT):
        s += RATE * x
    return s


def of_array(x):
    return np.sum(OFFSETS * x)


def of_dict(x):
    s = 0.0
    for _ in range(SETTINGS["steps"]):
        s += SETTINGS["gain"] * x
    return s


@pytest.mark.parametrize("jit", [False, True])
def test_a_module_constant_that_is_rebound(monkeypatch, jit):
    d = sg.grad(through_helper, jit=jit)
    assert d(1.0) == 4.0
    assert d(1.0) == 4.0
    monkeypatch.setitem(globals(), "RATE", 10.0)
    assert d(1.0) == 20.0
    monkeypatch.setitem(globals(), "RATE", np.float32(5.0))
    assert d(1.0) == 10.0
    monkeypatch.setitem(globals(), "RATE", 1)
    assert d(1.0) == 2.0


@pytest.mark.parametrize("jit", [False, True])
def test_an_integer_that_is_rebound(monkeypatch, jit):
    d = sg.grad(loop, jit=jit)
    assert d(1.0) == 4.0
    assert d(1.0) == 4.0
    monkeypatch.setitem(globals(), "COUNT", 5)
    assert d(1.0) == 10.0
    monkeypatch.setitem(globals(), "COUNT", 2)
    assert d(1.0) == 4.0


@pytest.mark.parametrize("jit", [False, True])
def test_an_array_that_is_rebound_or_written(monkeypatch, jit):
    d = sg.grad(of_array, jit=jit)
    assert d(1.0) == 3.0
    OFFSETS[0] = 5.0
    assert d(1.0) == 7.0
    OFFSETS[0] = 1.0
    monkeypatch.setitem(globals(), "OFFSETS", np.arange(4.0))
    assert d(1.0) == 6.0
    monkeypatch.setitem(globals(), "OFFSETS", np.ones((2, 3)))
    assert d(1.0) == 6.0


@pytest.mark.parametrize("jit", [False, True])
def test_a_dict_that_is_written(monkeypatch, jit):
    d = sg.grad(of_dict, jit=jit)
    assert d(1.0) == 6.0
    monkeypatch.setitem(SETTINGS, "gain", 4.0)
    assert d(1.0) == 8.0
    monkeypatch.setitem(SETTINGS, "steps", 3)
    assert d(1.0) == 12.0


@pytest.mark.parametrize("jit", [False, True])
def test_a_helper_that_is_rebound(monkeypatch, jit):
    d = sg.grad(through_helper, jit=jit)
    assert d(1.0) == 4.0
    monkeypatch.setitem(globals(), "helper", lambda x: 7.0 * x)
    assert d(1.0) == 7.0


@pytest.mark.parametrize("jit", [False, True])
def test_closures_of_one_code_do_not_share_their_values(jit):
    def make(factor, count):
        def f(x):
            s = 0.0
            for _ in range(count):
                s += factor * x
            return s

        def rebind(value):
            nonlocal factor
            factor = value

        return f, rebind

    (f, rebind), (g, _) = make(2.0, 1), make(3.0, 2)
    df, dg = sg.grad(f, jit=jit), sg.grad(g, jit=jit)
    assert (df(1.0), dg(1.0), df(1.0)) == (2.0, 6.0, 2.0)
    rebind(5.0)
    assert (df(1.0), dg(1.0)) == (5.0, 6.0)


def test_captured_through_a_derivative(monkeypatch):
    second = sg.grad(sg.grad(through_helper, jit=False), jit=False)
    assert second(1.0) == 4.0
    monkeypatch.setitem(globals(), "RATE", 3.0)
    assert second(1.0) == 6.0


class Settings:
    alpha = 2.0

    def __init__(self):
        self.beta, self.n, self.w = 3.0, 2, np.array([1.0, 2.0])


def test_attributes_of_objects_and_classes(monkeypatch):
    settings, space = Settings(), types.SimpleNamespace(inner=types.SimpleNamespace(k=3.0))

    def f(x):
        s = 0.0
        for _ in range(settings.n):
            s += x * settings.alpha * settings.beta
        return s * space.inner.k + np.sum(settings.w * x)

    d = sg.grad(f, jit=False)
    assert d(1.0) == 36.0 + 3.0
    settings.beta, settings.n, settings.w[0] = 1.0, 3, 5.0
    assert d(1.0) == 18.0 + 7.0
    settings.alpha, space.inner = 1.0, types.SimpleNamespace(k=1.0)
    assert d(1.0) == 3.0 + 7.0
    del settings.alpha
    monkeypatch.setattr(Settings, "alpha", 10.0)
    settings.w = np.ones((2, 2))
    assert d(1.0) == 30.0 + 4.0


def test_what_defaults_hold():
    def by(v, w=np.array([1.0, 2.0])):  # noqa: B008
        return v * w[1]

    def f(x, k=[2.0], m={"a": 3.0}):  # noqa: B006
        return by(x) * k[0] * m["a"]

    d = sg.grad(f, jit=False)
    assert d(1.0) == 12.0
    f.__defaults__[0][0] = 5.0
    by.__defaults__[0][1] = 1.0
    assert d(1.0) == 15.0


def test_functions_in_a_dict_and_from_a_module_imported_inside(monkeypatch):
    module = types.ModuleType("srcgrad_test_module")
    module.k = 2.0
    monkeypatch.setitem(sys.modules, "srcgrad_test_module", module)
    table = {"f": lambda v: v * 2.0}

    def f(x):
        import srcgrad_test_module  # type: ignore[import-not-found]
        from srcgrad_test_module import k

        return table["f"](x) + k * x + srcgrad_test_module.k * x

    d = sg.grad(f, jit=False)
    assert d(1.0) == 6.0
    table["f"] = lambda v: v * 7.0
    module.k = 3.0
    assert d(1.0) == 13.0


def test_captured_inside_solvers_products_and_maps():
    c = 2.0

    def f(x, y):
        return x * x - c * y

    root = sg.grad(lambda y: sg.newton(f, 1.0, args=(y,)).x, jit=False)
    hvp, jac = sg.hvp(lambda x: c * x**3, jit=False), sg.jacobian(lambda x: c * x, jit=False)
    mapped = sg.vmap(sg.grad(lambda x: c * x * x, jit=False), jit=False)
    assert (root(2.0), hvp(1.0, 1.0), jac(1.0), mapped(np.ones(2))[0]) == (pytest.approx(0.5), 12.0, 2.0, 4.0)
    c = 8.0
    assert (root(2.0), hvp(1.0, 1.0), jac(1.0), mapped(np.ones(2))[0]) == (pytest.approx(1.0), 48.0, 8.0, 16.0)
