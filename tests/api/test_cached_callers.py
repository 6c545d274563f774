"""The user's own `@njit(cache=True)` functions that call derivatives and solvers, in later processes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap

import pytest

LIBRARY = """
    import numpy as np
    from numba import njit
    RATE = 2.0

    def helper(x):
        return RATE * x

    def f(x):
        return helper(x) * x

    def solved(x):
        a = np.array([[x, 0.5], [0.0, 2.0]])
        return np.sum(np.linalg.inv(a))

    @njit
    def g(x):
        return x * x - 4.0
"""
CALLERS = """
    from numba import njit
    import srcgrad as sg
    import library
    d, cube, g = sg.grad(library.f), sg.grad(lambda x: x * x * x), library.g
    by_kernels = sg.grad(library.solved)
    flat = sg.grad(library.f).jitted(1.0)

    @njit(cache=True)
    def use(x):
        return d(x)

    @njit(cache=True)
    def of_lambda(x):
        return cube(x)

    @njit(cache=True)
    def root(x):
        return sg.newton(g, x).x

    @njit(cache=True)
    def least(x):
        return sg.gradient_descent(g, x, lr=0.25, tol=1e-9).x + 1.0

    @njit(cache=True)
    def of_dispatcher(x):
        return flat(x, 2.0)

    @njit(cache=True)
    def of_kernels(x):
        return by_kernels(x)

    for function in (use, of_lambda, root, least, of_dispatcher, of_kernels):
        print(function.__name__, round(function(1.0), 6), sum(function.stats.cache_hits.values()))
"""
NAMES = ["use", "of_lambda", "root", "least", "of_dispatcher", "of_kernels"]


class Folder:
    def __init__(self, path):
        self.path, self.cache = path, path / "cache"
        for name, text in (("library", LIBRARY), ("callers", CALLERS)):
            (path / f"{name}.py").write_text(textwrap.dedent(text))

    def edit(self, old, new):
        path = self.path / "library.py"
        path.write_text(path.read_text().replace(old, new))

    def run(self, *call):
        env = {**os.environ, "SRCGRAD_CACHE_DIR": str(self.cache)}
        call = call or ("callers.py",)
        done = subprocess.run(
            [sys.executable, *call], capture_output=True, text=True, env=env, cwd=self.path, timeout=300
        )
        assert done.returncode == 0, done.stderr
        lines = [line.split() for line in done.stdout.splitlines()]
        return {name: (float(value), int(hits)) for name, value, hits in lines}


def values(use=4.0, root=2.0, flat=4.0):
    return {"use": use, "of_lambda": 3.0, "root": root, "least": 1.0, "of_dispatcher": flat, "of_kernels": -0.75}


def check(found, wanted, loaded):
    assert {name: value for name, (value, _) in found.items()} == wanted
    assert [name for name, (_, hits) in found.items() if hits] == loaded


def test_they_load_and_are_right_after_every_change(tmp_path):
    folder = Folder(tmp_path)
    check(folder.run(), values(), [])
    check(folder.run(), values(), NAMES)
    folder.edit("RATE * x", "RATE * x * x")  # what the derived function calls
    check(folder.run(), values(use=6.0, flat=6.0), ["of_lambda", "root", "least", "of_kernels"])
    folder.edit("RATE = 2.0", "RATE = 3.0")  # frozen in `use`, an argument of `flat`
    check(folder.run(), values(use=9.0, flat=6.0), ["of_lambda", "root", "least", "of_dispatcher", "of_kernels"])
    folder.edit("- 4.0", "- 9.0")
    check(folder.run(), values(use=9.0, root=3.0, flat=6.0), ["use", "of_lambda", "of_dispatcher", "of_kernels"])
    shutil.move(folder.cache, tmp_path / "elsewhere")  # nobody can tell now what they were compiled of
    assert {k: v for k, (v, _) in folder.run().items()} == values(use=9.0, root=3.0, flat=6.0)
    check(folder.run(), values(use=9.0, root=3.0, flat=6.0), NAMES)


def test_generated_modules_can_be_imported_where_srcgrad_has_not_been(tmp_path):
    folder = Folder(tmp_path)
    folder.run()
    (name,) = {path.stem for path in folder.cache.glob("f_grad_*.from")}
    code = f"import library, importlib; importlib.import_module('srcgrad_generated.{name}')"
    folder.run("-c", code)
    folder.edit("RATE * x", "x * x")
    with pytest.raises(AssertionError, match=r"Stale(.|\n)*has changed, or is not here; compile again what calls it"):
        folder.run("-c", code)


def test_without_srcgrad_it_is_said_what_to_do(tmp_path):
    import srcgrad_generated

    shutil.copytree(os.path.dirname(srcgrad_generated.__file__), tmp_path / "srcgrad_generated")
    code = "import sys; sys.modules['srcgrad'] = None; import srcgrad_generated.f_grad_0"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert "install srcgrad, or delete __pycache__/*.nbi" in done.stderr
