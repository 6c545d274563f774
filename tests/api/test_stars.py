"""Functions that take `*args`: argnums counts what a call gives by place, as in JAX."""

import pickle
from typing import Any

import numpy as np
import pytest

import srcgrad as sg

OPTIONS = {"jit": False}


def cubic(*xs):
    return xs[0] * xs[1] ** 2 + xs[-1] * 3.0


def mixed(a, *xs, k=2.0):
    return a * xs[0] * k + np.sum(xs[-1])


AT = (2.0, 3.0, 4.0)


@pytest.mark.parametrize(
    ("argnums", "expected"),
    [(0, 9.0), (1, 12.0), (2, 3.0), (-1, 3.0), (-3, 9.0), ((0, 2), (9.0, 3.0)), ("xs", (9.0, 12.0, 3.0))],
)
def test_gradients(argnums, expected):
    assert sg.grad(cubic, argnums, **OPTIONS)(*AT) == expected
    assert sg.jacfwd(cubic, argnums, **OPTIONS)(*AT) == expected
    assert sg.reverse(cubic, argnums, **OPTIONS)(*AT, 1.0) == (30.0, expected)
    assert pickle.loads(pickle.dumps(sg.grad(cubic, argnums, **OPTIONS)))(*AT) == expected


def test_beside_other_parameters():
    by = lambda argnums, **more: sg.grad(mixed, argnums, **OPTIONS)(2.0, 3.0, np.ones(3), **more)  # noqa: E731
    assert by(0) == 6.0
    assert by((0, 1, "k"), k=1.5) == (4.5, 3.0, 6.0)
    assert np.array_equal(by(2), np.ones(3))
    assert np.array_equal(by(-1), np.ones(3))


def test_second_order_and_directions():
    assert sg.hessian(cubic, (0, 1), **OPTIONS)(*AT) == ((0.0, 6.0), (6.0, 4.0))
    assert sg.grad(sg.grad(cubic, 1, **OPTIONS), 1, **OPTIONS)(*AT) == 4.0
    assert sg.hvp(cubic, 1, **OPTIONS)(*AT, 2.0) == 8.0
    assert sg.forward(cubic, 1, **OPTIONS)(*AT, 1.0) == (30.0, 12.0)
    assert sg.jvp(cubic, AT, (None, 1.0, None), **OPTIONS) == (30.0, 12.0)
    assert sg.vjp(cubic, *AT, **OPTIONS)[1](1.0) == (9.0, 12.0, 3.0)


def test_numbers_of_arguments_differ_from_call_to_call():
    df = sg.grad(cubic, -1, **OPTIONS)
    assert [df(2.0, 3.0), df(2.0, 3.0, 4.0), df(2, 3, 4)] == [15.0, 3.0, 3.0]


@pytest.mark.parametrize(("argnums", "says"), [(3, "out of range"), (-4, "out of range"), ((-1, 2), "twice")])
def test_refused(argnums, says):
    with pytest.raises(sg.ArgumentError, match=says):
        sg.grad(cubic, argnums, **OPTIONS)(*AT)


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize(
    ("fun", "args"),
    [
        (lambda *xs: xs[0] * xs[1] ** 2, (2.0, 3.0)),
        (lambda a, *xs, s=2.0: a * xs[0] * xs[1] ** 2 * s, (1.0, 2.0, 3.0)),
        (lambda a, *xs, **more: a * xs[0] ** 3 * len(more), (1.0, 2.0)),
        (lambda *xs: np.sum(xs[0] * xs[1]), (np.ones(2), 2 * np.ones(2))),
        (lambda *xs: sum(xs) ** 3, (1.0, 2.0, 3.0)),
    ],
)
def test_checks_of_any_order(fun: Any, args: Any, order: int) -> None:
    """What a derivative takes beside them stands behind what the star collects."""
    sg.testing.check_grads(
        fun, args, order=order, modes=("reverse",) if order > 2 else ("forward", "reverse"), jit=False
    )


def test_checks_by_an_argument_that_is_not_there() -> None:
    with pytest.raises(sg.ArgumentError, match="argnums=4 is out of range: 1 arguments are given by place"):
        sg.testing.check_grads(lambda *xs: xs[0], (1.0,), argnums=4, jit=False)


def test_a_tangent_is_differentiated_by_its_place() -> None:
    along = sg.forward(lambda *xs: xs[0] * xs[1], (0, 1), jit=False)
    slope = sg.grad(lambda *all: along(*all)[1], (0, 1, 2, 3), jit=False)(2.0, 3.0, 5.0, 7.0)
    assert slope == (7.0, 5.0, 3.0, 2.0)
    assert sg.jacfwd(along, argnums=(2, -1), jit=False)(2.0, 3.0, 5.0, 7.0)[1] == (3.0, 2.0)
