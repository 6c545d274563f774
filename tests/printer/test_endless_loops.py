"""Loops without a test, compiled: what they assign in front of a `break` is what comes out of them."""

from __future__ import annotations

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.testing import check_grads


def assigned_before_it_breaks(x):
    total, n = 0.0, 0
    while True:
        more = total + x
        if x > 50:
            total = more
            break
        x = x * 2
        total = more
        n += 1
    return total * n


def of_another_name(x):
    total, k = 0.0, 0
    while True:
        k += 1
        if x > 50:
            total = x * k
            break
        x = x * 2
        total = total + x
    return total * k


def in_a_nested_test(x):
    total, found = 0.0, 0
    while True:
        total += x
        if x > 3:
            if total > 40:
                found = 1
                total = total * x
                break
            if x > 40:
                found = 2
                break
        x = x * 1.5
    return total + found * x


@pytest.mark.parametrize("fun", [assigned_before_it_breaks, of_another_name, in_a_nested_test])
def test_what_is_assigned_before_a_break_counts(fun):
    assert np.isclose(sg.compiled(fun, cache=False)(0.8), fun(0.8), rtol=1e-14)
    check_grads(fun, (0.8,), rtol=1e-6, cache=False)


def test_a_loop_that_assigns_nothing_there_has_no_test():
    def plain(x):
        while True:
            x = x * 2
            if x > 50:
                break
        return x

    assert "while True:" in sg.compiled(plain).source
