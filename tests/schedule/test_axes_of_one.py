"""Axes of length 1 that come and go are no work: what is compiled goes through pairs without arrays of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import srcgrad as sg
from tests.benchmarks.workloads.motion import n_body
from tests.schedule.in_loops import source_in_loops, value_and_grad_in_loops

Function = Callable[..., Any]
RNG = np.random.default_rng(3)


def pairs(x: Any, y: Any) -> Any:
    return np.sum(np.exp(-((x[:, np.newaxis] - y[np.newaxis, :]) ** 2)))


def weights_of_pairs(x: Any, y: Any) -> Any:
    apart = x[:, None, :] - y[None, :, :]
    near = np.exp(-np.sum(apart * apart, axis=2))
    return np.sum(np.sum(near[:, :, None] * apart, axis=1) ** 2)


def in_steps(x: Any, y: Any) -> Any:
    for _ in range(3):
        x = x + 0.1 * np.sum(np.tanh(x[:, np.newaxis, :] - y[np.newaxis, :, :]), axis=1)
    return np.sum(x * x)


def kept_axes(x: Any, y: Any) -> Any:
    far = np.sum(x * x, axis=1, keepdims=True)
    return np.sum(np.sqrt(far + np.sum(y * y, axis=1)[None, :]))


def reshaped(x: Any, y: Any) -> Any:
    a = np.sum(x * x, axis=1).reshape((len(x), 1))
    b = np.sum(y * y, axis=1).reshape((1, len(y)))
    return np.sum((a * b) ** 2)


def written(x: Any, y: Any) -> Any:
    out = np.zeros((len(x), len(y)))
    view = out.reshape((len(x), len(y), 1))
    view[:, :, 0] += np.sum(x, axis=1)[:, None]
    return np.sum(out * out) + np.sum(y)


MATRICES = (RNG.normal(size=(4, 3)), RNG.normal(size=(5, 3)))
EMPTY = (np.zeros((0, 3)), RNG.normal(size=(5, 3)))
CASES: list[tuple[Function, tuple[Any, ...]]] = [
    (pairs, (RNG.normal(size=4), RNG.normal(size=6))),
    (pairs, (RNG.normal(size=4), np.zeros(0))),
    *((fun, args) for fun in (weights_of_pairs, in_steps, kept_axes, reshaped, written) for args in (MATRICES, EMPTY)),
]


@pytest.mark.parametrize(("fun", "args"), CASES, ids=lambda a: getattr(a, "__name__", None))
def test_loops_compute_what_arrays_do(fun: Function, args: tuple[Any, ...]) -> None:
    value, bars = sg.value_and_grad(fun, argnums=(0, 1), jit=False)(*args)
    again, others = value_and_grad_in_loops(fun, (0, 1))(*args)
    assert again == pytest.approx(value, rel=1e-13)
    for bar, other in zip(bars, others, strict=True):
        np.testing.assert_allclose(other, bar, rtol=1e-12, atol=1e-14)


def test_bodies_are_taken_by_pairs() -> None:
    args = (RNG.normal(size=(3, 3)), RNG.normal(size=(3, 3)), np.ones(3), 0.1, 2)
    source = source_in_loops(n_body, args)
    assert "reshape" not in source
    assert "//" not in source
    assert "np.empty((n, n" not in source
