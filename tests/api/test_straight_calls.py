"""Calls after the first of a kind go straight to compiled code: they give what it gave, and check what it checked."""

from __future__ import annotations

import dataclasses
import types
from collections import OrderedDict, namedtuple
from typing import Any, NamedTuple

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.derivatives.derivative import Derivative


class Pair(NamedTuple):
    w: Any
    b: Any


Other = namedtuple("Other", "b w")


@dataclasses.dataclass
class Layer:
    w: Any
    b: Any


@dataclasses.dataclass(slots=True)
class Slotted:
    w: Any
    b: Any


W = np.array([2.0, 3.0])


def straight(monkeypatch: pytest.MonkeyPatch, derivative: Any) -> None:
    """From now on a call that does not go straight is an error."""

    def general(*args: Any) -> Any:
        raise AssertionError("not straight")

    monkeypatch.setattr(type(derivative), "_call", general)


def same(a: Any, b: Any) -> None:
    assert type(a) is type(b)
    if isinstance(a, dict):
        assert list(a) == list(b)
        a, b = list(a.values()), list(b.values())
    elif dataclasses.is_dataclass(a):
        names = [f.name for f in dataclasses.fields(a)]
        a, b = [getattr(a, n) for n in names], [getattr(b, n) for n in names]
    if isinstance(a, (list, tuple)):
        assert len(a) == len(b)
        for one, other in zip(a, b, strict=True):
            same(one, other)
    else:
        np.testing.assert_array_equal(a, b)


def by_items(p):
    return p[0][0] * p[0][1] * p[1]


def by_keys(p):
    return p["w"][0] * p["w"][1] * p["b"]


def by_fields(p):
    return p.w[0] * p.w[1] * p.b


@pytest.mark.parametrize(
    ("fun", "one"),
    [
        (by_items, (W, 5.0)),
        (by_items, [W, 5.0]),
        (by_items, (W.astype(np.float32), np.float32(5.0))),
        (by_keys, {"w": W, "b": 5.0}),
        (by_keys, OrderedDict(w=W, b=5.0)),
        (by_fields, Pair(W, 5.0)),
        (by_fields, Layer(W, 5.0)),
        (by_fields, Slotted(W, 5.0)),
        (by_items, (W[::-1], 5)),
    ],
)
def test_a_second_call_goes_straight_and_gives_the_same(monkeypatch, fun, one):
    d = sg.value_and_grad(fun)
    first, named = d(one), d(p=one)
    straight(monkeypatch, d)
    same(d(one), first)
    same(d(p=one), named)


def test_nested_structures_defaults_stars_and_keywords(monkeypatch):
    def f(p, *rest, scale=2.0):
        return p["layers"][0].w[0] * p["layers"][1].w[0] * rest[0] * rest[1] * scale

    d = sg.grad(f, ("p", "scale"))
    p = {"layers": [Layer(W, None), Pair(W, "tanh")]}
    calls = [((p, 3.0, 4.0), {}), ((p, 3.0, 4.0), {"scale": 1.0}), ((p, 3, 4.0), {"scale": 1})]
    first = [d(*args, **kwargs) for args, kwargs in calls]
    assert first[0][0]["layers"][0].w[0] == 2.0 * 12.0 * 2.0
    straight(monkeypatch, d)
    for (args, kwargs), was in zip(calls, first, strict=True):
        same(d(*args, **kwargs), was)


def test_what_differs_in_structure_is_seen():
    d = sg.grad(by_keys)
    for p in ({"w": W, "b": 5.0}, {"b": 5.0, "w": W}, {"w": W, "b": 5.0, "c": 1.0}, {"w": W, "b": 5}):
        for _ in range(3):
            got = d(p)
            assert list(got) == list(p)
            np.testing.assert_array_equal(got["w"], [15.0, 10.0])
            assert got["b"] == (None if p["b"].__class__ is int else 6.0)  # an integer in a structure is inactive
    d = sg.grad(by_fields)
    for p in (Pair(W, 5.0), Other(5.0, W), Layer(W, 5.0), Slotted(W, 5.0)):
        for _ in range(3):
            assert type(d(p)) is type(p)
            assert d(p).b == 6.0
    with pytest.raises(sg.SrcgradError):
        d(Pair(W, "five"))
    d = sg.grad(lambda p: sum(p))
    for n in (3, 2, 4, 3, 2):
        assert d([1.0] * n) == [1.0] * n
        assert d([1.0] * n) == [1.0] * n


def test_an_object_with_more_than_its_fields(monkeypatch):
    layer = Layer(W, 5.0)
    layer.note = "mine"
    d = sg.grad(by_fields)
    d(layer)
    straight(monkeypatch, d)
    assert vars(d(layer)).keys() == {"w", "b"}


