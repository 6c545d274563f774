"""Linear algebra of small matrices as plain loops, which are read like a user's function. Rows are exchanged by
comparing pairs of them, so that every index is that of a loop: unrolled, the matrices lie in registers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from srcgrad.core.ir import Type
from srcgrad.numeric.small_matrices import eliminate
from srcgrad.printer import loop_nests
from srcgrad.rules.language.over_elements import OverElements

SOLVE, SOLVE_COLUMNS = (
    loop_nests.python(name, OverElements(eliminate, (2, rank), (("singular", False), ("in_place", False))))
    for name, rank in (("solve", 1), ("solve_columns", 2))
)


def solve_transposed(a: Any, b: Any) -> Any:
    return SOLVE(a.T.copy(), b)


def solve_columns_transposed(a: Any, b: Any) -> Any:
    return SOLVE_COLUMNS(a.T.copy(), b)


def inverse(a: Any) -> Any:
    one = np.zeros_like(a)
    for i in range(a.shape[0]):
        one[i, i] = 1.0
    return SOLVE_COLUMNS(a, one)


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
                for j in range(k, n):
                    u[k, j], u[i, j] = u[i, j], u[k, j]
                d = -d
        d = d * u[k, k]
        for i in range(k + 1, n):
            factor = u[i, k] / u[k, k] if u[k, k] != 0.0 else 0.0 * u[k, k]
            for j in range(k + 1, n):
                u[i, j] -= factor * u[k, j]
    return d


def _solve(types: tuple[Type, ...], params: Mapping[str, Any]) -> Callable[..., Any]:
    if types[1].rank == 1:
        return solve_transposed if params["transposed"] else SOLVE
    return solve_columns_transposed if params["transposed"] else SOLVE_COLUMNS


FUNCTIONS: dict[str, Callable[[tuple[Type, ...], Mapping[str, Any]], Callable[..., Any]]] = {
    "solve": _solve,
    "inv": lambda types, params: inverse,
    "det": lambda types, params: determinant,
    "cholesky": lambda types, params: cholesky,
}
