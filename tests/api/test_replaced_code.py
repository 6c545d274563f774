"""A function that is given other code, defaults or helpers stays one object: its derivative follows."""

from __future__ import annotations

import functools
import linecache
import types

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.api import compiled


@pytest.fixture
def space():
    """Functions of a test's own, since tests change them."""

    def square(x):
        return x * x

    def helper(x):
        return square(x)

    def f(x, k=1.0):
        return k * helper(x)

    return types.SimpleNamespace(square=square, helper=helper, f=f)


def cube(x):
    return x * x * x


def replaced(fun, other):
    fun.__code__ = other.__code__


def five_times(x, k=1.0):
    return 5.0 * k * x


@pytest.mark.parametrize("jit", [False, True])
def test_the_function_itself(jit):
    def f(x, k=1.0):
        return k * x * x

    d, second, slope = sg.grad(f, jit=jit), sg.grad(sg.grad(f, jit=jit), jit=jit), sg.forward(f, jit=jit)
    assert (d(3.0), second(3.0), slope(3.0, 1.0)) == (6.0, 2.0, (9.0, 6.0))
    replaced(f, five_times)
    assert (d(3.0), d(3.0, 2.0), second(3.0), slope(3.0, 1.0)) == (5.0, 10.0, 0.0, (15.0, 5.0))
    f.__defaults__ = (2.0,)
    assert (d(3.0), d(3.0, 3.0), slope(3.0, 1.0)) == (10.0, 15.0, (30.0, 10.0))
    assert "5.0 * k * x" in d.source


TRANSFORMED = {
    "grad": lambda f: sg.grad(f, jit=False),
    "value_and_grad": lambda f: lambda x: sg.value_and_grad(f, jit=False)(x)[1],
    "jvp": lambda f: lambda x: sg.jvp(f, (x,), (1.0,), jit=False)[1],
    "vjp": lambda f: lambda x: sg.vjp(f, x, jit=False)[1](1.0)[0],
    "jacobian": lambda f: sg.jacobian(f, jit=False),
    "compiled": lambda f: sg.grad(compiled(f, jit=False), jit=False),
    "vmap": lambda f: lambda x: sg.vmap(sg.grad(f, jit=False), jit=False)(np.array([x]))[0],
    "of a dispatcher's like": lambda f: sg.grad(lambda x: f(x), jit=False),
    "of a partial": lambda f: sg.grad(functools.partial(f), jit=False),
}


@pytest.mark.parametrize("name", TRANSFORMED)
def test_a_helper_of_a_helper(space, name):
    d = TRANSFORMED[name](space.f)
    assert d(3.0) == 6.0
    replaced(space.square, cube)
    assert d(3.0) == 27.0
    assert d(3.0) == 27.0


@pytest.mark.parametrize("jit", [False, True])
def test_a_helpers_defaults(jit):
    def helper(x, rate=2.0, *, more=0.0):
        return rate * x * x + more * x

    d = sg.grad(lambda x: helper(x), jit=jit)
    assert (d(1.0), d(1.0)) == (4.0, 4.0)
    helper.__defaults__ = (3.0,)
    assert (d(1.0), d(1.0)) == (6.0, 6.0)
    helper.__kwdefaults__ = {"more": 1.0}
    assert (d(1.0), d(1.0)) == (7.0, 7.0)


class Model:
    def __init__(self, rate):
        self.rate = rate

    def value(self, x):
        return self.rate * x * x

    def __call__(self, x):
        return self.value(x)

    @property
    def double(self):
        return self.rate * 2.0

    @staticmethod
    def half(x):
        return x * 0.5


def test_methods_of_a_class(monkeypatch):
    model = Model(2.0)
    functions = model.value, model, lambda x: model(x), lambda x: model.double * Model.half(x)
    ds = [sg.grad(f, jit=False) for f in functions]
    assert [d(3.0) for d in ds] == [12.0, 12.0, 12.0, 2.0]
    old = Model.value.__code__
    try:
        Model.value.__code__ = (lambda self, x: self.rate * x).__code__
        Model.double.fget.__code__, older = (lambda self: self.rate * 4.0).__code__, Model.double.fget.__code__
        assert [d(3.0) for d in ds] == [2.0, 2.0, 2.0, 4.0]
        Model.half.__code__ = (lambda x: x).__code__
        assert ds[3](3.0) == 8.0
    finally:
        Model.value.__code__, Model.double.fget.__code__ = old, older
    monkeypatch.setattr(Model, "value", lambda self, x: self.rate * x * x * x)
    assert [d(3.0) for d in ds[1:3]] == [54.0, 54.0]


@pytest.mark.parametrize(
    "solve",
    [
        lambda f: sg.newton(f, 1.0).x,
        lambda f: sg.newton(f, 1.0, jit=False).x,
        lambda f: sg.newton(f, np.array([1.0])[0]).x,
    ],
)
def test_solvers(space, solve):
    def root(x):
        return helper(x) - 8.0

    helper = space.helper
    assert solve(root) == pytest.approx(8.0**0.5)
    assert solve(root) == pytest.approx(8.0**0.5)
    replaced(space.square, cube)
    assert solve(root) == pytest.approx(2.0)
    assert solve(root) == pytest.approx(2.0)


