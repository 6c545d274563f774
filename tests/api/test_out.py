"""`out=`: gradients written into arrays that are given."""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
import pytest

import srcgrad as sg


def f(x, y=2.0):
    return x[0] * x[1] * x[2] * y


class Pair(NamedTuple):
    a: object
    b: object


X = np.array([2.0, 3.0, 4.0])
G = np.array([24.0, 16.0, 12.0])


@pytest.mark.parametrize("jit", [True, False])
def test_a_gradient_is_written_into_an_array_and_returned(jit):
    d, g = sg.grad(f, jit=jit), np.full(3, np.nan)
    for _ in range(3):
        assert d(X, out=g) is g
        np.testing.assert_array_equal(g, G)
        assert d(X, y=4.0, out=g) is g
        np.testing.assert_array_equal(g, 2.0 * G)
    np.testing.assert_array_equal(d(X, out=None), G)
    wide = np.zeros((3, 2))
    assert np.shares_memory(d(X, out=wide[:, 1]), wide)
    np.testing.assert_array_equal(wide, np.column_stack([np.zeros(3), G]))


def test_every_kind_of_gradient():
    g, m, v = np.empty(3), np.empty((3, 3)), np.empty(3)
    value, got = sg.value_and_grad(f, jit=False)(X, out=g)
    assert value == 48.0 and got is g
    got, aux = sg.grad(lambda x: (f(x), 7.0), has_aux=True, jit=False)(X, out=g)
    assert aux == 7.0 and got is g
    np.testing.assert_array_equal(g, G)
    assert sg.hessian(f, jit=False)(X, out=m) is m
    np.testing.assert_array_equal(m[0], [0.0, 8.0, 6.0])
    assert sg.hvp(f, jit=False)(X, np.array([1.0, 0.0, 0.0]), out=v) is v
    np.testing.assert_array_equal(v, m[0])
    for made in (sg.jacobian, sg.jacfwd, sg.jacrev):
        assert made(lambda x: x * x[0], jit=False)(X, out=m) is m
        np.testing.assert_array_equal(m, [[4.0, 0.0, 0.0], [3.0, 2.0, 0.0], [4.0, 0.0, 2.0]])


def test_structures_of_arrays():
    def h(p):
        return p["w"][0] * p["b"].a[0] * p["n"]

    p = {"w": np.array([2.0]), "b": Pair(np.array([3.0], np.float32), None), "n": 5}
    out = {"w": np.empty(1), "b": Pair(np.empty(1, np.float32), None), "n": None}
    assert sg.grad(h, jit=False)(p, out=out) is out
    assert out["w"] == 15.0 and out["b"].a == 10.0
    with pytest.raises(sg.ArgumentError, match="structure"):
        sg.grad(h, jit=False)(p, out={"b": out["b"], "w": out["w"], "n": None})
    with pytest.raises(sg.ArgumentError, match=r"out\['n'\]"):
        sg.grad(h, jit=False)(p, out={**out, "n": 5})
    pair = (np.empty(3), np.empty(3))
    both = sg.grad(lambda x, y: x[0] * y[0], argnums=(0, 1), jit=False)
    assert both(X, X, out=pair) is pair
    np.testing.assert_array_equal(pair, [[2.0, 0.0, 0.0]] * 2)
    with pytest.raises(sg.ArgumentError, match="share memory"):
        both(X, X, out=(pair[0], pair[0]))


def test_out_may_be_an_argument():
    def chained(x):
        s = 0.0
        for i in range(1, len(x)):
            s += x[i - 1] * x[i]
        return s

    x = np.arange(1.0, 6.0)
    right = sg.grad(chained)(x)
    assert sg.grad(chained)(x, out=x) is x
    np.testing.assert_array_equal(x, right)
    whole = np.arange(1.0, 7.0)
    right = sg.grad(chained)(whole[:5])
    np.testing.assert_array_equal(sg.grad(chained)(whole[:5], out=whole[1:]), right)


@pytest.mark.parametrize(
    "out",
    [
        np.empty(4),
        np.empty((3, 1)),
        np.empty(3, np.float32),
        np.empty(3, int),
        [0.0] * 3,
        1.0,
        (np.empty(3),),
        np.matrix,
    ],
)
def test_what_does_not_fit_is_refused_and_left(out):
    if out is np.matrix:
        out = np.empty((1, 3)).view(np.matrix)
    before = np.array(out, copy=True) if isinstance(out, np.ndarray) else None
    with pytest.raises(sg.ArgumentError, match="out"):
        sg.grad(f, jit=False)(X, out=out)
    if before is not None:
        np.testing.assert_array_equal(out, before)


def test_what_cannot_be_written_into_is_refused():
    g = np.zeros(3)
    g.flags.writeable = False
    with pytest.raises(sg.ArgumentError, match="written into"):
        sg.grad(f, jit=False)(X, out=g)
    with pytest.raises(sg.ArgumentError, match="number"):
        sg.grad(lambda x: x * x, jit=False)(2.0, out=np.empty(()))
    with pytest.raises(TypeError, match="out"):
        sg.forward(f, jit=False)(X, X, out=np.empty(3))


def test_a_parameter_that_is_called_out_is_the_functions():
    d = sg.grad(lambda x, out=1.0: x * x * out, jit=False)
    assert d(3.0, out=2.0) == 12.0


def test_inside_compiled_code():
    d, vg = sg.grad(f), sg.value_and_grad(f)

    @numba.njit
    def descend(x, steps):
        x, g = x.copy(), np.empty_like(x)
        for _ in range(steps):
            d(x, out=g)
            x -= 0.01 * g
        value, same = vg(x, 1.0, out=g)
        return x, value, same, g

    x, value, same, g = descend(X, 3)
    right = X.copy()
    for _ in range(3):
        right -= 0.01 * d(right)
    np.testing.assert_allclose(x, right, rtol=1e-15)
    np.testing.assert_allclose(value, f(right, 1.0))
    np.testing.assert_allclose(g, d(right, 1.0))
    np.testing.assert_array_equal(same, g)

    @numba.njit
    def onto_itself(x):
        d(x, out=x)
        return x

    np.testing.assert_array_equal(onto_itself(X.copy()), G)

    @numba.njit
    def short(x):
        return d(x, out=np.empty(2))

    with pytest.raises(ValueError, match="shape of the gradient"):
        short(X)

    @numba.njit
    def narrow(x):
        return d(x, out=np.empty(3, np.float32))

    with pytest.raises(Exception, match="structure, shapes and dtypes"):
        narrow(X)
