"""Integer arithmetic: powers, roots, factorials, ways to choose."""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

import numpy as np


def int_power(a: int, n: int) -> int:
    if n < 0:
        raise ValueError("integers to negative integer powers are not allowed: make the base a float")
    return a**n


def int_power_array(a: np.ndarray, n: np.ndarray) -> np.ndarray:
    if (n < 0).any():
        raise ValueError("integers to negative integer powers are not allowed: make the base a float")
    return a**n


def isqrt(n: int) -> int:
    if n < 0:
        raise ValueError("isqrt() takes integers from 0")
    root = int(np.sqrt(n))
    while root * root > n:
        root -= 1
    while (root + 1) * (root + 1) <= n:
        root += 1
    return root


def factorial(n: int) -> int:
    if n < 0 or n > 20:
        raise ValueError("factorial() takes 0 to 20 here: more does not fit an integer of 64 bits")
    product = 1
    for k in range(2, n + 1):
        product *= k
    return product


def comb(n: int, k: int) -> int:
    if n < 0 or k < 0:
        raise ValueError("comb() takes no negative numbers")
    many = 1
    for j in range(1, min(k, n - k) + 1):
        if many > 9223372036854775807 // (n - j + 1):
            raise ValueError("comb() exceeds an integer of 64 bits")
        many = many * (n - j + 1) // j
    return many if k <= n else 0


def perm(n: int, k: int) -> int:
    if n < 0 or k < 0:
        raise ValueError("perm() takes no negative numbers")
    many = 1
    for j in range(k):
        if n > j and many > 9223372036854775807 // (n - j):
            raise ValueError("perm() exceeds an integer of 64 bits")
        many *= max(n - j, 0)
    return many
