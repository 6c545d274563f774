"""Lengths that meet are taken for equal in the code that a call tries first; where one is 1 after all, the call turns
to the code that repeats it."""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.errors import REPEATED

X, Y = np.linspace(0.1, 1.0, 5), np.linspace(0.3, 2.0, 5)


def part(x, y, k):
    s = 0.0
    for _ in range(2):
        z = x[:k] * y
        s += np.sum(np.sin(z) * z)
    return s


def three(x, y, k):
    return np.sum(np.where(x[:1] > 0.0, x[:k], y) ** 2)


def stored(x, y, k):
    out = np.zeros(len(y))
    out[:] = x[:k] ** 2
    out[::2] += x[:k:2]
    return np.sum(out * y)


def in_branch(x, y, k):
    total = np.sum(x * y)
    if k < 3:
        total += np.sum(x[:k] * y)
    return total


def after_writing(x, y, k):
    x[0] = x[1] * 2.0
    return np.sum(x[:k] * y)


def numerical(fun: Callable[..., float], k: int) -> np.ndarray:
    steps = 1e-6 * np.eye(5)
    return np.array([(fun(X + h, Y.copy(), k) - fun(X - h, Y.copy(), k)) / 2e-6 for h in steps])


@pytest.mark.parametrize("fun", [part, three, stored, in_branch, after_writing])
@pytest.mark.parametrize("k", [5, 1])
def test_value_and_gradient(fun: Callable[..., float], k: int) -> None:
    value, slope = sg.value_and_grad(fun, jit=False)(X.copy(), Y.copy(), k)
    assert value == pytest.approx(fun(X.copy(), Y.copy(), k))
    np.testing.assert_allclose(slope, numerical(fun, k), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("fun", [part, stored])
def test_other_kinds_of_derivatives(fun: Callable[..., float]) -> None:
    for k in (5, 1):
        expected = numerical(fun, k)
        assert sg.jvp(functools.partial(fun, k=k), (X, Y), (Y, 0.0 * Y), jit=False)[1] == pytest.approx(expected @ Y)
        np.testing.assert_allclose(sg.jacobian(fun, jit=False)(X, Y, k), expected, rtol=1e-6, atol=1e-8)
        h = 1e-5
        along = (sg.grad(fun, jit=False)(X + h * Y, Y, k) - sg.grad(fun, jit=False)(X - h * Y, Y, k)) / (2.0 * h)
        np.testing.assert_allclose(sg.hvp(fun, jit=False)(X, Y, k, Y), along, rtol=1e-5, atol=1e-6)


def test_the_first_code_repeats_nothing() -> None:
    text = sg.grad(part, jit=False).source_for(X, Y, 5)
    assert "unbroadcast" not in text
    assert text.count(REPEATED) == 2  # at the head, and in front of the loop
    with pytest.raises(ValueError, match="shapes|broadcast"):
        sg.grad(part, jit=False)(X, Y, 3)


def test_calls_of_both_kinds_take_turns_compiled() -> None:
    d = sg.grad(part)
    for k in (5, 1, 5, 1, 1, 5):
        np.testing.assert_allclose(d(X, Y, k), numerical(part, k), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(d.jitted(X, Y, 5)(X, Y, 1), numerical(part, 1), rtol=1e-6, atol=1e-8)


def test_a_saved_module_turns_to_its_general_code(tmp_path: Path) -> None:
    d = sg.grad(part, jit=False)
    d.save(tmp_path / "saved_part.py", X, Y, 5)
    spec = importlib.util.spec_from_file_location("saved_part", tmp_path / "saved_part.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for k in (5, 1):
        np.testing.assert_allclose(module.part_grad(X, Y, k), numerical(part, k), rtol=1e-6, atol=1e-8)


def printing(x, y, k):
    print("seen")
    return np.sum(x[:k] * y)


def trying(x, y, k):
    try:
        factor = np.linalg.cholesky(np.diag(x[:2]))
    except np.linalg.LinAlgError:
        return 0.0
    return np.sum(x[:k] * y) * factor[0, 0]


def one_element(x, y, k):
    return np.sum(x[k : k + 1] * y) + np.sum(x[1:2] * y)


@pytest.mark.parametrize("fun", [printing, trying, one_element])
def test_where_it_may_not_be_tried(fun: Callable[..., Any], capsys: pytest.CaptureFixture[str]) -> None:
    """What is printed is printed once; an error is the user's to catch; one element is there to be repeated."""
    d = sg.grad(fun, jit=False)
    assert d.source_for(X, Y, 1).count(REPEATED) <= 1
    capsys.readouterr()
    slope = d(X, Y, 1)
    assert capsys.readouterr().out.count("seen") == (fun is printing)
    np.testing.assert_allclose(slope, numerical(fun, 1), rtol=1e-6, atol=1e-8)


def test_what_it_costs_is_told_of_the_code_that_runs() -> None:
    assert "the derivative" in sg.grad(part, jit=False).explain(X, Y, 1)
