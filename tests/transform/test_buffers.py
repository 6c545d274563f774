"""Arrays that are made anew in each iteration of a loop become buffers where, and only where, their shape stays."""

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.testing import check_grads

A = np.array([[0.4, -0.3, 0.2], [0.1, 0.5, -0.6], [-0.2, 0.3, 0.1]])
X = np.array([0.3, -0.7, 1.1])
OPTIONS = {"jit": False, "cache": False}


def iterated(a, x, n):
    x = a @ x
    for _ in range(n):
        x = np.tanh(a @ x)
    return np.sum(x * x)


def old_and_new(a, x, n):
    u = a[0] * 1.0
    for _ in range(n):
        new = np.zeros(u.shape[0])
        for i in range(1, u.shape[0]):
            new[i] = u[i - 1] * x[i] + u[i] * u[i]
        u = new
    return u[0] + 3.0 * u[1] * u[2]


def unfilled(a, x, n):
    u = x.copy()
    for t in range(n):
        new = np.empty_like(u)
        new[0] = u[2] * u[1]
        new[1:] = u[:-1] * (t + 1.0)
        u = new
    return u @ a @ u


def in_a_branch(a, x, n):
    x = a @ x
    for t in range(n):
        if x[0] < 0.1 * t:
            x = x + np.sin(a @ x)
        else:
            x = x * 1.1
    return np.sum(x**2)


def nested(a, x, n):
    x, total = a @ x, 0.0
    for t in range(n):
        for k in range(2):
            x = np.sin(a @ x) + x * k
        total += x[t % 3] * x[0]
    return total


def by_while(a, x, n):
    x, k = a @ x, 0
    while np.sum(x * x) > 0.05 and k < n:
        x = a @ x
        k += 1
    return np.sum(x) + x[0]


def two_states(a, x, n):
    p = np.eye(a.shape[0])
    m = a @ x
    for _ in range(n):
        m = a @ m + x
        p = a @ p @ a.T + np.outer(m, x)
    return np.sum(p * p) + m[0]


def both_kept(a, x, n):
    """The array of the turn before has a second name, which goes on."""
    x = a @ x
    before = x
    for _ in range(n):
        before, x = x, a @ x + 0.5 * before
    return x @ before


def written_too(a, x, n):
    x = a @ x
    for t in range(n):
        x[0] += x[1] * x[2]
        y = x[1:]
        y *= 0.9
        x = a @ x
        x[t % 3] = 2.0 * x[0]
    return np.sum(x * x)


def growing_shape(a, x, n):
    u = x
    for _ in range(n):
        u = np.tanh(u[:-1] * u[1:])
    return np.sum(u)


def of_any_matrix(a, x, n):
    """One turn would go with a matrix that is not square."""
    for _ in range(n):
        x = a @ x
    return np.sum(x * x)


def unknown_shape(a, x, n):
    u = np.zeros(1) + a[0, 0]
    for _ in range(n):
        u = u * x
    return np.sum(u)


def first_has_another_name(a, x, n):
    """Until a new one is made, what is written into x is seen through u."""
    x = x.copy()
    u = x
    for t in range(n + 1):
        x[t % 3] = x[1] * x[2] + 0.3
        if x[0] > 0.2:
            u = u * x
    return np.sum(u) + u[0]


def written_through_the_carried(a, x, n):
    x = x.copy()
    u = x
    for t in range(n):
        u[0] += x[1] * t
        if x[0] > 0.5:
            u = u * x
    u[1] = 3.0 * u[2]
    return np.sum(u * x)


PROGRAMS = [
    (iterated, True),
    (old_and_new, True),
    (unfilled, True),
    (in_a_branch, True),
    (nested, True),
    (by_while, True),
    (two_states, True),
    (both_kept, False),
    (written_too, True),
    (growing_shape, False),
    (of_any_matrix, False),
    (unknown_shape, False),
    (first_has_another_name, False),
    (written_through_the_carried, False),
]


@pytest.mark.parametrize("n", [0, 1, 2])
@pytest.mark.parametrize("fun", [f for f, _ in PROGRAMS], ids=lambda f: f.__name__)
def test_derivatives(fun, n):
    check_grads(fun, (A, X, n), order=2 if n == 2 else 1, argnums=(0, 1), **OPTIONS)


@pytest.mark.parametrize(("fun", "buffered"), PROGRAMS, ids=[f.__name__ for f, _ in PROGRAMS])
def test_no_list_is_kept_where_the_shape_stays(fun, buffered):
    assert (".append(" not in sg.grad(fun, (0, 1), **OPTIONS).source_for(A, X, 2)) == buffered
