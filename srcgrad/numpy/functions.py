"""Functions of NumPy that take functions, or that are windows and tables of another array."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

__all__ = ["apply_along_axis", "piecewise", "sliding_window_view"]  # by the names that they have there


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


def vectorized(function: Callable[..., Any], *args: Any) -> Any:
    """np.vectorize: the function of each element, of arrays that are broadcast."""
    if all([np.ndim(a) == 0 for a in args]):
        return function(*args)
    arrays = np.broadcast_arrays(*args)
    made = np.array([function(*items) for items in zip(*[a.ravel() for a in arrays], strict=True)])
    return made.reshape(arrays[0].shape)


def of_vector(function: Callable[..., Any], shape: Any, *args: Any) -> Any:
    """np.guvectorize: what the function writes into its last argument."""
    out = np.zeros(shape)
    function(*args, out)
    return out


def of_vector_to_number(function: Callable[..., Any], shape: Any, *args: Any) -> Any:
    out = np.zeros(1)
    function(*args, out)
    return out[0]


def of_rows(function: Callable[..., Any], count: int, shape: Any, stacked: Any, *args: Any) -> Any:
    out = np.zeros((count, *shape))
    for k in range(count):
        function(*[a[k] if rows else a for a, rows in zip(args, stacked)], out[k])  # noqa: B905
    return out


def of_rows_to_numbers(function: Callable[..., Any], count: int, shape: Any, stacked: Any, *args: Any) -> Any:
    out = np.zeros((count, 1))
    for k in range(count):
        function(*[a[k] if rows else a for a, rows in zip(args, stacked)], out[k])  # noqa: B905
    return out[:, 0]


def outer(function: Callable[[Any, Any], Any], a: Any, b: Any) -> Any:
    """The ufunc's `outer`: of each element of a with each of b."""
    return function(np.reshape(a, (*np.shape(a), *((1,) * np.ndim(b)))), b)


def accumulate(function: Callable[[Any, Any], Any], x: Any) -> Any:
    """The ufunc's `accumulate` over the first axis."""
    out = np.empty_like(x)
    out[:1] = x[:1]
    for k in range(1, len(x)):
        out[k] = function(out[k - 1], x[k])
    return out


def mgrid(*ranges: Any) -> Any:
    return ranges[0] if len(ranges) == 1 else np.stack(np.meshgrid(*ranges, indexing="ij"))


def ogrid(*ranges: Any) -> Any:
    made: tuple[Any, ...] = ()
    for k, values in enumerate(ranges):
        made = (*made, np.reshape(values, ((1,) * k + (len(values),) + (1,) * (len(ranges) - 1 - k))))
    return made[0] if len(made) == 1 else made


def weighted_histogram(a: Any, bins: Any, weights: Any) -> Any:
    """Sums of weights by bins, whose edges carry no derivative."""
    edges = np.linspace(np.min(a), np.max(a), bins + 1) if np.ndim(bins) == 0 else bins
    counts = np.zeros(len(edges) - 1)
    for k in range(len(a)):
        place = np.searchsorted(edges, a[k], side="right") - 1
        if a[k] == edges[-1]:
            place = len(edges) - 2
        if 0 <= place < len(edges) - 1:
            counts[place] += weights[k]
    return counts, edges