def test_static_items_count_by_value():
    d = sg.grad(lambda p: p["x"] ** 2 if p["kind"] == "square" else p["x"] ** 3)
    for _ in range(2):
        assert d({"x": 3.0, "kind": "square"})["x"] == 6.0
        assert d({"x": 3.0, "kind": "".join(["squ", "are"])})["x"] == 6.0
        assert d({"x": 3.0, "kind": "cube"})["x"] == 27.0


@pytest.mark.parametrize("kind", [np.matrix, np.ma.MaskedArray, np.recarray])
def test_arrays_of_other_classes_are_looked_at_after_plain_ones(kind):
    a = np.arange(1.0, 5.0).reshape(2, 2)
    d = sg.grad(lambda x: x[0, 0] * x[0, 1])
    d(a), d(a)
    if kind is np.recarray:
        assert type(d(a.view(kind))) is np.ndarray
    else:
        with pytest.raises(sg.ArgumentError, match=kind.__name__):
            d(a.view(kind))


def test_arrays_that_are_not_as_compiled_are_converted_each_time(monkeypatch):
    d = sg.grad(lambda x: x[0] * x[1])
    whole = np.arange(1.0, 7.0)
    whole.flags.writeable = False
    views = [whole, whole[::2], whole[::-1], whole.astype(">f8")]
    first = [d(v) for v in views]
    for view, was in zip(views, first, strict=True):
        np.testing.assert_array_equal(was[:2], [view[1], view[0]])
    straight(monkeypatch, d)
    for view, was in zip(views, first, strict=True):
        same(d(view), was)


def test_directions_and_cotangents_of_other_shapes_are_refused_after_right_ones():
    a, short = np.ones(3), np.ones(2)
    for made, message in ((sg.hvp(lambda x: x[0] * x[1]), "vector"), (sg.forward(lambda x: x[0] * x[1]), "x_dot")):
        made(a, a), made(a, a)
        with pytest.raises(sg.ArgumentError, match=message):
            made(a, short)
    back = sg.reverse(lambda x: x * 2.0)
    back(a, a), back(a, a)
    with pytest.raises(sg.ArgumentError, match="cotangent"):
        back(a, short)


def test_arrays_that_share_memory_are_refused_after_those_that_do_not():
    def f(x, y):
        x[0] = x[0] * y[1]
        return x[0]

    d, a = sg.grad(f), np.array([2.0, 3.0])
    b = a.copy()
    for _ in range(2):
        np.testing.assert_array_equal(d(a, b), [3.0, 0.0])
    np.testing.assert_array_equal(a, b)
    with pytest.raises(sg.ArgumentError, match="shares memory"):
        d(a, a)


def test_one_list_that_stands_twice_is_refused_after_two():
    def f(p):
        p[0][0] = p[0][0] * p[1][0]
        return p[0][0]

    d, one = sg.grad(f), [3.0]
    for _ in range(2):
        assert d([[2.0], [5.0]]) == [[5.0], [2.0]]
    with pytest.raises(sg.ArgumentError, match="twice"):
        d([one, one])


def test_what_is_captured_is_read_and_what_was_seen_is_compared():
    module = types.ModuleType("straight_case")
    text = "def g(x):\n    return x\ndef f(p):\n    return g(p[0]) * A * B[0] * (2.0 if MODE == 'two' else 3.0)\n"
    exec(compile(text, "<stdin>", "exec"), vars(module))
    import linecache

    linecache.cache["<stdin>"] = len(text), None, text.splitlines(True), "<stdin>"
    module.A, module.B, module.MODE = 5.0, np.array([7.0]), "two"
    d = sg.grad(module.f)
    assert d([1.0]) == d([1.0]) == [70.0]
    module.A = 1.0
    assert d([1.0]) == [14.0]
    module.B[0] = 3.0
    assert d([1.0]) == [6.0]
    module.B = np.array([1.0, 2.0])[::-1]
    assert d([1.0]) == d([1.0]) == [4.0]
    module.A = 2
    assert d([1.0]) == d([1.0]) == [8.0]
    module.MODE = "three"
    assert d([1.0]) == d([1.0]) == [12.0]
    exec(compile("def g(x):\n    return x * 10.0\n", "<string>", "exec"), vars(module))
    module.g = lambda x: x * 10.0
    assert d([1.0]) == d([1.0]) == [120.0]
    del module.A
    with pytest.raises((sg.SrcgradError, NameError, KeyError, AttributeError)):
        d([1.0])


