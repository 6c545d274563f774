"""What a derivative takes and gives: structures, defaults, keywords, types, and what it refuses."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numba
import numpy as np
import pytest

import srcgrad as sg
from tests.api.helpers import plain


class Pair(NamedTuple):
    a: float
    b: np.ndarray


@dataclasses.dataclass
class Weights:
    w: np.ndarray
    c: float


def product(x, y):
    return x * y


def scaled(x, *, by=3.0):
    return x * x * by


def of_dict(p):
    return p["a"] * np.sum(p["b"])


def of_pair(p):
    return p.a * np.sum(p.b)


def of_weights(p):
    return p.c * np.sum(p.w)


def of_nested(p):
    (a, b), c = p
    return a * b + c[0] * c[1]


X = np.array([1.0, 2.0, 3.0])
CAPTURED = np.arange(1.0, 5.0)


def test_argnums_by_place_name_and_tuple():
    assert plain(sg.grad, product, argnums=1)(3.0, 4.0) == 3.0
    assert plain(sg.grad, product, argnums="y")(3.0, 4.0) == 3.0
    assert plain(sg.grad, product, argnums=-1)(3.0, 4.0) == 3.0
    assert plain(sg.grad, product, argnums=("y", 0))(3.0, 4.0) == (3.0, 4.0)
    assert plain(sg.grad, product, argnums=(0,))(3.0, 4.0) == (4.0,)


def test_bare_decorator_and_keywords():
    @sg.grad
    def bare(x):
        return x * x

    @sg.grad(argnums=("x", "y"), jit=False)
    def both(x, y):
        return x * y

    assert bare.primal(3.0) == 9.0
    assert bare.__name__ == "bare_grad"
    assert both(2.0, 5.0) == (5.0, 2.0)


def test_defaults_and_keywords():
    d = plain(sg.grad, scaled)
    assert d(2.0) == 12.0
    assert d(x=2.0) == 12.0
    assert d(2.0, by=1.0) == 4.0
    assert plain(sg.grad, scaled, argnums="by")(2.0) == 4.0
    with pytest.raises(TypeError):
        d(2.0, 1.0)


def test_gradients_have_the_structure_of_the_argument():
    got = plain(sg.grad, of_dict)({"a": 2.0, "b": X})
    assert got["a"] == 6.0 and list(got) == ["a", "b"]
    np.testing.assert_array_equal(got["b"], [2.0, 2.0, 2.0])
    pair = plain(sg.grad, of_pair)(Pair(2.0, X))
    assert isinstance(pair, Pair) and pair.a == 6.0
    weights = plain(sg.grad, of_weights)(Weights(X, 2.0))
    assert isinstance(weights, Weights) and weights.c == 6.0
    assert plain(sg.grad, of_nested)(((2.0, 3.0), [4.0, 5.0])) == ((3.0, 2.0), [5.0, 4.0])


def test_a_python_integer_counts_as_a_float():
    assert plain(sg.grad, product)(3, 4) == 4.0
    assert isinstance(plain(sg.grad, product)(3, 4), float)


@pytest.mark.parametrize("jit", [False, True])
def test_float32_stays_float32(jit):
    got = sg.grad(lambda x, y: x * x * 0.5 * y, jit=jit)(np.float32(3.0), np.float32(2.0))
    assert type(got) is np.float32 and got == 6.0
    value, gradient = sg.value_and_grad(lambda x: np.sum(x * x * 0.5), jit=jit)(X.astype(np.float32))
    assert type(value) is np.float32 and gradient.dtype == np.float32
    np.testing.assert_array_equal(gradient, X)


@pytest.mark.parametrize("jit", [False, True])
def test_arrays_that_are_read_only_or_strided(jit):
    wide = np.arange(12.0).reshape(3, 4)
    frozen = X.copy()
    frozen.flags.writeable = False
    d = sg.grad(lambda x: np.sum(x * x), jit=jit)
    for x in (wide[:, 1], wide[1, ::-1], frozen, X, X.astype(">f8"), np.broadcast_to(2.0, 3)):
        np.testing.assert_array_equal(d(x), 2.0 * x)
    two = sg.grad(lambda x: np.sum(x[0] * x[1]), jit=jit)
    np.testing.assert_array_equal(two(wide.T), np.vstack([wide.T[1], wide.T[0], np.zeros((2, 3))]))


@pytest.mark.parametrize("jit", [False, True])
def test_types_may_change_from_call_to_call(jit):
    d = sg.grad(lambda x: (x * x).sum() if isinstance(x, np.ndarray) else x * x, jit=jit)
    f = sg.grad(lambda x: np.sum(x * x), jit=jit)
    for x in (X, X.astype(np.float32), np.ones((2, 2)), X):
        got = f(x)
        assert got.dtype == x.dtype
        np.testing.assert_array_equal(got, 2 * x)
    assert d.primal is not None


@pytest.mark.parametrize("jit", [False, True])
def test_the_callers_arrays_do_not_change(jit):
    def overwrites(x):
        x[0] = x[0] * x[1]
        return x[0] * x[2]

    x = X.copy()
    np.testing.assert_array_equal(sg.grad(overwrites, jit=jit)(x), [6.0, 3.0, 2.0])
    np.testing.assert_array_equal(x, X)


def test_an_overwritten_argument_must_not_share_memory():
    def overwrites(x, y):
        x[0] = 2.0 * y[1]
        return x[0] * y[0]

    d = plain(sg.grad, overwrites, argnums=(0, 1))
    x = X.copy()
    d(x, X.copy())
    with pytest.raises(sg.ArgumentError, match="shares memory"):
        d(x, x)
    with pytest.raises(sg.ArgumentError, match="shares memory"):
        d(x[:2], x[1:])
    d(x[:1], x[1:])


def test_what_shares_memory_with_an_overwritten_argument_is_found():
    def overwrites(p, y):
        p["u"][0] = 2.0 * p["v"][1] * CAPTURED[1] * y
        return np.sum(p["u"] * p["v"])

    d = plain(sg.grad, overwrites)
    x = np.arange(1.0, 9.0)
    d({"u": x[:4], "v": x[4:]}, 1.0)
    d({"u": x[::2], "v": x[1::2]}, 1.0)
    for u, v in ((x, x), (x[:5], x[3:]), (x[::-1], x[2:4]), (CAPTURED, x), (CAPTURED[:2], x)):
        with pytest.raises(sg.ArgumentError, match="shares memory"):
            d({"u": u, "v": v}, 1.0)


def test_a_tangent_may_be_the_argument_itself():
    def overwrites(x):
        x[0] = x[0] * x[1]
        return x[0] * x[1]

    x = X.copy()
    value, dot = sg.forward(overwrites, jit=False)(x, x)
    assert dot == pytest.approx(3.0 * value)


def test_compiled_callers_are_told_of_shared_memory():
    def overwrites(x, y):
        x[0] = 2.0 * y[1]
        return x[0] * y[0]

    d = sg.grad(overwrites)
    call = numba.njit(lambda x, y: d(x, y))
    x = np.arange(1.0, 9.0)
    np.testing.assert_array_equal(call(x[:4], x[4:]), [0.0, 0.0, 0.0, 0.0])
    for a, b in ((x, x), (x[:5], x[4:])):
        with pytest.raises(ValueError, match="x is overwritten and overlaps y"):
            call(a, b)


def test_has_aux():
    def f(x):
        return x * x, {"twice": 2.0 * x, "n": 3}

    assert plain(sg.grad, f, has_aux=True)(3.0) == (6.0, {"twice": 6.0, "n": 3})
    assert plain(sg.grad, f, has_aux=True, mode="forward")(3.0) == (6.0, {"twice": 6.0, "n": 3})
    assert plain(sg.value_and_grad, f, has_aux=True)(3.0) == ((9.0, {"twice": 6.0, "n": 3}), 6.0)


def array_out(x):
    return x * 2.0


def integer_out(x):
    return 3


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: sg.grad(product, argnums=2), sg.ArgumentError, "out of range"),
        (lambda: sg.grad(product, argnums="z"), sg.ArgumentError, "names `z`, which is not a parameter"),
        (lambda: sg.grad(product, argnums=1.5), sg.ArgumentError, "neither a place nor a name"),  # type: ignore[call-overload]
        (lambda: sg.grad(product, argnums=(0, "x")), sg.ArgumentError, "twice"),
        (lambda: sg.grad(product, speed=3), sg.ArgumentError, "no option `speed`"),  # type: ignore[call-overload]
        (lambda: sg.grad(product, mode="sideways"), sg.ArgumentError, "neither"),
        (lambda: sg.grad(3.0), sg.ArgumentError, "not a function"),  # type: ignore[call-overload]
        (lambda: sg.grad(product, target="gpu"), sg.ArgumentError, "gpu"),
        (lambda: plain(sg.grad, array_out)(X), sg.ArgumentError, "array"),
        (lambda: plain(sg.grad, integer_out)(1.0), sg.NotDifferentiableError, "integer"),
        (lambda: plain(sg.grad, product)("a", 1.0), sg.ArgumentError, "no float"),
        (lambda: plain(sg.grad, product)(np.array([1, 2]), 1.0), sg.ArgumentError, "no float"),
        (lambda: plain(sg.grad, product)(True, 1.0), sg.ArgumentError, "no float"),
        (lambda: plain(sg.grad, product)(1j, 1.0), sg.ArgumentError, "complex"),
        (lambda: plain(sg.grad, product)(np.array(["a"]), 1.0), sg.ArgumentError, "strings"),
        (lambda: plain(sg.hvp, of_dict)({"a": 1.0, "b": X}, {"a": 1.0, "b": X[:2]}), sg.ArgumentError, "shape"),
        (lambda: sg.jvp(product, (1.0, 2.0), (1.0,), jit=False), sg.ArgumentError, "2 primals"),
        (lambda: sg.jvp(array_out, (X,), (X[:2],), jit=False), sg.ArgumentError, "shape"),
        (lambda: sg.vjp(array_out, X, jit=False)[1](X[:2]), sg.ArgumentError, "shape"),
    ],
)
def test_what_does_not_fit_is_refused(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_errors_name_the_place():
    with pytest.raises(sg.ArgumentError, match=r"arguments\.py, line \d+, column 1: argnums=7 (.|\n)*def array_out"):
        sg.grad(array_out, argnums=7)
    with pytest.raises(sg.ArgumentError, match=r"test_arguments\.py, line \d+, column 1(.|\n)*def array_out"):
        plain(sg.grad, array_out)(X)


def test_arrays_that_compute_in_their_own_way_are_refused():
    g = sg.grad(lambda a: np.sum(a * a), jit=False)
    np.testing.assert_array_equal(g(np.array([1.0, 2.0])), [2.0, 4.0])
    with pytest.raises(sg.ArgumentError, match="computes in its own way"):
        g(np.ma.array([1.0, 2.0], mask=[0, 1]))
