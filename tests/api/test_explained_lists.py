"""`explain` counts what lists of arrays keep."""

import re

import numpy as np
import pytest

import srcgrad as sg


def longer(x, n):
    y = x
    s = 0.0
    for _ in range(n):
        y = np.concatenate((y, np.sin(y[:1]) * y[-1:]))
        s += np.sum(np.exp(y))
    return s


def shorter(x, n):
    y = x * 1.0
    s = 0.0
    for _ in range(n):
        s += np.sum(y**3)
        y = np.sin(y[1:])
    return s


def chosen(x, n):
    xs = []
    for i in range(n):
        if x[0] > i * 0.1:
            xs.append(np.sin(x) * i)
    s = 0.0
    for v in xs:
        s += np.sum(v**3)
    return s


def told(fun, *args):
    text = sg.grad(fun, jit=False).explain(*args)
    sizes = [int(n) for n in re.findall(r"a list of 1-D arrays of float(?:64|32), (\d+) bytes", text)]
    arrays = [int(n) for n in re.findall(r"kept: \S+.*?, (\d+) bytes", text) if "list" not in n]
    total = int(re.search(r"bytes a call: (\d+) bytes", text)[1])
    return sizes, sum(arrays), total


X = np.arange(3.0) + 1.0


@pytest.mark.parametrize(
    "fun, x, n, sizes",
    [
        (longer, X, 4, {8 * 4, 8 * (3 + 4 + 5 + 6)}),
        (longer, X, 2, {8 * 2, 8 * (3 + 4)}),
        (longer, X.astype(np.float32), 2, {4 * 2, 4 * (3 + 4)}),
        (longer, X, 0, {0}),
        (shorter, np.arange(6.0), 3, {8 * (6 + 5 + 4), 8 * (5 + 4 + 3)}),
        (chosen, X, 4, {8 * 3 * 4}),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_the_bytes_in_lists_are_counted(fun, x, n, sizes):
    found, _, total = told(fun, x, n)
    assert set(found) <= sizes and max(found) == max(sizes)
    assert total >= sum(found)
