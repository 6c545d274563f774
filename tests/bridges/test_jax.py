"""Functions of NumPy arrays as functions of JAX's arrays."""

from __future__ import annotations

import numpy as np
import pytest

import srcgrad as sg
from tests.bridges.functions import energy, nested, oscillator, overwrites, scalar

jax = pytest.importorskip("jax", reason="JAX is not installed")


@pytest.fixture(autouse=True)
def doubles():
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


CASES = {
    "energy": (energy, lambda: (jax.numpy.array([1.0, 2.0]), 3.0)),
    "scalar": (scalar, lambda: (0.7,)),
    "oscillator": (lambda p: oscillator(p, 7), lambda: (jax.numpy.array([2.0, 0.3]),)),
    "overwrites": (overwrites, lambda: (jax.numpy.array([1.5, -2.0]),)),
}


@pytest.mark.parametrize("case", CASES)
def test_first_and_second_derivatives(case):
    from jax.test_util import check_grads

    fun, args = CASES[case]
    check_grads(sg.as_jax_function(fun, jit=False), args(), 2)


def test_structures_go_in_and_out():
    f = sg.as_jax_function(nested, jit=False)
    p = {"w": jax.numpy.array([0.1, 0.2, 0.3]), "b": 2.0}
    s, rest = f(p, 3)
    assert s.shape == (3,) and int(rest["n"]) == 3
    found = jax.grad(lambda p: f(p, 3)[1]["total"])(p)
    expected = sg.grad(lambda p: nested(p, 3)[1]["total"], jit=False)({"w": np.array([0.1, 0.2, 0.3]), "b": 2.0})
    assert np.asarray(found["w"]) == pytest.approx(expected["w"]) and float(found["b"]) == pytest.approx(expected["b"])


def test_jit_vmap_and_matrices():
    f, x = sg.as_jax_function(energy, jit=False), jax.numpy.array([1.0, 2.0])
    assert float(jax.jit(f)(x, 3.0)) == 7.5
    assert jax.jit(jax.grad(f))(x, 3.0).tolist() == [3.0, 6.0]
    rows = jax.numpy.stack([x, 2.0 * x])
    assert jax.jit(jax.vmap(jax.grad(f), (0, None)))(rows, 3.0).tolist() == [[3.0, 6.0], [6.0, 12.0]]
    assert jax.hessian(f)(x, 3.0).tolist() == [[3.0, 0.0], [0.0, 3.0]]
    g = sg.as_jax_function(overwrites, jit=False)
    assert jax.jacfwd(g)(x).tolist() == jax.jacrev(g)(x).tolist() == [[4.0, 2.0], [0.0, 2.0]]


def test_single_precision_stays():
    jax.config.update("jax_enable_x64", False)
    f = sg.as_jax_function(energy, jit=False)
    assert jax.grad(f)(jax.numpy.array([1.0, 2.0]), 3.0).dtype == np.float32


def test_the_shape_of_the_result_may_be_told():
    def filled(x, n):
        out = np.zeros(3)
        for i in range(3):
            out[i] = x * n
        return out

    told = lambda x, n: jax.ShapeDtypeStruct((3,), np.float64)  # noqa: E731
    f = sg.as_jax_function(filled, out=told, jit=False)
    assert jax.jacfwd(f)(2.0, 3).tolist() == [3.0, 3.0, 3.0]
