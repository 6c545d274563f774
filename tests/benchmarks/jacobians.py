"""Jacobians and Hessians over the function itself as Numba compiles it.

    python tests/benchmarks/jacobians.py                      all, as a Markdown table
    python tests/benchmarks/jacobians.py --names hand bundle

Ratios of interleaved medians of the thread's CPU time. "Cold" is the CPU time of the first call, compilation and the
search for a pattern included.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:] = [str(ROOT), *(p for p in sys.path if Path(p).resolve() != Path(__file__).resolve().parent)]

import numba  # noqa: E402
import numpy as np  # noqa: E402

import srcgrad as sg  # noqa: E402
from tests.benchmarks.timing import interleaved  # noqa: E402

POINTS, BONES = 100, 22


def hand(theta, base, weights, parents, offsets, target):
    """The distances of a skinned mesh from its targets: 20 angles of fingers, then a rotation and a translation."""
    pose = np.zeros((22, 3, 4))
    local = np.zeros((3, 4))
    for b in range(22):
        x = theta[20] if b == 0 else 0.0
        y = theta[21] if b == 0 else 0.0
        z = theta[22] if b == 0 else 0.0
        if b >= 2:
            x = theta[b - 2]
            y = 0.3 * theta[b - 2]
        cx, sx = math.cos(x), math.sin(x)
        cy, sy = math.cos(y), math.sin(y)
        cz, sz = math.cos(z), math.sin(z)
        local[0, 0] = cy * cz
        local[0, 1] = -cx * sz + sx * sy * cz
        local[0, 2] = sx * sz + cx * sy * cz
        local[1, 0] = cy * sz
        local[1, 1] = cx * cz + sx * sy * sz
        local[1, 2] = -sx * cz + cx * sy * sz
        local[2, 0] = -sy
        local[2, 1] = sx * cy
        local[2, 2] = cx * cy
        for i in range(3):
            local[i, 3] = offsets[b, i]
        if b == 0:
            for i in range(3):
                for j in range(4):
                    pose[b, i, j] = local[i, j]
        else:
            p = parents[b]
            for i in range(3):
                for j in range(4):
                    s = pose[p, i, 3] if j == 3 else 0.0
                    for k in range(3):
                        s += pose[p, i, k] * local[k, j]
                    pose[b, i, j] = s
    out = np.zeros((base.shape[0], 3))
    for b in range(22):
        for v in range(base.shape[0]):
            for i in range(3):
                s = pose[b, i, 3]
                for k in range(3):
                    s += pose[b, i, k] * base[v, k]
                out[v, i] += weights[v, b] * s
    for v in range(base.shape[0]):
        for i in range(3):
            out[v, i] += theta[23 + i] - target[v, i]
    return out


def hand_args() -> tuple[Any, ...]:
    rng = np.random.default_rng(0)
    weights = rng.random((POINTS, BONES))
    parents = np.array([0, 0, *(1 if (b - 2) % 4 == 0 else b - 1 for b in range(2, BONES))])
    offsets = rng.normal(size=(BONES, 3))
    base, target = rng.normal(size=(POINTS, 3)), rng.normal(size=(POINTS, 3))
    return 0.3 * rng.normal(size=26), base, weights / weights.sum(axis=1)[:, None], parents, offsets, target


def projection(p, feat):
    """One camera (11), one point (3), one weight -> the error of the projection (2); p holds all 15."""
    out = np.zeros(2)
    theta2 = p[0] * p[0] + p[1] * p[1] + p[2] * p[2]
    x0, x1, x2 = p[11] - p[3], p[12] - p[4], p[13] - p[5]
    theta = math.sqrt(theta2)
    c, s = math.cos(theta), math.sin(theta)
    w0, w1, w2 = p[0] / theta, p[1] / theta, p[2] / theta
    t = (w0 * x0 + w1 * x1 + w2 * x2) * (1.0 - c)
    y0 = x0 * c + (w1 * x2 - w2 * x1) * s + w0 * t
    y1 = x1 * c + (w2 * x0 - w0 * x2) * s + w1 * t
    y2 = x2 * c + (w0 * x1 - w1 * x0) * s + w2 * t
    u, v = y0 / y2, y1 / y2
    r = u * u + v * v
    scale = 1.0 + p[9] * r + p[10] * r * r
    out[0] = p[14] * (u * scale * p[6] + p[7] - feat[0])
    out[1] = p[14] * (v * scale * p[6] + p[8] - feat[1])
    return out


def projection_args() -> tuple[Any, ...]:
    rng = np.random.default_rng(1)
    p = rng.normal(size=15)
    p[13] += 10.0
    return p, rng.normal(size=2)


def rosenbrock(x):
    total = 0.0
    for i in range(x.shape[0] - 1):
        total += 100.0 * (x[i + 1] - x[i] * x[i]) ** 2 + (1.0 - x[i]) ** 2
    return total


def chained(x):
    """A function of a variable and its neighbours, one after another."""
    y = np.zeros(x.shape[0])
    for i in range(1, x.shape[0] - 1):
        y[i] = math.sin(x[i - 1]) * x[i] + x[i + 1] ** 2
    y[0] = x[0]
    y[x.shape[0] - 1] = x[x.shape[0] - 1] * x[0]
    return y


def vector(n: int) -> tuple[Any, ...]:
    return (np.linspace(0.5, 1.5, n),)


Maker = Callable[[Any], Any]
CASES: dict[str, tuple[Any, Callable[[], tuple[Any, ...]], Maker]] = {
    "hand": (hand, hand_args, sg.jacobian),
    "hand, forward": (hand, hand_args, sg.jacfwd),
    "bundle": (projection, projection_args, sg.jacobian),
    "bundle, reverse": (projection, projection_args, sg.jacrev),
    "rosenbrock, 50": (rosenbrock, lambda: vector(50), sg.hessian),
    "rosenbrock, 50, sparse": (rosenbrock, lambda: vector(50), partial(sg.hessian, sparse=True)),
    "rosenbrock, 100,000, sparse": (rosenbrock, lambda: vector(100_000), partial(sg.hessian, sparse=True)),
    "chained, 1,000": (chained, lambda: vector(1000), sg.jacobian),
    "chained, 1,000, sparse": (chained, lambda: vector(1000), partial(sg.jacobian, sparse=True)),
    "chained, 100,000, sparse": (chained, lambda: vector(100_000), partial(sg.jacobian, sparse=True)),
}


def measure(name: str) -> str:
    fun, args, make = CASES[name][0], CASES[name][1](), CASES[name][2]
    start = time.process_time()
    derivative = make(fun, cache=False)
    matrix = derivative(*args)
    cold = time.process_time() - start
    primal = numba.njit(fun)
    times = interleaved({"primal": lambda: primal(*args), "derivative": lambda: derivative(*args)}, rounds=31)
    ratio = times["derivative"] / times["primal"]
    parts = [matrix] if isinstance(matrix, np.ndarray) else [matrix.data, matrix.indices, matrix.indptr]
    size = sum(part.nbytes for part in parts) / 1e6
    micro = {key: f"{1e6 * t:.4g}" for key, t in times.items()}
    return f"| {name} | {micro['primal']} | {micro['derivative']} | {ratio:.2f} | {cold:.1f} | {size:.2f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--names", nargs="*", default=list(CASES))
    print("| workload | primal, µs | derivative, µs | ratio | cold, s | matrix, MB |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name in parser.parse_args().names:
        print(measure(name), flush=True)


if __name__ == "__main__":
    main()
