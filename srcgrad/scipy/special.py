"""Functions of `scipy.special`."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["huber", "pseudo_huber"]


def huber(delta: Any, r: Any) -> Any:
    size = np.abs(r)
    outside = np.where(size <= delta, 0.5 * r * r, delta * (size - 0.5 * delta))
    return np.where(delta < 0.0, np.inf, outside)


def pseudo_huber(delta: Any, r: Any) -> Any:
    smooth = delta * delta * np.expm1(0.5 * np.log1p((r / delta) ** 2))
    return np.where(delta < 0.0, np.inf, np.where(delta == 0.0, 0.0, smooth))
