"""Linear algebra in plain Python that srcgrad lowers: for the small systems of a solver's steps, quicker than
LAPACK, quicker to compile, and without an exception where the matrix is singular."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


def solve(matrix: Array, vector: Array) -> Array:
    """The solution by Gaussian elimination with pivots, made in place; not finite if the matrix is singular.

    It stands apart from `numeric.small_matrices`, whose loops the compiler writes out: solvers are imported with the
    package, which does not load that. A row comes to the pivot's place as soon as its entry is the larger: at no index
    that depends on values, so that a GPU's thread has a small matrix in registers.
    """
    n = vector.shape[0]
    for k in range(n):
        for i in range(k + 1, n):
            if abs(matrix[i, k]) > abs(matrix[k, k]):
                for j in range(k, n):
                    matrix[k, j], matrix[i, j] = matrix[i, j], matrix[k, j]
                vector[k], vector[i] = vector[i], vector[k]
        for i in range(k + 1, n):
            factor = matrix[i, k] / matrix[k, k]
            for j in range(k + 1, n):
                matrix[i, j] -= factor * matrix[k, j]
            vector[i] -= factor * vector[k]
    for k in range(n - 1, -1, -1):
        for j in range(k + 1, n):
            vector[k] -= matrix[k, j] * vector[j]
        vector[k] /= matrix[k, k]
    return vector


def newton_direction(hessian: Array, gradient: Array) -> Array:
    """Minus the inverse of the Hessian times the gradient; the Hessian plus a multiple of the identity, where it is not
    positive definite (Nocedal & Wright, algorithm 3.3)."""
    n = gradient.shape[0]
    factor = np.zeros((n, n))
    shift, size = 0.0, 0.0
    for i in range(n):
        size = max(size, abs(hessian[i, i]))
        shift = max(shift, -hessian[i, i])
    least = 1e-3 * size if size > 0.0 else 1.0
    shift = shift + least if shift > 0.0 else 0.0
    for _ in range(60):
        if cholesky(hessian, shift, factor):
            break
        shift = max(2.0 * shift, least)
    direction = -gradient
    for i in range(n):
        for k in range(i):
            direction[i] -= factor[i, k] * direction[k]
        direction[i] /= factor[i, i]
    for i in range(n - 1, -1, -1):
        for k in range(i + 1, n):
            direction[i] -= factor[k, i] * direction[k]
        direction[i] /= factor[i, i]
    return direction


def cholesky(matrix: Array, shift: float, factor: Array) -> bool:
    """Put the Cholesky factor of the matrix plus a multiple of the identity into `factor`; whether there is one."""
    for j in range(matrix.shape[0]):
        pivot = matrix[j, j] + shift
        for k in range(j):
            pivot -= factor[j, k] * factor[j, k]
        if not pivot > 0.0:
            return False
        factor[j, j] = math.sqrt(pivot)
        for i in range(j + 1, matrix.shape[0]):
            below = matrix[i, j]
            for k in range(j):
                below -= factor[i, k] * factor[j, k]
            factor[i, j] = below / factor[j, j]
    return True


def dot(a: Array, b: Array) -> float:
    """The sum of the products of the entries."""
    total = 0.0
    for i in range(a.shape[0]):
        total += a[i] * b[i]
    return total


def largest(values: Array) -> float:
    """The largest absolute value of a vector's entries; NaN if one is NaN."""
    most = 0.0
    for i in range(values.shape[0]):
        if not abs(values[i]) <= most:
            most = abs(values[i])
    return most


def largest_of_all(values: Array) -> float:
    """The largest absolute value of an array's entries; NaN if one is NaN."""
    return largest(values.ravel())
