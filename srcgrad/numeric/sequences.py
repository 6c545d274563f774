"""Arrays of one axis: selection, sums, and the indices that fill a padded array."""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

import numpy as np


def outside(places: np.ndarray, n: int) -> bool:
    # whether some of the places are none of n
    for place in places.flat:
        if place >= n or place < -n:
            return True
    return False


def edge_places(n: int, before: int, after: int) -> np.ndarray:
    out = np.empty(before + n + after, np.int64)
    for k in range(out.size):
        out[k] = min(max(k - before, 0), n - 1)
    return out


def wrap_places(n: int, before: int, after: int) -> np.ndarray:
    out = np.empty(before + n + after, np.int64)
    for k in range(out.size):
        out[k] = (k - before) % n
    return out


def reflect_places(n: int, before: int, after: int) -> np.ndarray:
    out = np.empty(before + n + after, np.int64)
    period = max(2 * (n - 1), 1)
    for k in range(out.size):
        place = (k - before) % period
        out[k] = min(place, period - place) if n > 1 else 0
    return out


def symmetric_places(n: int, before: int, after: int) -> np.ndarray:
    out = np.empty(before + n + after, np.int64)
    for k in range(out.size):
        place = (k - before) % (2 * n)
        out[k] = min(place, 2 * n - 1 - place)
    return out


def kth_smallest(x: np.ndarray, k: int) -> float:
    # by Hoare's selection; NaN if there is one
    rest = x.copy()
    for value in rest:
        if value != value:
            return value
    low, high = 0, rest.size - 1
    if high < 0:
        return np.nan
    while low < high:
        pivot = rest[(low + high) // 2]
        i, j = low, high
        while i <= j:
            while rest[i] < pivot:
                i += 1
            while rest[j] > pivot:
                j -= 1
            if i <= j:
                rest[i], rest[j] = rest[j], rest[i]
                i += 1
                j -= 1
        if k <= j:
            high = j
        elif k >= i:
            low = i
        else:
            break
    return rest[k]


def index_of_largest(x: np.ndarray) -> int:
    # the first of those that tie, or the first NaN
    if x.size == 0:
        raise ValueError("attempt to get argmax of an empty sequence")
    best = 0
    for i in range(1, x.size):
        if x[best] == x[best] and (x[i] > x[best] or x[i] != x[i]):
            best = i
    return best


def index_of_smallest(x: np.ndarray) -> int:
    # the first of those that tie, or the first NaN
    if x.size == 0:
        raise ValueError("attempt to get argmin of an empty sequence")
    best = 0
    for i in range(1, x.size):
        if x[best] == x[best] and (x[i] < x[best] or x[i] != x[i]):
            best = i
    return best


def fsum(x: np.ndarray) -> float:
    # Neumaier's sum: what rounding loses of each addition is added up beside it
    total, lost = 0.0, 0.0
    for value in x:
        new = total + value
        lost += (total - new) + value if abs(total) >= abs(value) else (value - new) + total
        total = new
    return total + lost if np.isfinite(lost) else total


def correlate(a: np.ndarray, v: np.ndarray) -> np.ndarray:
    # the products of v with as many neighbours in a, wherever v fits
    if v.size > a.size or v.size == 0:
        raise ValueError("the shorter signal must be the second one, and not empty")
    out = np.zeros(a.size - v.size + 1, a.dtype)
    for j in range(v.size):
        out += a[j : j + out.size] * v[j]
    return out


def convolve(a: np.ndarray, v: np.ndarray) -> np.ndarray:
    if a.size == 0 or v.size == 0:
        raise ValueError("a signal is empty")
    out = np.zeros(a.size + v.size - 1, a.dtype)
    for j in range(v.size):
        out[j : j + a.size] += a * v[j]
    return out


def fft_places(n: int) -> np.ndarray:
    # 0, 1 ... and, from the middle on, those below 0
    out = np.arange(n)
    out[(n + 1) // 2 :] -= n
    return out
