"""Kernels: what is dear to compile lies in modules of its own, which all derivatives of a machine share."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.backend import cache
from srcgrad.compiler import kernels, warm
from srcgrad.printer.kernel_modules import Kernel, Module, split
from srcgrad.printer.kernels import without
from srcgrad.printer.templates import Template

MATRIX, SIDE = np.array([[3.0, 0.5], [0.25, 2.0]]), np.array([1.0, -2.0])

TEXT = """\
import math
import numpy as np
from numba import njit, prange


@njit(cache=True)
def outer(a):
    return inner(a) + math.sin(a)


@njit(cache=True)
def inner(a):
    return a


@njit(cache=True)
def f(x):
    return np.sqrt(outer(x))
"""


def solved(A, b):
    return np.sum(np.linalg.solve(A, b) ** 2)


def files(folder, pattern="*_numeric_*.py"):
    return {p.name.split("_numeric_")[0]: p for p in Path(folder).glob(pattern)}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("SRCGRAD_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_module_is_split_into_what_it_imports():
    text, made = split(TEXT, ("outer", "inner"), "package", lambda name, text: f"{name}_1")
    inner = "from numba import njit\n\n\n@njit(cache=True)\ndef inner(a):\n    return a\n"
    assert made[0] == Kernel("inner_1", inner)
    assert made[1].module == "outer_1"
    assert made[1].text.startswith("import math\nfrom numba import njit\nfrom package.inner_1 import inner\n\n\n@njit")
    head = "import numpy as np\nfrom numba import njit\nfrom package.outer_1 import outer\n\n\n"
    assert text == f"{head}@njit(cache=True)\ndef f(x):\n    return np.sqrt(outer(x))\n"


def test_the_source_has_the_kernels_and_the_file_imports_them(folder):
    d = sg.grad(solved, (0, 1))
    of_a, _ = d(MATRIX, SIDE)
    plain = sg.grad(solved, (0, 1), jit=False)
    np.testing.assert_allclose(of_a, plain(MATRIX, SIDE)[0])
    assert "np.linalg.solve(A, b)" in plain.source and "def solve(" not in plain.source
    assert (
        "@njit(nogil=True, cache=True, error_model='numpy')\ndef solve(a, b):\n    return np.linalg.solve" in d.source
    )
    assert "solve(A.T, " in d.source
    texts = [path.read_text() for path in folder.glob("solved_grad_*.py")]
    (text,) = (text for text in texts if "njit" in text)
    assert "import solve" in text and "def solve(" not in text and "np.linalg.solve(a" not in text
    assert "solve" in files(folder)


def test_derivatives_share_kernels_and_compile_each_once(folder):
    sg.grad(lambda A, b: np.linalg.solve(A, b)[0] * 2.0)(MATRIX, SIDE)
    (kept,) = folder.glob("__pycache__/solve_numeric_*.nbi")
    before = kept.read_bytes(), files(folder)["solve"].stat().st_mtime_ns
    other = sg.grad(lambda A, b: np.linalg.solve(A, b)[0] * 3.0)
    other(MATRIX, SIDE)
    assert before == (kept.read_bytes(), files(folder)["solve"].stat().st_mtime_ns)
    assert len(list(folder.glob("solve_numeric_*.py"))) == 1


def test_flags_of_the_caller_do_not_reach_calls_of_numpy(folder):
    exact, fast = (sg.grad(lambda a: np.linalg.cholesky(a)[1, 0], fastmath=f) for f in (False, True))
    np.testing.assert_allclose(exact(MATRIX), fast(MATRIX))
    assert len(list(folder.glob("cholesky_numeric_*.py"))) == 1
    assert len(list(folder.glob("lower_half_numeric_*.py"))) == 2  # loops have the flags of who calls them


def test_without_a_cache_the_module_is_whole(folder):
    d = sg.grad(solved, cache=False)
    d(MATRIX, SIDE)
    assert "cache=False" in d.source and not list(folder.glob("*_numeric_*"))


def test_a_folder_that_is_cleared_or_moved_while_the_process_lives(folder, tmp_path, monkeypatch):
    sg.grad(lambda A, b: 0.5 * np.linalg.solve(A, b)[1])(MATRIX, SIDE)
    shutil.rmtree(folder)
    other = sg.grad(lambda A, b: np.linalg.solve(A, b)[1])
    first = other(MATRIX, SIDE)
    assert "solve" in files(folder)
    monkeypatch.setenv("SRCGRAD_CACHE_DIR", str(tmp_path / "elsewhere"))
    again = sg.grad(lambda A, b: 2.0 * np.linalg.solve(A, b)[1])
    np.testing.assert_allclose(again(MATRIX, SIDE), 2.0 * first)
    assert list((tmp_path / "elsewhere").glob("__pycache__/solve_numeric_*.nbi"))
    np.testing.assert_allclose(other(MATRIX, SIDE), first)


def test_where_no_kernel_can_be_written_the_module_is_whole(folder, monkeypatch):
    monkeypatch.setattr(kernels.cache, "keep", lambda path, text, date=None: None)
    d = sg.grad(lambda A, b: 4.0 * np.linalg.solve(A, b)[1])
    np.testing.assert_allclose(d(MATRIX, SIDE), sg.grad(lambda A, b: 4.0 * np.linalg.solve(A, b)[1], jit=False)(
        MATRIX, SIDE))  # fmt: skip
    assert "cache=False" in d.source and "def solve" in d.source


def test_errors_are_those_of_numpy(folder):
    with pytest.raises(np.linalg.LinAlgError, match="singular"):
        sg.grad(solved)(np.zeros((2, 2)), SIDE)
    with pytest.raises(sg.ShapeError, match=r"test_kernels.py, line \d+, column \d+: the shapes in np.linalg"):
        sg.grad(lambda A, b: np.sum(np.linalg.cholesky(A) @ b))(np.eye(2), np.ones(3))


def test_a_users_function_may_have_the_name_of_a_kernel():
    helpers = {
        "cofactors": "def cofactors(a):\n    return diagonalised(a)\n",
        "diagonalised": "def diagonalised(a): ...",
    }
    template = Template(ast.parse("cofactors(_0) + x.cofactors", mode="eval").body, {0: 1}, 9, helpers)
    assert without({"f"}, template) is template
    made = without({"cofactors", "diagonalised"}, template)
    assert ast.unparse(made.tree) == "cofactors_(_0) + x.cofactors"
    assert made.helpers["cofactors_"] == "def cofactors_(a):\n    return diagonalised_(a)\n"
    assert made.helpers["diagonalised_"] == "def diagonalised_(a): ..."

    def outer(x, n):
        if n == 0:
            return np.sum(np.outer(x, x))
        return outer(2.0 * x, n - 1)

    np.testing.assert_allclose(sg.grad(outer, jit=False)(SIDE, 2), [-32.0, -32.0], rtol=1e-14)


def test_what_is_compiled_beforehand(folder):
    """What becomes loops, as `unbroadcast` does, calls none."""
    names = warm.warm(["cholesky", "unbroadcast", "solve"])
    assert {"cholesky", "solve", "solve_into"} <= {*files(folder)}
    assert not any(name.startswith("unbroadcast") for name in names)
    assert len(list(folder.glob("__pycache__/cholesky_numeric_*.nbi"))) == 1
    assert {f"{name}.py" for name in names} == {p.name for p in folder.glob("*_numeric_*.py")}


PROGRAM = """
    import numpy as np, sys
    import srcgrad as sg

    def f(A, b):
        return np.sum(np.linalg.inv(A) @ b)

    print(sg.grad(f)(np.array([[3.0, 0.5], [0.25, 2.0]]), np.ones(2)).tolist())
