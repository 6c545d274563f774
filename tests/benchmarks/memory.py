"""What reverse mode costs where memory is overwritten: the adjoint's time over the primal's, both compiled.

    python tests/benchmarks/memory.py [name ...]

Each line: the primal's and the gradient's CPU time (the shortest of interleaved runs), their ratio, and what is kept.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

import srcgrad as sg


def burgers_swapped(dt, u0, steps):
    u = u0.copy()
    w = np.zeros(len(u0))
    for _ in range(steps):
        for i in range(1, len(u) - 1):
            w[i] = u[i] - dt * u[i] * (u[i + 1] - u[i - 1]) + 0.1 * (u[i + 1] - 2.0 * u[i] + u[i - 1])
        u, w = w, u
    s = 0.0
    for i in range(len(u)):
        s += u[i] * u[i]
    return s


def burgers_in_place(dt, u0, steps):
    u = u0.copy()
    for _ in range(steps):
        for i in range(1, len(u) - 1):
            u[i] = u[i] - dt * u[i] * (u[i + 1] - u[i - 1]) + 0.1 * (u[i + 1] - 2.0 * u[i] + u[i - 1])
    s = 0.0
    for i in range(len(u)):
        s += u[i] * u[i]
    return s


def heat_swapped(dt, u0, steps):
    u = u0.copy()
    w = u0.copy()
    for _ in range(steps):
        for i in range(1, u.shape[0] - 1):
            for j in range(1, u.shape[1] - 1):
                lap = u[i + 1, j] + u[i - 1, j] + u[i, j + 1] + u[i, j - 1] - 4.0 * u[i, j]
                w[i, j] = u[i, j] + dt * lap * u[i, j]
        u, w = w, u
    s = 0.0
    for i in range(u.shape[0]):
        for j in range(u.shape[1]):
            s += u[i, j] * u[i, j]
    return s


def lu_in_place(a0):
    a = a0.copy()
    n = a.shape[0]
    for k in range(n):
        a[k, k] += 3.0
        for i in range(k + 1, n):
            a[i, k] = a[i, k] / a[k, k]
            for j in range(k + 1, n):
                a[i, j] = a[i, j] - a[i, k] * a[k, j]
    s = 0.0
    for k in range(n):
        s += np.log(abs(a[k, k]))
    return s


def cholesky_in_place(a0):
    a = a0.copy()
    n = a.shape[0]
    for j in range(n):
        s = a[j, j]
        for k in range(j):
            s -= a[j, k] * a[j, k]
        a[j, j] = np.sqrt(s)
        for i in range(j + 1, n):
            t = a[i, j]
            for k in range(j):
                t -= a[i, k] * a[j, k]
            a[i, j] = t / a[j, j]
    return a[n - 1, n - 1]


def prefix_product(a0):
    a = a0.copy()
    for i in range(1, len(a)):
        a[i] = a[i] * a[i - 1]
    return a[len(a) - 1]


def scattered(a0, k, steps):
    a = a0.copy()
    for _ in range(steps):
        a[k] = np.sin(a[k]) * a[0]
        a[a > 0.5] *= 0.9
    return np.sum(a)


RANDOM = np.random.default_rng(0)
SQUARE = RANDOM.standard_normal((64, 64))
CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...], int]] = {
    "Burgers, swapped, 1000 x 1000": (burgers_swapped, (1e-4, RANDOM.random(1000), 1000), 1),
    "Burgers, in place, 1000 x 1000": (burgers_in_place, (1e-4, RANDOM.random(1000), 1000), 1),
    "heat 128^2, 100 steps, swapped": (heat_swapped, (0.1, RANDOM.random((128, 128)), 100), 1),
    "LU 64, in place": (lu_in_place, (SQUARE + 8 * np.eye(64),), 0),
    "Cholesky 64, in place": (cholesky_in_place, (SQUARE @ SQUARE.T + 64 * np.eye(64),), 0),
    "prefix product, 1e6": (prefix_product, (1.0 + 1e-6 * RANDOM.random(10**6),), 0),
    "places and masks, 1000 x 100": (scattered, (RANDOM.random(1000), RANDOM.integers(0, 1000, 300), 100), 0),
}


def shortest(candidates: dict[str, Callable[[], object]], seconds: float = 3.0) -> dict[str, float]:
    """The shortest CPU time of a call of each, in turns."""
    best = dict.fromkeys(candidates, float("inf"))
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        for name, call in candidates.items():
            start = time.thread_time()
            call()
            best[name] = min(best[name], time.thread_time() - start)
    return best


def measured(name: str) -> str:
    fun, args, place = CASES[name]
    primal = numba.njit(nogil=True, error_model="numpy")(fun)
    gradient = sg.value_and_grad(fun, argnums=place)
    assert np.isclose(gradient(*args)[0], primal(*args))
    times = shortest({"primal": lambda: primal(*args), "adjoint": lambda: gradient(*args)})
    kept = re.search(r"bytes a call: (.*)", gradient.explain(*args))
    ratio = times["adjoint"] / times["primal"]
    kept_text = kept.group(1) if kept else "nothing"
    return f"{name:<32} {times['primal'] * 1e3:9.3f} ms {times['adjoint'] * 1e3:9.3f} ms {ratio:7.2f}   {kept_text}"


if __name__ == "__main__":
    print(f"{'':<32} {'primal':>12} {'gradient':>12} {'ratio':>7}   kept")
    for case in CASES:
        if not sys.argv[1:] or any(word in case for word in sys.argv[1:]):
            print(measured(case), flush=True)
