"""Arrays of every layout given to a derivative from compiled code."""

import numba
import numpy as np
import pytest

import srcgrad as sg

A = np.arange(6.0).reshape(2, 3) + 1.0


def through_a_view(a):
    v = a.ravel()
    v[0] = 2.0 * a[1, 1]
    return np.sum(a * a)


gradient = sg.grad(through_a_view)


@numba.njit
def whole(a):
    return gradient(a)


@numba.njit
def every_second(a):
    return gradient(a[:, ::2])


def test_c_order():
    expected = 2.0 * A
    expected[0, 0] = 0.0
    expected[1, 1] += 8.0 * A[1, 1]
    assert np.allclose(whole(A), expected)


@pytest.mark.parametrize("call", [lambda: whole(np.asfortranarray(A)), lambda: every_second(np.repeat(A, 2, axis=1))])
def test_whether_a_reshape_is_a_view_depends_on_the_order(call):
    """In NumPy the reshape of these is a copy, so the write is not seen in the array."""
    with pytest.raises(ValueError, match="is not in C order: pass np.ascontiguousarray"):
        call()
