"""What is printed, raised and asserted in a function is so in its derivative, word for word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import srcgrad as sg
from tests.frontend.passing_functions import RAISING, SAYING, WITHOUT_LITERAL


@pytest.mark.parametrize("fun", SAYING, ids=lambda f: f.__name__)
@pytest.mark.parametrize("transform", [sg.grad, sg.value_and_grad])
def test_the_same_is_printed(fun: Callable[..., Any], transform: Any, capsys: pytest.CaptureFixture[str]) -> None:
    fun(1.5)
    plain = capsys.readouterr().out
    assert plain
    transform(fun, jit=False)(1.5)
    assert capsys.readouterr().out == plain


@pytest.mark.parametrize("fun", RAISING, ids=lambda f: f.__name__)
def test_the_same_is_raised(fun: Callable[..., Any]) -> None:
    with pytest.raises(Exception) as plain:
        fun(1.5)
    with pytest.raises(plain.type) as error:
        sg.grad(fun, jit=False)(1.5)
    assert type(error.value) is plain.type
    assert error.value.args == plain.value.args


@pytest.mark.parametrize("fun", WITHOUT_LITERAL, ids=lambda f: f.__name__)
def test_what_has_no_literal_is_refused(fun: Callable[..., Any]) -> None:
    with pytest.raises(sg.UnsupportedError, match="printed or raised"):
        sg.grad(fun, jit=False)(1.5)


def test_a_rule_s_message_with_quotes_is_told_as_it_is() -> None:
    def f(x):
        return np.sum(np.nanargmax(x) * x)

    with pytest.raises(ValueError, match="All-NaN slice encountered"):
        sg.grad(f, jit=False)(np.array([np.nan, np.nan]))


def test_an_error_of_a_rule_names_the_line() -> None:
    def f(x, n):
        return np.sum(np.insert(x, n, 1.0))

    with pytest.raises(IndexError) as error:
        sg.grad(f, jit=False)(np.ones(2), 5)
    assert "np.insert" in str(error.value) and "test_passing_statements.py" in str(error.value)


def test_powers_of_integers_are_refused_where_they_stand() -> None:
    def f(x, n):
        return np.sum(x * 2 ** np.array([n, 1]))

    with pytest.raises(sg.PowerError):
        sg.grad(f, jit=False)(np.ones(2), -1)
