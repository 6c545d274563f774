"""Recursive functions in a second process: Numba loads their code from its cache, where two versions of one function
that call one another end the process."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

PROGRAMS = """
import sys
import numba
import numpy as np
import srcgrad as sg

A, M = np.arange(1.0, 9.0), np.arange(12.0).reshape(4, 3) + 1.0

def total(a, i):
    if i == len(a): return 0.0
    return a[i] * a[i] + total(a, i + 1)

def signs(a, i, up):
    if i == len(a): return 0.0
    if up: return a[i] * a[i] + signs(a, i + 1, False)
    return signs(a, i + 1, a[i] > 3.5) - a[i]

def strided(a):
    if len(a) == 1: return a[0] * a[0]
    return strided(a[::2]) * 0.5 + strided(a[1::2])

def rows(m):
    if len(m) == 0: return 0.0
    return np.sum(m[0] * m[0]) + 0.5 * rows(m[1:])

def even(n, x):
    if n <= 0: return x
    return x * odd(n - 1, x) + even(n - 2, x)

def odd(n, x):
    if n <= 0: return 2.0 * x
    return x * even(n - 1, x) + 0.5 * odd(n - 2, x)

def ackermann(m, n, x):
    if m == 0: return n + x
    if n == 0: return ackermann(m - 1, 1, x) * x
    return ackermann(m - 1, n - 1, x) + x

def branch(x, flag):
    return power(x, 3 if flag else 2)

def power(x, n):
    if n == 0: return x * 0.0 + 1.0
    return x * power(x, n - 1)

CASES = [
    (lambda a: total(a, 0), (A,), "literal"),
    (lambda a: signs(a, 0, True), (A,), "bool"),
    (strided, (A,), "strided"),
    (rows, (M,), "rows"),
    (lambda x: even(5, x) + odd(4, x), (1.25,), "functions that call one another"),
    (lambda x: ackermann(2, 2, x), (1.5,), "two literals"),
    (branch, (1.5, True), "a choice of literals"),
    (lambda x: power(x, 4), (np.float32(1.5),), "single precision"),
]

def numerical(f, x, *rest):
    x = np.asarray(x, float)
    out = np.zeros(x.shape)
    for k in np.ndindex(*x.shape):
        up, down = x.copy(), x.copy()
        up[k] += 1e-6
        down[k] -= 1e-6
        out[k] = (f(up[()], *rest) - f(down[()], *rest)) / 2e-6
    return out

power_grad, rows_grad = sg.grad(power), sg.grad(rows)

@numba.njit(cache=True)
def caller(m, n):
    return power_grad(1.5, n), rows_grad(m.T)

def main():
    for f, args, name in CASES:
        d = sg.grad(f)
        got = d(*args)
        np.testing.assert_allclose(got, numerical(f, *args), rtol=2e-3 if "single" in name else 1e-5, err_msg=name)
        print(name, len(d.jitted(*args).stats.cache_hits))
    for n in (3, np.int32(3)):
        p, r = caller(M, n)
        np.testing.assert_allclose(p, 6.75)
        np.testing.assert_allclose(r, 2 * M.T * 0.5 ** np.arange(3)[:, None])
    print("caller", sum(caller.stats.cache_hits.values()))

main()
"""


def run(tmp_path, name="programs.py"):
    env = {**os.environ, "SRCGRAD_CACHE_DIR": str(tmp_path / "cache")}
    done = subprocess.run([sys.executable, name], capture_output=True, text=True, env=env, cwd=tmp_path, timeout=300)
    assert done.returncode == 0, done.stderr
    return [line.rsplit(" ", 1) for line in done.stdout.splitlines()]


def test_recursive_functions_load_from_the_cache(tmp_path):
    (tmp_path / "programs.py").write_text(textwrap.dedent(PROGRAMS))
    cold = run(tmp_path)
    assert len(cold) == 9
    assert [hits for _, hits in cold] == ["0"] * 9
    warm = run(tmp_path)
    assert [name for name, _ in warm] == [name for name, _ in cold]
    assert [hits for _, hits in warm] == ["1"] * 8 + ["2"]
