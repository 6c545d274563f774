"""Lists that grew in a loop, and comprehensions, stacked and joined."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import srcgrad as sg
from tests.frontend.as_written import VECTOR, Programs, check

programs = Programs()


@programs.at(VECTOR)
def stacked(x):
    out = []
    for i in range(len(x)):
        out.append(np.sin(x * i))
    return np.sum(np.stack(out) ** 2 * np.arange(3.0))


@programs.at(VECTOR)
def stacked_in_a_while(x):
    out = []
    y = x
    while np.sum(y) < 20:
        y = y * 1.5
        out.append(y)
    return np.sum(np.vstack(out)[1:] ** 2)


@programs.at(VECTOR)
def of_other_lengths(x):
    out = []
    for i in range(len(x)):
        out.append(x[:i] * x[i])
    return np.sum(np.concatenate(out) ** 2)


@programs.at(VECTOR)
def in_a_row(x):
    n = len(x)
    return np.sum(np.hstack([x * x[i] for i in range(n)]) ** 3)


@programs.at(VECTOR)
def along_another_axis(x):
    n = len(x)
    return np.sum(np.stack([np.outer(x, x) * i for i in range(n)], axis=1)[:, 2] ** 2)


@programs.at(VECTOR)
def along_the_last_axis(x):
    n = len(x)
    out = [x]
    for i in range(n):
        out.append(out[-1] * x)
    return np.sum(np.stack(out, axis=-1) @ np.arange(n + 1.0))


@programs.at(VECTOR)
def as_columns(x):
    n = len(x)
    return np.sum(np.column_stack([x * i for i in range(n)]) @ x)


@programs.at(VECTOR)
def along_either_axis(x):
    blocks = []
    for i in range(len(x)):
        blocks.append(np.outer(x, x) + i)
    return np.sum(np.concatenate(blocks, axis=1) @ np.concatenate(blocks, axis=0))


@programs.at(VECTOR)
def of_other_heights(x):
    blocks = []
    for i in range(len(x)):
        blocks.append(np.ones((i + 1, 3)) * x[i] * x)
    return np.sum(np.vstack(blocks) ** 2)


@programs.at(VECTOR)
def numbers(x):
    n = len(x)
    return np.sum(np.hstack([x[i] * i for i in range(n)]) ** 2 * np.stack([x[i] for i in range(n)]))


@programs.at(VECTOR)
def some_of_them(x):
    n = len(x)
    out = []
    for i in range(n):
        if x[i] > 0.5:
            out.append(x * x[i])
    return np.sum(np.mean(np.array(out), axis=0) * np.concatenate(out)[:3])


@programs.at(VECTOR)
def in_depth(x):
    out = []
    for i in range(len(x)):
        out.append(np.append(x[i], x[i] ** 2))
    return np.sum(np.hstack(out) * np.dstack(out).ravel())


@programs.at(VECTOR)
def of_one_each(x):
    out = []
    for i in range(len(x)):
        out.append(np.atleast_1d(x[i] * i))
    tail = np.concatenate(out)
    return np.sum(tail**2)


@programs.at(VECTOR)
def read_as_it_grows(x):
    xs = [x]
    for i in range(3):
        xs.append(xs[i] * 2 + x)
    return np.sum(np.stack(xs)[:, 1] * np.arange(4.0))


@pytest.mark.parametrize(("fun", "args"), programs.all, ids=programs.names)
def test_its_derivatives(fun: Any, args: tuple[Any, ...]) -> None:
    check(fun, args)


def test_compiled() -> None:
    check(of_other_lengths, (VECTOR,), jit=True)


@pytest.mark.parametrize("join", [np.stack, np.concatenate, np.hstack, np.vstack, np.dstack, np.column_stack])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_as_numpy_joins_the_rows_of_an_array(join: Any, rank: int) -> None:
    def joined(x, y):
        out = []
        for i in range(len(x)):
            out.append(y * x[i])
        return join(out)

    y = np.arange(2.0 * 3 * 4).reshape((2, 3, 4))[(0,) * (3 - rank)]
    got, _ = sg.vjp(joined, VECTOR, y, jit=False)
    np.testing.assert_allclose(got, joined(VECTOR, y), rtol=1e-14)


def test_lengths_that_do_not_fit_are_an_error() -> None:
    def f(x, n):
        out = []
        for i in range(n):
            out.append(np.ones((2, i + 1)) * x)
        return np.sum(np.concatenate(out))

    with pytest.raises(sg.ShapeError, match="the arrays that are joined have different lengths"):
        sg.grad(f, jit=False)(1.5, 3)
