"""Kernels as users write them, with arguments for small launches: what tests and benchmarks differentiate."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import cuda, float64

BLOCK = 8  # threads along an axis of the blocks of kernels with shared memory
ROWS, COLUMNS = 4, 4
HALO, TALL, WIDE = BLOCK + 2, ROWS + 2, COLUMNS + 2  # Numba takes the lengths of shared arrays by name


@cuda.jit
def saxpy(a, x, y):
    i = cuda.grid(1)
    if i < x.shape[0]:
        y[i] = a * x[i] + y[i]


@cuda.jit
def elementwise(x, y, out):
    i = cuda.grid(1)
    if i >= out.shape[0]:
        return
    r = math.sqrt(x[i] * x[i] + y[i] * y[i])
    if r > 1.0:
        out[i] = math.log(r)
    else:
        out[i] = r * math.sin(x[i])


@cuda.jit
def grid_stride(x, w, out):
    start = cuda.grid(1)
    stride = cuda.gridsize(1)
    for i in range(start, x.shape[0], stride):
        t = math.tanh(x[i] * w[0])
        out[i] += t * t + w[1]


@cuda.jit
def stencil_1d(u, out, c):
    tile = cuda.shared.array(HALO, float64)
    i = cuda.grid(1)
    t = cuda.threadIdx.x
    n = u.shape[0]
    if i < n:
        tile[t + 1] = u[i]
    else:
        tile[t + 1] = 0.0
    if t == 0:
        tile[0] = u[i - 1] if i > 0 and i - 1 < n else 0.0
    if t == BLOCK - 1:
        tile[BLOCK + 1] = u[i + 1] if i + 1 < n else 0.0
    cuda.syncthreads()
    if i < n:
        out[i] = tile[t + 1] + c * tile[t + 1] * (tile[t] - 2.0 * tile[t + 1] + tile[t + 2])


@cuda.jit
def stencil_2d(u, out):
    tile = cuda.shared.array((TALL, WIDE), float64)
    j, i = cuda.grid(2)
    x, y = cuda.threadIdx.x, cuda.threadIdx.y
    rows, columns = u.shape
    for a in range(y, ROWS + 2, ROWS):
        for b in range(x, COLUMNS + 2, COLUMNS):
            r = cuda.blockIdx.y * ROWS + a - 1
            s = cuda.blockIdx.x * COLUMNS + b - 1
            if r >= 0 and r < rows and s >= 0 and s < columns:
                tile[a, b] = u[r, s]
            else:
                tile[a, b] = 0.0
    cuda.syncthreads()
    if i < rows and j < columns:
        around = tile[y, x + 1] + tile[y + 2, x + 1] + tile[y + 1, x] + tile[y + 1, x + 2]
        out[i, j] = 0.25 * around * tile[y + 1, x + 1]


@cuda.jit
def plain_stencil_2d(u, out):
    i, j = cuda.grid(2)
    if i > 0 and j > 0 and i < u.shape[0] - 1 and j < u.shape[1] - 1:
        out[i, j] = u[i, j] * (u[i - 1, j] + u[i + 1, j] + u[i, j - 1] + u[i, j + 1] - 4.0 * u[i, j])


@cuda.jit
def atomic_sum(x, total):
    i = cuda.grid(1)
    if i < x.shape[0]:
        cuda.atomic.add(total, 0, x[i] * x[i])


@cuda.jit
def tree_sum(x, total):
    part = cuda.shared.array(BLOCK, float64)
    t = cuda.threadIdx.x
    i = cuda.grid(1)
    if i < x.shape[0]:
        part[t] = math.exp(x[i])
    else:
        part[t] = 0.0
    cuda.syncthreads()
    half = BLOCK // 2
    while half > 0:
        if t < half:
            part[t] += part[t + half]
        cuda.syncthreads()
        half //= 2
    if t == 0:
        cuda.atomic.add(total, 0, math.log(part[0]))


@cuda.jit
def block_product(x, out):
    part = cuda.shared.array(BLOCK, float64)
    t = cuda.threadIdx.x
    part[t] = x[cuda.grid(1)]
    cuda.syncthreads()
    half = BLOCK // 2
    while half > 0:
        if t < half:
            part[t] = part[t] * part[t + half]
        cuda.syncthreads()
        half //= 2
    if t == 0:
        out[cuda.blockIdx.x] = part[0]


@cuda.jit
def histogram(x, weights, bins):
    i = cuda.grid(1)
    if i < x.shape[0]:
        at = (x[i] - 0.0) * (bins.shape[0] - 1)
        k = int(at)
        f = at - k
        cuda.atomic.add(bins, k, weights[i] * (1.0 - f))
        cuda.atomic.add(bins, k + 1, weights[i] * f)


@cuda.jit
def maxima(x, groups, largest, smallest):
    i = cuda.grid(1)
    if i < x.shape[0]:
        cuda.atomic.max(largest, groups[i], math.sin(x[i]) * x[i])
        cuda.atomic.min(smallest, (groups[i], 0), x[i] * x[i])


@cuda.jit
def gather(x, places, out):
    i = cuda.grid(1)
    if i < places.shape[0]:
        out[i] = math.sin(x[places[i]]) * x[places[i]]


@cuda.jit(device=True)
def attraction(dx, dy, dz, softening):
    r2 = dx * dx + dy * dy + dz * dz + softening
    return 1.0 / (r2 * math.sqrt(r2))


@cuda.jit
def nbody(positions, masses, forces):
    i = cuda.grid(1)
    n = positions.shape[0]
    if i >= n:
        return
    fx, fy, fz = 0.0, 0.0, 0.0
    for j in range(n):
        dx = positions[j, 0] - positions[i, 0]
        dy = positions[j, 1] - positions[i, 1]
        dz = positions[j, 2] - positions[i, 2]
        s = masses[j] * attraction(dx, dy, dz, 0.01)
        fx += s * dx
        fy += s * dy
        fz += s * dz
    forces[i, 0] = masses[i] * fx
    forces[i, 1] = masses[i] * fy
    forces[i, 2] = masses[i] * fz


@cuda.jit
def iterated(x, r, out):
    i = cuda.grid(1)
    if i < x.shape[0]:
        v = x[i]
        while v < 2.0:
            v = v * (1.0 + r[i] * math.cos(v) * math.cos(v)) + 0.1
        out[i] = v * v


@cuda.jit
def powers(x, counts, out):
    i = cuda.grid(1)
    if i < x.shape[0]:
        p = 1.0
        for k in range(counts[i]):
            p = p * math.sin(x[i] + k)
        out[i] = p


@cuda.jit
def search(x, y, out):
    i = cuda.grid(1)
    if i < x.shape[0]:
        s = x[i]
        for k in range(y.shape[0]):
            s = s * y[k] + x[i]
            if s > 3.0:
                break
        out[i] = s * s


@cuda.jit
def small_matmul(a, b, c):
    k = cuda.grid(1)
    if k < a.shape[0]:
        for i in range(3):
            for j in range(3):
                s = 0.0
                for m in range(3):
                    s += a[k, i, m] * b[k, m, j]
                c[k, i, j] = s


@cuda.jit
def polynomial(x, coefficients, out):
    powers = cuda.local.array(4, float64)
    i = cuda.grid(1)
    if i < x.shape[0]:
        powers[0] = 1.0
        for k in range(1, 4):
            powers[k] = powers[k - 1] * x[i]
        s = 0.0
        for k in range(4):
            s += coefficients[k] * powers[k]
        out[i] = s * s


@cuda.jit
def relax(x, steps):
    i = cuda.grid(1)
    if i < x.shape[0]:
        for k in range(steps):
            x[i] = x[i] - 0.1 * math.sin(x[i])


@cuda.jit
def tiled_matmul(a, b, c):
    left = cuda.shared.array((ROWS, ROWS), float64)
    right = cuda.shared.array((ROWS, ROWS), float64)
    x, y = cuda.threadIdx.x, cuda.threadIdx.y
    j, i = cuda.grid(2)
    s = 0.0
    for tile in range((a.shape[1] + ROWS - 1) // ROWS):
        left[y, x] = 0.0
        right[y, x] = 0.0
        if i < a.shape[0] and tile * ROWS + x < a.shape[1]:
            left[y, x] = a[i, tile * ROWS + x]
        if j < b.shape[1] and tile * ROWS + y < b.shape[0]:
            right[y, x] = b[tile * ROWS + y, j]
        cuda.syncthreads()
        for k in range(ROWS):
            s += left[y, k] * right[k, x]
        cuda.syncthreads()
    if i < c.shape[0] and j < c.shape[1]:
        c[i, j] = s


# ---- ways to say which thread has which place


@cuda.jit
def flattened(x, out, width, height):
    i, j = cuda.grid(2)
    if i < width and j < height:
        out[i + j * width] += x[j * width + i] * x[j * width + i]


@cuda.jit
def flattened_early(x, out, width, height):
    i, j = cuda.grid(2)
    if i >= width or j >= height:
        return
    k = j * width + i
    out[k] = out[k] * x[k]


@cuda.jit
def taken_apart(x, out):
    k = cuda.grid(1)
    n, m = x.shape
    if k < n * m:
        i = k // m
        j = k % m
        out[i, j] = out[i, j] * x[i, j]


@cuda.jit
def strided_while(x, out):
    i = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
    step = cuda.blockDim.x * cuda.gridDim.x
    while i < x.shape[0]:
        out[i] = x[i] * x[i]
        i += step


@cuda.jit
def one_thread_a_block(x, out):
    b = cuda.blockIdx.x
    if cuda.threadIdx.x == 0:
        s = 0.0
        for k in range(x.shape[1]):
            s += x[b, k] * x[b, k]
        out[b] = s


@cuda.jit
def block_a_row(x, out):
    b = cuda.blockIdx.x
    for k in range(cuda.threadIdx.x, x.shape[1], cuda.blockDim.x):
        out[b, k] = x[b, k] * x[b, k]


@cuda.jit
def along_rows(x):
    i = cuda.grid(1)
    if i < x.shape[0]:
        for k in range(1, x.shape[1]):
            x[i, k] = x[i, k] + 0.5 * x[i, k - 1] * x[i, k - 1]


@cuda.jit
def shifted(x, out):
    i = cuda.grid(1)
    if i < x.shape[0] - 1:
        out[i + 1] = x[i + 1] * x[i + 1] + x[i + 1]


@cuda.jit
def neighbours(x, out):
    i = cuda.grid(1)
    if i < x.shape[0] - 1:
        out[i] = x[i] * x[i + 1]


@cuda.jit
def reversed_places(x, out):
    i = cuda.grid(1)
    if i < x.shape[0]:
        out[i] = x[x.shape[0] - 1 - i] * x[i]


@cuda.jit
def threads_alone(x, out):
    t = cuda.threadIdx.x
    s = 0.0
    for k in range(3):
        s += x[t] * k
    cuda.atomic.add(out, t, s * x[t])


@cuda.jit
def by_constant(x, out):
    i = cuda.threadIdx.x + 4 * cuda.blockIdx.x
    if i < x.shape[0]:
        out[i] = x[i] * x[i]


@cuda.jit
def device_dimensions(x, out):
    i, j, k = cuda.grid(3)
    if i < x.shape[0] and j < x.shape[1] and k < x.shape[2]:
        out[i, j, k] = math.exp(x[i, j, k])


@dataclass(frozen=True)
class Case:
    """A kernel, its launch shape and its arguments; arrays of floats are made in the precision that is asked for."""

    kernel: Any
    grid: Any
    block: Any
    make: Callable[[np.random.Generator], Sequence[Any]]

    @property
    def name(self) -> str:
        return str(self.kernel.py_func.__name__)

    def args(self, dtype: str = "f8") -> list[Any]:
        made = self.make(np.random.default_rng(7))
        return [_cast(a, dtype) for a in made]


def _cast(value: Any, dtype: str) -> Any:
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return value.astype(dtype)
    return np.dtype(dtype).type(value) if isinstance(value, float) else value


def _zeros(*shape: int) -> np.ndarray:
    return np.zeros(shape)


CASES = [
    Case(saxpy, 3, 4, lambda g: (1.7, g.normal(size=10), g.normal(size=10))),
    Case(elementwise, 3, 4, lambda g: (g.normal(size=11), g.normal(size=11), _zeros(11))),
    Case(grid_stride, 2, 3, lambda g: (g.normal(size=14), g.normal(size=2), g.normal(size=14))),
    Case(stencil_1d, 2, BLOCK, lambda g: (g.normal(size=13), _zeros(13), 0.3)),
    Case(stencil_2d, (2, 2), (COLUMNS, ROWS), lambda g: (g.normal(size=(6, 7)), _zeros(6, 7))),
    Case(plain_stencil_2d, (2, 2), (3, 4), lambda g: (g.normal(size=(5, 6)), _zeros(5, 6))),
    Case(atomic_sum, 3, 4, lambda g: (g.normal(size=10), _zeros(1))),
    Case(tree_sum, 2, BLOCK, lambda g: (g.normal(size=13), _zeros(1))),
    Case(block_product, 2, BLOCK, lambda g: (g.uniform(0.5, 1.5, 2 * BLOCK), _zeros(2))),
    Case(histogram, 3, 4, lambda g: (g.uniform(0.05, 0.9, 10), g.normal(size=10), _zeros(6))),
    Case(
        maxima,
        3,
        4,
        lambda g: (
            g.normal(size=10),
            g.integers(0, 3, 10),
            np.array([-9.0, 0.1, 9.0]),
            np.array([[9.0], [0.5], [-1.0]]),
        ),
    ),
    Case(gather, 3, 4, lambda g: (g.normal(size=5), g.integers(0, 5, 10), _zeros(10))),
    Case(nbody, 2, 3, lambda g: (g.normal(size=(5, 3)), g.uniform(0.5, 1.5, 5), _zeros(5, 3))),
    Case(iterated, 2, 3, lambda g: (g.uniform(0.1, 1.0, 5), g.uniform(0.1, 0.4, 5), _zeros(5))),
    Case(powers, 2, 3, lambda g: (g.normal(size=5), np.array([3, 0, 5, 1, 2]), _zeros(5))),
    Case(search, 2, 3, lambda g: (g.uniform(0.1, 1.0, 5), g.uniform(0.8, 1.6, 7), _zeros(5))),
    Case(small_matmul, 1, 3, lambda g: (g.normal(size=(2, 3, 3)), g.normal(size=(2, 3, 3)), _zeros(2, 3, 3))),
    Case(polynomial, 2, 3, lambda g: (g.normal(size=5), g.normal(size=4), _zeros(5))),
    Case(relax, 2, 3, lambda g: (g.normal(size=5), 4)),
    Case(tiled_matmul, (2, 2), (ROWS, ROWS), lambda g: (g.normal(size=(5, 6)), g.normal(size=(6, 7)), _zeros(5, 7))),
]

PATTERNS = [
    Case(flattened, (2, 2), (2, 2), lambda g: (g.normal(size=12), g.normal(size=12), 3, 4)),
    Case(flattened_early, (2, 2), (2, 2), lambda g: (g.normal(size=12), g.normal(size=12), 4, 3)),
    Case(taken_apart, 4, 4, lambda g: (g.normal(size=(3, 4)), g.normal(size=(3, 4)))),
    Case(strided_while, 2, 2, lambda g: (g.normal(size=11), _zeros(11))),
    Case(one_thread_a_block, 3, 2, lambda g: (g.normal(size=(3, 4)), _zeros(3))),
    Case(block_a_row, 3, 2, lambda g: (g.normal(size=(3, 5)), _zeros(3, 5))),
    Case(along_rows, 2, 2, lambda g: (g.normal(size=(3, 4)),)),
    Case(shifted, 3, 4, lambda g: (g.normal(size=10), _zeros(10))),
    Case(neighbours, 3, 4, lambda g: (g.normal(size=10), _zeros(10))),
    Case(reversed_places, 3, 4, lambda g: (g.normal(size=10), _zeros(10))),
    Case(threads_alone, 3, 4, lambda g: (g.normal(size=4), _zeros(4))),
    Case(by_constant, 3, 4, lambda g: (g.normal(size=10), _zeros(10))),
    Case(device_dimensions, (1, 2, 2), (2, 1, 2), lambda g: (g.normal(size=(2, 2, 3)), _zeros(2, 2, 3))),
]
