"""Functions that call themselves: value and gradient beside the function as Numba compiles it.

    python tests/benchmarks/recursion.py
    python tests/benchmarks/recursion.py chain determinant

Candidates take turns; medians of the process's CPU time.
"""

from __future__ import annotations

import math
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
# in the place of this folder, whose files have the names of packages
sys.path[:] = [str(ROOT), *(p for p in sys.path if Path(p).resolve() != Path(__file__).resolve().parent)]

import numpy as np  # noqa: E402
from numba import njit  # noqa: E402

import srcgrad as sg  # noqa: E402

ROUNDS = 15


@njit(cache=True)
def chain(x, n):
    if n == 0:
        return x
    return math.sin(x) * chain(0.999 * x, n - 1) + x


@njit(cache=True)
def of_elements(a, i):
    if i == a.shape[0]:
        return 0.0
    return a[i] * a[i] + math.sin(of_elements(a, i + 1))


@njit(cache=True)
def tree(x, n):
    if n == 0:
        return math.sin(x)
    return tree(0.5 * x, n - 1) * tree(x + 0.1, n - 1)


@njit(cache=True)
def determinant(m):
    n = m.shape[0]
    if n == 1:
        return m[0, 0]
    total, sign = 0.0, 1.0
    for j in range(n):
        rest = np.empty((n - 1, n - 1))
        for i in range(1, n):
            for k in range(j):
                rest[i - 1, k] = m[i, k]
            for k in range(j + 1, n):
                rest[i - 1, k - 1] = m[i, k]
        total += sign * m[0, j] * determinant(rest)
        sign = -sign
    return total


@njit(cache=True)
def determinant_by_bits(m, row, used):
    n = m.shape[0]
    if row == n:
        return 1.0
    total, sign = 0.0, 1.0
    for j in range(n):
        if not used & (1 << j):
            total += sign * m[row, j] * determinant_by_bits(m, row + 1, used | (1 << j))
            sign = -sign
    return total


@njit(cache=True)
def of_a_minor(a, m, n, rows, columns):
    row, column, before = rows[m], columns[m], m
    if n == 1:
        return a[row * m + column]
    total, sign = 0.0, 1.0
    rows[m] = rows[row]
    for _ in range(n):
        element = a[row * m + column]
        columns[before] = columns[column]
        total += sign * element * of_a_minor(a, m, n - 1, rows, columns)
        columns[before] = column
        sign = -sign
        before, column = column, columns[column]
    rows[m] = row
    return total


@njit(cache=True)
def determinant_by_links(a, m):
    rows, columns = np.arange(1, m + 2), np.arange(1, m + 2)
    rows[m] = 0
    columns[m] = 0
    return of_a_minor(a, m, m, rows, columns)


def cases() -> dict[str, tuple[Any, tuple[Any, ...]]]:
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(7, 7))
    return {
        "chain": (chain, (1.0, 4000)),
        "of_elements": (of_elements, (rng.normal(size=4000), 0)),
        "tree": (tree, (1.0, 12)),
        "determinant": (determinant, (matrix,)),
        "determinant_by_bits": (determinant_by_bits, (matrix, 0, 0)),
        "determinant_by_links": (determinant_by_links, (matrix.ravel(), 7)),
    }


def timed(calls: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """The median of each candidate's CPU time, in microseconds."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            start = time.process_time()
            for _ in range(5):
                call()
            times[name].append((time.process_time() - start) / 5)
    return {name: 1e6 * statistics.median(own) for name, own in times.items()}


def main(names: list[str]) -> None:
    print(f"{'':22} {'primal, µs':>12} {'gradient, µs':>13} {'ratio':>6} {'first, s':>9}")
    for name, (fun, args) in cases().items():
        if names and name not in names:
            continue
        start = time.process_time()
        gradient = sg.value_and_grad(fun.py_func)
        gradient(*args)
        first = time.process_time() - start
        fun(*args)
        found = timed({"primal": lambda f=fun, a=args: f(*a), "gradient": lambda g=gradient, a=args: g(*a)})
        ratio = found["gradient"] / found["primal"]
        print(f"{name:22} {found['primal']:12.1f} {found['gradient']:13.1f} {ratio:6.2f} {first:9.2f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
