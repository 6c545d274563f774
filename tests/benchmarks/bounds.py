"""What index checks cost: gradients with and without them, and where the checks went.

    python tests/benchmarks/bounds.py

The two gradients of a function take turns; medians of CPU time. The last column is what compiling the gradient takes
(transformation and Numba), with checks beside without, in fresh caches.
"""

from __future__ import annotations

import math
import os
import tempfile
import time
from collections.abc import Callable
from typing import Any

os.environ["SRCGRAD_CACHE_DIR"] = tempfile.mkdtemp(prefix="srcgrad_bounds_")

import numpy as np

import srcgrad as sg
from srcgrad.bounds import insert_checks
from srcgrad.compiler import find_or_make
from tests.benchmarks.timing import interleaved


def product(x, n):
    s = 1.0
    for i in range(n):
        s = s * math.sin(x[i])
    return s


def heat(u0, steps, n):
    u = u0.copy()
    w = u0.copy()
    for _ in range(steps):
        for i in range(1, n - 1):
            w[i] = u[i] + 0.1 * (u[i - 1] - 2.0 * u[i] + u[i + 1]) - 0.05 * u[i] * u[i]
        u, w = w, u
    return np.sum(u * u)


def lu(a, n):
    a = a.copy()
    for k in range(n):
        for i in range(k + 1, n):
            a[i, k] = a[i, k] / a[k, k]
            for j in range(k + 1, n):
                a[i, j] = a[i, j] - a[i, k] * a[k, j]
    s = 0.0
    for k in range(n):
        s = s + math.log(abs(a[k, k]))
    return s


def matrix_product(a, b, n, m):
    s = 0.0
    for i in range(n):
        for j in range(m):
            c = 0.0
            for k in range(n):
                c += a[i, k] * b[k, j]
            s += c * c
    return s


def first_crossing(x, n):
    s = 0.0
    for i in range(n):
        s += x[i] * x[i]
        if s > 1e9:
            break
    return s


def gather(x, places):
    s = 0.0
    for i in range(len(places)):
        s += x[places[i]] ** 2
    return s


def gather_costly(x, places):
    s = 0.0
    for i in range(len(places)):
        s += math.sin(x[places[i]]) * x[places[i] - 1]
    return s


R = np.random.default_rng(0)
SQUARE = R.uniform(size=(60, 60)) + 60.0 * np.eye(60)
CASES: dict[Callable[..., Any], tuple[Any, ...]] = {
    product: (R.uniform(0.9, 1.1, 2000), 2000),
    heat: (R.uniform(size=400), 50, 400),
    lu: (SQUARE, 60),
    matrix_product: (SQUARE, SQUARE.copy(), 60, 60),
    first_crossing: (R.uniform(size=2000), 2000),
    gather: (R.uniform(size=2000), R.integers(1, 2000, 4000)),
    gather_costly: (R.uniform(size=2000), R.integers(1, 2000, 4000)),
}


def made(f: Callable[..., Any], args: tuple[Any, ...], checked: bool) -> tuple[Any, Any, float]:
    """The compiled gradient, where its checks went, and how long that took."""
    insert_checks.SWITCH["checked"] = checked
    find_or_make._UNITS.clear()
    derivative = sg.grad(f, cache=False)
    start = time.thread_time()
    derivative(*args)
    taken = time.thread_time() - start
    insert_checks.SWITCH["checked"] = True
    assert derivative._last is not None
    return derivative, derivative._last.meta.facts.checks, taken


def main() -> None:
    made(lambda x: x * x, (1.0,), True)  # Numba itself, warmed up
    print(f"{'':16}{'proved':>7}{'moved':>7}{'placed':>7}{'with':>11}{'without':>11}{'ratio':>7}{'compile':>9}")
    ratios = []
    for f, args in CASES.items():
        pairs = [(made(f, args, True), made(f, args, False)) for _ in range(3)]
        (checked, counts, _), (unchecked, _, _) = pairs[-1]
        np.testing.assert_array_equal(checked(*args), unchecked(*args))
        times = interleaved({"with": lambda: checked(*args), "without": lambda: unchecked(*args)}, rounds=101)  # noqa: B023
        ratio, more = times["with"] / times["without"], min(a[2] for a, _ in pairs) / min(b[2] for _, b in pairs)
        ratios.append(more)
        row = "".join(f"{c:7}" for c in counts) + "".join(f"{t * 1e6:8.1f} µs" for t in times.values())
        print(f"{f.__name__:16}{row}{ratio:7.2f}{more:9.2f}", flush=True)
    print(f"compile time, geometric mean: {math.prod(ratios) ** (1 / len(ratios)):.3f}")


if __name__ == "__main__":
    main()