"""


def test_two_processes_at_once(tmp_path):
    path = tmp_path / "program.py"
    path.write_text(textwrap.dedent(PROGRAM))
    env = {**os.environ, "SRCGRAD_CACHE_DIR": str(tmp_path / "cache")}
    both = [subprocess.Popen([sys.executable, str(path)], env=env, stdout=subprocess.PIPE) for _ in range(2)]
    said = {process.communicate(timeout=300)[0] for process in both}
    assert len(said) == 1 and all(process.returncode == 0 for process in both)
    assert list((tmp_path / "cache" / "__pycache__").glob("inv_numeric_*.nbi"))


def test_what_is_saved_needs_no_srcgrad(tmp_path, folder):
    sg.grad(solved).save(tmp_path / "alone.py", MATRIX, SIDE)
    code = (
        "import sys; sys.modules['srcgrad'] = None; sys.modules['srcgrad_generated'] = None; import numpy as np, alone"
    )
    code += "; print(alone.solved_grad(np.array([[3.0, 0.5], [0.25, 2.0]]), np.array([1.0, -2.0])).tolist())"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(eval(done.stdout), sg.grad(solved)(MATRIX, SIDE))


def test_the_date_of_a_kernel_is_always_the_same(folder):
    made = kernels.shared(Module(TEXT, ("inner",)))[1]
    dates = []
    for _ in range(2):
        assert kernels.ready(made)
        path = cache.folder() / f"{made[0].module}.py"
        dates.append(path.stat().st_mtime_ns)
        path.unlink()
    assert dates[0] == dates[1] == kernels.DATE * 10**9


USERS = """
    import numpy as np
    import numba
    import srcgrad as sg

    def f(A, b):
        return np.sum(np.linalg.solve(A, b))

    d = sg.value_and_grad(f)

    @numba.njit(cache=True)
    def inner(A, b):
        return d(A, b)

    @numba.njit(cache=True)
    def outer(A, b):
        return inner(A, b)[1] * 2.0
