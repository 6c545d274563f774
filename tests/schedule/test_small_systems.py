"""Inverses, determinants and linear systems of up to four rows in scalars, beside LAPACK's."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import srcgrad as sg
from tests.schedule.in_loops import value_and_grad_in_loops

RNG = np.random.default_rng(5)


def matrix_of(n: int) -> str:
    return "[" + ", ".join("[" + ", ".join(f"x[{i * n + j}]" for j in range(n)) + "]" for i in range(n)) + "]"


USES = {
    "solve": "np.sum(np.linalg.solve(a, a[0]) * w) + np.sum(np.linalg.solve(a.T, w) * a[:, 0])",
    "solve_columns": "np.sum(np.linalg.solve(a, a * w) * a.T)",
    "inv": "np.sum(np.linalg.inv(a) * w)",
    "det": "np.linalg.det(a)",
    "slogdet_of_products": "np.log(np.abs(np.linalg.det(a @ a.T))) + np.trace(a @ np.linalg.inv(a.T))",
    "outer": "np.linalg.det(np.outer(w, a[0]) + a)",
}


def program(name: str, n: int) -> Any:
    text = f"def f(x):\n    a = np.array({matrix_of(n)})\n    w = np.array({[0.5 + k for k in range(n)]})\n"
    return sg_source(f"{text}    return {USES[name]}\n", f"{name}_{n}")


def sg_source(text: str, name: str) -> Any:
    import linecache

    file = f"<{name}>"
    linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    space: dict[str, Any] = {"np": np}
    exec(compile(text, file, "exec"), space)
    return space["f"]


@pytest.mark.parametrize(("name", "n"), [*itertools.product(USES, (1, 2, 3, 4))])
def test_agrees_with_lapack(name: str, n: int) -> None:
    f = program(name, n)
    loops = value_and_grad_in_loops(f)
    for trial in range(6):
        a = RNG.normal(size=(n, n))
        if trial > 2:  # rows change places in every order, with pivots of 0 and small ones
            a = np.eye(n)[RNG.permutation(n)] + (trial - 3) * 1e-3 * a
        x = a.ravel()
        got, expected = loops(x), sg.value_and_grad(f, jit=False)(x)
        assert got[0] == pytest.approx(expected[0], rel=1e-10, abs=1e-12)
        np.testing.assert_allclose(got[1], expected[1], 1e-8, 1e-9)


@pytest.mark.parametrize("n", (2, 3, 4))
def test_singular_matrices(n: int) -> None:
    """Whose determinant has a derivative."""
    x = np.ones(n * n)
    x[0] = 2.0
    for other in (x, np.zeros(n * n), np.arange(n * n) * 1.0):
        got = value_and_grad_in_loops(program("det", n))(other)
        expected = sg.value_and_grad(program("det", n), jit=False)(other)
        assert got[0] == pytest.approx(expected[0], abs=1e-12)
        np.testing.assert_allclose(got[1], expected[1], 1e-9, 1e-12)
    for name in ("inv", "solve"):
        with pytest.raises(np.linalg.LinAlgError, match="Singular"):
            value_and_grad_in_loops(program(name, n))(np.ones(n * n))


def test_what_is_foreseen_is_what_is_done() -> None:
    def f(x: Any) -> Any:
        a = np.array([[x[0], x[1]], [x[2], x[3]]])
        s = 0.0
        for _ in range(2):
            try:
                y = np.linalg.solve(a, np.array([1.0, 2.0]))
            except np.linalg.LinAlgError:
                y = np.array([x[0], x[1]])
            s += np.sum(y) ** 2
        return s

    for x in (np.array([1.0, 2.0, 2.0, 4.0]), np.array([1.0, 2.0, 2.0, 5.0]), np.array([0.1, 0.3, 0.2, 0.6])):
        got, expected = value_and_grad_in_loops(f)(x), sg.value_and_grad(f, jit=False)(x)
        assert got[0] == pytest.approx(expected[0])
        np.testing.assert_allclose(got[1], expected[1])


def test_no_call_is_left_in_compiled_code() -> None:
    source = sg.value_and_grad(program("slogdet_of_products", 3)).source_for(np.arange(9.0))
    lines = [line for line in source.splitlines() if "#" not in line]
    assert not any(word in line for line in lines for word in ("np.linalg", "matmul", "inv(", "det("))


def test_more_rows_stay_a_call() -> None:
    source = sg.value_and_grad(program("inv", 5)).source_for(np.arange(25.0))
    assert "    return np.linalg.inv(a)" in source


def many(x: Any) -> Any:
    a = np.array([[x[0], x[1], 0.5], [x[2], x[3], 0.25], [1.0, 0.5, 2.0]])
    total = 0.0
    total += np.sum(np.linalg.inv(a))
    b = np.linalg.inv(a + 1.0 * np.eye(3))
    c = np.linalg.inv(b + 2.0 * np.eye(3))
    d = np.linalg.inv(c @ b + 3.0 * np.eye(3))
    e = np.linalg.inv(d @ c + 4.0 * np.eye(3))
    f = np.linalg.inv(e @ d + 5.0 * np.eye(3))
    g = np.linalg.inv(f @ e + 6.0 * np.eye(3))
    h = np.linalg.inv(g @ f + 7.0 * np.eye(3))
    return total + np.sum(np.linalg.inv(h @ g + 8.0 * np.eye(3)) * np.linalg.inv(h + 9.0 * np.eye(3)))


def test_after_many_systems_the_others_stay_calls() -> None:
    x = np.array([1.0, 2.0, 3.0, 5.0])
    got, expected = value_and_grad_in_loops(many)(x), sg.value_and_grad(many, jit=False)(x)
    assert got[0] == pytest.approx(expected[0], rel=1e-12)
    np.testing.assert_allclose(got[1], expected[1], 1e-9)
    source = sg.compiled(many).source_for(x)
    assert "np.linalg.inv(" in source
