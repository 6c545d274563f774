"""Lambdas and local functions that are made anew with the same code: what was written for one serves the next."""

from __future__ import annotations

import gc
import math
import weakref

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.compiler import find_or_make
from srcgrad.derivatives.derivative import Derivative


@pytest.fixture
def nothing_made(monkeypatch):
    """Let nothing be looked up in general ways from when this is called."""

    def forbid():
        monkeypatch.setattr(find_or_make, "bound", None)
        monkeypatch.setattr(Derivative, "_call", None)

    return forbid


def test_a_captured_number_is_each_functions_own(nothing_made):
    def make(scale):
        return sg.grad(lambda x: x * scale)

    assert make(3.0)(1.0) == 3.0
    nothing_made()
    for scale in (2.0, math.pi, -0.0, math.inf):
        assert make(scale)(1.0) == scale


def test_captured_arrays_and_structures(nothing_made):
    def make(w, p):
        def f(x):
            return x["a"] * w[0] * w[1] * p

        return sg.value_and_grad(f)

    assert make(np.ones(2), 1.0)({"a": 2.0}) == (2.0, {"a": 1.0})
    nothing_made()
    for k in range(3):
        w = np.array([k, 2.0])
        assert make(w, 5.0)({"a": 2.0}) == (20.0 * k, {"a": 10.0 * k})


def test_other_kinds_of_what_is_captured():
    def make(c):
        return sg.grad(lambda x: x * x if c is None else x * c if isinstance(c, (int, float)) else x * c[0])

    for _ in range(2):
        assert make(3.0)(5.0) == 3.0
        assert make(3)(5.0) == 3.0
        assert make(4)(5.0) == 4.0
        assert make(None)(5.0) == 10.0
        assert make(np.array([7.0]))(5.0) == 7.0
        assert make(np.array([7.0, 8.0])[::-1])(5.0) == 8.0
        assert make(np.array([7], int))(5.0) == 7.0
        assert make((9.0,))(5.0) == 9.0


def test_inner_functions_are_each_functions_own(nothing_made):
    def make(scale):
        def helper(x):
            return x * scale

        def f(x):
            return helper(x) * helper(x)

        return sg.grad(f)

    assert make(1.0)(3.0) == 6.0
    nothing_made()
    assert make(2.0)(3.0) == 24.0
    assert make(3.0)(3.0) == 54.0


def test_another_inner_function_in_the_same_place():
    def make(inner):
        return sg.grad(lambda x: inner(x))

    for _ in range(2):
        assert make(lambda x: x * x)(3.0) == 6.0
        assert make(lambda x: x * x * x)(3.0) == 27.0
        assert make(math.sin)(0.0) == 1.0
        assert make(sg.grad(lambda x: x**3))(3.0) == 18.0


def test_defaults_are_each_functions_own():
    def make(c, a):
        def f(x, scale=c, *, more=a):
            return x * scale * more[0]

        return sg.grad(f)

    for _ in range(2):
        for c in (2.0, 3.0, 0.0, -0.0):
            for a in (np.array([2.0]), np.array([3.0])):
                got = make(c, a)(5.0)
                assert got == c * a[0] and math.copysign(1.0, got) == math.copysign(1.0, c)
                assert make(c, a)(5.0, 7.0) == 7.0 * a[0]
                assert make(c, a)(5.0, more=a * 2.0) == 2.0 * c * a[0]


def test_bound_again_after_it_was_made():
    def make(scale):
        def f(x):
            return x * scale

        def put(value):
            nonlocal scale
            scale = value

        return sg.grad(f), put

    for _ in range(3):
        d, put = make(2.0)
        assert d(1.0) == 2.0
        put(5.0)
        assert d(1.0) == 5.0
        put(4)
        assert d(1.0) == 4.0


def test_recursion_through_a_closure():
    def make(scale):
        def power(x, n):
            return scale if n == 0 else x * power(x, n - 1)

        return sg.grad(power)

    for scale in (1.0, 2.0, 3.0):
        assert make(scale)(2.0, 3) == 12.0 * scale


def test_replaced_code_of_a_relative():
    def make():
        def f(x):
            return x * x

        return f

    f, g = make(), make()
    assert sg.grad(f)(3.0) == sg.grad(g)(3.0) == 6.0
    h = make()
    d = sg.grad(h)
    assert d(3.0) == 6.0
    h.__code__ = (lambda x: x * x * x).__code__
    assert d(3.0) == 27.0
    assert sg.grad(make())(3.0) == 6.0


