"""Kernels in which something is easily got wrong: shared memory that is used again, values kept in loops, jumps."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import cuda, float64, prange

import srcgrad as sg
from tests.cuda.kernels import Case

N = 8
HARD: list[Case] = []


def z(*shape: int) -> np.ndarray:
    return np.zeros(shape)


def case(grid: Any, block: Any, make: Callable[..., Any]) -> Callable[[Any], Any]:
    """Decorator: this kernel is launched so, with these arguments."""

    def put(kernel: Any) -> Any:
        HARD.append(Case(kernel, grid, block, make))
        return kernel

    return put


@case(2, N, lambda g: (g.normal(size=2 * N), z(2 * N), 3))
@cuda.jit
def smooth_shared(x, out, steps):
    tile = cuda.shared.array(N, float64)
    t = cuda.threadIdx.x
    i = cuda.grid(1)
    tile[t] = x[i]
    cuda.syncthreads()
    for s in range(steps):
        left = tile[t - 1] if t > 0 else 0.0
        right = tile[t + 1] if t < N - 1 else 0.0
        v = tile[t] + 0.1 * math.sin(left) * right
        cuda.syncthreads()
        tile[t] = v
        cuda.syncthreads()
    out[i] = tile[t] * tile[t]


@case(2, N, lambda g: (g.normal(size=2 * N), z(2 * N)))
@cuda.jit
def smooth_shared_static(x, out):
    tile = cuda.shared.array(N, float64)
    t = cuda.threadIdx.x
    i = cuda.grid(1)
    tile[t] = x[i]
    cuda.syncthreads()
    for s in range(3):
        left = tile[t - 1] if t > 0 else 0.0
        v = tile[t] + 0.1 * math.sin(left) * tile[t]
        cuda.syncthreads()
        tile[t] = v
        cuda.syncthreads()
    out[i] = tile[t] * tile[t]


@case(2, N, lambda g: (g.normal(size=2 * N), z(2 * N)))
@cuda.jit
def two_buffers(x, out):
    a = cuda.shared.array(N, float64)
    b = cuda.shared.array(N, float64)
    t = cuda.threadIdx.x
    i = cuda.grid(1)
    a[t] = x[i]
    cuda.syncthreads()
    b[t] = a[(t + 1) % N] * a[t]
    cuda.syncthreads()
    a[t] = b[(t + 3) % N] * b[t]
    cuda.syncthreads()
    out[i] = a[(t + 5) % N] * b[t]


@case(2, N, lambda g: (g.normal(size=2 * N), z(2 * N), 3))
@cuda.jit
def swapped_buffers(x, out, steps):
    a = cuda.shared.array(N, float64)
    b = cuda.shared.array(N, float64)
    t = cuda.threadIdx.x
    i = cuda.grid(1)
    a[t] = x[i]
    b[t] = 0.0
    cuda.syncthreads()
    for s in range(steps):
        b[t] = a[(t + 1) % N] * a[t]
        cuda.syncthreads()
        a, b = b, a
    out[i] = a[t]


@case(2, 3, lambda g: (g.normal(size=5), z(5), 3))
@cuda.jit
def swapped_local(x, out, steps):
    a = cuda.local.array(2, float64)
    b = cuda.local.array(2, float64)
    i = cuda.grid(1)
    if i < x.shape[0]:
        a[0] = x[i]
        a[1] = 1.0
        b[0] = 0.0
        for s in range(steps):
            b[1] = a[0] * a[1]
            b[0] = a[1] + x[i]
            a, b = b, a
        out[i] = a[0] * a[1]


@case(2, 4, lambda g: (g.normal(size=8), z(8), np.array([2, 0, 1, 0, 3, -1, 1, 2])))
@cuda.jit
def step_by_data(x, out, steps):
    i = cuda.grid(1)
    k = i
    step = steps[i]
    end = i + 2 * step
    p = 1.0
    while k < end:
        p = p * x[k % 8]
        k += step
    out[i] = p


@case((2, 2), (4, 4), lambda g: (g.normal(size=(8, 8)), z(8, 8)))
@cuda.jit
def transpose(x, out):
    tile = cuda.shared.array((4, 4), float64)
    a, b = cuda.threadIdx.x, cuda.threadIdx.y
    j, i = cuda.grid(2)
    tile[b, a] = x[i, j]
    cuda.syncthreads()
    r = cuda.blockIdx.x * 4 + b
    s = cuda.blockIdx.y * 4 + a
    out[r, s] = tile[a, b] * tile[a, b]


@case(2, 4, lambda g: (g.normal(size=(7, 2)), g.uniform(0.5, 1.5, 7), z(7, 2)))
@cuda.jit
def nbody_tiled(p, m, f):
    tx = cuda.shared.array(4, float64)
    ty = cuda.shared.array(4, float64)
    tm = cuda.shared.array(4, float64)
    t = cuda.threadIdx.x
    i = cuda.grid(1)
    n = p.shape[0]
    xi = 0.0
    yi = 0.0
    if i < n:
        xi = p[i, 0]
        yi = p[i, 1]
    fx = 0.0
    fy = 0.0
    for b in range((n + 3) // 4):
        j = b * 4 + t
        if j < n:
            tx[t] = p[j, 0]
            ty[t] = p[j, 1]
            tm[t] = m[j]
        else:
            tx[t] = 0.0
            ty[t] = 0.0
            tm[t] = 0.0
        cuda.syncthreads()
        for k in range(4):
            dx = tx[k] - xi
            dy = ty[k] - yi
            r2 = dx * dx + dy * dy + 0.1
            w = tm[k] / (r2 * math.sqrt(r2))
            fx += w * dx
            fy += w * dy
        cuda.syncthreads()
    if i < n:
        f[i, 0] = fx
        f[i, 1] = fy


@case(2, N, lambda g: (g.normal(size=2 * N), z(2 * N)))
@cuda.jit
def softmax(x, out):
    part = cuda.shared.array(N, float64)
    t = cuda.threadIdx.x
    i = cuda.grid(1)
    part[t] = x[i]
    cuda.syncthreads()
    s = N // 2
    while s > 0:
        if t < s:
            part[t] = max(part[t], part[t + s])
        cuda.syncthreads()
        s //= 2
    top = part[0]
    cuda.syncthreads()
    e = math.exp(x[i] - top)
    part[t] = e
    cuda.syncthreads()
    s = N // 2
    while s > 0:
        if t < s:
            part[t] += part[t + s]
        cuda.syncthreads()
        s //= 2
    out[i] = e / part[0]


@case(2, 3, lambda g: (g.normal(size=5), z(5), 4))
@cuda.jit
def ring(x, out, n):
    a = cuda.local.array(3, float64)
    i = cuda.grid(1)
    if i < x.shape[0]:
        a[0] = x[i]
        a[1] = 1.0
        a[2] = x[i] * 0.5
        for k in range(n):
            a[k % 3] = a[(k + 1) % 3] * math.sin(a[(k + 2) % 3]) + a[k % 3]
        out[i] = a[0] * a[1] + a[2]


@case(2, 3, lambda g: (g.normal(size=(5, 4)), z(5)))
@cuda.jit
def local_in_loop(x, out):
    i = cuda.grid(1)
    if i < x.shape[0]:
        s = 0.0
        for k in range(x.shape[1]):
            a = cuda.local.array(2, float64)
            a[0] = x[i, k]
            a[1] = a[0] * a[0]
            s += a[1] * a[0] * s + a[0]
        out[i] = s


@case(2, 3, lambda g: (g.normal(size=5), z(5)))
@cuda.jit
def turns_at_once(x, out):
    i = cuda.grid(1)
    if i < x.shape[0]:
        for k in prange(3):
            out[i] += x[i] * x[k]


@cuda.jit(device=True)
def put(out, i, v):
    out[i] = v * v


@cuda.jit(device=True)
def length(p, i):
    s = 0.0
    for k in range(2):
        s += p[i, k] * p[i, k]
    return math.sqrt(s)


@case(2, 3, lambda g: (g.normal(size=(5, 2)), z(5)))
@cuda.jit
def helpers(p, out):
    i = cuda.grid(1)
    if i < p.shape[0]:
        put(out, i, length(p, i))


SCALE = 1.5
TABLE = np.array([0.3, -0.7, 1.1])


@case(2, 3, lambda g: (g.normal(size=5), z(5)))
@cuda.jit
def captured_table(x, out):
    i = cuda.grid(1)
    if i < x.shape[0]:
        out[i] = TABLE[i % 3] * x[i] * x[i]


@case(2, 3, lambda g: (g.normal(size=5), z(5)))
@cuda.jit
def captured(x, out):
    i = cuda.grid(1)
    if i < x.shape[0]:
        out[i] = SCALE * x[i] * x[i]


@case(2, 3, lambda g: (g.normal(size=(5, 6)), z(5)))
@cuda.jit
def jumps(x, out):
    i = cuda.grid(1)
    if i < x.shape[0]:
        s = 0.0
        for k in range(x.shape[1]):
            if x[i, k] < -0.5:
                continue
            if s > 2.0:
                break
            s = s * x[i, k] + x[i, k] * x[i, k]
        out[i] = s


@case(2, 3, lambda g: (g.normal(size=(5, 6)), z(5)))
@cuda.jit
def early_in_loop(x, out):
    i = cuda.grid(1)
    if i < x.shape[0]:
        s = 1.0
        for k in range(x.shape[1]):
            s = s * x[i, k]
            out[i] = s
            if s > 0.5:
                return
        out[i] = s * 2.0


@case(2, 3, lambda g: (g.normal(size=(5, 4)), g.normal(size=(5, 4))))
@cuda.jit
def nested_kept(x, y):
    i = cuda.grid(1)
    if i < x.shape[0]:
        for r in range(x.shape[1]):
            for k in range(r + 1):
                y[i, r] = y[i, r] * math.cos(x[i, k]) + y[i, k] * 0.3


@case(
    2,
    3,
    lambda g: (g.normal(size=6), np.array([True, False, True, True, False, True]), np.arange(6)[::-1].copy(), z(6)),
)
@cuda.jit
def masks(x, mask, perm, out):
    i = cuda.grid(1)
    if i < x.shape[0]:
        if mask[i]:
            out[perm[i]] = x[i] * x[perm[i]]
        else:
            out[perm[i]] = x[i]


def energy(a, b):
    s = math.sin(a)
    for k in prange(3):
        s = s * a * b + k
    return s


denergy = sg.grad(energy, target="cuda")


@case(2, 3, lambda g: (g.normal(size=5), g.normal(size=5), z(5)))
@cuda.jit
def with_derivative(x, y, out):
    i = cuda.grid(1)
    if i < x.shape[0]:
        out[i] = denergy(x[i], y[i]) * y[i]


@case(2, 3, lambda g: (g.normal(size=(5, 3)), z(5)))
@cuda.jit
def rowview(x, out):
    i = cuda.grid(1)
    if i < x.shape[0]:
        r = x[i]
        s = 0.0
        for k in range(3):
            s += r[k] * r[k]
        out[i] = s * r[0]


@case(1, 6, lambda g: (g.normal(size=(3, 2)), z(3, 2)))
@cuda.jit
def divmod_place(x, out):
    k = cuda.grid(1)
    i, j = divmod(k, 2)
    out[i, j] = x[i, j] * x[j, j]


@case(2, 2, lambda g: (g.normal(size=5), g.normal(size=5), z(5), z(1)))
@cuda.jit
def many_outputs(x, y, out, total):
    i = cuda.grid(1)
    stride = cuda.gridsize(1)
    s = 0.0
    for k in range(i, x.shape[0], stride):
        y[k] = y[k] * x[k]
        out[k] = y[k] + x[k]
        s += y[k] * out[k]
    cuda.atomic.add(total, 0, s)


@case(2, 4, lambda g: (g.normal(size=(3, 8)), z(3)))
@cuda.jit
def shared_rows(x, out):
    part = cuda.shared.array(4, float64)
    t = cuda.threadIdx.x
    for r in range(cuda.blockIdx.x, x.shape[0], cuda.gridDim.x):
        s = 0.0
        for k in range(t, x.shape[1], 4):
            s += x[r, k] * x[r, k]
        part[t] = s
        cuda.syncthreads()
        if t == 0:
            out[r] = math.sqrt(part[0] + part[1] + part[2] + part[3])
        cuda.syncthreads()


@case(2, 4, lambda g: (g.normal(size=8), np.array([0, 2, 1, 2, 0, 1, 1, 2]), z(3)))
@cuda.jit
def shared_histogram(x, k, out):
    bins = cuda.shared.array(3, float64)
    t = cuda.threadIdx.x
    i = cuda.grid(1)
    if t < 3:
        bins[t] = 0.0
    cuda.syncthreads()
    cuda.atomic.add(bins, k[i], x[i] * x[i])
    cuda.syncthreads()
    if t < 3:
        cuda.atomic.add(out, t, bins[t] * bins[t])


@case(2, 3, lambda g: (g.uniform(0.5, 1.5, 5), z(5)))
@cuda.jit
def newton_sqrt(x, out):
    i = cuda.grid(1)
    if i < x.shape[0]:
        v = x[i]
        n = 0
        while abs(v * v - x[i]) > 1e-10 and n < 50:
            v = 0.5 * (v + x[i] / v)
            n += 1
        out[i] = v


@case(2, 3, lambda g: (g.normal(size=5), z(5)))
@cuda.jit
def nan_guard(x, out):
    i = cuda.grid(1)
    if i < x.shape[0]:
        out[i] = math.sqrt(x[i]) if x[i] > 0 else -x[i]
