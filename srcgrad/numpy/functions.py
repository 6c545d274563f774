"""Functions of NumPy that take functions, or that are windows and tables of another array."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

__all__ = ["apply_along_axis", "piecewise", "sliding_window_view"]


def piecewise(x: Any, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Any:
    out = np.zeros_like(x)
    rest = np.ones(x.shape, np.bool_)
    for k, condition in enumerate(condlist):
        piece = funclist[k]
        out[condition] = piece(x[condition], *args, **kw) if callable(piece) else piece
        rest = rest & ~condition
    if len(funclist) > len(condlist):
        piece = funclist[-1]
        out[rest] = piece(x[rest], *args, **kw) if callable(piece) else piece
    return out


def apply_along_axis(func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kwargs: Any) -> Any:
    """Over the rows of a matrix, or its columns."""
    if arr.ndim == 1 and axis in (0, -1):
        return func1d(arr, *args, **kwargs)
    if arr.ndim != 2 or axis not in (0, 1, -1, -2):
        raise ValueError("apply_along_axis takes matrices and vectors here")
    across = axis in (1, -1)
    made = np.stack([func1d(row, *args, **kwargs) for row in (arr if across else arr.T)])
    return made if made.ndim == 1 or across else made.T


def sliding_window_view(x: Any, window_shape: Any, axis: Any = None) -> Any:
    """Of a vector, or of a matrix by windows of its own rank."""
    if axis is not None or x.ndim > 2:
        raise ValueError("sliding_window_view takes vectors and matrices, and no axis, here")
    if x.ndim == 1:
        width = window_shape[0] if isinstance(window_shape, tuple) else window_shape
        return x[np.arange(len(x) - width + 1)[:, None] + np.arange(width)]
    high, wide = window_shape
    rows = np.arange(x.shape[0] - high + 1)[:, None] + np.arange(high)
    columns = np.arange(x.shape[1] - wide + 1)[:, None] + np.arange(wide)
    return x[rows[:, None, :, None], columns[None, :, None, :]]
