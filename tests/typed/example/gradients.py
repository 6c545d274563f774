"""Gradients: of the first parameter's type, for calls with the function's parameters."""

from __future__ import annotations

from typing import Any, assert_type

import numpy as np

import srcgrad as sg
from tests.typed.example.functions import Line, Single, Vector, loss, loss_and_text, misfit, moved, untyped, wave

W = np.array([1.0, 2.0])


def of_numbers() -> None:
    slope = sg.grad(wave, jit=False)
    assert_type(slope(1.0), float)
    assert_type(slope(1.0, n=2), float)
    assert_type(sg.grad(sg.grad(wave, jit=False), jit=False)(1.0), float)
    assert_type(sg.grad(untyped, jit=False)(1.0, 2.0), Any)
    assert_type(slope.source, str)


def of_arrays_and_structures() -> None:
    assert_type(sg.grad(loss, jit=False)(W, 2.0, scale=3.0), Vector)
    assert_type(sg.grad(loss, jit=False)(W, 2.0, out=np.empty(2)), Vector)
    assert_type(sg.grad(misfit, mode="forward", jit=False)(Line(1.0, 2.0), W, W), Line)
    assert_type(sg.value_and_grad(misfit, jit=False)(Line(1.0, 2.0), W, W), tuple[float, Line])


def by_several() -> None:
    both = sg.grad(loss, argnums=(0, "x"), jit=False)
    assert_type(both(W, 2.0, scale=3.0), tuple[Any, ...])
    assert_type(sg.grad(loss, "x", jit=False)(W, 2.0), Any)
    assert_type(sg.value_and_grad(loss, (0, 1), jit=False)(W, 2.0), tuple[float, tuple[Any, ...]])
    assert_type(sg.value_and_grad(loss, 1, jit=False)(W, 2.0), tuple[float, Any])


def with_more_than_a_value() -> None:
    assert_type(sg.grad(loss_and_text, has_aux=True, jit=False)(W, 2.0), tuple[Vector, str])
    assert_type(sg.value_and_grad(loss_and_text, has_aux=True, jit=False)(W, 2.0), tuple[tuple[float, str], Vector])


@sg.grad(jit=False)
def decorated(x: float, y: float) -> float:
    return x * y


@sg.grad(argnums=("x", "y"), jit=False)
def decorated_by_both(x: float, y: float) -> float:
    return x * y


@sg.value_and_grad(jit=False)
def decorated_value(x: float, y: float) -> float:
    return x * y


def by_decorators() -> None:
    assert_type(decorated(2.0, y=3.0), float)
    assert_type(decorated_by_both(2.0, y=3.0), tuple[Any, ...])
    assert_type(decorated_value(2.0, y=3.0), tuple[float, float])


class Model:
    """A class with a method that is differentiated."""

    def __init__(self, scale: float) -> None:
        self.scale = scale

    def energy(self, x: float) -> float:
        return self.scale * x * x

    def force(self, x: float) -> float:
        return assert_type(sg.grad(self.energy, jit=False)(x), float)


def of_methods() -> None:
    assert_type(Model(2.0).force(3.0), float)


def of_other_precision() -> None:
    x = np.ones(2, np.float32)
    _, pullback = sg.vjp(moved, x, x, jit=False)
    assert_type(sg.vjp(moved, x, x, jit=False)[0], Single)
    assert_type(pullback(x), tuple[Any, ...])
