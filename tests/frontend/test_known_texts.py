"""Methods of texts that are known, and the numbers that they say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.errors import SrcgradError

X = np.linspace(0.3, 1.2, 6)
PLAN = "2.5*0 -1*3 4e-1*5"


def pairs(x):
    total = 0.0
    for word in "0,3;1,4;2,5".split(";"):
        i, j = map(int, word.split(","))
        total += x[i] * x[j]
    return total


def stack_machine(x):
    stack = []
    for op in ["0", "1", "*", "2", "+", "3", "/", "4", "-"]:
        if op.isdigit():
            stack.append(x[int(op)])
        else:
            b, a = stack.pop(), stack.pop()
            stack.append(a * b if op == "*" else a + b if op == "+" else a / b if op == "/" else a - b)
    return stack[-1]


def polynomial(x):
    total = 0.0
    for term in PLAN.split():
        factor, place = term.split("*")
        total += float(factor) * x[int(place)] ** 2
    head, _, tail = " rate=0.5 ".strip().partition("=")
    return total * float(tail) if head == "rate" and len(PLAN.splitlines()) == 1 else total


def other_bases(x):
    return x[int("101", 2)] * int("ff", 16)


@pytest.mark.parametrize("fun", [pairs, stack_machine, polynomial, other_bases])
def test_right(fun: Callable[[Any], Any]) -> None:
    slope = sg.grad(fun, jit=False)(X)
    expected = [(fun(X + h) - fun(X - h)) / 2e-6 for h in 1e-6 * np.eye(6)]
    np.testing.assert_allclose(slope, expected, rtol=1e-6, atol=1e-8)


def test_compiled() -> None:
    np.testing.assert_allclose(sg.grad(pairs)(X), sg.grad(pairs, jit=False)(X), rtol=1e-12)


def test_a_text_of_no_number() -> None:
    with pytest.raises(SrcgradError, match="could not convert string to float: 'abc'"):
        sg.grad(lambda x: x[0] * float("abc"), jit=False)(X)