def test_code_that_takes_the_place_of_freed_code_is_not_mistaken_for_it():
    """What was read is known by the code object, which another one may follow at the same address."""

    def f(x):
        return x

    d = sg.grad(f, jit=False, cache=False)
    for k in range(1, 30):
        space = {}
        text = f"def f(x):\n    return {k}.0 * x\n"
        linecache.cache[f"<made {k}>"] = (len(text), None, text.splitlines(True), f"<made {k}>")
        exec(compile(text, f"<made {k}>", "exec"), space)
        f.__code__ = space["f"].__code__
        del space
        assert d(1.0) == float(k)


@pytest.mark.parametrize("way", ["a list", "a derivative", "a default", "an argument", "a partial", "a map"])
def test_functions_that_are_reached_in_other_ways(space, way):
    f, plain = space.square, functools.partial(sg.grad, jit=False)
    inner, listed = plain(f), [f]
    call = {
        "a list": plain(lambda x: listed[0](x)),
        "a derivative": plain(lambda x: inner(x) * x * x),
        "a default": plain(lambda x, g=f: g(x)),
        "an argument": functools.partial(plain(lambda g, x: g(x), argnums=1), f),
        "a partial": plain(lambda x: functools.partial(f)(x)),
        "a map": lambda x: sg.vmap(inner, jit=False)(np.array([x]))[0],
    }[way]
    before, after = {"a derivative": (6.0, 12.0)}.get(way, (2.0, 3.0))
    assert call(1.0) == before
    replaced(f, cube)
    assert call(1.0) == call(1.0) == after


def test_a_rule_of_the_users():
    @sg.custom_vjp
    def ruled(x):
        return x * x

    def backward(x, bar):
        return (10.0 * x * bar,)

    ruled.defvjp(lambda x: (x * x, x), backward)
    d = sg.grad(lambda x: ruled(x), jit=False)
    assert d(1.0) == 10.0
    replaced(backward, lambda x, bar: (20.0 * x * bar,))
    assert d(1.0) == 20.0


def test_other_parameters():
    d = sg.grad(f := types.FunctionType(cube.__code__, globals()), argnums="x", jit=False)
    assert d(1.0) == 3.0
    replaced(f, lambda x, y: x * y)
    assert d(1.0, 5.0) == 5.0 and list(d.__signature__.parameters) == ["x", "y"]


@pytest.mark.parametrize("jit", [False, True])
def test_keyword_only_defaults_that_are_changed_in_place(jit):
    def make():
        def helper(x, *, scale=2.0):
            return x * scale

        def f(x, *, power=2, more=1.0):
            return helper(x**power) * more

        return f, helper

    for _ in range(2):  # the second is a relative of the first
        f, helper = make()
        d, second = sg.grad(f, jit=jit), sg.grad(sg.grad(f, jit=jit), jit=jit)
        assert (d(3.0), second(3.0)) == (12.0, 4.0)
        f.__kwdefaults__["more"] = 5.0
        assert (d(3.0), second(3.0)) == (60.0, 20.0)
        helper.__kwdefaults__["scale"] = -1.0
        assert (d(3.0), second(3.0)) == (-30.0, -10.0)
        f.__kwdefaults__["power"] = 1
        assert (d(3.0), second(3.0), d(3.0, power=2)) == (-5.0, 0.0, -30.0)


def calls_a_builtin(x):
    return abs(x)


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize(
    "make",
    [
        lambda: lambda x: abs(x),
        lambda: lambda x: sum([abs(v) for v in (x, 2.0)]),
        lambda: lambda x: calls_a_builtin(x),
        lambda: functools.partial(lambda y, x: abs(x) + y, 1.0),
        lambda: [lambda x, f=calls_a_builtin: f(x)][0],
    ],
)
def test_a_global_that_hides_a_builtin(make, jit, monkeypatch):
    d, second = sg.grad(make(), jit=jit), sg.grad(sg.grad(make(), jit=jit), jit=jit)
    for _ in range(2):
        assert (d(-2.0), second(-2.0), sg.grad(make(), jit=jit)(-2.0)) == (-1.0, 0.0, -1.0)
        with monkeypatch.context() as patch:
            patch.setitem(globals(), "abs", lambda x: 3.0 * x * x)
            assert (d(-2.0), second(-2.0), sg.grad(make(), jit=jit)(-2.0)) == (-12.0, 6.0, -12.0)


@pytest.mark.parametrize("jit", [False, True])
def test_a_global_that_is_deleted(jit, monkeypatch):
    number, function = sg.grad(lambda x: x * deleted_later, jit=jit), sg.grad(lambda x: deleted_later(x), jit=jit)
    for _ in range(2):
        with monkeypatch.context() as patch:
            patch.setitem(globals(), "deleted_later", 3.0)
            assert number(1.0) == 3.0
        with monkeypatch.context() as patch:
            patch.setitem(globals(), "deleted_later", lambda x: 2.0 * x)
            assert function(1.0) == 2.0
        for d in (number, function):
            with pytest.raises(NameError, match="deleted_later"):
                d(1.0)
