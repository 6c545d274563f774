"""Long functions: the work grows as the function does. Counted are Python's calls, which no other process disturbs."""

from __future__ import annotations

import math
import sys
import threading
from types import FrameType
from typing import Any

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.compiler import deep_expressions, find_or_make, lazy
from srcgrad.compiler.request import Recipe
from srcgrad.frontend.source.structure import describe
from tests.benchmarks import size
from tests.fuzz.programs import compiled

# The number of calls for twice the size beside that for once; 2 would be linear, 4 quadratic.
MOST = 2.6


def work(kind: str, n: int) -> int:
    """How many calls of Python functions the transformation of a function of this size takes."""
    f = compiled(f"size_{kind}_{n}", size.text(kind, n))
    specs = [describe(a) for a in size.arguments()]
    count = 0

    def profile(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    options = find_or_make.Options(jit=False, cache=False)
    sys.setprofile(profile)
    try:
        made = lazy.program.derive(f, Recipe("grad", (0, 1, 2), single=False), specs)
        find_or_make._module(made.program, options)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("kind", [k for k in size.KINDS if k not in ("ternaries", "nested_ifs")])
def test_twice_the_size_is_about_twice_the_work(kind: str) -> None:
    work(kind, 10)
    assert work(kind, 160) < MOST * work(kind, 80)


@pytest.mark.parametrize(("kind", "more"), (("ternaries", 4.5), ("nested_ifs", 4.5)))
def test_nesting_twice_as_deep(kind: str, more: float) -> None:
    """The way back runs the branches around each branch again, so that the work is by the square of the depth."""
    work(kind, 5)
    assert work(kind, 36) < more * work(kind, 18)


def gradient(text: str, x: float = 0.3, y: float = 0.7) -> Any:
    f = compiled(f"deep_{abs(hash(text))}", text)
    return sg.grad(f, argnums=(0, 1), jit=False)(x, y)


def test_a_sum_of_a_thousand_terms() -> None:
    terms = [f"x * {k}.5" if k % 2 else f"math.sin(y * {k}.5)" for k in range(1200)]
    got = gradient(f"def f(x, y):\n    return {' + '.join(terms)}\n")
    wanted = (
        sum(k + 0.5 for k in range(1, 1200, 2)),
        sum((k + 0.5) * math.cos(0.7 * (k + 0.5)) for k in range(0, 1200, 2)),
    )
    np.testing.assert_allclose(got, wanted, rtol=1e-10)


def test_ternaries_nested_deep() -> None:
    text = "x * y"
    for k in range(40):
        text = f"(x * {k}.5 if y > {k}.0 else {text})"
    np.testing.assert_allclose(gradient(f"def f(x, y):\n    return {text}\n", 0.3, 7.5), (39.5 - 32, 0.0), rtol=1e-13)


DEEP = {
    "a power tower": "**".join(["x"] * 1 + ["1.0"] * 400),
    "calls in calls": "math.sin(" * 90 + "x * y" + ")" * 90,
    "signs": "-" * 400 + "x",
    "products": " * ".join(["x"] + ["1.001"] * 600),
    "ternaries without parentheses": " if y > 9.0 else ".join(f"x * {k}.5" for k in range(60)),
    "and, or": "x if " + " and ".join(f"y < {k}.5" for k in range(1, 60)) + " else y",
    "sums in parentheses": "(x + " * 90 + "y" + ")" * 90,
}


@pytest.mark.parametrize("what", DEEP)
def test_deep_expressions_are_differentiated_or_refused(what: str) -> None:
    """Never a bare RecursionError."""
    text = f"def f(x, y):\n    return {DEEP[what]}\n"
    step = 1e-6
    f = compiled(f"plain_{what}", text)
    try:
        got = gradient(text)
    except sg.UnsupportedError as error:
        assert "nested too deeply" in str(error)
        return
    wanted = (
        (f(0.3 + step, 0.7) - f(0.3 - step, 0.7)) / (2 * step),
        (f(0.3, 0.7 + step) - f(0.3, 0.7 - step)) / (2 * step),
    )
    np.testing.assert_allclose(got, wanted, rtol=1e-6, atol=1e-6)


def test_many_elifs() -> None:
    lines = ["def f(x, y):", "    if y > 60.0:", "        s = x"]
    for k in range(60, 0, -1):
        lines += [f"    elif y > {k - 1}.0:", f"        s = x * {k}.5"]
    text = "\n".join([*lines, "    else:", "        s = y", "    return s", ""])
    np.testing.assert_allclose(gradient(text, 0.3, 7.5), (8.5, 0.0))


def test_what_is_deeper_than_any_stack_is_refused_and_leaves_things_as_they_were() -> None:
    def endless(n: int) -> int:
        return endless(n + 1) + 1

    limit, size_ = sys.getrecursionlimit(), threading.stack_size()
    with pytest.raises(sg.UnsupportedError, match="nested too deeply"):
        deep_expressions.deep(endless)(0)
    assert (sys.getrecursionlimit(), threading.stack_size()) == (limit, size_)


def test_errors_come_out_of_the_large_stack_as_they_are() -> None:
    terms = " + ".join(f"x * {k}.5" for k in range(1200))
    with pytest.raises(sg.UnsupportedError) as caught:
        gradient(f"def f(x, y):\n    s = {terms}\n    with s:\n        pass\n    return s\n")
    assert "nested too deeply" not in str(caught.value)