def test_replaced_code_and_defaults_are_seen():
    def helper(x, by=2.0):
        return x * by

    def f(p):
        return helper(p["x"])

    d = sg.grad(f)
    assert d({"x": 1.0}) == d({"x": 1.0}) == {"x": 2.0}
    helper.__defaults__ = (3.0,)
    assert d({"x": 1.0}) == d({"x": 1.0}) == {"x": 3.0}
    helper.__code__ = (lambda x, by: x * x * by).__code__
    assert d({"x": 1.0}) == d({"x": 1.0}) == {"x": 6.0}
    f.__code__ = (lambda p: p["x"] * 7.0).__code__ if not f.__closure__ else f.__code__
    assert isinstance(d, Derivative)


def test_calls_that_do_not_fit_are_told_after_calls_that_do():
    def f(x, y=2.0):
        return x * y

    d = sg.grad(f)
    assert d(1.0) == d(1.0) == 2.0
    assert d(1.0, y=3.0) == d(1.0, y=3.0) == 3.0
    for args, kwargs in (((), {}), ((1.0, 2.0, 3.0), {}), ((1.0,), {"z": 1.0}), ((1.0, 2.0), {"y": 1.0})):
        with pytest.raises(TypeError):
            d(*args, **kwargs)


def test_errors_of_checks_in_compiled_code_name_the_line():
    def f(p):
        return p[0][3] * 2.0

    d = sg.grad(f)
    d([np.ones(4)]), d([np.ones(4)])
    for _ in range(2):
        with pytest.raises(IndexError, match="p\\[0\\]\\[3\\]"):
            d([np.ones(3)])


def test_lengths_of_one_go_straight_too(monkeypatch):
    d = sg.grad(lambda p: np.sum(p[0] * p[1]))
    long, one = [np.ones(3), np.ones(3)], [np.ones(3), np.ones(1)]
    first = [d(long), d(one), d(long)]
    straight(monkeypatch, d)
    for p, was in zip((long, one, long), first, strict=True):
        same(d(p), was)


def test_the_mode_of_a_jacobian_is_chosen_by_shape(monkeypatch):
    d = sg.jacobian(lambda x, y: x[0] * y)
    calls = [(np.ones(2), np.ones(5)), (np.ones(5), np.ones(2)), (np.ones(2), np.ones(5))]
    first = [d(*args) for args in calls]
    straight(monkeypatch, d)
    for args, was in zip(calls, first, strict=True):
        same(d(*args), was)


def test_tangents_go_straight_and_are_checked(monkeypatch):
    def f(p, scale=2.0):
        return {"y": p["w"] * p["b"] * scale}

    p = {"w": W, "b": 5.0}
    calls = [
        ((p,), ({"w": np.ones(2), "b": 1.0},)),
        ((p,), ({"w": None, "b": 1},)),
        ((p,), (None,)),
        ((p, 3), ({"w": np.ones(2), "b": None}, 1)),
        ([p, 3.0], [{"w": W[::-1], "b": None}, None]),
    ]
    first = [sg.jvp(f, *call) for call in calls]
    np.testing.assert_array_equal(first[0][1]["y"], [14.0, 16.0])
    np.testing.assert_array_equal(first[3][1]["y"], [25.0, 30.0])
    with monkeypatch.context() as m:
        m.setattr(Derivative, "at", None)
        for call, was in zip(calls, first, strict=True):
            same(sg.jvp(f, *call), was)
    for primals, tangents in (
        ((p,), ({"w": np.ones(3), "b": 1.0},)),
        ((p,), ({"b": 1.0, "w": np.ones(2)},)),
        ((p,), ({"w": np.ones(2, np.float32), "b": 1.0},)),
        ((p,), ()),
        ((p,), ({"w": np.ones((2, 1)), "b": 1.0},)),
        (p, p),
    ):
        with pytest.raises(sg.ArgumentError):
            sg.jvp(f, primals, tangents)
    got = sg.jvp(f, (p,), ({"w": np.array([1, 2]), "b": True is False or 0},))[1]["y"]
    np.testing.assert_array_equal(got, [10.0, 20.0])


def test_pullbacks_go_straight_keep_copies_and_are_checked(monkeypatch):
    def f(p, n, scale=2.0):
        return (p.w * p.b * scale, p.b * n, n)

    w = W.copy()
    p = Layer(w, 5.0)
    for _ in range(2):
        w[:] = W
        value, pullback = sg.vjp(f, p, 3)
        w[:] = 0.0
        for _ in range(2):
            bars = pullback((np.ones(2), 1.0, None))
            np.testing.assert_array_equal(bars[0].w, [10.0, 10.0])
            assert bars == (bars[0], None, 25.0)
            assert bars[0].b == 2.0 * 5.0 + 3.0
    w[:] = W
    with monkeypatch.context() as m:
        m.setattr(Derivative, "at", None)
        value, pullback = sg.vjp(f, p, 3)
        assert pullback((np.ones(2), 1.0, None))[0].b == 13.0
        assert pullback((np.ones(2), 1.0, 7.0))[0].b == 13.0
    for bad in (
        (np.ones(3), 1.0, None),
        [np.ones(2), 1.0, None],
        (np.ones(2), 1.0),
        (None, 1.0, None),
        (1.0, 1.0, None),
    ):
        with pytest.raises(sg.ArgumentError):
            pullback(bad)
    with pytest.raises(TypeError):
        pullback()
    assert isinstance(value, tuple)


