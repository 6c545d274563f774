"""Where the adjoint of a kernel adds without atomics: only where a place is one thread's own, however it is reached."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numba import cuda

import srcgrad.cuda
from srcgrad.backend.kernels import dimensions
from srcgrad.derivatives.kernel_derivative import varying

MATRIX, VECTOR = np.ones((5, 2)), np.ones(5)
WIDTHS = np.array([3, 2])


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


def flat_in_own_width(x, out):
    i, j = cuda.grid(2)
    width = WIDTHS[j]
    if i < width:
        out[i] = x[i + j * width]


def flat_in_a_width_a_turn(x, out):
    i, j = cuda.grid(2)
    for k in range(2):
        width = WIDTHS[k]
        if i < width:
            out[i] = x[i + j * width]


def flat_in_one_width(x, out):
    i, j = cuda.grid(2)
    width = WIDTHS[0] // 2
    if i < width:
        out[i] = x[i + j * width]


def taken_apart_by_turns(x, out):
    i = cuda.grid(1)
    for n in range(1, 3):
        out[i] = x[i // n, i % n]


def taken_apart_in_a_loop(x, out):
    for k in range(cuda.grid(1), x.size, cuda.gridsize(1)):
        i = k // x.shape[1]
        j = k % x.shape[1]
        out[k] = x[i, j]


def first_of_two(x, out):
    i = cuda.grid(1)
    if i < 2:
        out[i] = x[-i] * x[i]
    if i < 1:
        out[i] = x[i]


@cuda.jit(device=True)
def place():
    return cuda.grid(2)


def place_from_a_helper(x, out):
    i, j = place()
    out[i + j * cuda.gridsize(2)[0]] = x[i]


def past_the_rest(x, out):
    i = cuda.grid(1)
    rest = out[i:]
    out[i] = x[i + rest.shape[0]]


def past_a_row(x, out):
    i = cuda.grid(1)
    row = x[i]
    out[i] = x[i + row.shape[0], 0]


@pytest.mark.parametrize(
    ("kernel", "x", "atomic"),
    [
        (own_row, MATRIX, False),
        (own_row_and_element, MATRIX, False),
        (next_row, MATRIX, True),
        (reversed_view, VECTOR, True),
        (from_the_end, VECTOR, True),
        (part_of_row, MATRIX, True),
        (flat_in_own_width, VECTOR, True),
        (flat_in_a_width_a_turn, VECTOR, True),
        (flat_in_one_width, VECTOR, False),
        (taken_apart_by_turns, MATRIX, True),
        (taken_apart_in_a_loop, MATRIX, False),
        (first_of_two, VECTOR, True),
        (place_from_a_helper, VECTOR, True),
        (past_the_rest, VECTOR, True),
        (past_a_row, MATRIX, False),
    ],
)
def test_only_own_places_are_added_to_without_atomics(kernel: Callable[..., None], x: Any, atomic: bool) -> None:
    source = srcgrad.cuda.adjoint(kernel).source_for(x, VECTOR)
    assert ("no atomics for x_bar" not in source) is atomic
    assert ("cuda.atomic.add(" in source) is atomic


def by_thread(x, out):
    t = cuda.threadIdx.x
    out[t] = x[t]


def alone(x, out):
    if cuda.grid(1) == 0:
        out[0] = x[0]


@pytest.mark.parametrize(
    ("kernel", "shape", "why"),
    [
        (by_thread, (1, 5), "no other thread has the same t, in launches like this one"),
        (by_thread, (1, 1), "no other thread comes there, in launches like this one"),
        (own_row, (1, 5), "no other thread has the same i"),
        (alone, (2, 5), "no other thread comes there"),
    ],
)
def test_why_there_are_no_atomics(kernel: Callable[..., None], shape: Any, why: str) -> None:
    derivative = srcgrad.cuda.adjoint(kernel)
    specs = derivative.specs([MATRIX if kernel is own_row else VECTOR, VECTOR])
    source = derivative.made(specs, varying(dimensions(shape))).source
    assert f"    # no atomics for x_bar: {why}\n" in source
