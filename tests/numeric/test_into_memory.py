"""Functions that compute into memory, beside NumPy's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from srcgrad.numeric import products, small_matrices

RNG = np.random.default_rng(3)
SIZES = (1, 2, 3, 4, 5, 9, 16, 17)


def matrix(m: int, n: int, kind: str = "f8") -> Any:
    made = RNG.normal(size=(m, n))
    return (made + 1j * RNG.normal(size=(m, n)) if kind == "c16" else made).astype(kind)


@pytest.mark.parametrize("kind", ["f4", "f8", "c16"])
@pytest.mark.parametrize("n", SIZES)
def test_products(n: int, kind: str) -> None:
    a, b, v = matrix(n, n + 2, kind), matrix(n + 2, 3, kind), matrix(1, n + 2, kind)[0]
    out, line, row = np.full((n, 3), 7, kind), np.full(n, 7, kind), np.full(3, 7, kind)
    products.matmul_into(a, b, out)
    products.matrix_by_vector_into(a, v, line)
    products.vector_by_matrix_into(v, b, row)
    rtol = 2e-5 if kind == "f4" else 1e-12
    np.testing.assert_allclose(out, a @ b, rtol, rtol)
    np.testing.assert_allclose(line, a @ v, rtol, rtol)
    np.testing.assert_allclose(row, v @ b, rtol, rtol)


@pytest.mark.parametrize("kind", ["f8", "c16"])
@pytest.mark.parametrize("n", SIZES)
def test_systems(n: int, kind: str) -> None:
    a, b, work = matrix(n, n, kind), matrix(n, 3, kind), np.empty((n, n), kind)
    inverse, x, columns = np.empty((n, n), kind), np.empty(n, kind), np.empty((n, 3), kind)
    small_matrices.inv_into(a, inverse)
    small_matrices.solve_into(a, b[:, 0].copy(), work, x)
    small_matrices.solve_columns_into(a, b, work, columns)
    np.testing.assert_allclose(inverse, np.linalg.inv(a), 1e-9, 1e-11)
    np.testing.assert_allclose(x, np.linalg.solve(a, b[:, 0]), 1e-9, 1e-11)
    np.testing.assert_allclose(columns, np.linalg.solve(a, b), 1e-9, 1e-11)


@pytest.mark.parametrize("n", (2, 3, 5, 16))
def test_rows_change_places(n: int) -> None:
    """A pivot of 0, or a small one, in each place."""
    for k in range(n):
        a = np.roll(np.eye(n), k, 0) + 1e-14 * matrix(n, n)
        inverse, x = np.empty((n, n)), np.empty(n)
        small_matrices.inv_into(a, inverse)
        small_matrices.solve_into(a, np.arange(1.0, n + 1), np.empty((n, n)), x)
        np.testing.assert_allclose(inverse, np.linalg.inv(a), 1e-12, 1e-12)
        np.testing.assert_allclose(x, np.linalg.solve(a, np.arange(1.0, n + 1)), 1e-12, 1e-12)


def test_singular_matrices_and_wrong_shapes_raise_what_numpy_raises() -> None:
    flat = np.ones((3, 3))
    with pytest.raises(np.linalg.LinAlgError, match="Singular"):
        small_matrices.inv_into(flat, np.empty((3, 3)))
    with pytest.raises(np.linalg.LinAlgError, match="Singular"):
        small_matrices.solve_into(flat, np.ones(3), np.empty((3, 3)), np.empty(3))
    with pytest.raises(np.linalg.LinAlgError, match="square"):
        small_matrices.inv_into(np.ones((2, 3)), np.empty((2, 3)))
    with pytest.raises(np.linalg.LinAlgError, match="square"):
        small_matrices.solve_into(np.ones((2, 3)), np.ones(2), np.empty((2, 3)), np.empty(2))
    with pytest.raises(ValueError):
        products.matmul_into(np.ones((2, 3)), np.ones((2, 3)), np.empty((2, 3)))
    with pytest.raises(ValueError):
        products.vector_by_matrix_into(np.ones(2), np.ones((3, 2)), np.empty(2))


@pytest.mark.parametrize("n", (1, 2, 3, 4, 7))
def test_cofactors(n: int) -> None:
    for a in (matrix(n, n), np.ones((n, n)), np.zeros((n, n)), np.diag([0.0, *range(1, n)])):
        out = np.empty((n, n))
        small_matrices.cofactors_into(a, np.full((3, n, n), 7.0), out)
        np.testing.assert_allclose(out, small_matrices.cofactors(a), 1e-12, 1e-13)
        for i in range(n):
            for j in range(n):
                minor = np.delete(np.delete(a, i, 0), j, 1)
                expected = (-1) ** (i + j) * (np.linalg.det(minor) if n > 1 else 1.0)
                assert out[i, j] == pytest.approx(expected, rel=1e-9, abs=1e-10)
