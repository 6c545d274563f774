"""Derivatives of parallel loops: one thread, several threads, and an adjoint written by hand with `prange`.

    python tests/benchmarks/parallel.py [name ...]

Times are of the wall clock, the shortest of interleaved calls, on as many threads as Numba takes (NUMBA_NUM_THREADS);
other processes spoil them. Work is the CPU time of all threads beside that of one thread alone: what is above 1 is lost
to starting threads, to waiting and to sums of parts. Compile times are CPU seconds; 0 where it was compiled before.
"""

from __future__ import annotations

import math
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numba
import numpy as np
from numba import njit, prange

sys.path.insert(0, str(Path(__file__).parents[2]))

import srcgrad as sg

FAST = {"arcp", "contract", "nsz", "reassoc"}
by_hand = njit(parallel=True, nogil=True, error_model="numpy", fastmath=FAST)
RNG = np.random.default_rng(0)


class Case(NamedTuple):
    """serial, parallel: the generated derivatives; hand: the same numbers, written by hand."""

    serial: Callable[..., Any]
    parallel: Callable[..., Any]
    hand: Callable[..., Any]
    args: tuple[Any, ...]


# ---- a sum over elements


def map_reduce(x, w):
    total = 0.0
    for i in prange(len(x)):
        total += math.exp(-x[i] * x[i]) * math.sin(w * x[i])
    return total


@by_hand
def map_reduce_by_hand(x, w):
    x_bar = np.empty_like(x)
    w_bar = 0.0
    for i in prange(len(x)):
        e, s, c = math.exp(-x[i] * x[i]), math.sin(w * x[i]), math.cos(w * x[i])
        x_bar[i] = e * (w * c - 2.0 * x[i] * s)
        w_bar += e * x[i] * c
    return x_bar, w_bar


# ---- rows of a matrix


def rows(a, w):
    out = np.zeros(a.shape[0])
    for i in prange(a.shape[0]):
        s = 0.0
        for j in range(a.shape[1]):
            s += math.tanh(a[i, j] * w[j])
        out[i] = s * s
    return out.sum()


