"""What the comparison of two results says of them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from srcgrad.testing.differences import differing, differing_kinds, differing_number, equal

NAN, INF = math.nan, math.inf


def found(got: list[object], expected: list[object], tolerance: float = 1e-8) -> list[str]:
    return list(differing(got, expected, lambda _: tolerance))


def test_entries_that_differ_are_named() -> None:
    a = np.array([[1.0, 2.0], [3.0, 4.0]])
    b = a.copy()
    b[1, 0] += 1e-3
    assert found([0.5, b], [0.5, a]) == ["[1][1, 0]: got 3.001, expected 3"]
    assert found([0.5 + 1e-9, a + 1e-9], [0.5, a]) == []
    assert found([0.25], [0.5]) == ["[0]: got 0.25, expected 0.5"]


def test_shapes_that_differ_are_told() -> None:
    assert found([np.ones(2)], [np.ones((2, 1))]) == ["shapes [(2,)], expected [(2, 1)]"]
    assert found([1.0, 2.0], [1.0]) == ["shapes [(), ()], expected [()]"]


@pytest.mark.parametrize(("got", "expected", "same"), [(NAN, NAN, True), (INF, INF, True), (NAN, 1.0, False)])
def test_nan_and_infinity_equal_themselves(got: float, expected: float, same: bool) -> None:
    assert (not found([got], [expected], INF)) == same
    assert equal(got, expected) == same


def test_what_is_finite_is_near_no_infinity() -> None:
    for got, expected in ((1.0, INF), (INF, 1.0), (-INF, INF), (1.0, NAN)):
        assert found([got], [expected], 1e300)


def test_a_number_is_judged_by_what_was_summed_up() -> None:
    assert differing_number(1.0, 1.0 + 1e-9, 1e-8) == ""
    assert differing_number(1.0, 1.0 + 1e-6, 1e-8) == "got 1, expected 1.000001"
    assert differing_number(1.0, 1.0 + 1e-6, 1e-8, size=1e3) == ""
    assert differing_number(NAN, 1.0, 1e-8) and differing_number(1.0, NAN, 1e-8)


def test_kinds_that_differ_are_told() -> None:
    single = np.zeros(2, np.float32)
    assert list(differing_kinds([single, 1.0], [np.zeros(2), 1.0])) == ["[0]: float32[2] in the place of float64[2]"]
    assert list(differing_kinds([1.0], [])) == ["1 in the place of 0"]
    assert list(differing_kinds([single], [single + 1])) == []


def test_integers_and_arrays_are_equal_exactly() -> None:
    assert (
        equal(np.array([1.0, NAN]), np.array([1.0, NAN])) and equal(np.array([1, 2]), np.array([1, 2])) and equal(3, 3)
    )
    assert not equal(np.array([1.0]), np.array([1.0 + 1e-15])) and not equal(np.array([1, 2]), np.array([1, 3]))
