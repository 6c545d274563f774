"""Linear algebra in plain Python that srcgrad lowers: for the small systems of a solver's steps, quicker than
LAPACK, quicker to compile, and without an exception where the matrix is singular."""

# mypy: disallow-untyped-defs=False
from __future__ import annotations

import numpy as np


def solve(matrix, vector):
    """The solution by Gaussian elimination with partial pivoting, made in place; not finite if the matrix is singular."""
    n = vector.shape[0]
    for k in range(n):
        pivot = k
        for i in range(k + 1, n):
            if abs(matrix[i, k]) > abs(matrix[pivot, k]):
                pivot = i
        if pivot != k:
            for j in range(k, n):
                matrix[k, j], matrix[pivot, j] = matrix[pivot, j], matrix[k, j]
            vector[k], vector[pivot] = vector[pivot], vector[k]
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


def dot(a, b):
    """The sum of the products of the entries."""
    total = 0.0
    for i in range(a.shape[0]):
        total += a[i] * b[i]
    return total


def largest(values):
    """The largest absolute value of a vector's entries; NaN if one is NaN."""
    most = 0.0
    for i in range(values.shape[0]):
        if not abs(values[i]) <= most:
            most = abs(values[i])
    return most


def largest_of_all(values):
    """The largest absolute value of an array's entries; NaN if one is NaN."""
    return np.max(np.abs(values))
