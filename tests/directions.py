"""Directions and weights for lists of numbers and arrays, and inner products with them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

Leaves = list[Any]


def like(leaf: Any, rng: np.random.Generator) -> Any:
    """A random number or array of the leaf's type and shape."""
    if isinstance(leaf, np.ndarray):
        return np.asarray(rng.standard_normal(leaf.shape), leaf.dtype)
    return type(leaf)(rng.standard_normal())


def dot(p: Iterable[Any], q: Iterable[Any]) -> float:
    return float(sum(np.sum(np.asarray(x, float) * np.asarray(y, float)) for x, y in zip(p, q, strict=True)))


def size(p: Iterable[Any], q: Iterable[Any]) -> float:
    """How large their inner product could be: rounding is judged beside it."""
    return dot(map(np.abs, p), map(np.abs, q))
