"""Cells run by IPython's own shell: statement by statement, under magics, with `await`, with modules that reload."""

from __future__ import annotations

import os
import textwrap

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config


@pytest.fixture
def shell(tmp_path, monkeypatch):
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    # IPython warns where another environment is activated than the one whose Python runs
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    InteractiveShell.clear_instance()
    made = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    made.run_cell("import math\nimport numpy as np\nimport srcgrad as sg\nPLAIN = dict(jit=False, cache=False)")
    yield made
    InteractiveShell.clear_instance()


def run(shell, text):
    """Run a cell; gives the names that it leaves."""
    done = shell.run_cell(textwrap.dedent(text))
    done.raise_error()
    return shell.user_ns


def test_imports_beside_the_function(shell):
    """CPython compiles `math.sin(x)` in another way where the same unit imports `math`."""
    names = run(
        shell,
        """
        import math
        import srcgrad as sg
        def f(x):
            return math.sin(x) * math.exp(x)
        a, b = sg.grad(f, **PLAIN)(0.0), sg.grad(lambda x: math.cos(x) * x, **PLAIN)(0.0)
    """,
    )
    assert (names["a"], names["b"]) == (1.0, 1.0)


def test_two_lambdas_on_one_line(shell):
    names = run(shell, "a, b = sg.grad(lambda x: x**2, **PLAIN)(1.0), sg.grad(lambda x: x**3, **PLAIN)(1.0)")
    assert (names["a"], names["b"]) == (2.0, 3.0)


def test_a_cell_that_awaits(shell):
    names = run(
        shell,
        """
        import asyncio
        await asyncio.sleep(0)
        def f(x):
            return math.sin(x)
        a = [sg.grad(f, **PLAIN)(0.0), sg.grad(lambda x: x * x, **PLAIN)(await asyncio.sleep(0, 3.0))]
    """,
    )
    assert names["a"] == [1.0, 6.0]


CELL = """
    def f(x):
        return math.sin(x) * scale
    found.append(sg.grad(f, **PLAIN)(0.0))
    found.append(sg.grad(lambda x: x * scale, **PLAIN)(0.0))
"""


@pytest.mark.parametrize("magic", ["%%time", "%%timeit -n1 -r1", "%%capture", "%%prun -q", "%%time\n%%time", ""])
def test_cells_under_magics(shell, magic):
    run(shell, "found, scale = [], 2.0")
    assert run(shell, f"{magic}\n{textwrap.dedent(CELL)}")["found"] == [2.0, 2.0]


def test_names_of_a_timed_cell_are_closed_over(shell):
    run(shell, "found = []")
    text = "%%timeit -n1 -r1 a = 3.0\nb = 2.0\nfound.append(sg.grad(lambda x: a * b * x * x, **PLAIN)(1.0))"
    assert run(shell, text)["found"] == [12.0]


@pytest.mark.parametrize("magic", ["%time", "%timeit -n1 -r1", "%timeit -n 1 -r 1", "got = %time", "%%time\n%time"])
def test_lines_under_magics(shell, magic):
    run(shell, "found = []")
    text = f"{magic} found.append(sg.grad(lambda x: x**3, **PLAIN)(2.0))"
    assert run(shell, text)["found"] == [12.0]


def test_a_cell_run_again_with_other_code(shell):
    for power in (2, 3, 2):
        names = run(shell, f"f = lambda x: x**{power}\na = sg.grad(f, **PLAIN)(1.0)")
        assert names["a"] == power


def test_a_decorated_function_is_defined_anew(shell):
    for factor in (2.0, 3.0):
        names = run(shell, f"@sg.grad(**PLAIN)\ndef f(x):\n    return {factor} * x\na = f(1.0)")
        assert names["a"] == factor


MODULE = """
{imports}
def helper(x):
    return {body}

def f(x, k={k}):
    y = (k *
         helper(x))
    return y

class Model:
    def value(self, x):
        return {body}

    @property
    def double(self):
        return {k} * 2.0
"""


@pytest.mark.parametrize("jit", [False, True])
def test_autoreload(shell, tmp_path, monkeypatch, jit):
    """Functions and methods keep their identity, and are given new code and defaults."""
    monkeypatch.syspath_prepend(tmp_path)
    path = tmp_path / f"reloaded_{jit}.py"

    def write(second, **parts):
        path.write_text(MODULE.format(**parts))
        os.utime(path, (1e9 + second, 1e9 + second))

    write(0, imports="", body="x * x", k=1.0)
    run(
        shell,
        f"""
        %load_ext autoreload
        %autoreload 2
        import {path.stem} as module
        from {path.stem} import f, Model
        model = Model()
        ds = [sg.grad(g, cache=False, jit={jit}) for g in (f, module.f, lambda x: module.f(x), model.value)]
        ds += [sg.grad(lambda x: model.value(x) * model.double, cache=False, jit={jit})]
    """,
    )
    try:
        show = "got = [d(1.0) for d in ds]"
        assert run(shell, show)["got"] == [2.0, 2.0, 2.0, 2.0, 4.0]
        write(10, imports="", body="x * x * x", k=1.0)
        assert run(shell, show)["got"] == [3.0, 3.0, 3.0, 3.0, 6.0]
        write(20, imports="import math\n", body="5.0 * x", k=2.0)
        assert run(shell, show)["got"] == [10.0, 10.0, 10.0, 5.0, 20.0]
        write(30, imports="import math\n", body="5.0 * x", k=3.0)
        assert run(shell, show)["got"] == [15.0, 15.0, 15.0, 5.0, 30.0]
    finally:
        run(shell, "%autoreload 0")


def test_an_error_shows_the_cells_line(shell):
    sg_error = shell.user_ns["sg"].UnsupportedError
    with pytest.raises(sg_error, match=r"line 3, column 5: (.|\n)*try:"):
        run(
            shell,
            """\
            %%time
            def f(x):
                try:
                    return x
                finally:
                    x
            sg.grad(f, **PLAIN)(1.0)
        """.replace("%%time\n", "import math\n"),
        )
