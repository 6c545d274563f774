"""Functions that call themselves are pairs of sweeps, one of which keeps what the other reads: so that a recursion of
depth n costs n. Each is compared with forward mode, which has no sweeps, and with numerical derivatives."""

import math
from typing import Any

import numpy as np
import pytest

import srcgrad as sg

A = np.array([0.3, -0.7, 1.1, 0.4, -0.2])
M = np.array([[1.2, -0.4, 0.7, 0.1], [0.3, 0.9, -1.1, 0.6], [-0.8, 0.5, 1.4, -0.3], [0.2, -0.6, 0.8, 1.1]])


def chain(x, n):
    if n == 0:
        return x
    return math.sin(x) * chain(0.9 * x, n - 1) + x


def no_branch_at_the_end(x, n):
    y = x
    if n > 0:
        y = no_branch_at_the_end(x * 0.8, n - 1)
    for k in range(n):
        y = y * math.cos(y) + k
    return y * x


def tree(x, n):
    if n == 0:
        return math.sin(x)
    return tree(0.5 * x, n - 1) * tree(x + 0.1, n - 1)


def three_ways(x, n):
    if n <= 0:
        return x * x
    y = math.sin(x) * 1.5
    if n % 3 == 0:
        return y * three_ways(y, n - 1)
    if y > 0.9:
        return three_ways(y * x, n - 2) + y
    return three_ways(x - y, n - 1) * three_ways(y, n - 3)


def in_a_loop(x, n):
    total = 0.0
    for k in range(n):
        if k % 2 == 0:
            total += math.sin(in_a_loop(x * 0.7 + k, n - 1 - k)) * total + x
    return total + x * x


def until(x, n):
    if n == 0:
        return x
    total, k = x, 0
    while total < 3.0 and k < 5:
        total = total + math.exp(0.1 * until(total * 0.3, n - 1))
        k += 1
    return total * x


def by_its_value(x, n):
    if n == 0:
        return math.sin(3.0 * x)
    y = by_its_value(x * 1.1, n - 1)
    return by_its_value(x * 0.5, n - 2) * y if y > 0.2 and n > 2 else y * y + x


def of_elements(a, i):
    if i == len(a):
        return 1.0
    return a[i] * of_elements(a, i + 1) + math.sin(a[i])


def of_parts(a):
    if len(a) == 1:
        return a[0] * a[0]
    half = len(a) // 2
    return of_parts(a[:half]) * math.cos(of_parts(a[half:]))


def of_one_array_twice(a, b, i):
    if i == len(a):
        return 1.0
    return a[i] * b[i] * of_one_array_twice(b, a, i + 1) + a[0]


def one_array_twice(a):
    return of_one_array_twice(a, a, 1)


def determinant(m):
    n = len(m)
    if n == 1:
        return m[0, 0]
    total, sign = 0.0, 1.0
    for j in range(n):
        rest = np.empty((n - 1, n - 1))
        for i in range(1, n):
            for k in range(n):
                if k != j:
                    rest[i - 1, k if k < j else k - 1] = m[i, k]
        total += sign * m[0, j] * determinant(rest)
        sign = -sign
    return total


def halved_in_place(a, n):
    if n > 0:
        a[n] = a[n] * a[n - 1]
        halved_in_place(a, n - 1)
        a[0] += a[n] * 0.5


def in_place(a):
    b = a * 1.5
    halved_in_place(b, len(b) - 1)
    return np.sum(b * b)


def arrays(a, n):
    if n == 0:
        return a * a
    b = arrays(a * 0.5, n - 1)
    return b * np.sin(a) + b[0]


def of_arrays(a):
    return np.sum(arrays(a, 3))


def pair(x, y, n):
    if n == 0:
        return x, y
    u, v = pair(y, x * y, n - 1)
    return u * v + x, u - v


def of_a_pair(x):
    u, v = pair(x, 1.5, 4)
    return u * v


def even(x, n):
    return x if n <= 0 else x * odd(math.sin(x), n - 1) + even(x, n - 2)


def odd(x, n):
    return 2.0 * x if n <= 0 else x * even(x * 0.5, n - 1)


def in_loops_of_the_caller(x, n):
    total = 0.0
    for k in range(n):
        if k == 1:
            continue
        total = total * chain(x, k) + tree(x * 0.1, 2)
        if total > 100.0:
            break
    return total


