"""Recursive functions, and a search through all permutations."""

import math

import numpy as np

from tests.benchmarks.workloads.table import Table, jnp, lax

TABLE = Table("models")


def _square(rng, n):
    return (rng.normal(size=(n, n)),)


def minor(a, j):
    n = a.shape[0]
    b = np.zeros((n - 1, n - 1))
    for r in range(n - 1):
        for c in range(n - 1):
            b[r, c] = a[r + 1, c if c < j else c + 1]
    return b


@TABLE.workload(_square, (3,), (5,), (7,))
def determinant_by_minors(a):
    n = a.shape[0]
    if n == 1:
        return a[0, 0]
    total = 0.0
    sign = 1.0
    for j in range(n):
        total += sign * a[0, j] * determinant_by_minors(minor(a, j))
        sign = -sign
    return total


@TABLE.by_hand(determinant_by_minors, bar=6.0, more=((8,),))
def determinant_by_minors_by_hand(a):
    a_bar = np.zeros(a.shape)
    return minors_and_back(a, a_bar), a_bar


def minors_and_back(a, a_bar):
    """The derivative by a minor is linear in what comes above it: one way down and up gives both."""
    n = a.shape[0]
    if n == 1:
        a_bar[0, 0] = 1.0
        return a[0, 0]
    total = 0.0
    sign = 1.0
    b = np.empty((n - 1, n - 1))
    b_bar = np.zeros((n - 1, n - 1))
    for j in range(n):
        for r in range(n - 1):
            for c in range(n - 1):
                b[r, c] = a[r + 1, c if c < j else c + 1]
                b_bar[r, c] = 0.0
        d = minors_and_back(b, b_bar)
        weight = sign * a[0, j]
        total += weight * d
        a_bar[0, j] = sign * d
        for r in range(n - 1):
            for c in range(n - 1):
                a_bar[r + 1, c if c < j else c + 1] += weight * b_bar[r, c]
        sign = -sign
    return total


@TABLE.in_jax(determinant_by_minors)
def determinant_by_minors_in_jax(a):
    """Recursion is written out in JAX: n! products, which take minutes to compile from size 6 on."""
    n = a.shape[0]
    if n > 5:
        raise ValueError(f"recursion is written out: {math.factorial(n)} products")
    if n == 1:
        return a[0, 0]
    minors = [jnp.delete(a[1:], j, axis=1) for j in range(n)]
    return sum((-1.0) ** j * a[0, j] * determinant_by_minors_in_jax(minors[j]) for j in range(n))


@TABLE.workload(_square, (3,), (5,), (7,))
def determinant_by_search(a):
    """All permutations, one after another, a row's column chosen among those that are free."""
    n = a.shape[0]
    column = np.full(n, -1)
    free = np.full(n, True)
    product = np.zeros(n + 1)
    product[0] = 1.0
    total = 0.0
    row = 0
    while row >= 0:
        c = column[row]
        if c >= 0:
            free[c] = True
        c += 1
        while c < n and not free[c]:
            c += 1
        if c == n:
            column[row] = -1
            row -= 1
        else:
            column[row] = c
            free[c] = False
            swaps = 0
            for k in range(c):
                if free[k]:
                    swaps += 1
            p = product[row] * a[row, c]
            if swaps % 2 == 1:
                p = -p
            product[row + 1] = p
            if row == n - 1:
                total += p
            else:
                row += 1
    return total


@TABLE.by_hand(determinant_by_search, bar=10.0, more=((8,),))
def determinant_by_search_by_hand(a):
    """The same search: on leaving a row, what its products of all rows below sum up to is known."""
    n = a.shape[0]
    a_bar = np.zeros((n, n))
    column = np.full(n, -1)
    free = np.full(n, True)
    product = np.ones(n + 1)
    signs = np.ones(n)
    below = np.zeros(n + 1)
    below[n] = 1.0
    row = 0
    while row >= 0:
        c = column[row]
        if c >= 0:
            free[c] = True
            s = signs[row] * below[row + 1]
            a_bar[row, c] += product[row] * s
            below[row] += a[row, c] * s
        c += 1
        while c < n and not free[c]:
            c += 1
        column[row] = c
        if c == n:
            column[row] = -1
            row -= 1
        else:
            free[c] = False
            swaps = 0
            for k in range(c):
                if free[k]:
                    swaps += 1
            signs[row] = 1.0 if swaps % 2 == 0 else -1.0
            if row < n - 1:
                product[row + 1] = product[row] * signs[row] * a[row, c]
                row += 1
                below[row] = 0.0
    return below[0], a_bar


def power_tower(x, n):
    if n == 0:
        return x
    y = power_tower(x, n - 1)
    return math.sin(y) + 0.5 * x * y


TABLE.add(power_tower, lambda rng, n: (0.7, n), (4,), (100,), (1_000,), name="deep_recursion")


@TABLE.by_hand(power_tower, bar=6.0, more=((4_000,),))
def power_tower_by_hand(x, n):
    kept = np.empty(n)
    y = tower_forward(x, n, kept)
    x_bar, y_bar = 0.0, 1.0
    for k in range(n - 1, -1, -1):
        x_bar += y_bar * 0.5 * kept[k]
        y_bar = y_bar * (math.cos(kept[k]) + 0.5 * x)
    return y, x_bar + y_bar


def tower_forward(x, n, kept):
    if n == 0:
        return x
    y = tower_forward(x, n - 1, kept)
    kept[n - 1] = y
    return math.sin(y) + 0.5 * x * y


@TABLE.in_jax(power_tower)
def power_tower_in_jax(x, n):
    return lax.scan(lambda y, _: (jnp.sin(y) + 0.5 * x * y, None), x, None, length=n)[0]
