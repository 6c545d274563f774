"""`debug_nans=True`: the first line, primal or adjoint, that makes a NaN or an infinity is named, with its values."""

import math
from functools import partial

import numpy as np
import pytest

import srcgrad as sg

OPTIONS = {"jit": False, "cache": False, "debug_nans": True}


def helper(v):
    return np.log(v)


def by_loop(x):
    s = 0.0
    for i in range(len(x)):
        s = s + helper(x[i]) * 2.0
    return s


def root(x):
    y = np.sqrt(x)
    return np.sum(y * 2.0)


def masked(x):
    logs = np.log(x)
    kept = np.where(x > 0.0, logs, 0.0)
    return np.sum(kept) + np.sum(1.0 / (x + 1.0))


def in_memory(x):
    a = np.zeros(3)
    a[0] = np.log(x[0])
    a[1] = np.exp(x[1])
    return a[1] * a[1]


def shrinking(x):
    while x > 1e-300:
        x = x * x
    return 1.0 / x


def recursive(x, n):
    if n == 0:
        return math.sqrt(x)
    return recursive(x - 1.0, n - 1)


def told(call, *args):
    """The line of this file that an error names, and its text."""
    with pytest.raises(sg.NonFiniteError) as caught:
        call(*args)
    problem = caught.value.problems[0]
    assert problem.file == __file__
    return problem.source.strip(), str(caught.value)


def test_the_line_of_a_helper_and_the_iteration_are_named():
    line, text = told(sg.value_and_grad(by_loop, **OPTIONS), np.array([1.0, 0.0, 2.0]))
    assert line == "return np.log(v)"
    assert "this line makes -inf of finite values: log(x = 0), at i = 1" in text
    assert "    return np.log(v)\n    ^" in text


def test_an_adjoint_that_is_infinite_where_the_value_is_not_is_told_so():
    line, text = told(sg.grad(root, **OPTIONS), np.array([1.0, 0.0]))
    assert line == "y = np.sqrt(x)"
    assert "the adjoint of this line makes inf of finite values" in text and "y = 0" in text
    assert sg.compiled(root, **OPTIONS)(np.array([1.0, 0.0])) == 2.0


MAKERS = {
    "grad": sg.grad,
    "forward": partial(sg.grad, mode="forward"),
    "both": sg.value_and_grad,
    "jacfwd": sg.jacfwd,
    "jacrev": sg.jacrev,
    "jacobian": sg.jacobian,
    "hessian": sg.hessian,
}


@pytest.mark.parametrize("kind", MAKERS)
def test_every_transformer_names_the_line(kind):
    assert told(MAKERS[kind](root, **OPTIONS), np.array([1.0, 0.0]))[0] == "y = np.sqrt(x)"


def test_at_a_point():
    at = np.array([0.0])
    assert told(lambda: sg.jvp(root, (at,), (np.ones(1),), **OPTIONS))[0] == "y = np.sqrt(x)"
    value, pullback = sg.vjp(root, at, **OPTIONS)
    assert value == 0.0
    assert told(pullback, 1.0)[0] == "y = np.sqrt(x)"


def test_structures():
    def f(params):
        return params["w"] * math.log(params["b"][0])

    assert told(sg.grad(f, **OPTIONS), {"w": 1.0, "b": [0.0]})[0] == 'return params["w"] * math.log(params["b"][0])'


def test_what_a_selection_leaves_out_is_no_error():
    assert np.array_equal(sg.grad(masked, **OPTIONS)(np.array([1.0, 0.0])), [0.75, -1.0])


def test_an_infinity_that_is_left_out_is_not_blamed_for_another():
    line, _ = told(sg.grad(masked, **OPTIONS), np.array([0.0, -1.0]))
    assert line == "return np.sum(kept) + np.sum(1.0 / (x + 1.0))"
    line, _ = told(sg.value_and_grad(in_memory, **OPTIONS), np.array([0.0, 800.0]))
    assert line == "a[1] = np.exp(x[1])"


def test_while_loops_and_recursion():
    assert told(sg.grad(shrinking, **OPTIONS), 0.1)[0] == "return 1.0 / x"
    assert told(sg.grad(recursive, **OPTIONS), 2.0, 2)[0] == "return math.sqrt(x)"


def test_what_comes_in_is_said_to_come_in():
    line, text = told(sg.grad(root, **OPTIONS), np.array([1.0, np.nan]))
    assert line == "def root(x):" and "the argument `x` holds nan" in text


def test_a_finite_call_is_as_without_it_and_goes_on_after_a_caught_error():
    made, x = sg.grad(root, **OPTIONS), np.array([1.0, 4.0])
    for _ in range(3):
        assert np.array_equal(made(x), sg.grad(root, jit=False, cache=False)(x))
        with pytest.raises(FloatingPointError):
            made(np.zeros(2))


def test_compiled_calls_are_looked_at_each_time():
    made = sg.grad(lambda x: math.log(x), cache=False, debug_nans=True)
    for _ in range(3):
        assert made(2.0) == 0.5
    with pytest.raises(sg.NonFiniteError, match="the adjoint of this line"):
        made(0.0)


def test_results_in_arrays_that_are_given_are_looked_at():
    made, into = sg.grad(root, cache=False, debug_nans=True), np.empty(1)
    for _ in range(3):
        assert made(np.array([4.0]), out=into)[0] == 0.5
        assert told(lambda: made(np.zeros(1), out=into))[0] == "y = np.sqrt(x)"


def test_random_streams_stay_where_they_are():
    def f(x):
        return np.log(x) * np.random.normal()

    np.random.seed(1)
    with pytest.raises(sg.NonFiniteError):
        sg.grad(f, **OPTIONS)(0.0)
    after = np.random.normal()
    np.random.seed(1)
    np.random.normal()
    assert after == np.random.normal()


def test_the_option_is_checked():
    with pytest.raises(sg.ArgumentError, match="debug_nans must be True or False"):
        sg.grad(root, debug_nans=1)
    with pytest.raises(sg.ArgumentError, match='no debug_nans with target="cuda"'):
        sg.grad(root, debug_nans=True, target="cuda")
