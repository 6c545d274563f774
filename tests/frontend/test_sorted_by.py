"""`sorted` and `sort` with a key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.errors import SrcgradError

X = np.array([0.7, 0.3, 1.2, 0.9, 0.5])


class Task(NamedTuple):
    length: float
    weight: float


def tuples(x):
    pairs = sorted([(x[i] * (-1) ** i, i) for i in range(5)], key=lambda pair: pair[0])
    return sum([value * (k + 1) * (place + 2) for k, (value, place) in enumerate(pairs)])


def downwards(x):
    items = sorted([v * v for v in x], key=lambda v: abs(v - 0.6), reverse=True)
    return items[0] * 3.0 + items[1] * items[4]


def schedule(x):
    tasks = [Task(x[0], 1.0), Task(x[1], x[2]), Task(x[3] * x[4], 2.0)]
    tasks.sort(key=lambda task: task.length / task.weight)
    now, total = 0.0, 0.0
    for task in tasks:
        now += task.length
        total += task.weight * now
    return total


def of_an_array(x):
    items = sorted(x, key=lambda v: -v)
    return items[0] * 2.0 + items[1] * items[2]


def stable(x):
    items = sorted([(1.0, x[0]), (0.0, x[1]), (1.0, x[2]), (0.0, x[3])], key=lambda item: item[0], reverse=True)
    return sum([(k + 1) * item[1] for k, item in enumerate(items)])


@pytest.mark.parametrize("fun", [tuples, downwards, schedule, of_an_array, stable])
def test_right(fun: Callable[[Any], Any]) -> None:
    value, slope = sg.value_and_grad(fun, jit=False)(X)
    assert value == pytest.approx(fun(X.copy()))
    expected = [(fun(X + h) - fun(X - h)) / 2e-6 for h in 1e-6 * np.eye(5)]
    np.testing.assert_allclose(slope, expected, rtol=1e-6, atol=1e-8)
    tangent = sg.jvp(fun, (X,), (X**2,), jit=False)[1]
    assert tangent == pytest.approx(slope @ X**2)


def test_compiled() -> None:
    np.testing.assert_allclose(sg.grad(schedule)(X), sg.grad(schedule, jit=False)(X), rtol=1e-12)


def test_of_a_list_of_unknown_length_it_says_what_to_write() -> None:
    def grown(x, n):
        items = []
        for i in range(n):
            items.append(x[i])
        items.sort(key=lambda v: -v)
        return items[0]

    with pytest.raises(SrcgradError, match="`key` of a list of unknown length"):
        sg.grad(grown, jit=False)(X, 3)
