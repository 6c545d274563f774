"""Linear algebra of small matrices as plain loops, which are read like a user's function. Rows are exchanged by
comparing pairs of them, so that every index is that of a loop: unrolled, the matrices lie in registers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from srcgrad.core.ir import Type


def exchange(rows: Any, k: int, i: int, first: int) -> None:
    """Two rows take each other's place, from a column on."""
    for j in range(first, rows.shape[1]):
        rows[k, j], rows[i, j] = rows[i, j], rows[k, j]


def solve(a: Any, b: Any) -> Any:
    n = a.shape[0]
    u, x = a.copy(), b.copy()
    for k in range(n):
        for i in range(k + 1, n):
            if abs(u[i, k]) > abs(u[k, k]):
                exchange(u, k, i, k)
                x[k], x[i] = x[i], x[k]
        for i in range(k + 1, n):
            factor = u[i, k] / u[k, k]
            for j in range(k + 1, n):
                u[i, j] -= factor * u[k, j]
            x[i] -= factor * x[k]
    for i in range(n - 1, -1, -1):
        for j in range(i + 1, n):
            x[i] -= u[i, j] * x[j]
        x[i] /= u[i, i]
    return x


def solve_columns(a: Any, b: Any) -> Any:
    n, columns = a.shape[0], b.shape[1]
    u, x = a.copy(), b.copy()
    for k in range(n):
        for i in range(k + 1, n):
            if abs(u[i, k]) > abs(u[k, k]):
                exchange(u, k, i, k)
                exchange(x, k, i, 0)
        for i in range(k + 1, n):
            factor = u[i, k] / u[k, k]
            for j in range(k + 1, n):
                u[i, j] -= factor * u[k, j]
            for m in range(columns):
                x[i, m] -= factor * x[k, m]
    for i in range(n - 1, -1, -1):
        for m in range(columns):
            for j in range(i + 1, n):
                x[i, m] -= u[i, j] * x[j, m]
            x[i, m] /= u[i, i]
    return x


def solve_transposed(a: Any, b: Any) -> Any:
    return solve(a.T.copy(), b)


def solve_columns_transposed(a: Any, b: Any) -> Any:
    return solve_columns(a.T.copy(), b)


def inverse(a: Any) -> Any:
    one = np.zeros_like(a)
    for i in range(a.shape[0]):
        one[i, i] = 1.0
    return solve_columns(a, one)


def cholesky(a: Any) -> Any:
    n = a.shape[0]
    factor = np.zeros_like(a)
    for k in range(n):
        rest = a[k, k]
        for j in range(k):
            rest -= factor[k, j] * factor[k, j]
        factor[k, k] = np.sqrt(rest)
        for i in range(k + 1, n):
            rest = a[i, k]
            for j in range(k):
                rest -= factor[i, j] * factor[k, j]
            factor[i, k] = rest / factor[k, k]
    return factor


def determinant(a: Any) -> Any:
    n = a.shape[0]
    u = a.copy()
    d = 1.0
    for k in range(n):
        for i in range(k + 1, n):
            if abs(u[i, k]) > abs(u[k, k]):
                exchange(u, k, i, k)
                d = -d
        d = d * u[k, k]
        for i in range(k + 1, n):
            factor = u[i, k] / u[k, k] if u[k, k] != 0.0 else 0.0 * u[k, k]
            for j in range(k + 1, n):
                u[i, j] -= factor * u[k, j]
    return d


def _solve(types: tuple[Type, ...], params: Mapping[str, Any]) -> Callable[..., Any]:
    if types[1].rank == 1:
        return solve_transposed if params["transposed"] else solve
    return solve_columns_transposed if params["transposed"] else solve_columns


FUNCTIONS: dict[str, Callable[[tuple[Type, ...], Mapping[str, Any]], Callable[..., Any]]] = {
    "solve": _solve,
    "inv": lambda types, params: inverse,
    "det": lambda types, params: determinant,
    "cholesky": lambda types, params: cholesky,
}
