"""`explain` tells of each thing that is kept why it is, as the plan has decided."""

import math

import numpy as np
import pytest

import srcgrad as sg

X = np.linspace(0.5, 1.5, 5)


def carried(x, n):
    s = 1.0
    for i in range(n):
        s = s * math.sin(x[i])
    return s


def overwritten(x, n):
    a = x.copy()
    for i in range(1, n):
        a[i] = a[i] * a[i - 1]
        a[0] = a[i] * a[i]
    return a[0]


def steps(x, n):
    a = x.copy()
    for _ in range(n):
        a = a * np.sin(a)
    return a


def drawn(x, n):
    s = x[0]
    for _ in range(n):
        s = s * np.random.random()
    return s


def listed(x, n):
    s = 0.0
    for k in range(n):
        y = np.sin(x[k:]) if x[k] > 0.6 else x[k:]
        s += np.sum(y * y)
    return s


@sg.custom_jvp
def power(x):
    return x**4


@power.defjvp
def power_jvp(primals, tangents):
    (x,), (dot,) = primals, tangents
    y, s = 1.0, 0.0
    for _ in range(4):
        s = s * y + dot
        y = y * x
    return x**4, s


ENTRY = "its value at the entry of each iteration, from which the body is run again"
SNAPSHOT = "a snapshot an iteration, for the loop's body rewrites it"


@pytest.mark.parametrize(
    ("derivative", "args", "expected"),
    [
        (sg.grad(carried, jit=False), (X, 3), {"s_kept": ENTRY}),
        (sg.jacrev(steps, jit=False), (X, 3), {"a_kept": SNAPSHOT}),
        (sg.hvp(carried, jit=False), (X, 3, X), {"s_kept": ENTRY, "s_kept_dot": "the tangent of s_kept"}),
        (sg.grad(overwritten, jit=False), (X, 4), {"a_kept": "kept at each load, for a is overwritten later"}),
        (sg.grad(drawn, jit=False), (X, 3), {"draw_kept": "kept at each draw, for another draw gives other numbers"}),
        (sg.vmap(sg.grad(carried), jit=False), (np.stack([X, X]), np.array([3, 3])), {"s_kept": ENTRY}),
    ],
    ids=["grad", "jacrev", "hvp", "overwritten", "drawn", "vmap"],
)
def test_reasons(derivative, args, expected):
    lines = derivative.explain(*args).split("\n")
    told = [line.strip().split(": ") for line in lines if "_kept" in line]
    found = {name: why for name, *_, why in told}
    assert found.items() >= expected.items()
    assert all(why for *_, why in told)


def test_reasons_of_a_users_own_rule():
    """The transpose of the user's tangent keeps what its loops carry."""
    text = sg.grad(lambda x: power(x) * 2.0, jit=False).explain(1.5)
    assert f"y_kept: float64, 1-D, 32 bytes: {ENTRY}" in text


def test_reasons_of_lists():
    text = sg.grad(listed, jit=False).explain(X, 3)
    why = "kept at each load, for value has no name outside the loop or branch"
    assert f"value_kept: a list of 1-D arrays of float64, 96 bytes: {why}" in text
    assert "the position in value_kept of what each visit keeps" in text
