"""Products of a matrix and a vector by loops where calling BLAS takes longer than the product itself."""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

import numpy as np


def matrix_by_vector(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    m, n = a.shape
    if m * n > 256 or n != b.size:
        return a @ b
    out = np.empty(m, a.dtype)
    for i in range(m):
        total = a.dtype.type(0)
        for j in range(n):
            total += a[i, j] * b[j]
        out[i] = total
    return out


def vector_by_matrix(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    m, n = b.shape
    if m * n > 256 or m != a.size:
        return a @ b
    out = np.zeros(n, a.dtype)
    for i in range(m):
        for j in range(n):
            out[j] += a[i] * b[i, j]
    return out
