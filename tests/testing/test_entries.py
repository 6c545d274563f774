"""Nested values as vectors of float entries, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from srcgrad.testing.differences import different
from srcgrad.testing.entries import blank, flatten, labels, pick, single_precision, unflatten


class Pair(NamedTuple):
    a: Any
    b: Any


@dataclass
class Layer:
    w: Any
    name: str


VALUE = {"p": Pair(1.0, np.array([[2.0, 3.0]])), "n": 7, "layers": [Layer(np.float32(4), "first")], "k": np.arange(3)}


def test_flatten_takes_floats_only() -> None:
    np.testing.assert_array_equal(flatten(VALUE), [1, 2, 3, 4])
    assert flatten({"n": 3}).shape == (0,)


def test_labels_read_as_python() -> None:
    assert labels(VALUE, "v") == ["v['p'].a", "v['p'].b[0, 0]", "v['p'].b[0, 1]", "v['layers'][0].w"]


def test_unflatten_keeps_structure_and_dtypes() -> None:
    new = unflatten(VALUE, np.array([5.0, 6.0, 7.0, 8.0]))
    assert isinstance(new["p"], Pair) and new["p"].a == 5 and new["n"] == 7
    np.testing.assert_array_equal(new["p"].b, [[6, 7]])
    assert new["layers"][0] == Layer(np.float32(8), "first") and new["layers"][0].w.dtype == np.float32
    assert new["k"] is not VALUE["k"]
    assert unflatten(VALUE, flatten(VALUE), widen=True)["layers"][0].w.dtype == np.float64


def test_blank_and_pick() -> None:
    seed = blank(VALUE)
    assert seed["n"] is None and seed["k"] is None and seed["layers"][0].name is None
    np.testing.assert_array_equal(pick({**VALUE, "n": 9.0}, VALUE), flatten(VALUE))
    assert pick({"p": 1.0}, VALUE).shape == (0,)


def test_single_precision() -> None:
    assert single_precision(VALUE) and not single_precision((1.0, np.zeros(2), np.zeros(2, np.int32)))


def test_different_matches_nan_and_infinity() -> None:
    expected = np.array([1.0, np.nan, np.inf, np.inf, np.nan, 2.0, 0.0])
    got = np.array([1.0, np.nan, np.inf, -np.inf, 0.0, np.nan, np.inf])
    assert [i for (i,) in different(expected, got, np.full(7, 1e-9))] == [3, 4, 5, 6]
