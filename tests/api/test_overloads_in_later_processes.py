"""Derivatives called from the user's `@njit(cache=True)` with arguments of several types: each process after the first
loads all of it from the cache, and gets the same."""

from __future__ import annotations

import os
import subprocess
import sys

PROGRAM = """
import numba
import numpy as np
import srcgrad as sg

def total(a, i):
    if i == len(a): return a[0] * 0.0
    return a[i] * a[i] + total(a, i + 1)

def rows(m):
    if len(m) == 0: return 0.0
    return np.sum(m[0] * m[0]) + 0.5 * rows(m[1:])

def power(x, n):
    if n == 0: return x * 0.0 + 1.0
    return x * power(x, n - 1)

def signs(x, n, up):
    if n == 0: return x
    if up: return x * x + signs(x, n - 1, not up)
    return signs(x, n - 1, True) - x

def scaled(x, factor):
    if factor is None: return power(x, 2)
    return power(x, 3) * factor

total_grad, rows_grad, power_grad, signs_grad, scaled_grad = map(sg.grad, (total, rows, power, signs, scaled))

@numba.njit(cache=True)
def precisions(x, a):
    return power_grad(x, 3), power_grad(np.float32(x), 3), total_grad(a, 0), total_grad(a.astype(np.float32), 0)

@numba.njit(cache=True)
def integers(x, n32, n8, u):
    return power_grad(x, n32), power_grad(x, n8), power_grad(x, 3), power_grad(x, u), power_grad(x, len((1, 2, 3)))

@numba.njit(cache=True)
def bools(x, flag):
    return signs_grad(x, 3, True), signs_grad(x, 3, False), signs_grad(x, 3, flag), signs_grad(x, 3, np.bool_(1))

@numba.njit(cache=True)
def nones(x):
    return scaled_grad(x, None), scaled_grad(x, 2.0), scaled_grad(x, 2)

@numba.njit(cache=True)
def layouts(m):
    return rows_grad(m), rows_grad(np.asfortranarray(m)), rows_grad(m[:, ::2]), rows_grad(m[::2]), rows_grad(m.T)

@numba.njit(cache=True)
def strided(a):
    return total_grad(a, 0), total_grad(a[::2], 0), total_grad(a[::-1], 0), total_grad(a[1:], 0)

A, M = np.arange(1.0, 6.0), np.arange(9.0).reshape(3, 3) + 1.0
frozen = A.copy()
frozen.flags.writeable = False

def parts(*arrays):
    return tuple(2 * m * 0.5 ** np.arange(len(m))[:, None] for m in arrays)

ROWS, PIECES = parts(M, M, M[:, ::2], M[::2], M.T), (2 * A, 2 * A[::2], 2 * A[::-1], 2 * A[1:])
CALLS = [
    (precisions, (2.0, A), (12.0, 12.0, 2 * A, 2 * A)),
    (integers, (2.0, np.int32(3), np.int8(2), np.uint16(4)), (12.0, 4.0, 12.0, 32.0, 12.0)),
    (bools, (2.0, False), (8.0, 3.0, 3.0, 8.0)),
    (nones, (2.0,), (4.0, 24.0, 24.0)),
    (layouts, (M,), ROWS),
    (layouts, (M.T,), parts(M.T, M.T, M.T[:, ::2], M.T[::2], M)),
    (strided, (A,), PIECES),
    (strided, (np.repeat(A, 2)[::2],), PIECES),
    (strided, (frozen,), PIECES),
]
for caller, args, wanted in CALLS:
    before = sum(caller.stats.cache_hits.values())
    for got, want in zip(caller(*args), wanted, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-6, err_msg=caller.__name__)
    print(caller.__name__, sum(caller.stats.cache_hits.values()) - before)
"""


def run(folder):
    env = {**os.environ, "SRCGRAD_CACHE_DIR": str(folder / "cache"), "NUMBA_OPT": "1"}
    done = subprocess.run(
        [sys.executable, "program.py"], capture_output=True, text=True, env=env, cwd=folder, timeout=600
    )
    assert done.returncode == 0, done.stderr
    return [line.split() for line in done.stdout.splitlines()]


def test_callers_with_several_types_load_from_the_cache(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    cold = run(tmp_path)
    assert len(cold) == 9
    assert {hits for _, hits in cold} == {"0"}
    assert run(tmp_path) == [[name, "1"] for name, _ in cold]
