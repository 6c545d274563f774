"""A rule of the user's own that calls its function, as rules in JAX do: each derivative takes the rule once more."""

import numpy as np
import pytest

import srcgrad as sg


@sg.custom_vjp
def slanted(x):
    return np.sin(x)


slanted.defvjp(lambda x: (slanted(x), x), lambda x, g: (3.0 * g * np.cos(x),))


@sg.custom_jvp
def bent(x):
    return np.sin(x)


@bent.defjvp
def _bent(primals, tangents):
    (x,), (x_dot,) = primals, tangents
    return bent(x), 3.0 * x_dot * np.cos(x) * bent(x)


@sg.custom_vjp
def powered(x, n):
    return x if n < 2 else x * powered(x, n - 1)


powered.defvjp(lambda x, n: (powered(x, n), x), lambda x, g: (g, None))

X, S, C = 0.7, np.sin(0.7), np.cos(0.7)


def test_reverse_rule():
    f = sg.grad(lambda x: slanted(x) * x, jit=False)
    assert f(X) == pytest.approx(S + 3.0 * X * C)
    assert sg.grad(f, jit=False)(X) == pytest.approx(6.0 * C - 3.0 * X * S)


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_forward_rule(mode):
    """y' = 3 cos(x) y, and its y is again one that follows the rule."""
    first = sg.grad(lambda x: bent(x), mode=mode, jit=False)
    second = sg.grad(first, mode=mode, jit=False)
    assert first(X) == pytest.approx(3.0 * C * S)
    assert second(X) == pytest.approx(9.0 * C * C * S - 3.0 * S * S)
    third = sg.grad(second, mode=mode, jit=False)
    assert third(X) == pytest.approx(27.0 * C**3 * S - 27.0 * C * S * S - 3.0 * C * S)


def test_more_often_than_the_rule_is_at_hand():
    f = bent
    with pytest.raises(sg.UnsupportedError, match="no derivative, or none of this order"):
        for _ in range(5):
            f = sg.grad(f, jit=False)
        f(X)


def test_a_function_with_a_rule_that_calls_itself():
    with pytest.raises(sg.UnsupportedError, match="has a rule of its own and calls itself"):
        sg.grad(powered, jit=False)(X, 3)
