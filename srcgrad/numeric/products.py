"""Products of matrices and vectors by loops where calling BLAS takes longer than the product itself.

Those that end in `_into` write into memory that the caller has made, which is none of the operands' and fits.
"""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

import numpy as np


def matrix_by_vector(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    out = np.empty(a.shape[0], a.dtype)
    matrix_by_vector_into(a, b, out)
    return out


def matrix_by_vector_into(a: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
    m, n = a.shape
    if m * n > 256 or n != b.size:
        np.dot(a, b, out)
        return
    for i in range(m):
        total = a.dtype.type(0)
        for j in range(n):
            total += a[i, j] * b[j]
        out[i] = total


def vector_by_matrix(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    out = np.empty(b.shape[1], a.dtype)
    vector_by_matrix_into(a, b, out)
    return out


def vector_by_matrix_into(a: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
    m, n = b.shape
    if m * n > 256 or m != a.size:
        np.dot(a, b, out)
        return
    for j in range(n):
        out[j] = 0.0
    for i in range(m):
        for j in range(n):
            out[j] += a[i] * b[i, j]


def matmul_into(a: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
    m, n = a.shape
    if m * n * out.shape[1] > 64 or n != b.shape[0]:
        np.dot(a, b, out)
        return
    for i in range(m):
        for j in range(out.shape[1]):
            total = a.dtype.type(0)
            for k in range(n):
                total += a[i, k] * b[k, j]
            out[i, j] = total
