"""Integrals of samples: `trapezoid`, `cumulative_trapezoid` and `simpson` of `scipy.integrate`."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["cumulative_trapezoid", "simpson", "trapezoid"]

Array = Any
of_numpy: Any = getattr(np, "trapezoid", None) or np.trapz  # type: ignore[attr-defined, unused-ignore]


def trapezoid(y: Array, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    return of_numpy(y, x, dx, axis)


def widths(y: Array, x: Any, dx: Any, axis: int) -> Any:
    """How far apart the samples lie, along the last axis."""
    if x is None:
        return dx * np.ones(y.shape[-1] - 1)
    places = np.asarray(x)
    return np.diff(places if places.ndim == 1 else np.moveaxis(places, axis, -1))


def cumulative_trapezoid(y: Array, x: Any = None, dx: Any = 1.0, axis: int = -1, initial: Any = None) -> Array:
    values = np.moveaxis(np.asarray(y), axis, -1)
    parts = widths(values, x, dx, axis) * (values[..., 1:] + values[..., :-1]) / 2.0
    total = np.cumsum(parts, axis=-1)
    if initial is not None:
        total = np.concatenate((np.full_like(total[..., :1], initial), total), axis=-1)
    return np.moveaxis(total, -1, axis)


def simpson(y: Array, x: Any = None, *, dx: Any = 1.0, axis: int = -1) -> Any:
    """Parabolas through three points each; where an interval is left, that through the last three (Cartwright)."""
    values = np.moveaxis(np.asarray(y), axis, -1)
    h = widths(values, x, dx, axis)
    count = values.shape[-1]
    if count == 2:
        return np.sum(h * (values[..., 1:] + values[..., :-1]) / 2.0, axis=-1)
    pairs = (count - 1) // 2
    first, second = h[..., 0 : 2 * pairs : 2], h[..., 1 : 2 * pairs : 2]
    low, middle, high = (
        values[..., 0 : 2 * pairs : 2],
        values[..., 1 : 2 * pairs : 2],
        values[..., 2 : 2 * pairs + 1 : 2],
    )
    both, ratio = first + second, first / second
    inner = both * both / (first * second)
    total = np.sum(both / 6.0 * (low * (2.0 - 1.0 / ratio) + middle * inner + high * (2.0 - ratio)), axis=-1)
    if count % 2 == 0:
        last, before = h[..., -1], h[..., -2]
        end = (2.0 * last**2 + 3.0 * before * last) / (6.0 * (before + last))
        inside = (last**2 + 3.0 * before * last) / (6.0 * before)
        far = last**3 / (6.0 * before * (before + last))
        total = total + end * values[..., -1] + inside * values[..., -2] - far * values[..., -3]
    return total
