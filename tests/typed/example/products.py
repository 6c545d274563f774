"""Tangents, adjoints and matrices of derivatives."""

from __future__ import annotations

from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray

import srcgrad as sg
from tests.typed.example.functions import Single, Vector, loss, moved, spread, untyped, wave

W = np.array([1.0, 2.0])
W4 = np.ones(2, np.float32)


def at_a_point() -> None:
    assert_type(sg.jvp(wave, (1.0,), (1.0,), jit=False), tuple[float, float])
    assert_type(sg.jvp(spread, [1.0, W], [1.0, None], jit=False), tuple[Vector, Vector])
    value, pullback = sg.vjp(spread, 1.0, W, jit=False)
    assert_type(value, Vector)
    assert_type(pullback(W), tuple[Any, ...])


def generated_functions() -> None:
    assert_type(sg.forward(loss, jit=False)(W, 2.0, W), tuple[float, float])
    assert_type(sg.forward(wave, (0,), jit=False)(1.0, 2, 1.0), tuple[float, float])
    assert_type(sg.reverse(loss, jit=False)(W, 2.0, 1.0), tuple[float, Vector])
    assert_type(sg.reverse(loss, jit=False)(W, 2.0, 1.0, scale=2.0), tuple[float, Vector])
    assert_type(sg.reverse(loss, (0, 1), jit=False)(W, 2.0, 1.0), tuple[float, tuple[Any, ...]])
    assert_type(sg.compiled(spread, jit=False)(2.0, x=W), Vector)


def jacobians() -> None:
    assert_type(sg.jacobian(wave, jit=False)(1.0), float)
    assert_type(sg.jacobian(loss, jit=False)(W, 1.0), Vector)
    assert_type(sg.jacfwd(spread, jit=False)(2.0, W), Vector)
    assert_type(sg.jacrev(moved, jit=False)(W4, W4), Single)
    assert_type(sg.jacobian(spread, (0, 1), jit=False)(2.0, W), Any)
    assert_type(sg.jacobian(moved, sparse=True, jit=False)(W4, W4), Any)
    assert_type(sg.jacobian(untyped, jit=False)(W, 2.0), Any)


def second_derivatives() -> None:
    assert_type(sg.hessian(wave, jit=False)(1.0), float)
    assert_type(sg.hessian(loss, jit=False)(W, 1.0), Vector)
    assert_type(sg.hessian(untyped, jit=False)(1.0, 2.0), Any)
    assert_type(sg.hvp(loss, jit=False)(W, 1.0, W), Vector)
    assert_type(sg.hvp(loss, (0,), jit=False)(W, 1.0, (W,)), tuple[Any, ...])
    derivatives = sg.scipy_derivatives(loss, jit=False)
    assert_type(derivatives.hessp(W, W, 2.0), Any)


def mapped() -> None:
    assert_type(sg.vmap(wave, jit=False)(W), NDArray[np.float64])
    assert_type(sg.vmap(sg.grad(wave), jit=False)(W), NDArray[np.float64])
    assert_type(sg.vmap(moved, in_axes=(0, None), jit=False)(np.ones((3, 2), np.float32), W4), Single)
    assert_type(sg.vmap(untyped, jit=False)(W, W), Any)
