"""Compiled loops around linear algebra, whose results lie in memory that is made in front of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import srcgrad as sg
from tests.benchmarks.generated import allocations_in_loops

RNG = np.random.default_rng(8)


def systems(a: Any, b: Any, n: int) -> Any:
    x, s = np.ones(len(a)), 0.0
    y = np.ones((len(a), 2))
    for _ in range(n):
        x = np.linalg.solve(a, x + b)
        y = np.linalg.solve(a.T, y * 0.5)
        p = a @ np.linalg.inv(a + np.outer(x, x))
        s += np.log(np.abs(np.linalg.det(p + a @ a.T))) + np.sum(y)
    return s + np.sum(x)


def rotated(a: Any, x: Any, n: int) -> Any:
    """The result of one iteration is what the next reads, under the same name and under another."""
    before = x
    for i in range(n):
        x, before = a @ x + 0.5 * before, x
        if i % 2:
            x = np.tanh(x @ a)
    return np.sum(x * before)


def kept(a: Any, x: Any, n: int) -> Any:
    rows = []
    for _ in range(n):
        x = a @ x
        rows.append(x)
    s = 0.0
    for row in rows:
        s += np.sum(row) * row[0]
    return s


def matmul_into(a: Any, x: Any, n: int) -> Any:
    """A function that is named as one that it needs."""
    s = 0.0
    for _ in range(n):
        s += np.sum(a @ x.reshape(-1, 1) * s + a @ a)
    return s


a, x = 0.4 * RNG.normal(size=(3, 3)) + np.eye(3), RNG.normal(size=3)
PROGRAMS = {f.__name__: f for f in (systems, rotated, kept, matmul_into)}


@pytest.mark.parametrize("name", PROGRAMS)
def test_compiled_as_un_jitted(name: str) -> None:
    for size in (3, 7):
        a = 0.2 * RNG.normal(size=(size, size)) + np.eye(size)
        args = a, RNG.normal(size=size), 4
        got = sg.value_and_grad(PROGRAMS[name], argnums=(0, 1))(*args)
        expected = sg.value_and_grad(PROGRAMS[name], argnums=(0, 1), jit=False)(*args)
        assert got[0] == pytest.approx(expected[0], rel=1e-10)
        for one, other in zip(got[1], expected[1], strict=True):
            np.testing.assert_allclose(one, other, 1e-8, 1e-10)


def test_no_array_is_made_in_the_loops() -> None:
    source = sg.value_and_grad(systems, argnums=(0, 1)).source_for(a, x, 4)
    assert allocations_in_loops(source) == 0


def test_an_operand_is_never_written_into() -> None:
    def power(a: Any, n: int) -> Any:
        p = a.copy()
        for _ in range(n):
            p = p @ a
            p[:] = a.T @ p
        return np.sum(p)

    value, grad = sg.value_and_grad(power)(a, 3)
    expected, wanted = sg.value_and_grad(power, jit=False)(a, 3)
    assert value == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(grad, wanted, 1e-11)


def test_a_singular_matrix_raises_in_the_loop() -> None:
    def f(a: Any, n: int) -> Any:
        s = 0.0
        for i in range(n):
            s += np.sum(np.linalg.inv(a * (2 - i)))
        return s

    assert sg.grad(f)(a, 2).shape == (3, 3)
    with pytest.raises(np.linalg.LinAlgError, match="Singular"):
        sg.grad(f)(a, 3)
