"""What is carried along an axis: moved elements, linear recurrences, running products."""

from __future__ import annotations

import numpy as np

from srcgrad.numeric.indices import inserted, without


# x moved by one place, with this number where nothing comes
def shifted(x: np.ndarray, axis: int, back: bool, first: float) -> np.ndarray:
    out = np.empty(x.shape, x.dtype)
    for rest in np.ndindex(without(x.shape, axis)):
        carried = x.dtype.type(first)
        for k in range(x.shape[axis] - 1, -1, -1) if back else range(x.shape[axis]):
            at = inserted(rest, axis, k)
            out[at] = carried
            carried = x[at]
    return out


# c[i] = a[i] * c[i-1] + b[i], from 0; and its transpose, which goes back: c[i] = a[i+1] * c[i+1] + b[i]
def recurrence(a: np.ndarray, b: np.ndarray, axis: int, back: bool) -> np.ndarray:
    out = np.empty(b.shape, b.dtype)
    for rest in np.ndindex(without(b.shape, axis)):
        carried = b.dtype.type(0)
        for k in range(b.shape[axis] - 1, -1, -1) if back else range(b.shape[axis]):
            at = inserted(rest, axis, k)
            if back:
                carried += b[at]
                out[at] = carried
                carried *= a[at]
            else:
                carried = a[at] * carried + b[at]
                out[at] = carried
    return out


def running_products(x: np.ndarray, axis: int) -> np.ndarray:
    out = np.empty(x.shape, x.dtype)
    for rest in np.ndindex(without(x.shape, axis)):
        carried = x.dtype.type(1)
        for k in range(x.shape[axis]):
            at = inserted(rest, axis, k)
            carried *= x[at]
            out[at] = carried
    return out


# the products of the elements before each, or after it
def products_of_side(x: np.ndarray, axis: int, back: bool) -> np.ndarray:
    out = np.empty(x.shape, x.dtype)
    for rest in np.ndindex(without(x.shape, axis)):
        carried = x.dtype.type(1)
        for k in range(x.shape[axis] - 1, -1, -1) if back else range(x.shape[axis]):
            at = inserted(rest, axis, k)
            out[at] = carried
            carried *= x[at]
    return out


def products_of_others(x: np.ndarray, axis: int) -> np.ndarray:
    out = np.empty(x.shape, x.dtype)
    for rest in np.ndindex(without(x.shape, axis)):
        carried = x.dtype.type(1)
        for k in range(x.shape[axis]):
            at = inserted(rest, axis, k)
            out[at] = carried
            carried *= x[at]
    for rest in np.ndindex(without(x.shape, axis)):
        carried = x.dtype.type(1)
        for k in range(x.shape[axis] - 1, -1, -1):
            at = inserted(rest, axis, k)
            out[at] *= carried
            carried *= x[at]
    return out
