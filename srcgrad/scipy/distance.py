"""Functions of `scipy.spatial.distance`."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["cdist"]


def cdist(XA: Any, XB: Any, metric: str = "euclidean", *, p: float = 2.0) -> Any:
    d = XA[:, None, :] - XB[None, :, :]
    if metric == "euclidean":
        return np.linalg.norm(d, axis=2)
    if metric == "sqeuclidean":
        return np.sum(d * d, axis=2)
    if metric == "cityblock":
        return np.sum(np.abs(d), axis=2)
    if metric == "chebyshev":
        return np.max(np.abs(d), axis=2)
    if metric == "minkowski":
        return np.sum(np.abs(d) ** p, axis=2) ** (1.0 / p)
    raise ValueError("cdist knows euclidean, sqeuclidean, cityblock, chebyshev and minkowski here")
