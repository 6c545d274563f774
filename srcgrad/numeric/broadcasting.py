"""Repeating an array's elements to another shape, and summing what was repeated."""

from __future__ import annotations

import numpy as np

from srcgrad.numeric.indices import broadcast, repeats


def spread(value: np.ndarray, like: np.ndarray) -> np.ndarray:
    out = np.empty(like.shape, value.dtype)
    step = repeats(value.shape)
    for at in np.ndindex(like.shape):
        out[at] = value[broadcast(at, step)]
    return out


def gathered(value: np.ndarray, like: np.ndarray) -> np.ndarray:
    # the sum over the axes along which something of like's shape was repeated
    out = np.zeros(like.shape, value.dtype)
    step = repeats(like.shape)
    for at in np.ndindex(value.shape):
        out[broadcast(at, step)] += value[at]
    return out
