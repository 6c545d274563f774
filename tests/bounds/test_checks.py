"""Where index checks go: proved away, in front of loops, or where they stand; and that they fail when CPython would."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import srcgrad as sg
from tests.bounds.test_random import agree, raised

Case = tuple[Callable[..., Any], tuple[int, int, int]]
CASES: list[Case] = []
X3, X4, A34 = np.array([0.3, 0.7, 0.2]), np.array([0.5, 0.1, 0.9, 0.4]), np.linspace(0.1, 1.2, 12).reshape(3, 4)


def case(proved: int, moved: int, placed: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def put(f: Callable[..., Any]) -> Callable[..., Any]:
        CASES.append((f, (proved, moved, placed)))
        return f

    return put


# ---- proved


@case(1, 0, 0)
def over_its_own_length(x):
    s = 0.0
    for i in range(len(x)):
        s += x[i] ** 2
    return s


@case(3, 0, 0)
def stencil(x):
    s = 0.0
    for i in range(1, x.shape[0] - 1):
        s += x[i - 1] * x[i] * x[i + 1]
    return s


@case(2, 0, 0)
def backwards(x):
    s = 0.0
    n = len(x)
    for i in range(n - 1, -1, -1):
        s += x[i] * x[n - 1 - i]
    return s


@case(2, 0, 0)
def negative_places(x):
    s = 0.0
    for i in range(1, len(x) + 1):
        s += x[-i] * x[i - len(x) - 1]
    return s


@case(5, 0, 0)
def periodic(x):
    s = 0.0
    n = len(x)
    for i in range(n):
        left = i - 1 if i > 0 else n - 1
        right = i + 1 if i < n - 1 else 0
        s += x[left] * x[right] + x[(i + 1) % n] * x[i // 2]
    return s


@case(1, 0, 0)
def guarded_by_a_test(x, k):
    return x[k] * 2.0 if 0 <= k < len(x) else 0.0


@case(2, 0, 0)
def guarded_by_a_raise(x, k):
    if k >= len(x) or k < 0:
        raise KeyError(k)
    return x[k] * x[-k - 1]


@case(1, 0, 0)
def guarded_by_an_assert(x, n):
    assert n <= len(x)
    s = 0.0
    for i in range(n):
        s += x[i]
    return s


@case(4, 0, 0)
def counted(x):
    out = np.zeros(len(x))
    k = 0
    for i in range(len(x)):
        if x[i] > 0.25:
            out[k] = x[i] ** 2
            k += 1
    return np.sum(out[:k])


@case(1, 0, 0)
def a_while_with_its_bound(x):
    s = 0.0
    k = 0
    while k < len(x):
        s += x[k] ** 2
        k += 1
    return s


@case(5, 0, 0)
def swapped(x):
    a, b = x.copy(), np.zeros(len(x))
    for _ in range(3):
        for i in range(1, len(x) - 1):
            b[i] = a[i] + 0.1 * (a[i - 1] + a[i + 1])
        a, b = b, a
    return np.sum(a)


@case(3, 0, 0)
def views(x):
    inner, even = x[1:-1], x[::2]
    s = 0.0
    for i in range(len(x) - 2):
        s += inner[i]
    for j in range(len(even)):
        s += even[j] * x[2 * j] if 2 * j < len(x) else 0.0
    return s


@case(2, 0, 0)
def smallest(x, y):
    s = 0.0
    for i in range(min(len(x), len(y))):
        s += x[i] * y[i]
    return s


@case(1, 0, 0)
def the_greatest(x):
    return x[np.argmax(x)] ** 2


# ---- in front of loops


@case(0, 1, 0)
def up_to_n(x, n):
    s = 1.0
    for i in range(n):
        s *= x[i]
    return s


@case(0, 2, 0)
def every_second(x, n):
    s = 0.0
    for i in range(0, n, 2):
        s += x[i] * x[i + 1]
    return s


@case(2, 1, 0)
def rows_and_columns(A, x):
    s = 0.0
    for i in range(A.shape[0]):
        row = A[i]
        for j in range(A.shape[1]):
            s += row[j] * x[j]
    return s


@case(2, 6, 0)
def forward_substitution(A, x, n):
    y = x.copy()
    for i in range(n):
        for j in range(i):
            y[i] -= A[i, j] * y[j]
        y[i] /= A[i, i]
    return y[0] if n > 0 else 0.0


@case(0, 1, 0)
def flat(x, n, m):
    s = 0.0
    for i in range(n):
        for j in range(m):
            s += x[i * m + j] ** 2
    return s


@case(0, 1, 0)
def always_the_same_place(x, n, k):
    s = 0.0
    for _ in range(n):
        s += x[k]
        if s > 1.0:
            break
    return s


# ---- where they stand


@case(1, 0, 1)
def gather(x, idx):
    s = 0.0
    for i in range(len(idx)):
        s += x[idx[i]] ** 2
    return s


@case(0, 0, 1)
def many_at_once(x, idx):
    return np.sum(x[idx] ** 2)


@case(0, 0, 1)
def left_before(x, n):
    s = 0.0
    for i in range(n):
        s += x[i]
        if s > 0.9:
            break
    return s


@case(0, 0, 1)
def only_sometimes(x, n):
    s = 0.0
    for i in range(n):
        if i != 3:
            s += x[i]
    return s


@case(0, 0, 1)
def after_a_print(x, n):
    s = 0.0
    for i in range(n):
        if i == 7:
            print(i)
        s += x[i]
    return s


@case(0, 0, 2)
def in_the_test(x):
    k = 0
    while x[k] < 0.8:
        k += 1
    return x[0] * k


# ---- arguments


def arguments(f: Callable[..., Any]) -> list[tuple[Any, ...]]:
    """For each parameter some values, all together."""
    values: dict[str, list[Any]] = {
        "x": [X3, X4, X4[:0], X4[:1]],
        "y": [X4, X3[:1]],
        "A": [A34, A34.T.copy(), A34[:0]],
        "idx": [np.array(i, np.int64) for i in ([0, 2, -3], [1, 3], [-4], [])],
        "n": [0, 1, 3, 4, 5, -2],
        "m": [0, 1, 2],
        "k": [0, 2, 3, -1, -3, -5],
    }
    out: list[tuple[Any, ...]] = [()]
    for name in inspect.signature(f).parameters:
        out = [(*args, value) for args in out for value in values[name]]
    return out


@pytest.mark.parametrize("found", CASES, ids=lambda c: c[0].__name__)
def test_where_checks_go(found: Case) -> None:
    f, expected = found
    derivative = sg.grad(f, jit=False)
    every = arguments(f)
    for args in every[:: max(1, len(every) // 40)]:
        ours, theirs = raised(derivative, *args), raised(f, *args)
        # an exception of the function's own, or of NumPy's, passes as it is
        passes = type(ours) is type(theirs) and type(ours) is not IndexError
        assert agree(ours, theirs) or passes, (args, ours, theirs)
    assert derivative.last_call()[0].meta.facts.checks == expected
    if expected[1:] == (0, 0):
        assert "IndexError" not in derivative.source


def test_both_are_seen_compiled() -> None:
    for f, bad in ((up_to_n, (X3, 4)), (gather, (X3, np.array([0, 3]))), (many_at_once, (X3, np.array([1, -4])))):
        derivative = sg.value_and_grad(f)
        with pytest.raises(IndexError, match="out of range"):
            derivative(*bad)
        good = (bad[0], bad[1] - 1) if isinstance(bad[1], int) else (bad[0], bad[1] % 3)
        assert derivative(*good)[0] == pytest.approx(f(*good))


def test_the_error_shows_the_line() -> None:
    with pytest.raises(sg.OutOfRangeError) as caught:
        sg.grad(gather, jit=False)(X3, np.array([0, 3]))
    assert isinstance(caught.value, IndexError)
    text = str(caught.value)
    assert "test_checks.py, line" in text and "s += x[idx[i]] ** 2\n         ^" in text
    assert "x[idx[i]] is out of range" in text and "hint" in text


def test_sweeps_run_again_check_nothing() -> None:
    """One check in the gradient, one in the Hessian's loop over directions."""
    for make in (sg.grad, sg.hessian, sg.jacobian, sg.value_and_grad):
        assert make(up_to_n, jit=False).source_for(X3, 3).count("raise") == 1, make
    assert sg.grad(sg.grad(lambda t, x, n: up_to_n(x * t, n)), jit=False).source_for(0.5, X3, 3).count("raise") == 1


def test_nested_derivatives_raise_too() -> None:
    inner = sg.grad(up_to_n, jit=False)

    def outer(x, n):
        return np.sum(inner(x, n) ** 2)

    with pytest.raises(sg.OutOfRangeError, match=r"x\[i\] is out of range"):
        sg.grad(outer, jit=False)(X3, 4)