def never_called(x, n):
    return x * x if n < 100 else chain(x, n) * x


def common_divisor(a, b):
    return a if b == 0 else common_divisor(b, a % b)


def of_integers(x, n):
    return x ** common_divisor(n, 6) * depth(x, n)


def depth(x, n):
    return 1.0 if n == 0 or x > 50.0 else depth(x * 1.7, n - 1) + 1.0


def constant_beside(x, a, n):
    if n == 0:
        return x
    return constant_beside(x * a[n % len(a)], a, n - 1) + np.sum(a) * x


def with_a_scratch_array(x, n):
    t = np.zeros(3)
    t[0] = x
    if n == 0:
        return t[0]
    for k in range(2):
        t[k + 1] = t[k] * with_a_scratch_array(x * 0.5, n - 1)
    return np.sum(t)


CASES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "chain": (chain, (0.8, 6)),
    "chain of depth 0": (chain, (0.8, 0)),
    "no branch at the end": (no_branch_at_the_end, (0.6, 3)),
    "tree": (tree, (0.7, 3)),
    "three ways": (three_ways, (0.9, 7)),
    "in a loop": (in_a_loop, (0.4, 5)),
    "until": (until, (0.9, 3)),
    "by its value": (by_its_value, (0.5, 5)),
    "of elements": (of_elements, (A, 0)),
    "of parts": (of_parts, (A,)),
    "one array twice": (one_array_twice, (A,)),
    "determinant": (determinant, (M,)),
    "in place": (in_place, (A,)),
    "of arrays": (of_arrays, (A,)),
    "of a pair": (of_a_pair, (0.7,)),
    "functions that call one another": (even, (0.7, 4)),
    "in loops of the caller": (in_loops_of_the_caller, (0.6, 5)),
    "never called": (never_called, (0.6, 5)),
    "of integers": (of_integers, (1.1, 4)),
    "a constant beside": (constant_beside, (0.5, A, 4)),
    "with a scratch array": (with_a_scratch_array, (0.8, 2)),
}


@pytest.fixture(params=CASES)
def case(request):
    fun, args = CASES[request.param]
    return request.param, fun, args


def numerical(f, x, *rest):
    x = np.asarray(x, float)
    out = np.zeros(x.shape)
    for k in np.ndindex(*x.shape):
        up, down = x.copy(), x.copy()
        up[k] += 1e-6
        down[k] -= 1e-6
        out[k] = (f(up[()], *rest) - f(down[()], *rest)) / 2e-6
    return out


def test_first_order(case):
    _, f, args = case
    d = sg.value_and_grad(f, jit=False)
    value, got = d(*args)
    assert "_backward(" in d.source_for(*args)
    assert value == f(*args)
    np.testing.assert_allclose(got, sg.grad(f, mode="forward", jit=False)(*args), rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(got, numerical(f, *args), rtol=1e-5, atol=1e-7)


def test_second_order(case):
    _, f, args = case
    w = np.cos(np.arange(np.size(args[0]))).reshape(np.shape(args[0])) if np.ndim(args[0]) else 1.3
    gradient = sg.grad(f, jit=False)

    def along(x, *rest):
        return np.sum(gradient(x, *rest) * w)

    got = sg.grad(along, jit=False)(*args)
    np.testing.assert_allclose(got, numerical(along, *args), rtol=1e-5, atol=1e-6)


def by_bits(m, row, used):
    n = m.shape[0]
    if row == n:
        return 1.0
    total, sign = 0.0, 1.0
    for j in range(n):
        if not used & (1 << j):
            total += sign * m[row, j] * by_bits(m, row + 1, used | (1 << j))
            sign = -sign
    return total


def test_marks_that_rows_keep_lie_on_the_tape_of_floats():
    matrix = np.array([[2.0, 1.0, 0.5], [0.3, 1.5, 0.2], [0.1, 0.4, 1.2]])
    gradient = sg.grad(by_bits, jit=False)
    assert "tape_i8" not in gradient.source_for(matrix, 0, 0)
    np.testing.assert_allclose(gradient(matrix, 0, 0), np.linalg.det(matrix) * np.linalg.inv(matrix).T, rtol=1e-12)