"""
CALL = """
    import sys
    import numpy as np
    import users
    called = [getattr(users, name) for name in sys.argv[1:]]
    for fun in called:
        fun(np.array([[3.0, 0.5], [0.25, 2.0]]), np.ones(2))
    out = users.outer(np.array([[3.0, 0.5], [0.25, 2.0]]), np.ones(2))
    print(out.tolist(), sum(users.outer.stats.cache_hits.values()))
"""


@pytest.fixture
def in_a_process(tmp_path):
    """Results, and how often code was loaded, of a process that calls cached functions of a user's module."""
    (tmp_path / "users.py").write_text(textwrap.dedent(USERS))
    (tmp_path / "call.py").write_text(textwrap.dedent(CALL))
    env = {**os.environ, "SRCGRAD_CACHE_DIR": str(tmp_path / "cache"), "NUMBA_CACHE_DIR": str(tmp_path / "numba")}

    def call(*names):
        command = [sys.executable, "call.py", *names]
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return done.stdout.rsplit(maxsplit=1)

    return call


def test_code_in_a_cache_finds_the_kernels_that_it_calls(tmp_path, in_a_process):
    """Through two functions of the user's, of which one is loaded where the other is compiled; then with all loaded;
    with kernels that were compiled again, whose machine code has other names; and with none left."""
    wanted, loads = in_a_process("inner")
    assert loads == "0"
    for path in tmp_path.glob("numba/**/users.outer*"):
        path.unlink()
    assert in_a_process() == [wanted, "0"]
    assert in_a_process() == [wanted, "1"]
    compiled = [*tmp_path.glob("cache/__pycache__/*_numeric_*"), *tmp_path.glob("numba/**/*_numeric_*")]
    assert compiled
    for path in compiled:
        path.unlink()
    assert in_a_process("inner")[0] == wanted
    assert in_a_process()[0] == wanted
    shutil.rmtree(tmp_path / "cache")
    assert in_a_process() == [wanted, "0"]
    assert in_a_process() == [wanted, "1"]


def test_callers_hold_no_machine_code_of_kernels(folder):
    def solved_apart(a, b):
        return np.sum(np.linalg.solve(a, b) ** 2)

    d = sg.grad(solved_apart)
    d(MATRIX, SIDE)
    (unit,) = [m for name, m in sys.modules.items() if name.startswith("srcgrad_generated.solved_apart_grad")]
    (made,) = unit.solved_apart_grad.overloads.values()
    functions = {f.name: f.is_declaration for f in made.library._final_module.functions}
    assert [name for name in functions if "solve_numeric" in name] and all(
        declared for name, declared in functions.items() if "solve_numeric" in name
    )
