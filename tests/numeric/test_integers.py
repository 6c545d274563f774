"""Integer arithmetic and the IEEE remainder beside Python's own."""

from __future__ import annotations

import math

import pytest

from srcgrad.numeric import elementary, integers


@pytest.mark.parametrize(
    ("x", "y"),
    [(7.5, 2.0), (5.0, 2.0), (7.0, 2.0), (-7.5, 2.0), (1e300, 3.0), (3.0, math.inf), (0.1, 0.3), (9.0, -6.0)],
)
def test_the_remainder(x: float, y: float) -> None:
    assert elementary.ieee_remainder(x, y) == math.remainder(x, y)


@pytest.mark.parametrize("n", [0, 1, 15, 16, 17, 2**52 - 1, 2**52, 10**18, 3037000499**2 - 1])
def test_the_integer_root(n: int) -> None:
    assert integers.isqrt(n) == math.isqrt(n)


@pytest.mark.parametrize("n", range(21))
def test_factorials(n: int) -> None:
    assert integers.factorial(n) == math.factorial(n)


@pytest.mark.parametrize(("n", "k"), [(0, 0), (5, 2), (3, 4), (50, 25), (20, 20), (61, 60)])
def test_ways_to_choose(n: int, k: int) -> None:
    assert integers.comb(n, k) == math.comb(n, k)
    if k < 15:
        assert integers.perm(n, k) == math.perm(n, k)


def test_what_does_not_fit_64_bits_or_is_negative_is_an_error() -> None:
    for function, args in (
        (integers.factorial, (21,)),
        (integers.factorial, (-1,)),
        (integers.comb, (70, 35)),
        (integers.perm, (30, 20)),
        (integers.isqrt, (-1,)),
        (integers.int_power, (2, -1)),
    ):
        with pytest.raises(ValueError):
            function(*args)
