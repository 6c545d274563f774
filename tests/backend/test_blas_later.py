"""SciPy is imported in front of code that calls its BLAS, and in front of what is not ours; Ctrl-C breaks nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

FUNCTIONS = """
import os, signal, sys
import numba
import numpy as np
import srcgrad as sg

def there():
    return "scipy.linalg.cython_blas" in sys.modules

def squares(x):
    return np.sum(x * x)

def product(a, x):
    return np.sum((a @ x) ** 2)

class Interrupting:
    '''Ctrl-C while this module is looked for, once.'''
    def __init__(self, name):
        self.name = name
    def find_spec(self, name, path=None, target=None):
        if name == self.name:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)
        return None

def interrupted(name, call, *args):
    sys.meta_path.insert(0, Interrupting(name))
    try:
        call(*args)
    except KeyboardInterrupt:
        return True
    return False

x, a = np.ones(3), np.ones((20, 3))
"""
OURS = """
print(sg.grad(squares)(x), there())
print(sg.grad(product, argnums=1)(a, x), there())
"""
OTHERS = """
sg.grad(squares)(x)
times = numba.njit(lambda x: 2.0 * x)
print(there(), times(x), there())
"""
INTERRUPTED = """
first = sg.grad(squares)
print(interrupted("numba.np.arraymath", first, x), first(x), there())
times = numba.njit(lambda a, x: a.T @ (a @ x))
print(interrupted("scipy.linalg", times, a, x), times(a, x), there())
"""
INTERRUPTED_IN_FRONT = """
first = sg.grad(product, argnums=1)
print(interrupted("scipy.linalg", first, a, x), first(a, x), there())
"""


def lines(text: str, cache: Path) -> list[str]:
    file = cache / "script.py"
    file.write_text(FUNCTIONS + text)
    environment = os.environ | {"SRCGRAD_CACHE_DIR": str(cache), "NUMBA_CACHE_DIR": str(cache)}
    done = subprocess.run([sys.executable, str(file)], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_imported_in_front_of_products(tmp_path: Path) -> None:
    expected = ["[2. 2. 2.] False", "[120. 120. 120.] True"]
    assert lines(OURS, tmp_path) == expected
    assert lines(OURS, tmp_path) == expected  # from the cache


def test_imported_in_front_of_what_is_not_ours(tmp_path: Path) -> None:
    assert lines(OTHERS, tmp_path) == ["False [2. 2. 2.] True"]


@pytest.mark.skipif(sys.platform == "win32", reason="os.kill ends a process there")
def test_interrupted(tmp_path: Path) -> None:
    assert lines(INTERRUPTED, tmp_path) == ["True [2. 2. 2.] False", "True [60. 60. 60.] True"]
    for _ in range(2):
        assert lines(INTERRUPTED_IN_FRONT, tmp_path) == ["True [120. 120. 120.] True"]
