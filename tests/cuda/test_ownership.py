"""Where the adjoint of a kernel adds without atomics: only where a place is one thread's own, however it is reached."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numba import cuda

import srcgrad.cuda

MATRIX, VECTOR = np.ones((5, 2)), np.ones(5)


def own_row(x, out):
    i = cuda.grid(1)
    if i < out.shape[0]:
        r = x[i]
        out[i] = r[0] * r[1]


def own_row_and_element(x, out):
    i = cuda.grid(1)
    if i < out.shape[0]:
        r = x[i]
        out[i] = x[i, 0] * r[1]


def next_row(x, out):
    i = cuda.grid(1)
    if i < out.shape[0] - 1:
        r = x[i + 1]
        out[i] = x[i, 0] * r[0]


def reversed_view(x, out):
    i = cuda.grid(1)
    if i < out.shape[0]:
        r = x[::-1]
        out[i] = x[i] * r[i]


def from_the_end(x, out):
    i = cuda.grid(1)
    if i < out.shape[0]:
        out[i] = x[i] * x[i - cuda.gridsize(1)]


def part_of_row(x, out):
    i = cuda.grid(1)
    if i < out.shape[0] - 1:
        r = x[i:]
        out[i] = r[0, 0] * r[1, 1]


@pytest.mark.parametrize(
    ("kernel", "x", "atomic"),
    [
        (own_row, MATRIX, False),
        (own_row_and_element, MATRIX, False),
        (next_row, MATRIX, True),
        (reversed_view, VECTOR, True),
        (from_the_end, VECTOR, True),
        (part_of_row, MATRIX, True),
    ],
)
def test_only_own_places_are_added_to_without_atomics(kernel: Callable[..., None], x: Any, atomic: bool) -> None:
    source = srcgrad.cuda.adjoint(kernel).source_for(x, VECTOR)
    assert ("no atomics for x_bar" not in source) is atomic
    assert ("cuda.atomic.add(" in source) is atomic
