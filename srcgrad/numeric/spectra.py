"""What derivatives of matrix decompositions are made of: quotients by differences and sums of eigenvalues."""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

import numpy as np


def reduced_qr(a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if a.shape[0] < a.shape[1]:
        raise ValueError("np.linalg.qr is differentiated for matrices with at least as many rows as columns")
    return np.linalg.qr(a)


def real_eig(a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    w, v = np.linalg.eig(a)
    if np.any(np.imag(w) != 0.0):  # NumPy gives complex arrays in any case since 2.5
        raise ValueError("np.linalg.eig is differentiated for matrices with real eigenvalues; these are complex")
    return np.ascontiguousarray(np.real(w)), np.ascontiguousarray(np.real(v))


def largest(x: np.ndarray) -> float:
    out = x.dtype.type(0)
    for value in x.ravel():
        out = max(out, abs(value))
    return out


def over_gaps(u: np.ndarray, w: np.ndarray, size: float) -> np.ndarray:
    # u[i, j] / (w[j] - w[i]); where the two are equal 0 if u is (to the rounding of numbers of this size), else NaN
    return over_pairs(u, w, size, -1.0)


def over_sums(u: np.ndarray, w: np.ndarray, size: float) -> np.ndarray:
    # u[i, j] / (w[j] + w[i]) off the diagonal; where both are 0, 0 if u is (to its rounding), else NaN
    return over_pairs(u, w, size, 1.0)


def over_pairs(u: np.ndarray, w: np.ndarray, size: float, sign: float) -> np.ndarray:
    out = np.zeros(u.shape, u.dtype)
    rounding = w.size * np.finfo(w.dtype).eps
    close, none = 0.0, 64.0 * rounding * size
    for k in range(w.size):
        close = max(close, 8.0 * rounding * abs(w[k]))
    for i in range(w.size):
        for j in range(w.size):
            both = w[j] - w[i] if sign < 0.0 else w[j] + w[i]
            if i != j and abs(both) > close:
                out[i, j] = u[i, j] / both
            elif i != j and not abs(u[i, j]) <= none:
                out[i, j] = np.nan
    return out


def over_columns(u: np.ndarray, w: np.ndarray, size: float) -> np.ndarray:
    # u[i, j] / w[j]; where w[j] is 0 (beside the others) 0 if u is (to its rounding), else NaN
    out = np.zeros(u.shape, u.dtype)
    rounding = (u.shape[0] + w.size) * np.finfo(w.dtype).eps
    close, none = 0.0, 64.0 * rounding * size
    for k in range(w.size):
        close = max(close, 8.0 * rounding * abs(w[k]))
    for i in range(u.shape[0]):
        for j in range(w.size):
            if abs(w[j]) > close:
                out[i, j] = u[i, j] / w[j]
            elif not abs(u[i, j]) <= none:
                out[i, j] = np.nan
    return out
