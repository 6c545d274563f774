"""Reading the source of functions, and the shape of errors."""

from __future__ import annotations

import ast
import importlib.util
import linecache
import pickle
import textwrap
from typing import Any

import numba
import numpy as np
import pytest

from srcgrad.errors import ArgumentError, NotDifferentiableError, Problem, SrcgradError, UnsupportedError
from srcgrad.frontend.source.read import read
from tests.frontend.lowering import lowered, run_lowered, same

A = np.array([0.3, -0.7, 1.1])


def load(path, name="loaded_module"):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cell(text, name="<ipython-input-1>"):
    """Run a text as a notebook does."""
    text = textwrap.dedent(text)
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    space = {}
    exec(compile(text, name, "exec"), space)
    return space


def test_lambdas_on_one_line_are_told_apart() -> None:
    f, g, h = lambda x: x + 1.0, lambda x: x * 2.0, lambda x: (lambda y: y - x)(3.0)
    for fun in (f, g, h):
        same(fun, 0.5)
    first, second = (lambda x: x if x > 0.0 else -x), (lambda x: x * x if x > 0.0 else 2.0 * x)  # no code for the whole
    for fun in (first, second):
        same(fun, 0.5)
    third, fourth = (lambda x: (0.0 < x < 9.0) and x), (lambda x: (0.0 < x < 9.0) and x * x)
    for fun in (third, fourth):
        same(fun, 0.5)
    pair = [lambda x: x + 1.0, lambda x: x + 1.0]
    same(pair[1], 0.5)


def test_a_lambda_over_several_lines() -> None:
    same(
        lambda x, y=2.0: x * y + 1.0,
        0.5,
        3.0,
    )


def test_two_functions_of_one_name():
    def f(x):
        return x + 1.0

    first = f

    def f(x):
        return x + 2.0

    same(first, 0.5)
    same(f, 0.5)


def test_a_notebook_cell() -> None:
    space = cell("""
        import math
        RATE = 2.0
        def f(x):
            return math.sin(x) * RATE
        g = lambda x: f(x) + 1.0
    """)
    same(space["f"], 0.5)
    same(space["g"], 0.5)


def test_methods_and_dispatchers() -> None:
    class Model:
        def value(self, x):
            return x * 2.0

    @numba.njit
    def jitted(x):
        return x * 3.0

    node = read(Model().value).node
    assert isinstance(node, ast.FunctionDef) and node.name == "value"
    assert run_lowered(lowered(jitted, 0.5), 0.5) == 1.5


def test_a_function_without_source_is_refused() -> None:
    space: dict[str, Any] = {}
    exec(compile("def f(x):\n    return x\n", "<made up>", "exec"), space)
    with pytest.raises(UnsupportedError, match="cannot be found"):
        read(space["f"])
    with pytest.raises(ArgumentError):
        read(np.sin)


def test_an_edited_file_is_not_misread(tmp_path) -> None:
    path = tmp_path / "edited.py"
    path.write_text("def f(x):\n    return x * 2.0\n")
    module = load(path)
    path.write_text("def f(x):\n    return x * 3.0\n")
    linecache.checkcache(str(path))
    with pytest.raises(UnsupportedError, match="has changed|compiled from"):
        read(module.f)
    assert run_lowered(lowered(load(path).f, 1.0), 1.0) == 3.0


def test_what_was_read_once_stays_readable(tmp_path) -> None:
    path = tmp_path / "kept.py"
    path.write_text("def f(x):\n    return x * 2.0\n")
    module = load(path)
    read(module.f)
    path.write_text("# gone\n")
    linecache.checkcache(str(path))
    assert run_lowered(lowered(module.f, 1.0), 1.0) == 2.0


def test_all_refusals_are_shown_at_once() -> None:
    def f(x, args):
        class Y:
            pass

        class Z:
            pass

        yield from args
        match x:
            case {"a": y}:
                return y

    with pytest.raises(UnsupportedError) as caught:
        lowered(f, 0.5, (1.0,))
    assert len(caught.value.problems) == 4
    lines = [p.line for p in caught.value.problems]
    assert lines == sorted(lines)


def test_refusals_found_while_lowering_are_shown_at_once() -> None:
    def f(x, a, n):
        y = np.roots(a)
        for i in range(n):
            z = undefined_name(i)
            if x > 0:
                a[0] = math_of(z)
                a[0, 1] = x
        return y[0] + np.interp(x, a, a)

    with pytest.raises(UnsupportedError) as caught:
        lowered(f, 0.5, A, 3)
    assert [p.source.split("=")[0].strip() for p in caught.value.problems[:4]] == ["y", "z", "a[0]", "a[0, 1]"]
    assert len(caught.value.problems) == 4  # what needs y is not worth a word


def test_an_error_shows_the_line_with_a_caret() -> None:
    def f(x):
        return x + undefined_name(x)

    with pytest.raises(UnsupportedError) as caught:
        lowered(f, 0.5)
    (problem,) = caught.value.problems
    place, source, caret, _ = str(caught.value).splitlines()
    assert place.startswith(f"{__file__}, line {problem.line}, column 20: ") and "undefined_name" in place
    assert source[caret.index("^") :].startswith("undefined_name(x)")


def test_an_error_in_a_helper_shows_the_helper() -> None:
    def helper(x):
        return np.roots(x)

    def f(x):
        return helper(x) * 2.0

    with pytest.raises(NotDifferentiableError) as caught:
        lowered(f, A)
    assert "np.roots" in caught.value.problems[0].source


def test_columns_count_characters() -> None:
    def f(x):
        ä = "ößä"
        return nowhere

    with pytest.raises(UnsupportedError) as caught:
        lowered(f, 0.5)
    _, source, caret, _ = str(caught.value).splitlines()
    assert source[caret.index("^") :].startswith("nowhere")


def test_errors_pickle() -> None:
    problem = Problem("wrong", "do this", "file.py", 3, 4, "    x = y\n")
    error = pickle.loads(pickle.dumps(UnsupportedError("wrong", problems=[problem])))
    assert isinstance(error, SrcgradError) and error.problems == (problem,)
    assert str(error) == "file.py, line 3, column 5: wrong\n    x = y\n    ^\n  hint: do this"