def test_other_options_and_argnums_are_other_derivatives():
    def make():
        return lambda x, y: x * x * y

    for _ in range(2):
        assert sg.grad(make())(3.0, 5.0) == 30.0
        assert sg.grad(make(), 1)(3.0, 5.0) == 9.0
        assert sg.grad(make(), (0, 1))(3.0, 5.0) == (30.0, 9.0)
        assert sg.grad(make(), argnums="y", jit=False)(3.0, 5.0) == 9.0
        assert sg.value_and_grad(make())(3.0, 5.0) == (45.0, 30.0)
        with pytest.raises(sg.ArgumentError):
            sg.grad(make(), 5)
        with pytest.raises(sg.ArgumentError):
            sg.grad(make(), jitt=True)


def test_sources_names_and_errors_are_as_of_any_other():
    def make(scale):
        def named(x):
            """What it does."""
            return x[3] * scale

        return sg.grad(named)

    first, second = make(2.0), make(3.0)
    first(np.ones(4)), second(np.ones(4))
    assert second.__name__ == "named_grad" and second.__doc__ == "What it does."
    assert second.primal is not first.primal and second.__wrapped__ is second.primal
    assert second.source == first.source == first.source_for(np.ones(4))
    assert make(2.0).source_for(np.ones(4)) == first.source
    for d in (make(2.0), make(2.0)):
        with pytest.raises(IndexError, match="x\\[3\\]"):
            d(np.ones(3))
    np.testing.assert_array_equal(make(4.0)(np.ones(4)), [0.0, 0.0, 0.0, 4.0])


def test_what_is_captured_lives_no_longer():
    def make(w):
        return sg.grad(lambda x: x * w[0])

    kept = []
    for k in range(3):
        w = np.array([float(k)])
        kept.append(weakref.ref(w))
        assert make(w)(1.0) == k
        del w
    gc.collect()
    assert kept[2]() is None and kept[1]() is None


def test_directions_and_pullbacks_are_each_functions_own(monkeypatch):
    def make(scale, w):
        return lambda p, n=2: {"y": p["a"] * p["a"] * scale * w[0] * n}

    def tangent(f):
        return sg.jvp(f, ({"a": 3.0},), ({"a": 1.0},))

    f = make(1.0, np.ones(2))
    assert tangent(f) == ({"y": 18.0}, {"y": 12.0})
    value, pullback = sg.vjp(f, {"a": 3.0}, 5)
    assert (value, pullback({"y": 1.0})) == ({"y": 45.0}, ({"a": 30.0}, None))
    with monkeypatch.context() as m:
        m.setattr(Derivative, "at", None)
        for k in (2.0, 3.0, -1.0):
            f = make(k, np.array([k, 0.0]))
            for _ in range(3):
                assert tangent(f) == ({"y": 18.0 * k * k}, {"y": 12.0 * k * k})
                value, pullback = sg.vjp(f, {"a": 3.0}, 5)
                for _ in range(2):
                    assert (value, pullback({"y": 1.0})) == ({"y": 45.0 * k * k}, ({"a": 30.0 * k * k}, None))
        with pytest.raises(sg.ArgumentError, match="cotangent"):
            sg.vjp(make(2.0, np.ones(2)), {"a": 3.0}, 5)[1]({"y": np.ones(2)})
        with pytest.raises(sg.ArgumentError):
            sg.jvp(make(2.0, np.ones(2)), ({"a": 3.0},), ({"b": 1.0},))
    assert tangent(make(3, np.ones(2))) == ({"y": 54.0}, {"y": 36.0})
    assert sg.vjp(make(1.0, (4.0,)), {"a": 3.0})[1]({"y": 1.0}) == ({"a": 48.0}, None)


def test_functions_at_a_point_live_no_longer():
    def one(k):
        w = np.array([float(k)])

        def f(x):
            return x * w[0]

        assert sg.jvp(f, (2.0,), (1.0,)) == (2.0 * k, k)
        value, pullback = sg.vjp(f, 2.0)
        assert (value, pullback(3.0)) == (2.0 * k, (3.0 * k,))
        return weakref.ref(w)

    kept = [one(k) for k in range(3)]
    gc.collect()
    assert kept[2]() is None and kept[1]() is None


def test_captured_structures_are_each_functions_own(nothing_made):
    def make(p):
        return sg.grad(lambda x: x * p["w"][0] * p["rest"][1])

    assert make({"w": np.ones(1), "rest": [0.0, 3.0]})(5.0) == 3.0
    nothing_made()
    for k in (2.0, 7.0):
        assert make({"w": np.array([k]), "rest": [1.0, k]})(5.0) == k * k


def test_annotated_functions_are_relatives_too(nothing_made):
    def make(scale):
        def f(x: float, n: int = 2) -> float:
            return x * scale * n

        return sg.grad(f)

    assert make(3.0)(1.0) == 6.0
    nothing_made()
    assert make(4.0)(1.0) == 8.0
