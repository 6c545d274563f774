"""The same elements in other places: taken, put, sorted, rolled, cut, filled up; diagonals and triangles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from srcgrad.numeric.indices import along, inserted, of_diagonal, without

Axes = tuple[int, int]


def take_along(x: np.ndarray, at: np.ndarray, axis: int) -> np.ndarray:
    if any(at.shape[k] != x.shape[k] for k in range(x.ndim) if k != axis):
        raise ValueError("the places have another shape than the array")
    out = np.empty(at.shape, x.dtype)
    for here in np.ndindex(at.shape):
        out[here] = x[along(here, axis, at[here])]
    return out


def add_along(g: np.ndarray, at: np.ndarray, like: np.ndarray, axis: int) -> np.ndarray:
    out = np.zeros(like.shape, g.dtype)
    for here in np.ndindex(at.shape):
        out[along(here, axis, at[here])] += g[here]
    return out


def order(x: np.ndarray, axis: int) -> np.ndarray:
    out = np.empty(x.shape, np.int64)
    for rest in np.ndindex(without(x.shape, axis)):
        line = inserted(rest, axis, slice(None))
        out[line] = np.argsort(x[line], kind="mergesort")
    return out


# the transpose of sums and differences of neighbours
def neighbours_back(g: np.ndarray, like: np.ndarray, axis: int, sign: int) -> np.ndarray:
    out = np.zeros(like.shape, g.dtype)
    for at in np.ndindex(g.shape):
        if sign < 0:
            out[at] -= g[at]
        else:
            out[at] += g[at]
        out[along(at, axis, at[axis] + 1)] += g[at]
    return out


def rolled(x: np.ndarray, shift: int, axis: int) -> np.ndarray:
    n = x.shape[axis]
    k = shift % n if n > 0 else 0
    out = np.empty(x.shape, x.dtype)
    out[(*(slice(None),) * axis, slice(k, None))] = x[(*(slice(None),) * axis, slice(None, n - k))]
    out[(*(slice(None),) * axis, slice(None, k))] = x[(*(slice(None),) * axis, slice(n - k, None))]
    return out


def within(value: np.ndarray, like: np.ndarray, start: int, axis: int, later: bool) -> np.ndarray:
    # zeros of like's shape with value in its place
    if value.shape[axis] > (max(like.shape[axis] - start, 0) if later else like.shape[axis]):
        raise ValueError("the arrays do not fit into the target")
    out = np.zeros(like.shape, value.dtype)
    out[(*(slice(None),) * axis, slice(start, start + value.shape[axis]))] = value
    return out


def repeated(value: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    out = np.empty(shape, value.dtype)
    out[:] = value
    return out


def resized(x: np.ndarray, n: int, axis: int) -> np.ndarray:
    # as much as there is, and zeros from there on
    out = np.zeros(along(x.shape, axis, n), x.dtype)
    for at in np.ndindex(along(x.shape, axis, min(n, x.shape[axis]))):
        out[at] = x[at]
    return out


def scaled_inside(x: np.ndarray, n: int, axis: int, half: bool) -> np.ndarray:
    # all but what belongs to frequency 0 and, if n is even, to the highest
    out = x.copy()
    for rest in np.ndindex(without(x.shape, axis)):
        for k in range(1, min((n + 1) // 2, x.shape[axis])):
            at = inserted(rest, axis, k)
            if half:
                out[at] /= 2
            else:
                out[at] += x[at]
    return out


def diagonal(a: np.ndarray, off: int, axes: Axes, moved: bool) -> np.ndarray:
    rows, columns = (a.shape[axes[0]],), (a.shape[axes[1]],)
    n = max(min(rows[0] + min(off, 0), columns[0] - max(off, 0)), 0) if moved else min(rows[0], columns[0])
    out = np.empty((*(m for k, m in enumerate(a.shape) if k not in axes), n), a.dtype)
    for rest in np.ndindex(tuple(m for k, m in enumerate(a.shape) if k not in axes)):
        for d in range(n):
            out[(*rest, d)] = a[of_diagonal(rest, axes, d - min(off, 0), d + max(off, 0))]
    return out


def on_diagonal_of(v: np.ndarray, like: np.ndarray, off: int, axes: Axes, moved: bool) -> np.ndarray:
    rows, columns = (like.shape[axes[0]],), (like.shape[axes[1]],)
    n = max(min(rows[0] + min(off, 0), columns[0] - max(off, 0)), 0) if moved else min(rows[0], columns[0])
    if v.shape[-1] != n:
        raise ValueError("the diagonal has another length")
    out = np.zeros(like.shape, v.dtype)
    for rest in np.ndindex(tuple(m for k, m in enumerate(like.shape) if k not in axes)):
        for d in range(n):
            out[of_diagonal(rest, axes, d - min(off, 0), d + max(off, 0))] = v[(*rest, d)]
    return out


def on_diagonal(v: np.ndarray) -> np.ndarray:
    out = np.zeros((v.size, v.size), v.dtype)
    for i in range(v.size):
        out[i, i] = v[i]
    return out


def on_diagonal_at(v: np.ndarray, off: int) -> np.ndarray:
    n = v.size + abs(off)
    out = np.zeros((n, n), v.dtype)
    for i in range(v.size):
        out[i - min(off, 0), i + max(off, 0)] = v[i]
    return out


def triangle(x: np.ndarray, off: int, upper: bool) -> np.ndarray:
    out = np.zeros(x.shape, x.dtype)
    for at in np.ndindex(x.shape):
        if at[-1] >= at[-2] + off if upper else at[-1] <= at[-2] + off:
            out[at] = x[at]
    return out


def lower_half(x: np.ndarray) -> np.ndarray:
    # the lower triangle, its diagonal halved
    out = np.zeros(x.shape, x.dtype)
    for i in range(x.shape[0]):
        for j in range(i):
            out[i, j] = x[i, j]
        out[i, i] = x[i, i] / 2
    return out


def of_lines(x: np.ndarray, function: Callable[..., Any], dtype: Any, message: str) -> np.ndarray:
    if message and x.shape[-1] == 0:
        raise ValueError(message)
    out = np.empty(x.shape[:-1], dtype or x.dtype)
    for at in np.ndindex(out.shape):
        out[at] = function(x[at])
    return out


def of_lines_at(x: np.ndarray, k: Any, function: Callable[..., Any], each: bool) -> np.ndarray:
    out = np.empty(x.shape[:-1], x.dtype)
    for at in np.ndindex(out.shape):
        out[at] = function(x[at], k[at] if each else k)
    return out
