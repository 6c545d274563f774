"""What a user's function raises passes through: the same type, the same arguments, as often as the function says.

PYTEST_DONT_REWRITE: the functions here raise AssertionErrors of their own.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import srcgrad as sg

X = np.array([0.5, 0.6, 0.7])
MAKERS: dict[str, Callable[..., Any]] = {
    "grad": sg.grad,
    "forward mode": lambda f, jit: sg.grad(f, jit=jit, mode="forward"),
    "value": sg.value_and_grad,
    "hessian": sg.hessian,
    "jacrev": sg.jacrev,
    "both modes": lambda f, jit: sg.jacfwd(sg.grad(f), jit=jit),
}


class Unfit(Exception):
    """An exception of the user's."""


class Placed(ArithmeticError):
    def __init__(self, place, value):
        super().__init__(place, value)
        self.place = place


def in_a_loop(x, n):
    s = 0.0
    for i in range(n):
        if x[i] > 0.65:
            raise Unfit("too large", i)
        s += x[i] ** 2
    return s


def formatted(x, n):
    if n > 2:
        raise ValueError(f"{n} of {len(x)} {{things}}, the first {float(x[0]):.3f}, {n!r:>4}")
    return np.sum(x * x)


def asserted(x, n):
    assert n != 1
    assert n != 2, "two"
    assert n != 3, f"n is {n}"
    assert n != 4, n
    return np.sum(x * x)


def fit(value, place):
    if place == 2:
        raise Placed(place, 2.5)
    return value * 2.0


def in_a_helper(x, n):
    s = 0.0
    for i in range(n):
        s += fit(x[i], i)
    return s


def of_a_dead_value(x, n):
    for i in range(n):
        y = x[i] * 2.0
        if math.sqrt(y) > 1.15:
            raise OverflowError
    return 3.0 * x[0]


def in_a_while(x, n):
    k = n
    while True:
        if k == 3:
            raise RuntimeError("three", k, 1.5, (k, "end"))
        k += 1
        if k > 5:
            break
    return x[0] * k


FUNCTIONS = [in_a_loop, formatted, asserted, in_a_helper, of_a_dead_value, in_a_while]


def outcome(call: Callable[..., Any], *args: Any) -> Any:
    try:
        call(*args)
    except Exception as error:
        return type(error), error.args
    return None


@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
def test_passes_unchanged(f: Callable[..., Any]) -> None:
    derivatives = {name: make(f, jit=False) for name, make in MAKERS.items()}
    wanted = {n: outcome(f, X, n) for n in range(4)}
    assert any(wanted.values())
    for name, derivative in derivatives.items():
        assert {n: outcome(derivative, X, n) for n in wanted} == wanted, name


@pytest.mark.parametrize("f", [in_a_loop, formatted, in_a_helper], ids=lambda f: f.__name__)
def test_passes_unchanged_compiled(f: Callable[..., Any]) -> None:
    assert outcome(sg.grad(f), X, 3) == outcome(f, X, 3)
    assert outcome(sg.grad(f), X, 1) is None


@pytest.mark.parametrize("name", MAKERS)
def test_effects_happen_once(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    def f(x, n):
        s = 0.0
        for i in range(n):
            print("turn", i)
            s += math.sin(x[i]) ** 3
        return s

    MAKERS[name](f, jit=False)(X, 2)
    assert capsys.readouterr().out == "turn 0\nturn 1\n"


def test_what_cannot_be_raised_is_refused() -> None:
    class Local(Exception):
        pass

    def local(x):
        if x > 1.0:
            raise Local("no")
        return x

    def second(x):
        if x > 1.0:
            raise ValueError(1, f"is {x}")
        return x

    def caused(x):
        if x > 1.0:
            raise ValueError("no") from None
        return x

    for f, words in ((local, "cannot be imported"), (second, "first argument"), (caused, "new exception")):
        with pytest.raises(sg.UnsupportedError, match=words):
            sg.grad(f, jit=False)(0.5)


def test_integers_divided_by_zero() -> None:
    def f(x, n):
        return x * (7 // n) + x * (5 % (n - 2)) if n >= 0 else x

    for n in (0, 2, 3, -1):
        ours, theirs = outcome(sg.grad(f, jit=False), 1.5, n), outcome(f, 1.5, n)
        assert (ours is None) == (theirs is None)
    with pytest.raises(ZeroDivisionError, match="divides by zero"):
        sg.grad(f)(1.5, 0)


def test_negative_lengths() -> None:
    def f(x, n):
        scratch = np.zeros(n)
        return x * len(scratch)

    assert sg.grad(f, jit=False)(1.5, 3) == 3.0
    with pytest.raises(ValueError, match="negative"):
        sg.grad(f, jit=False)(1.5, -1)
