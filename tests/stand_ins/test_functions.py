"""Functions of SciPy and NumPy that are read from plain Python: their values, derivatives, refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.linalg
import scipy.spatial.distance
import scipy.special
from numpy.lib.stride_tricks import sliding_window_view

import srcgrad as sg
from srcgrad.testing import check_grads

X = np.array([0.5, 1.5, -0.3, 0.9])
M = np.arange(6.0).reshape(2, 3) + 0.1
W = np.linspace(0.5, 2.0, 30)


def weighted(a: Any) -> Any:
    """A sum that tells elements apart."""
    flat = a.ravel()
    return np.sum(flat * W[: len(flat)] + flat * flat)


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "huber": lambda x: scipy.special.huber(1.0, x),
    "huber by delta": lambda x: scipy.special.huber(x[0], 2.0 * x[1:]),
    "pseudo huber": lambda x: scipy.special.pseudo_huber(x[0], x[1:]),
    "toeplitz": lambda x: scipy.linalg.toeplitz(x),
    "toeplitz of two": lambda x: scipy.linalg.toeplitz(x, x[:3] * 2.0),
    "toeplitz by name": lambda x: scipy.linalg.toeplitz(r=x[:2], c=x),
    "block_diag": lambda x: scipy.linalg.block_diag(M[:, :2] * x[0], np.diag(x[:2]), x[3]),
    "block_diag of one": lambda x: scipy.linalg.block_diag(x),
    "cdist": lambda x: scipy.spatial.distance.cdist(x.reshape(2, 2), x[:2].reshape(1, 2) + 1.0),
    "cdist squared": lambda x: scipy.spatial.distance.cdist(x.reshape(2, 2), M[:, :2], "sqeuclidean"),
    "cdist cityblock": lambda x: scipy.spatial.distance.cdist(x.reshape(2, 2), M[:, :2], metric="cityblock"),
    "cdist chebyshev": lambda x: scipy.spatial.distance.cdist(x.reshape(2, 2), M[:, ::2], "chebyshev"),
    "cdist minkowski": lambda x: scipy.spatial.distance.cdist(x.reshape(2, 2), M[:, :2], "minkowski", p=3),
    "piecewise": lambda x: np.piecewise(x, [x < 0, x >= 1], [lambda v: -v * v, lambda v: v**3, np.exp]),
    "piecewise with a number": lambda x: np.piecewise(x, [x < 0, x > 0.6], [2.0, lambda v, k: k * v], 3.0),
    "piecewise that overlaps": lambda x: np.piecewise(x, [x > 0, x > 1], [np.sin, lambda v: v - np.mean(v)]),
    "apply_along_axis": lambda x: np.apply_along_axis(lambda r: r * np.sum(r), 1, x.reshape(2, 2)),
    "apply_along_axis to numbers": lambda x: np.apply_along_axis(np.sum, 0, x.reshape(2, 2) ** 2),
    "apply_along_axis to columns": lambda x: np.apply_along_axis(lambda c, k: c[::-1] * k, 0, x.reshape(2, 2), 2.0),
    "sliding_window_view": lambda x: sliding_window_view(x, 3),
    "sliding_window_view of two": lambda x: sliding_window_view(M * x[0] + x[1], (2, 2)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_right(name: str) -> None:
    fun = FUNCTIONS[name]
    value = sg.compiled(fun, jit=False)(X)
    assert np.allclose(value, fun(X), rtol=1e-14) and np.shape(value) == np.shape(fun(X))
    check_grads(lambda x: weighted(fun(x)), (X,))


def test_pseudo_huber_at_zero() -> None:
    assert sg.grad(lambda r: scipy.special.pseudo_huber(0.7, r), jit=False)(0.0) == 0.0
    assert sg.grad(sg.grad(lambda r: scipy.special.pseudo_huber(0.7, r), jit=False), jit=False)(0.0) == pytest.approx(1)


def test_equal_points_have_no_slope() -> None:
    same = sg.grad(lambda x: np.sum(scipy.spatial.distance.cdist(x, M[:, :2])), jit=False)(M[:, :2])
    assert np.all(np.isfinite(same))


def test_compiled() -> None:
    value, slope = sg.value_and_grad(cloud)(X)
    plain = sg.value_and_grad(cloud, jit=False)(X)
    assert value == pytest.approx(cloud(X)) and np.allclose(slope, plain[1], rtol=1e-12)


def cloud(x: Any) -> Any:
    return np.sum(scipy.special.huber(0.5, scipy.spatial.distance.cdist(x.reshape(2, 2), M[:, :2])))


def of_rank_three(x: Any) -> Any:
    return np.sum(np.apply_along_axis(np.sum, 1, x.reshape(1, 2, 2)))


def unknown_metric(x: Any) -> Any:
    return np.sum(scipy.spatial.distance.cdist(x.reshape(2, 2), M[:, :2], "hamming"))


@pytest.mark.parametrize("fun", [of_rank_three, unknown_metric])
def test_what_they_do_not_take(fun: Callable[[Any], Any]) -> None:
    with pytest.raises((sg.SrcgradError, ValueError), match="here"):
        sg.grad(fun, jit=False)(X)
