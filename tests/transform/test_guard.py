"""What a side of np.where is made of: what is masked for it counts in full wherever else it is used."""

from __future__ import annotations

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.testing import check_grads


def shifted(x):
    z = x * x
    return np.sum(np.where(x > 2.5, 0.0, np.roll(z, 1, axis=0)) * x)


def turned(x):
    z = x * x
    return np.sum(np.where(x > 2.5, z.T * x, np.exp(z.reshape(-1)[::-1].reshape(3, 3) / 9.0)))


def shares(x):
    m = x * x
    return np.sum(np.where(x > 2.5, 1.0, m / np.sum(m, axis=0)) * x)


def diagonal(x):
    m = x @ x.T
    return np.sum(np.where(x > 2.5, 1.0, m / np.diag(m)) * x)


def mixed(x):
    m = x * x
    return np.sum(np.where(x > 2.5, 1.0, m @ x)) + np.sum(np.where(x < 1.5, np.sort(m, axis=0), x))


def running(x):
    return np.sum(np.where(x > 2.5, np.cumsum(x * x, axis=1), x) * np.where(x > 1.5, np.diff(x * x, axis=0).sum(), x))


@pytest.mark.parametrize("fun", [shifted, turned, shares, diagonal, mixed, running], ids=lambda f: f.__name__)
def test_masks_fit_what_they_are_put_on(fun):
    check_grads(fun, (np.arange(0.6, 5.0, 0.5).reshape(3, 3),), order=2, jit=False)


def through_views(x):
    rolled = np.where(x > 0.0, np.roll(np.sqrt(x), 2, axis=1), 0.0)
    return np.sum(np.where(x.T > 0.0, np.sqrt(x.T), 0.0)) + np.sum(rolled)


def joined(x):
    both = np.concatenate((np.sqrt(x), x))
    return np.sum(np.where(np.concatenate((x, x)) > 0.0, both, 0.0))


def summed(x):
    rows = np.array([True, False])
    return np.sum(np.where(rows, np.sum(np.sqrt(x), axis=1), 0.0))


def test_what_is_not_taken_counts_nothing_through_views_and_sums():
    square = np.array([[4.0, 0.0], [0.0, 9.0]])
    np.testing.assert_array_equal(sg.grad(through_views, jit=False)(square), [[0.5, 0.0], [0.0, 1 / 3]])
    np.testing.assert_array_equal(sg.grad(joined, jit=False)(square), [[1.25, 0.0], [0.0, 1 + 1 / 6]])
    np.testing.assert_array_equal(sg.grad(summed, jit=False)(np.array([[4.0, 1.0], [0.0, 9.0]])), [[0.25, 0.5], [0, 0]])