def test_jvp_and_vjp_see_replaced_code_and_options():
    def f(x):
        return x * x

    for _ in range(2):
        assert sg.jvp(f, (3.0,), (1.0,)) == (9.0, 6.0)
        assert sg.vjp(f, 3.0)[1](1.0) == (6.0,)
        assert sg.jvp(f, (3.0,), (1.0,), jit=False) == (9.0, 6.0)
    f.__code__ = (lambda x: x * x * x).__code__
    assert sg.jvp(f, (3.0,), (1.0,)) == (27.0, 27.0)
    assert sg.vjp(f, 3.0)[1](1.0) == (27.0,)
    with pytest.raises(sg.ArgumentError, match="option"):
        sg.jvp(f, (3.0,), (1.0,), jitt=True)


def test_integers_count_as_floats_in_a_pullback_where_there_is_no_float():
    def f(x, y):
        return x * y

    for _ in range(2):
        assert sg.vjp(f, 3, 4)[1](1.0) == (4.0, 3.0)
        assert sg.vjp(f, 3.0, 4)[1](1.0) == (4.0, None)


def test_arguments_that_a_double_star_collects_go_straight(monkeypatch):
    def f(x, **more):
        return x * more["a"] * more["b"][0]

    d = sg.grad(f, ("x", "more"))
    calls = [(2.0, {"a": 3.0, "b": W}), (2.0, {"b": W, "a": 3.0}), (5.0, {"a": 1.0, "b": W[::-1]})]
    first = [d(x, **more) for x, more in calls]
    assert first[0][0] == 6.0 and first[0][1]["a"] == 4.0
    straight(monkeypatch, d)
    for (x, more), was in zip(calls, first, strict=True):
        same(d(x, **more), was)
        assert list(d(x, **more)[1]) == list(more)


def test_arrays_without_axes_go_straight_as_numbers(monkeypatch):
    d = sg.grad(lambda x, n: x * x * n, (0, 1))
    calls = [(np.array(3.0), 2.0), (3.0, np.array(2.0)), (np.array(3), np.array(2)), (np.array(3.0, ">f8"), 2.0)]
    calls += [(np.array(3.0, np.float32), np.float32(2.0))]
    first = [d(*args) for args in calls]
    assert all(got == (12.0, 9.0) for got in first)
    straight(monkeypatch, d)
    for args, was in zip(calls, first, strict=True):
        same(d(*args), was)
    monkeypatch.undo()
    with pytest.raises(sg.ArgumentError):
        d(np.array("3.0"), 2.0)


class Model:
    def __init__(self, w, layers):
        self.w, self.layers = w, layers

    def loss(self, x):
        return self.w[0] * x * self.layers[1]["b"] + self.layers[0].b


def test_captured_structures_are_read_and_compared(monkeypatch):
    layers = [Layer(W, 7.0), {"w": W, "b": 5.0}]
    model = Model(W, layers)
    pair = Pair(W, 2.0)
    d, e = sg.grad(model.loss), sg.grad(lambda x: x * pair.w[0] * pair.b * layers[1]["b"] * layers[0].b)
    assert (d(3.0), e(3.0)) == (10.0, 140.0)
    with monkeypatch.context() as patch:
        straight(patch, d)
        assert (d(3.0), e(3.0)) == (10.0, 140.0)
        layers[1]["b"] = 1.0
        layers[0].b = 2.0
        assert (d(3.0), e(3.0)) == (2.0, 8.0)
        model.w = np.array([4.0])
        layers[1] = {"w": W, "b": 2.0}
        assert (d(3.0), e(3.0)) == (8.0, 16.0)
        pair = Pair(np.ones(1), 3.0)
        assert e(3.0) == 12.0
    layers[1] = {"b": 3.0, "w": W}
    assert (d(3.0), e(3.0)) == (12.0, 18.0)
    layers[0] = Slotted(W, 1.0)
    layers.append(None)
    assert (d(3.0), e(3.0)) == (12.0, 9.0)
    model.layers = (layers[0], {"b": 6})
    assert d(3.0) == 24.0
    pair = Other(4.0, W)
    assert e(3.0) == 24.0
    del layers[1]["b"]
    with pytest.raises((sg.SrcgradError, KeyError)):
        e(3.0)
    layers.clear()
    with pytest.raises((sg.SrcgradError, IndexError)):
        e(3.0)
