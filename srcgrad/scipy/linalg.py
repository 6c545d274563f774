"""Functions of `scipy.linalg` that put matrices together."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["block_diag", "toeplitz"]


def toeplitz(c: Any, r: Any = None) -> Any:
    column = np.ravel(c)
    row = np.conj(column) if r is None else np.ravel(r)
    both = np.concatenate((row[::-1][:-1], column))  # its place n - 1 + i - j holds the element at (i, j)
    n = len(row)
    out = np.empty((len(column), n), both.dtype)
    for i in range(len(column)):
        for j in range(n):
            out[i, j] = both[n - 1 + i - j]
    return out


def block_diag(*arrs: Any) -> Any:
    blocks = tuple(np.atleast_2d(a) for a in arrs)
    width, before = sum(b.shape[1] for b in blocks), 0
    rows: tuple[Any, ...] = ()
    for block in blocks:
        height, columns = block.shape
        left, right = np.zeros((height, before)), np.zeros((height, width - before - columns))
        rows = (*rows, np.hstack((left, block, right)))
        before += columns
    return np.vstack(rows)
