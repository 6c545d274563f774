"""Reductions and running sums over elements, for arrays of any rank."""

from __future__ import annotations

from typing import Any

import numpy as np

from srcgrad.numeric.indices import along, kept, tied, without

Axes = tuple[int, ...]


def summed(x: np.ndarray, axes: Axes, keepdims: bool, dtype: Any) -> np.ndarray:
    out = np.zeros(kept(x.shape, axes, keepdims, 1), dtype or x.dtype)
    for at in np.ndindex(x.shape):
        out[kept(at, axes, keepdims, 0)] += x[at]
    return out


def running_sums(x: np.ndarray, axis: int, reverse: bool, dtype: Any) -> np.ndarray:
    out = np.empty(x.shape, dtype or x.dtype)
    for at in np.ndindex(x.shape):
        here = along(at, axis, x.shape[axis] - 1 - at[axis] if reverse else at[axis])
        if at[axis] == 0:
            out[here] = x[here]
        else:
            out[here] = out[along(here, axis, here[axis] + (1 if reverse else -1))] + x[here]
    return out


def products(x: np.ndarray, axis: int) -> np.ndarray:
    out = np.ones(without(x.shape, axis), x.dtype)
    for at in np.ndindex(x.shape):
        out[without(at, axis)] *= x[at]
    return out


# squares are added up; where that leaves the range of floats, squares of what is divided by the largest
def norms(x: np.ndarray, axes: Axes, keepdims: bool, least: float) -> np.ndarray:
    shape = kept(x.shape, axes, keepdims, 1)
    out = np.zeros(shape, x.dtype)
    for at in np.ndindex(x.shape):
        out[kept(at, axes, keepdims, 0)] += x[at] * x[at]
    if len(shape) == 0:
        if least < out[()] < np.inf:
            return np.sqrt(out)
    else:
        fine = True
        for each in np.ndindex(out.shape):
            if not least < out[each] < np.inf:
                fine = False
        if fine:
            return np.sqrt(out)
    top = np.zeros(shape, x.dtype)
    for at in np.ndindex(x.shape):
        place = kept(at, axes, keepdims, 0)
        if abs(x[at]) > top[place]:
            top[place] = abs(x[at])
    out = np.zeros(shape, x.dtype)
    for at in np.ndindex(x.shape):
        place = kept(at, axes, keepdims, 0)
        if abs(x[at]) == top[place]:
            out[place] += x.dtype.type(1)
        else:
            out[place] += (x[at] / top[place]) * (x[at] / top[place])
    return top * np.sqrt(out)


# ignore: whether NaN counts only where there is nothing else
def extremes(x: np.ndarray, axes: Axes, keepdims: bool, largest: bool, ignore: bool, message: str) -> np.ndarray:
    if any(x.shape[k] == 0 for k in axes):
        raise ValueError(message)
    out = x[tuple((slice(0, 1) if keepdims else 0) if k in axes else slice(None) for k in range(x.ndim))].copy()
    for at in np.ndindex(x.shape):
        place = kept(at, axes, keepdims, 0)
        odd = (out[place],) if ignore else (x[at],)
        if (x[at] > out[place] if largest else x[at] < out[place]) or odd[0] != odd[0]:
            out[place] = x[at]
    return out


def at_ties(v: np.ndarray, x: np.ndarray, y: np.ndarray, axes: Axes, keepdims: bool) -> np.ndarray:
    count = np.zeros(y.shape, np.int64)
    for at in np.ndindex(x.shape):
        place = kept(at, axes, keepdims, 0)
        if tied(x[at], y[place]):
            count[place] += 1
    out = np.zeros(y.shape, v.dtype)
    for at in np.ndindex(x.shape):
        place = kept(at, axes, keepdims, 0)
        if tied(x[at], y[place]):
            out[place] += v[at] / v.dtype.type(count[place])
    return out


def to_ties(g: np.ndarray, x: np.ndarray, y: np.ndarray, axes: Axes, keepdims: bool, kind: Any) -> np.ndarray:
    count = np.zeros(y.shape, np.int64)
    for at in np.ndindex(x.shape):
        place = kept(at, axes, keepdims, 0)
        if tied(x[at], y[place]):
            count[place] += 1
    out = np.zeros(x.shape, kind)
    for at in np.ndindex(x.shape):
        place = kept(at, axes, keepdims, 0)
        if tied(x[at], y[place]):
            out[at] = g[place] / kind(count[place])
    return out


# `rest` is the sum of the exponentials of what the others are below the largest, and 1 less than how many are largest
def exponentials(x: np.ndarray, axes: Axes, keepdims: bool, wanted: str) -> np.ndarray:
    shape = kept(x.shape, axes, keepdims, 1)
    top = np.full(shape, -np.inf, x.dtype)
    rest = np.full(shape, -1.0, x.dtype)
    for at in np.ndindex(x.shape):
        place = kept(at, axes, keepdims, 0)
        top[place] = max(top[place], x[at])
    for at in np.ndindex(x.shape):
        place = kept(at, axes, keepdims, 0)
        if x[at] == top[place]:
            rest[place] += x.dtype.type(1)
    for at in np.ndindex(x.shape):
        place = kept(at, axes, keepdims, 0)
        if x[at] != top[place]:
            rest[place] += np.exp(x[at] - top[place])
    if wanted == "logsumexp":
        return top + np.log1p(rest)
    out = np.empty(x.shape, x.dtype)
    for at in np.ndindex(x.shape):
        place = kept(at, axes, keepdims, 0)
        if wanted == "log_softmax":
            out[at] = (x[at] - top[place]) - np.log1p(rest[place])
        elif wanted == "softmax":
            out[at] = np.exp(x[at] - top[place]) / (1.0 + rest[place])
        elif x[at] == top[place]:
            out[at] = 1.0 / (1.0 + rest[place])
        else:
            out[at] = np.exp(x[at] - top[place]) / (1.0 + rest[place])
    return out
