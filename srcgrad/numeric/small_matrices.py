"""Linear algebra of small matrices by elimination."""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

import numpy as np


def outer(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    out = np.empty((a.size, b.size), a.dtype)
    for i in range(a.size):
        for j in range(b.size):
            out[i, j] = a[i] * b[j]
    return out


# A row comes to the pivot's place as soon as its entry is the larger: at no index that depends on values, so that a
# GPU's thread has a small matrix in registers. singular: whether to raise where there is no solution
def eliminate(a: np.ndarray, b: np.ndarray, singular: bool, in_place: bool = False) -> np.ndarray:
    # the solution of a @ x = b for a small matrix, by Gauss's elimination with partial pivoting
    n = a.shape[0]
    if singular and (a.shape[1] != n or b.shape[0] != n):
        raise ValueError("a linear system needs a square matrix and as many rows on the right")
    u, x = (a if in_place else a.copy()), (b if in_place else b.copy())
    for k in range(n):
        for i in range(k + 1, n):
            if abs(u[i, k]) > abs(u[k, k]):
                for j in range(k, n):
                    u[k, j], u[i, j] = u[i, j], u[k, j]
                for at in np.ndindex(x.shape[1:]):
                    x[(k, *at)], x[(i, *at)] = x[(i, *at)], x[(k, *at)]
        if singular and u[k, k] == 0.0:
            raise np.linalg.LinAlgError("Singular matrix")
        for i in range(k + 1, n):
            factor = u[i, k] / u[k, k]
            for j in range(k + 1, n):
                u[i, j] -= factor * u[k, j]
            for at in np.ndindex(x.shape[1:]):
                x[(i, *at)] -= factor * x[(k, *at)]
    for i in range(n - 1, -1, -1):
        for j in range(i + 1, n):
            for at in np.ndindex(x.shape[1:]):
                x[(i, *at)] -= u[i, j] * x[(j, *at)]
        for at in np.ndindex(x.shape[1:]):
            x[(i, *at)] /= u[i, i]
    return x


# Those that end in `_into` write into memory that the caller has made, which is none of the operands' and fits; no
# array is made for a matrix of at most 16 rows


def solve_into(a: np.ndarray, b: np.ndarray, work: np.ndarray, out: np.ndarray) -> None:
    size = a.shape[0]
    if size > 16 or a.shape[1] != size or b.size != size:
        x = np.linalg.solve(a, b)
        for i in range(size):
            out[i] = x[i]
        return
    for i in range(size):
        out[i] = b[i]
        for j in range(size):
            work[i, j] = a[i, j]
    eliminate_in_place(work, out)


def eliminate_in_place(u: np.ndarray, x: np.ndarray) -> None:
    eliminate(u, x, True, True)


def solve_columns_into(a: np.ndarray, b: np.ndarray, work: np.ndarray, out: np.ndarray) -> None:
    size, columns = b.shape
    if size > 16 or a.shape[0] != size or a.shape[1] != size:
        x = np.linalg.solve(a, b)
        for i in range(size):
            for j in range(columns):
                out[i, j] = x[i, j]
        return
    for i in range(size):
        for j in range(columns):
            out[i, j] = b[i, j]
        for j in range(size):
            work[i, j] = a[i, j]
    eliminate_columns_in_place(work, out)


def eliminate_columns_in_place(u: np.ndarray, x: np.ndarray) -> None:
    eliminate(u, x, True, True)


def inv_into(a: np.ndarray, out: np.ndarray) -> None:
    # by Gauss and Jordan with partial pivoting, in place; which rows have changed places is kept in one integer
    size = a.shape[0]
    if size > 16 or a.shape[1] != size:
        x = np.linalg.inv(a)
        for i in range(size):
            for j in range(size):
                out[i, j] = x[i, j]
        return
    for i in range(size):
        for j in range(size):
            out[i, j] = a[i, j]
    rows = 0
    for k in range(size):
        row = k
        for i in range(k + 1, size):
            if abs(out[i, k]) > abs(out[row, k]):
                row = i
        rows |= row << 4 * k
        pivot = out[row, k]
        if pivot == 0.0:
            raise np.linalg.LinAlgError("Singular matrix")
        for j in range(size if row != k else 0):
            out[k, j], out[row, j] = out[row, j], out[k, j]
        out[k, k] = 1.0
        for j in range(size):
            out[k, j] /= pivot
        for i in range(size):
            if i != k:
                factor = out[i, k]
                out[i, k] = 0.0
                for j in range(size):
                    out[i, j] -= factor * out[k, j]
    for k in range(size - 1, -1, -1):
        row = (rows >> 4 * k) & 15
        if row != k:
            for i in range(size):
                out[i, k], out[i, row] = out[i, row], out[i, k]


def diagonalised(a: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    # m, n, d and the product of the determinants of m and n, 1 or -1, with m @ a @ n = diag(d)
    size = a.shape[0]
    u, m, n = a.copy(), np.zeros(a.shape, a.dtype), np.zeros(a.shape, a.dtype)
    sign = diagonalise(u, m, n)
    d = np.empty(size, a.dtype)
    for k in range(size):
        d[k] = u[k, k]
    return m, n, d, sign


def diagonalise(u: np.ndarray, m: np.ndarray, n: np.ndarray) -> float:
    # makes u diagonal, and of two matrices of zeros m and n with m @ u @ n = that, by complete pivoting
    size = u.shape[0]
    for k in range(size):
        m[k, k] = n[k, k] = 1.0
    sign = u.dtype.type(1)
    for k in range(size):
        row, column = k, k
        for i in range(k, size):
            for j in range(k, size):
                if abs(u[i, j]) > abs(u[row, column]):
                    row, column = i, j
        if row != k:
            sign = -sign
            for j in range(size):
                u[k, j], u[row, j] = u[row, j], u[k, j]
                m[k, j], m[row, j] = m[row, j], m[k, j]
        if column != k:
            sign = -sign
            for i in range(size):
                u[i, k], u[i, column] = u[i, column], u[i, k]
                n[i, k], n[i, column] = n[i, column], n[i, k]
        if u[k, k] == 0.0:
            break
        for i in range(k + 1, size):
            factor = u[i, k] / u[k, k]
            for j in range(k, size):
                u[i, j] -= factor * u[k, j]
            for j in range(size):
                m[i, j] -= factor * m[k, j]
        for j in range(k + 1, size):
            factor = u[k, j] / u[k, k]
            for i in range(size):
                n[i, j] -= factor * n[i, k]
            u[k, j] = 0.0
    return sign


def cofactors(a: np.ndarray) -> np.ndarray:
    # the derivative of det(a), finite where a is singular: that of diag(d) is the product of the other pivots
    m, n, d, sign = diagonalised(a)
    size = d.size
    others = np.zeros(a.shape, a.dtype)
    for i in range(size):
        others[i, i] = sign
        for k in range(size):
            if k != i:
                others[i, i] *= d[k]
    return m.T @ others @ n.T


def cofactors_into(a: np.ndarray, work: np.ndarray, out: np.ndarray) -> None:
    size = a.shape[0]
    u, m, n = work[0], work[1], work[2]
    for i in range(size):
        for j in range(size):
            u[i, j] = a[i, j]
            m[i, j] = n[i, j] = out[i, j] = 0.0
    sign = diagonalise(u, m, n)
    for k in range(size):
        others = sign
        for i in range(size):
            if i != k:
                others *= u[i, i]
        for i in range(size):
            for j in range(size):
                out[i, j] += m[k, i] * others * n[j, k]


def cofactors_along(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    # the derivative of cofactors(a) along x: of diag(d) it is made of the products of all pivots but two
    m, n, d, sign = diagonalised(a)
    size = d.size
    z, out = m @ x @ n, np.zeros(a.shape, a.dtype)
    for i in range(size):
        for j in range(size):
            if i != j:
                rest = sign
                for k in range(size):
                    if k != i and k != j:
                        rest *= d[k]
                out[i, i] += z[j, j] * rest
                out[i, j] -= z[j, i] * rest
    return m.T @ out @ n.T


def squarings(a: np.ndarray) -> int:
    # how often to halve a matrix until its 1-norm is at most 5.37
    norm = 0.0
    for j in range(a.shape[1]):
        column = 0.0
        for i in range(a.shape[0]):
            column += abs(a[i, j])
        norm = max(norm, column)
    times = 0
    while 5.37 < norm < np.inf:
        norm *= 0.5
        times += 1
    return times


def solve_triangular(a: np.ndarray, b: np.ndarray, upper: bool, transposed: bool, unit: bool) -> np.ndarray:
    n = a.shape[0]
    if a.shape[1] != n or b.shape[0] != n:
        raise ValueError("a triangular system needs a square matrix and as many rows on the right")
    x = b.copy()
    for i in range(n) if upper == transposed else range(n - 1, -1, -1):
        if transposed and not unit:
            for at in np.ndindex(x.shape[1:]):
                x[(i, *at)] /= a[i, i]
        for j in range(i + 1, n) if upper else range(i):
            for at in np.ndindex(x.shape[1:]):
                if transposed:
                    x[(j, *at)] -= a[i, j] * x[(i, *at)]
                else:
                    x[(i, *at)] -= a[i, j] * x[(j, *at)]
        if not transposed and not unit:
            for at in np.ndindex(x.shape[1:]):
                x[(i, *at)] /= a[i, i]
    return x
