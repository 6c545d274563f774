"""Functions that stand in no file: typed into a session, behind `-c`, run by `exec`, in doctests and notebooks."""

from __future__ import annotations

import ast
import doctest
import linecache
import os
import subprocess
import sys
import textwrap

import pytest

import srcgrad as sg
from srcgrad.frontend.source.read import read

HEAD = "import math\nimport srcgrad as sg\nPLAIN = dict(jit=False, cache=False)\n"


def python(*words, text=None):
    return subprocess.run([sys.executable, *words], input=text, capture_output=True, text=True, timeout=120)


PROGRAM = (
    HEAD
    + """
def f(x):
    return math.sin(x) * x
print(sg.grad(f, **PLAIN)(0.0), sg.grad(lambda x: x**3, **PLAIN)(1.0))
"""
)


@pytest.mark.parametrize("words", [["-c", PROGRAM], ["-c" + PROGRAM], ["-Ic", PROGRAM], ["-W", "error", "-c", PROGRAM]])
def test_behind_c(words):
    done = python(*words)
    assert done.stdout.split() == ["0.0", "3.0"], done.stderr


def test_what_cannot_be_found_is_refused():
    inner = HEAD + "exec('def f(x): return x')\nsg.grad(f, **PLAIN)(1.0)"
    for words, text in ((["-c", inner], None), (["-"], PROGRAM)):
        done = python(*words, text=text)
        assert "the source of f cannot be found\n  hint: define it in a file or a notebook cell" in done.stderr


class Session:
    """A Python at a terminal."""

    def __init__(self):
        pexpect = pytest.importorskip("pexpect", reason="a terminal needs pexpect, which there is not on Windows")
        pytest.importorskip("readline", reason="without readline a session keeps no lines")
        env = {**os.environ, "PYTHON_BASIC_REPL": "1", "TERM": "dumb", "PYTHONSTARTUP": ""}
        self.child = pexpect.spawn(sys.executable, ["-q"], encoding="utf-8", timeout=60, env=env, echo=False)
        self.child.expect_exact(">>> ")

    def say(self, *lines):
        """Type lines; gives what is printed."""
        for line, prompt in zip(lines, [*["... "] * (len(lines) - 1), ">>> "], strict=True):
            self.child.sendline(line)
            self.child.expect_exact(prompt)
        return self.child.before.strip().splitlines()[-1:]


def test_a_session_at_a_terminal():
    session = Session()
    session.say("import math, srcgrad as sg")
    session.say("PLAIN = dict(jit=False, cache=False)")
    session.say("def f(x):", "    y = x * x", "    return math.sin(y) + x", "")
    assert session.say("sg.grad(f, **PLAIN)(0.0)") == ["1.0"]
    assert session.say("sg.grad(lambda x: x*math.cos(x), **PLAIN)(0.0)") == ["1.0"]
    session.say("def f(x): return x**3", "")
    assert session.say("sg.grad(f, **PLAIN)(1.0)") == ["3.0"]
    session.say("@sg.grad(**PLAIN)", "def g(x):", "    return x * x", "")
    assert session.say("g(3.0)") == ["6.0"]
    session.say("h = sg.grad(", "    lambda x: x**5,", "    **PLAIN", ")")
    assert session.say("h(1.0)") == ["5.0"]
    # readline keeps a repeated line once: refused, but where Python itself keeps what is typed, as from 3.13
    session.say("def f(x):", "    x = x * 2.0", "    x = x * 2.0", "    return x", "")
    wanted = ["4.0"] if sys.version_info >= (3, 13) else ["no"]
    assert session.say("try: print(sg.grad(f, **PLAIN)(1.0))", "except sg.UnsupportedError: print('no')", "") == wanted


def executed(text, name, register=True):
    if register:
        linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    space = {}
    exec(compile(text, name, "exec"), space)
    return space


def test_exec_with_lines_in_linecache():
    space = executed("import math\ndef f(x):\n    return math.sin(x)\n", "<made 1>")
    assert sg.grad(space["f"], jit=False, cache=False)(0.0) == 1.0


def test_the_lines_of_another_text_are_not_taken():
    """Not even where the outer function is the same, and only one that stands in it differs."""
    text = "def f(x):\n    g = lambda y: y * {}\n    return g(x)\n"
    space = executed(text.format("2.0"), "<made 2>")
    executed(text.format("3.0"), "<made 2>")
    with pytest.raises(sg.UnsupportedError, match="cannot be found"):
        read(space["f"])


def test_lines_that_moved_are_found(tmp_path):
    path = tmp_path / "moved.py"
    path.write_text("import math\ndef f(x):\n    return math.sin(x)\ng = lambda x: x * math.cos(x)\n")
    space = {"__name__": "moved"}
    exec(compile(path.read_text(), str(path), "exec"), space)
    path.write_text("# a line above\n\n" + path.read_text())
    assert [sg.grad(space[name], jit=False, cache=False)(0.0) for name in "fg"] == [1.0, 1.0]


def test_doctests():
    text = HEAD + "def f(x):\n    return math.sin(x)\nsg.grad(f, **PLAIN)(0.0)\nsg.grad(lambda x: x*x, **PLAIN)(1.0)\n"
    shown = "\n".join(("... " if line.startswith(" ") else ">>> ") + line for line in text.splitlines())
    shown = shown.replace("(0.0)", "(0.0)\n1.0").replace("(1.0)", "(1.0)\n2.0")
    test = doctest.DocTestParser().get_doctest(shown, {}, "shown", "shown.py", 0)
    assert doctest.DocTestRunner().run(test) == doctest.TestResults(0, 6)


def reactive(text, name, shift=0):
    """As marimo runs a cell: the statements but the last in one unit, the last expression in another; the lines may be
    counted in the notebook's file, where the cell stands inside of a function."""
    module = ast.increment_lineno(ast.parse(text), shift)
    *body, last = module.body
    space = {}
    exec(compile(ast.Module(body, []), name, "exec", dont_inherit=True), space)
    return eval(compile(ast.Expression(last.value), name, "eval", dont_inherit=True), space)


CELL = (
    HEAD
    + """
def f(x):
    import math
    return math.sin(x)
g = lambda x: x * math.cos(x)
[sg.grad(h, **PLAIN)(0.0) for h in (f, g, lambda x: math.exp(x))]
"""
)


def test_a_reactive_notebooks_cell():
    linecache.cache["/tmp/__cell_1.py"] = (len(CELL), None, CELL.splitlines(True), "/tmp/__cell_1.py")
    assert reactive(CELL, "/tmp/__cell_1.py") == [1.0, 1.0, 1.0]


def test_a_reactive_notebook_that_is_a_file(tmp_path):
    path = tmp_path / "notebook.py"
    head = "import marimo\napp = marimo.App()\n\n@app.cell\ndef _(math, sg):\n"
    path.write_text(head + textwrap.indent(CELL, "    ") + "    return\n")
    assert reactive(CELL, str(path), shift=5) == [1.0, 1.0, 1.0]
