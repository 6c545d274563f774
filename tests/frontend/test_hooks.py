"""What an object may give to be more than a Python function, and what is no hook of it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.frontend.source import hooks
from srcgrad.optimize import minimize
from srcgrad.optimize.methods import spread

ASKED: list[Callable[[Any], Any]] = [hooks.gives_core, hooks.takes_arguments, hooks.gives_parts, hooks.is_made]


def square(x: Any) -> Any:
    return x * x


def distance(x: Any, a: Any) -> Any:
    return (x[0] - a) ** 2


@functools.wraps(minimize)
def doubled(fun: Any, x0: Any, args: Any = ()) -> Any:
    return minimize(fun, x0, args=(2.0 * args[0],))


class Answering:
    """Has every attribute that it is asked for."""

    def __getattr__(self, name: str) -> Any:
        return lambda *args: None


def test_derivatives_give_all_that_is_asked() -> None:
    made: Any = sg.grad(square, jit=False)
    assert all(ask(made) for ask in ASKED)
    fun, recipe, _ = made.__srcgrad_made__()
    assert fun is square and recipe.kind == "grad"
    assert list(made.__srcgrad_arguments__((3.0,), {})) == [3.0]


@pytest.mark.parametrize("value", [square, 1.0, Answering(), Answering, type(sg.grad(square)), np.sin])
def test_what_gives_no_core(value: Any) -> None:

    assert not any(ask(value) for ask in ASKED)
    assert hooks.inside(value) is None and hooks.inside_of(value) is None


def test_a_wrapper_around_a_solver_is_not_taken_for_the_solver() -> None:
    """`functools.wraps` copies all that a function carries."""

    def f(a: float) -> Any:
        return doubled(distance, np.zeros(1), args=(a,)).x[0]

    assert hooks.inside(minimize) is not None and hooks.inside(doubled) is None
    assert sg.grad(f, jit=False)(1.5) == pytest.approx(2.0)


def test_a_wrapper_around_a_derivative_is_made_of_nothing() -> None:
    made = sg.grad(square, jit=False)

    @functools.wraps(made)
    def halved(x: float) -> Any:
        return 0.5 * made(x)

    assert not hooks.is_made(halved) and not hooks.gives_core(halved)
    assert sg.grad(halved, jit=False)(3.0) == pytest.approx(1.0)


def test_a_function_put_around_the_users_stands_for_it() -> None:
    assert hooks.inside_of(spread(square)) is square
