"""Slices whose ends are multiples of another length (the gates of an LSTM) have that length, where the arrays are as
long as they look; for other arrays there is other code, which is as right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import srcgrad as sg
from tests.schedule.in_loops import source_in_loops, value_and_grad_in_loops


def gates(z, b):
    n = len(b)
    c = np.zeros(n)
    for _ in range(3):
        c = z[:n] * c + z[n : 2 * n] * np.tanh(z[2 * n :]) * b
    return np.sum(c * c)


def two_parts(z, b):
    n = len(b)
    return np.sum(z[:n] * b) + np.sum(z[n:] ** 2 * b)


def columns(z, b):
    """Of a matrix, from the other side, the first of them changed in place."""
    n = b.shape[0]
    w = np.outer(b, z)
    w[:, :n] += w[:, n * 2 :] * b
    return np.sum(w[:, n : n * 2] * w[:, :n] * b)


def kept_in_a_list(z, b):
    n = len(b)
    h, hs = np.zeros(n), []
    for t in range(3):
        h = np.tanh(z[n : 2 * n] * h + z[2 * n : 3 * n] + t * b)
        hs.append(h)
    return sum([np.sum(h * b) for h in hs])


def overlapping(z, b):
    n = len(b)
    return np.sum(z[n : 3 * n][:n] * b) + np.sum(z[: 2 * n][n:] * b * b)


def reset(z, b):
    n = len(b)
    h = np.ones(n)
    for _ in range(2):
        new = np.tanh(z[2 * n :] * h)
        h = (1.0 - z[:n]) * new + z[:n] * h
        h = b * h
    return np.sum(h)


def backwards(z, b):
    n = len(b)
    return np.sum(z[2 * n : n : -1] * b) + np.sum(z[n : 2 * n] * b[::-1])


def nothing_left(z, b):
    n = len(b)
    return np.sum(z[2 * n : n] * b[:0]) + np.sum(z[: 2 * n] ** 2)


def stencil(z, b):
    n = len(b)
    lap = z[: n + 2] - 2.0 * z[1 : n + 3] + z[2 : n + 4]
    flux = lap[1 : n + 2] - lap[:-1]
    return np.sum(b * (flux[1:] - flux[: n + 1][:-1] ** 2)) if len(z) == n + 4 else np.sum(flux)


def shortened(z, b):
    n = len(b) - 1
    return np.sum(z[1 : n + 1] * b[1:]) + np.sum(z[: 2 * n + 1][n:] * b)


def few(z, b):
    return np.sum(z[0:2] * b[:2]) + np.sum(z[2:4] * b[1:3]) * z[-1]


def other_lengths(z, b):
    n = len(b)
    w = z[n - 1 : 2 * n - 1] * b
    return np.sum(w[: n - 1] * z[: n - 1]) + np.sum(w * w[::-1])


FUNCTIONS: list[Callable[..., Any]] = [
    gates, two_parts, columns, kept_in_a_list, overlapping, reset, backwards, nothing_left, stencil,
    shortened, few, other_lengths,
]  # fmt: skip
LENGTHS = [
    (9, 3),
    (6, 3),
    (7, 3),
    (8, 3),
    (4, 3),
    (3, 3),
    (1, 3),
    (3, 1),
    (2, 1),
    (1, 1),
    (7, 2),
    (6, 2),
    (5, 2),
    (12, 3),
]


def arguments(lengths: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    z, b = (rng.uniform(0.2, 1.0, n) for n in lengths)
    return z, b


@pytest.mark.parametrize("fun", FUNCTIONS, ids=lambda f: f.__name__)
def test_of_whatever_lengths_it_is_what_numpy_makes_of_it(fun: Callable[..., Any]) -> None:
    derivative = value_and_grad_in_loops(fun, argnums=(0, 1))
    as_arrays = sg.value_and_grad(fun, argnums=(0, 1), jit=False)
    fitting = 0
    for lengths in LENGTHS:
        args = arguments(lengths)
        try:
            expected = fun(*args)
        except ValueError:
            for made in (derivative, as_arrays):
                with pytest.raises(ValueError):
                    made(*args)
            continue
        fitting += 1
        for value, grads in (derivative(*args), as_arrays(*args)):
            assert value == pytest.approx(expected, rel=1e-12)
            for k, grad in enumerate(grads):
                np.testing.assert_allclose(grad, by_differences(fun, args, k), rtol=1e-5, atol=1e-8)
    assert fitting >= 2


def by_differences(fun: Callable[..., Any], args: tuple[np.ndarray, np.ndarray], k: int, step: float = 1e-6) -> Any:
    out = np.zeros_like(args[k])
    for i in range(len(out)):
        ends = []
        for sign in (1.0, -1.0):
            moved = [a.copy() for a in args]
            moved[k][i] += sign * step
            ends.append(fun(*moved))
        out[i] = (ends[0] - ends[1]) / (2.0 * step)
    return out


@pytest.mark.parametrize("fun", [gates, kept_in_a_list, reset], ids=lambda f: f.__name__)
def test_what_goes_round_has_one_length(fun: Callable[..., Any]) -> None:
    """So it lies in rows, and no loop asks for a length."""
    source = source_in_loops(fun, arguments((9, 3)), (0, 1))
    assert "[none]" not in source and "step" not in source and "do not fit together: " not in source


def test_mapped_over_either_argument() -> None:
    zs, bs = np.random.default_rng(1).uniform(size=(2, 4, 9)), np.random.default_rng(2).uniform(size=(4, 3))
    b = bs[0]
    mapped = sg.vmap(gates, in_axes=(1, None), jit=False)
    np.testing.assert_allclose(mapped(zs[0].T.copy(), b), [gates(z, b) for z in zs[0]], rtol=1e-12)
    both = sg.vmap(gates, in_axes=(0, 0), jit=False)
    np.testing.assert_allclose(both(zs[1], bs), [gates(z, b) for z, b in zip(zs[1], bs, strict=True)], rtol=1e-12)
    short = zs[0][:, :3].copy(), bs[:, :1].copy()  # parts of one element: other code
    np.testing.assert_allclose(both(*short), [gates(z, b) for z, b in zip(*short, strict=True)], rtol=1e-12)


def captured(z):
    return gates(z, WEIGHTS)


WEIGHTS = np.array([0.5, 0.25, 0.75])


def test_compiled_and_of_a_captured_array() -> None:
    z, _ = arguments((9, 3))
    for derivative in (sg.value_and_grad(captured), sg.value_and_grad(captured, jit=False)):
        value, grad = derivative(z)
        assert value == pytest.approx(gates(z, WEIGHTS), rel=1e-12)
        np.testing.assert_allclose(grad, by_differences(gates, (z, WEIGHTS), 0), rtol=1e-5)
    with pytest.raises(sg.SrcgradError, match="do not fit together"):
        sg.value_and_grad(captured)(z[:8])
