"""Gradients have the precision of their arguments, and what is returned is not the caller's own memory."""

from __future__ import annotations

import numpy as np
import pytest

import srcgrad as sg

SINGLE = np.float32(3.0)
ONES, TWOS = np.ones(3), np.full(3, 2.0, np.float32)

MIXED = [
    (lambda x, y: x * y, (2.0, SINGLE), (float, np.float32)),
    (lambda x, y: x * y, (SINGLE, 2.0), (np.float32, float)),
    (lambda x, y: x - y * 2.0, (2.0, SINGLE), (float, np.float32)),
    (lambda x, y: x / y, (np.float64(2.0), SINGLE), (float, np.float32)),
    (lambda x, y: np.sum(x * y), (2.0, TWOS), ("f8", "f4")),
    (lambda x, y: np.sum(x * y), (ONES, SINGLE), ("f8", "f4")),
    (lambda x, y: np.sum(x * y), (ONES, TWOS), ("f8", "f4")),
    (lambda x, y: max(x, y) * y, (2.0, SINGLE), (float, np.float32)),
]


@pytest.mark.parametrize(("fun", "args", "kinds"), MIXED, ids=range(len(MIXED)))
@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_gradients_have_the_precision_of_their_arguments(fun, args, kinds, mode):
    got = sg.grad(fun, argnums=(0, 1), mode=mode, jit=False)(*args)
    for value, kind in zip(got, kinds, strict=True):
        assert np.dtype(type(value) if np.isscalar(value) else value.dtype) == np.dtype(kind)


def test_what_is_returned_is_not_what_was_given():
    x, t = np.arange(3.0), np.ones(3)
    for jit in (False, True):
        given = (x, t)
        found = [*sg.jvp(lambda x: x, (x,), (t,), jit=jit)]
        value, pullback = sg.vjp(lambda x: x, x, jit=jit)
        found += [value, *pullback(t)]
        found += [*sg.forward(lambda x: x, jit=jit)(x, t), *sg.reverse(lambda x: x, jit=jit)(x, t)]
        (one, pair), (dot, dots) = sg.jvp(lambda x: (x, {"a": x}), (x,), (t,), jit=jit)
        found += [one, pair["a"], dot, dots["a"]]
        for array in found:
            assert not any(np.shares_memory(array, other) for other in given)
            np.testing.assert_array_equal(array, x if array[0] == 0.0 else t)
