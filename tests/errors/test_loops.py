"""What is refused in the first reading of a loop's body is not forgotten in the next."""

import numpy as np
import pytest

import srcgrad as sg


def test_a_refusal_in_a_loop_stands() -> None:
    def f(x, weights, a, n):
        total = 0.0
        for i in range(n):
            total += weights[i]
            a[0] = x * total
        return a[0] + x

    with pytest.raises(sg.UnsupportedError, match="a string or an integer that is known here") as caught:
        sg.grad(f)(1.0, {"a": 1.0}, np.ones(2), 2)
    assert [p.source.strip() for p in caught.value.problems] == ["total += weights[i]"]


def test_a_refusal_in_a_while_stands() -> None:
    def f(x, n):
        while n > 0:
            x = np.roots(x)
            n = n - 1
        return 1.0

    with pytest.raises(sg.NotDifferentiableError, match="roots"):
        sg.grad(f)(1.0, 2)
