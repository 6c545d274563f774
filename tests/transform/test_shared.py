"""Functions with rules of their own that return what they were given."""

from __future__ import annotations

import numpy as np
import pytest

import srcgrad as sg

X = np.array([1.0, 2.0, 3.0])


@sg.custom_vjp
def tripled(x):
    return x


tripled.defvjp(lambda x: (x, x), lambda kept, g: (3.0 * g,))


@sg.custom_jvp
def fivefold(x):
    return x


fivefold.defjvp(lambda primals, tangents: (primals[0], 5.0 * tangents[0]))


def test_the_rule_counts_where_nothing_is_written() -> None:
    assert np.array_equal(sg.grad(lambda x: np.sum(tripled(x) * x), jit=False)(X), 4.0 * X)
    for mode in ("forward", "reverse"):
        assert np.array_equal(sg.grad(lambda x: np.sum(fivefold(x) * x), mode=mode, jit=False)(X), 6.0 * X)


def writes_through_the_result(x):
    y = tripled(x)
    y[0] = 2.0 * x[1]
    return x[0] * x[1] + y[2]


def writes_through_the_argument(x):
    a = x * 1.0
    y = fivefold(a)
    a[0] = 2.0 * x[1]
    return y[0] * a[1]


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_writes_to_shared_memory_are_refused(mode: str) -> None:
    with pytest.raises(sg.UnsupportedError, match="overwritten|another name"):
        sg.grad(writes_through_the_argument, mode=mode, jit=False)(X)
    if mode == "reverse":
        with pytest.raises(sg.UnsupportedError, match="overwritten|another name"):
            sg.grad(writes_through_the_result, jit=False)(X)


def test_arrays_of_the_caller_that_a_list_has_views_of_stay() -> None:
    def doubled(m):
        rows = []
        for i in range(m.shape[0]):
            rows.append(m[i])
        for r in rows:
            r *= 2.0
        return np.sum(m * m)

    m = np.arange(6.0).reshape(2, 3)
    for jit in (False, True):
        assert np.array_equal(sg.grad(doubled, jit=jit)(m), 8.0 * m)
        assert np.array_equal(m, np.arange(6.0).reshape(2, 3))


@sg.custom_jvp
def tail(x):
    return x[1:]


tail.defjvp(lambda primals, tangents: (primals[0][1:], tangents[0][1:]))


@pytest.mark.parametrize("rule", [tripled, fivefold, tail])
@pytest.mark.parametrize("through", [True, False])
def test_neither_is_written_where_a_rule_returns_what_it_is_given(rule, through: bool) -> None:
    def f(x):
        y = rule(x)
        if through:
            y[0] = 2.0 * x[2]
        else:
            x[1] = 2.0 * x[2]
        return np.sum(x * x) + np.sum(y * y)

    for transform in (sg.value_and_grad, sg.jacfwd):
        with pytest.raises(sg.UnsupportedError, match="through another name|reverse mode only"):
            transform(f, jit=False)(X)


CAPTURED = np.array([1.0, 2.0, 3.0])


def reshaped_capture(x):
    g = CAPTURED.reshape(3, 1)
    g[0] = 2.0
    return x[0] * g[0, 0]


def listed_capture(x):
    parts = []
    for i in range(3):
        parts.append(CAPTURED[i:])
    parts[0][0] = 5.0
    return x[0] * parts[1][0]


@pytest.mark.parametrize("f", [reshaped_capture, listed_capture])
def test_what_is_captured_is_not_written_through_other_names(f) -> None:
    with pytest.raises(sg.UnsupportedError, match="writes into `CAPTURED`"):
        sg.grad(f, jit=False)(X)
