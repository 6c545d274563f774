"""Lists of arrays: rows of one array where their lengths are known, as they are elsewhere; the same gradient."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.testing import check_grads


def plain(w, x):
    hs = []
    h = x
    for _ in range(len(x) + 1):
        h = np.tanh(w @ h)
        hs.append(h)
    total = 0.0
    for t in range(len(x) + 1):
        total += np.sum(hs[t] ** 2) * (t + 1)
    return total


def first_in_front(w, x):
    hs = [x]
    for t in range(len(x)):
        hs.append(np.sin(w @ hs[t]))
    return np.sum(hs[-1] * hs[0]) + np.sum(hs[1])


def of_the_one_before(w, x):
    hs = [x]
    for t in range(len(x)):
        hs.append(np.sin(hs[t]) * w[0, t])
    total = 0.0
    for t in range(len(hs)):
        total += np.sum(hs[t]) * (t + 1)
    return total


def of_the_two_before(w, x):
    hs = [x]
    hs.append(np.cos(w @ x))
    for t in range(2, len(x) + 2):
        hs.append(np.sin(w @ hs[t - 1]) + hs[t - 2])
    total = 0.0
    for t in range(len(hs)):
        total += np.sum(hs[t] * x)
    return total


def counted_down(w, x):
    hs = []
    for k in range(len(x), 0, -1):
        hs.append(w * k + np.sin(w))
    total = 0.0
    for k in range(len(x)):
        total += np.sum(hs[k] @ x) * (k + 1)
    return total


def two_lists(w, x):
    hs = []
    cs = []
    h = x
    c = np.zeros(len(x))
    for _ in range(len(x)):
        c = 0.5 * c + np.tanh(w @ h)
        h = np.sin(c)
        hs.append(h)
        cs.append(c)
    total = 0.0
    for t in range(len(x)):
        total += np.sum(hs[t] * cs[2 - t])
    return total


def appended_twice(w, x):
    hs = []
    for k in range(len(x)):
        h = np.exp(-x * k)
        hs.append(h)
        hs.append(w @ h)
    total = 0.0
    for k in range(len(hs)):
        total += np.sum(hs[k]) * (k + 1)
    return total


def written_into_later(w, x):
    hs = []
    h = w @ x
    for k in range(len(x)):
        hs.append(h)
        h[0] = h[0] * x[1] + k
    total = 0.0
    for k in range(len(x)):
        total += np.sum(hs[k] * x) * (k + 1)
    return total


def some_only(w, x):
    hs = []
    for k in range(len(x)):
        if x[k] > 0.0:
            hs.append(w[k] * x)
    total = 0.0
    for k in range(len(hs)):
        total += np.sum(hs[k] ** 2)
    return total


def of_other_lengths(w, x):
    hs = []
    for k in range(1, 4):
        hs.append(x[:k] ** 2)
    total = 0.0
    for k in range(len(x)):
        total += np.sum(hs[k]) * w[k, 0]
    return total


def none_at_all(w, x):
    hs = []
    for k in range(len(x) - 3):
        hs.append(w[k] * x)
    total = np.sum(x)
    for k in range(len(hs)):
        total += np.sum(hs[k])
    return total


def left_early(w, x):
    hs = []
    h = x
    for k in range(len(x) + 1):
        h = np.sin(w @ h)
        hs.append(h)
        if h[0] > 10.0 - k:
            break
    total = 0.0
    for k in range(len(hs)):
        total += np.sum(hs[k] ** 2)
    return total


ROWS = (plain, of_the_one_before, counted_down, none_at_all)
# of the first three: w may have another number of rows than of columns, or 1
LISTS = (
    first_in_front,
    of_the_two_before,
    two_lists,
    appended_twice,
    written_into_later,
    some_only,
    of_other_lengths,
    left_early,
)


def arguments() -> tuple[Any, ...]:
    rng = np.random.default_rng(3)
    return 0.5 * rng.normal(size=(3, 3)), np.array([0.4, -0.3, 0.7])


@pytest.mark.parametrize("fun", ROWS + LISTS, ids=lambda f: f.__name__)
def test_gradient(fun: Callable[..., Any]) -> None:
    args = arguments()
    value, bars = sg.value_and_grad(fun, argnums=(0, 1), jit=False)(*args)
    assert np.isclose(value, fun(*args), rtol=1e-14)
    for place, bar in enumerate(bars):
        assert np.allclose(bar, slopes(fun, args, place), rtol=1e-6, atol=1e-8)


def slopes(fun: Callable[..., Any], args: tuple[Any, ...], place: int) -> Any:
    """By central differences."""
    out = np.empty_like(args[place])
    for index in np.ndindex(*out.shape):
        values = []
        for step in (1e-6, -1e-6):
            moved = [a.copy() for a in args]
            moved[place][index] += step
            values.append(fun(*moved))
        out[index] = (values[0] - values[1]) / 2e-6
    return out


@pytest.mark.parametrize("fun", ROWS, ids=lambda f: f.__name__)
def test_second_derivatives(fun: Callable[..., Any]) -> None:
    check_grads(fun, arguments(), order=2, jit=False)


def appends(fun: Callable[..., Any]) -> bool:
    """Whether the generated code appends to the user's list."""
    source: str = sg.grad(fun, argnums=(0, 1), jit=False).source_for(*arguments())
    return any(re.match(r" +hs[_0-9]*\.append", line) for line in source.splitlines())


@pytest.mark.parametrize("fun", ROWS, ids=lambda f: f.__name__)
def test_rows(fun: Callable[..., Any]) -> None:
    assert not appends(fun)


@pytest.mark.parametrize("fun", LISTS, ids=lambda f: f.__name__)
def test_lists_where_rows_are_not_proved(fun: Callable[..., Any]) -> None:
    assert appends(fun)


def test_a_wrong_index_raises_as_before() -> None:
    def beyond(x: Any, n: int) -> Any:
        hs = []
        for k in range(n):
            hs.append(x * k)
        return np.sum(hs[3])

    assert np.allclose(sg.grad(beyond, jit=False)(np.ones(2), 4), 3.0)
    with pytest.raises(IndexError):
        sg.grad(beyond, jit=False)(np.ones(2), 3)