@by_hand
def rows_by_hand(a, w):
    n, m = a.shape
    a_bar = np.empty_like(a)
    parts = np.zeros((32, m))
    for share in prange(32):
        own = np.zeros(m)
        t = np.empty(m)
        for i in range(share * n // 32, (share + 1) * n // 32):
            s = 0.0
            for j in range(m):
                t[j] = math.tanh(a[i, j] * w[j])
                s += t[j]
            for j in range(m):
                g = 2.0 * s * (1.0 - t[j] * t[j])
                a_bar[i, j] = g * w[j]
                own[j] += g * a[i, j]
        parts[share] = own
    return a_bar, parts.sum(axis=0)


# ---- forces between all pairs


def forces(p, m):
    n = len(p)
    f = np.zeros((n, 3))
    for i in prange(n):
        for j in range(n):
            d = 1e-2
            for k in range(3):
                d += (p[j, k] - p[i, k]) ** 2
            c = m[j] / (d * math.sqrt(d))
            for k in range(3):
                f[i, k] += c * (p[j, k] - p[i, k])
    return (f * f).sum()


@by_hand
def forces_by_hand(p, m):
    n = len(p)
    f = np.zeros((n, 3))
    for i in prange(n):
        for j in range(n):
            x, y, z = p[j, 0] - p[i, 0], p[j, 1] - p[i, 1], p[j, 2] - p[i, 2]
            d = 1e-2 + x * x + y * y + z * z
            c = m[j] / (d * math.sqrt(d))
            f[i, 0] += c * x
            f[i, 1] += c * y
            f[i, 2] += c * z
    p_bar = np.empty_like(p)
    m_bar = np.empty_like(m)
    for i in prange(n):  # what pairs with i give to i, from both sides: no two turns write one place
        gx, gy, gz, gm = 0.0, 0.0, 0.0, 0.0
        for j in range(n):
            x, y, z = p[j, 0] - p[i, 0], p[j, 1] - p[i, 1], p[j, 2] - p[i, 2]
            d = 1e-2 + x * x + y * y + z * z
            r = 1.0 / (d * math.sqrt(d))
            mine = 2.0 * (f[i, 0] * x + f[i, 1] * y + f[i, 2] * z)
            theirs = -2.0 * (f[j, 0] * x + f[j, 1] * y + f[j, 2] * z)
            gm += theirs * r
            wx = 2.0 * r * (m[i] * f[j, 0] - m[j] * f[i, 0])
            wy = 2.0 * r * (m[i] * f[j, 1] - m[j] * f[i, 1])
            wz = 2.0 * r * (m[i] * f[j, 2] - m[j] * f[i, 2])
            t = 3.0 * r / d * (m[j] * mine + m[i] * theirs)
            gx += wx + t * x
            gy += wy + t * y
            gz += wz + t * z
        p_bar[i, 0], p_bar[i, 1], p_bar[i, 2], m_bar[i] = gx, gy, gz, gm
    return p_bar, m_bar


# ---- a gather through an array of places


def gather(x, places):
    total = 0.0
    for i in prange(len(places)):
        total += math.sin(x[places[i]] * x[places[i]])
    return total


@by_hand
def gather_by_hand(x, places):
    n, m = len(places), len(x)
    parts = np.zeros((32, m))
    for share in prange(32):
        own = parts[share]
        for i in range(share * n // 32, (share + 1) * n // 32):
            v = x[places[i]]
            own[places[i]] += math.cos(v * v) * 2.0 * v
    x_bar = np.zeros(m)
    for share in range(32):
        for k in range(m):
            x_bar[k] += parts[share, k]
    return x_bar


# ---- a model over many items


def model(w, x):
    h = 0.0
    for j in range(w.shape[0]):
        s = w[j, 0]
        for k in range(x.shape[0]):
            s += w[j, k + 1] * x[k]
        h += math.tanh(s) * w[j, 0]
    return h * h


@by_hand
def model_by_hand(w, x):
    n = x.shape[0]
    out = np.empty((n, *w.shape))
    for i in prange(n):
        t = np.empty(w.shape[0])
        h = 0.0
        for j in range(w.shape[0]):
            s = w[j, 0]
            for k in range(x.shape[1]):
                s += w[j, k + 1] * x[i, k]
            t[j] = math.tanh(s)
            h += t[j] * w[j, 0]
        for j in range(w.shape[0]):
            g = 2.0 * h * w[j, 0] * (1.0 - t[j] * t[j])
            out[i, j, 0] = 2.0 * h * t[j] + g
            for k in range(x.shape[1]):
                out[i, j, k + 1] = g * x[i, k]
    return out


# ---- a batch of roots


def kepler(x, e):
    return x - e * math.sin(x) - 0.7


@by_hand
def kepler_by_hand(x0, e):
    x, steps = np.empty_like(x0), np.empty(len(x0), np.int64)
    for i in prange(len(x0)):
        t = x0[i]
        for n in range(50):
            step = (t - e * math.sin(t) - 0.7) / (1.0 - e * math.cos(t))
            t -= step
            steps[i] = n + 1
            if abs(step) <= 1e-12 * (1.0 + abs(t)):
                break
        x[i] = t
    return x, steps


def newton_of(parallel: bool) -> Callable[..., Any]:
    """The batched solver; in one thread it is the same map without threads."""
    if parallel:
        return lambda x0, e: sg.newton(kepler, x0, (e,), batch=True).x
    from srcgrad.optimize.methods import newton_loop

    serial = sg.vmap(newton_loop(kepler, 0, "forward", False, True), (0, None, None, None), parallel=False)
    return lambda x0, e: serial(x0, (e,), 1e-12, 50)[0]


def both(fun: Callable[..., Any], argnums: Any) -> tuple[Callable[..., Any], Callable[..., Any]]:
    return sg.grad(fun, argnums, parallel=False), sg.grad(fun, argnums, parallel=True)


def mapped(fun: Callable[..., Any], axes: Any) -> tuple[Callable[..., Any], Callable[..., Any]]:
    return sg.vmap(sg.grad(fun), axes, parallel=False), sg.vmap(sg.grad(fun), axes)


def cases() -> Iterator[tuple[str, Case]]:
    normal = RNG.normal
    yield "elements (10⁶)", Case(*both(map_reduce, (0, 1)), map_reduce_by_hand, (normal(size=1_000_000), 1.3))
    yield "rows (4,000 x 250)", Case(*both(rows, (0, 1)), rows_by_hand, (normal(size=(4000, 250)), normal(size=250)))
    yield "forces (1,000 bodies)", Case(*both(forces, (0, 1)), forces_by_hand, (normal(size=(1000, 3)), np.ones(1000)))
    places = RNG.integers(0, 1000, 1_000_000)
    yield "gather (10⁶ of 1,000)", Case(*both(gather, 0), gather_by_hand, (normal(size=1000), places))
    many = normal(size=(20_000, 8))
    yield "vmap of a model (20,000)", Case(*mapped(model, (None, 0)), model_by_hand, (normal(size=(16, 9)), many))
    solvers = newton_of(False), newton_of(True), lambda x0, e: kepler_by_hand(x0, e)[0]
    yield "batch of Newton (200,000)", Case(*solvers, (RNG.uniform(0.0, 1.0, 200_000), 0.5))


def best_of(calls: Sequence[Callable[..., Any]], args: tuple[Any, ...]) -> tuple[list[float], list[float]]:
    """The shortest time of each by the clock, and the least CPU time."""
    wall, work = [math.inf] * len(calls), [math.inf] * len(calls)
    for _ in range(40):
        for k, call in enumerate(calls):
            start, cpu = time.perf_counter(), time.process_time()
            call(*args)
            wall[k] = min(wall[k], time.perf_counter() - start)
            work[k] = min(work[k], time.process_time() - cpu)
    return wall, work


def compiled(call: Callable[..., Any], args: tuple[Any, ...]) -> tuple[Any, float]:
    start = time.process_time()
    return call(*args), time.process_time() - start


def agree(a: Any, b: Any) -> None:
    if isinstance(a, tuple):
        for x, y in zip(a, b, strict=True):
            agree(x, y)
    else:
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-8 * float(np.abs(a).max()))


def main(names: list[str]) -> None:
    warnings.simplefilter("ignore", numba.core.errors.NumbaPerformanceWarning)
    sg.vmap(lambda x: x * x)(np.ones(4))  # Numba's threads
    print(f"{numba.get_num_threads()} threads, layer {numba.threading_layer()}")
    head = ("", "one thread", "parallel", "by hand", "speed-up", "work", "hand's", "compiles", "parallel")
    print("{:26}{:>12}{:>12}{:>12}{:>10}{:>8}{:>8}{:>10}{:>10}".format(*head))
    for name, case in cases():
        if names and not any(n in name for n in names):
            continue
        calls = (case.serial, case.parallel, case.hand)
        results, compiling = zip(*(compiled(call, case.args) for call in calls), strict=True)
        agree(results[0], results[1])
        agree(results[0], results[2])
        wall, work = best_of(calls, case.args)
        times = "".join(f"{1e3 * t:9.2f} ms" for t in wall)
        print(
            f"{name:26}{times}{wall[0] / wall[1]:10.2f}{work[1] / work[0]:8.2f}{work[2] / work[0]:8.2f}"
            f"{compiling[0]:8.1f} s{compiling[1]:8.1f} s",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1:])
