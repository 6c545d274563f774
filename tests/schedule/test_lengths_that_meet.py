"""Where lengths must fit together, loops over elements raise as NumPy does: nothing is read or written out of range."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.compiler import find_or_make


def parts(x, y):
    return np.sum(x[1:] * y[:-1])


def joined(x, y):
    return np.sum(np.concatenate((x, y)) * x[0] + x)


def strided(x, y):
    z = np.concatenate((x, y))[::2]
    z = z + x
    return np.sum(z * z)


def dotted(x, y):
    return np.dot(x[1:], y)


def differences(x, y):
    return np.sum(np.diff(x) * y)


def reshaped(x, y):
    z = np.reshape(x, (2, 2)) * y[0]
    return np.sum(z * z)


def halves(x, y):
    z = x.reshape(2, -1)
    return np.sum(z[0] * z[1]) + y[0]


def tiled(x, y):
    return np.sum(np.tile(x, 2) * y)


def repeated(x, y):
    return np.sum(np.repeat(x, 2) * y)


def of_literal_length(x, y):
    return np.sum(np.linspace(x[0], x[1], 4) * y)


def ends(x, y):
    return np.sum(x[:3] * y[-3:])


def prefixes(x, y):
    s = 0.0
    for i in range(len(x)):
        s = s + np.sum(x[:i] * y[:i])
    return s


def windows(x, y):
    s = 0.0
    for i in range(2):
        s = s + np.sum(x[i : i + 2] * y)
    return s


def shifted(x, y):
    z = x.copy()
    z[1:] = z[:-1] + y
    return np.sum(z * z)


def added(x, y):
    z = x.copy()
    z[1:] += z[:-1] * y
    return np.sum(z * z)


def diagonal(x, y):
    return np.sum(np.diag(np.outer(x, y)) * y)


def by_places(x, y):
    i, j = np.array([0, 1, 0]), np.argsort(y)
    return np.sum(np.outer(x, x)[i, j] ** 2)


def squeezed(x, y):
    z = np.squeeze(np.outer(x, y), axis=1)
    return np.sum(z * x)


FUNCTIONS: list[Callable[..., Any]] = [
    parts, joined, strided, dotted, differences, reshaped, halves, tiled, repeated, of_literal_length, ends, prefixes,
    windows, shifted, added, diagonal, by_places, squeezed,
]  # fmt: skip
LENGTHS = [(4, 4), (4, 3), (3, 4), (4, 1), (2, 4), (4, 2), (4, 8), (3, 1)]


@pytest.fixture(autouse=True)
def as_loops(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(find_or_make.UNJITTED, "loops", True)
    yield


def numbers(*lengths: int) -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    return [rng.uniform(0.5, 4.0, n) for n in lengths]


@pytest.mark.parametrize("fun", FUNCTIONS, ids=lambda f: f.__name__)
def test_they_raise_where_numpy_does(fun: Callable[..., Any]) -> None:
    derivative = sg.value_and_grad(fun, argnums=(0, 1), jit=False, cache=False)
    raised = 0
    for lengths in LENGTHS:
        x, y = numbers(*lengths)
        try:
            value = fun(x, y)
        except (ValueError, IndexError):
            raised += 1
            with pytest.raises((ValueError, IndexError)):
                derivative(x, y)
        else:
            assert derivative(x, y)[0] == pytest.approx(value, rel=1e-12)
    assert 0 < raised < len(LENGTHS) or fun is joined


@pytest.mark.parametrize("fun", [parts, repeated, windows], ids=lambda f: f.__name__)
def test_the_error_names_the_line(fun: Callable[..., Any]) -> None:
    derivative = sg.grad(fun, argnums=(0, 1), jit=False, cache=False)
    with pytest.raises(sg.SrcgradError, match="do not fit together") as caught:
        derivative(*numbers(5, 3))
    assert __file__ in str(caught.value) and "^" in str(caught.value)


def test_compiled_code_raises_it_too() -> None:
    derivative = sg.value_and_grad(parts, argnums=(0, 1))
    with pytest.raises(sg.SrcgradError, match="do not fit together"):
        derivative(*numbers(5, 3))
    assert derivative(*numbers(4, 4))[0] == pytest.approx(parts(*numbers(4, 4)), rel=1e-12)


def gathered(x, places):
    y = x[places] * 2.0
    return np.sum(y * y)


def test_no_place_out_of_range_is_written_before_it_is_told() -> None:
    derivative = sg.grad(gathered, jit=False, cache=False)
    with pytest.raises(IndexError, match="out of range"):
        derivative(numbers(3)[0], np.array([0, 7]))
    source = derivative.source.splitlines()
    (raising,) = (k for k, line in enumerate(source) if "raise IndexError" in line)
    assert all(k > raising for k, line in enumerate(source) if "x_bar[" in line and "+=" in line)


@sg.custom_jvp
def shorter(x):
    return np.sin(x)


shorter.defjvp(lambda primals, tangents: (np.sin(primals[0])[1:], np.cos(primals[0]) * tangents[0]))


def ruled(x):
    return np.sum(shorter(x) * x)


def test_a_length_of_1_that_meets_none_is_not_repeated() -> None:
    """What a test lets pass where the other may be repeated is tested again where it may not."""
    with pytest.raises(ValueError):
        sg.hvp(ruled, jit=False, cache=False)(np.ones(1), np.ones(1))
