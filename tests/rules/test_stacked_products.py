"""Products of stacks whose leading axes are repeated for one another: values and derivatives beside NumPy's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.errors import ShapeError

RNG = np.random.default_rng(11)
SHAPES = [
    ((2, 2, 3), (1, 3, 2)), ((1, 2, 3), (2, 3, 2)), ((2, 1, 2, 3), (5, 3, 2)), ((5, 2, 3), (2, 1, 3, 2)),
    ((1, 2, 3), (1, 3, 2)), ((1, 1, 3), (4, 3, 1)), ((2, 1, 2, 3), (1, 3, 3, 2)), ((3,), (1, 3, 2)), ((4, 2, 3), (3,)),
    ((2, 3), (1, 3, 2)), ((1, 0, 3), (2, 3, 2)), ((0, 2, 3), (1, 3, 2)), ((2, 2, 3), (2, 3, 2)),
]  # fmt: skip


def product(a: Any, b: Any) -> Any:
    return np.sum(np.sin(a @ b))


def with_ellipses(a: Any, b: Any) -> Any:
    return np.sum(np.sin(np.einsum("...ij,...jk->...ik", a, b)))


def of_vectors(a: Any, b: Any) -> Any:
    return np.sum(np.sin(np.vecdot(a, b)))


def known_one(a: Any, b: Any) -> Any:
    return np.sum(np.sin(a @ b[None]))


def exact(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The gradient of sum(sin(a @ b)), by NumPy."""
    left, right = (a[None, :] if a.ndim == 1 else a), (b[:, None] if b.ndim == 1 else b)
    slope = np.cos(left @ right)
    left_bar, right_bar = slope @ np.swapaxes(right, -1, -2), np.swapaxes(left, -1, -2) @ slope
    return _summed_to(left_bar, left.shape).reshape(a.shape), _summed_to(right_bar, right.shape).reshape(b.shape)


def _summed_to(bar: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    bar = bar.sum(axis=tuple(range(bar.ndim - len(shape))))
    return bar.sum(axis=tuple(k for k, n in enumerate(shape) if n == 1 != bar.shape[k]), keepdims=True)


def compare(fun: Any, a: np.ndarray, b: np.ndarray, wants: Any, jit: bool = False) -> None:
    value, bars = sg.value_and_grad(fun, (0, 1), jit=jit)(a, b)
    np.testing.assert_allclose(value, fun(a, b), atol=1e-13)
    for bar, want in zip(bars, wants, strict=True):
        np.testing.assert_allclose(bar, want, atol=1e-13)
    along = RNG.normal(size=a.shape), RNG.normal(size=b.shape)
    tangent = sg.jvp(fun, (a, b), along, jit=jit)[1]
    np.testing.assert_allclose(tangent, sum(np.sum(w * d) for w, d in zip(wants, along, strict=True)), atol=1e-12)


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_at(shapes: Any) -> None:
    a, b = (RNG.normal(size=shape) for shape in shapes)
    compare(product, a, b, exact(a, b))


@pytest.mark.parametrize("shapes", [s for s in SHAPES if min(map(len, s)) > 1], ids=str)
def test_ellipses(shapes: Any) -> None:
    a, b = (RNG.normal(size=shape) for shape in shapes)
    compare(with_ellipses, a, b, exact(a, b))


@pytest.mark.parametrize("shapes", [((2, 1, 3), (4, 3)), ((1, 3), (2, 3)), ((2, 3), (1, 3))], ids=str)
def test_vectors(shapes: Any) -> None:
    a, b = (RNG.normal(size=shape) for shape in shapes)
    slope = np.cos(np.sum(a * b, axis=-1))[..., None]
    compare(of_vectors, a, b, [_summed_to(slope * b, a.shape), _summed_to(slope * a, b.shape)])


def test_an_axis_that_is_made_to_have_length_1() -> None:
    a, b = RNG.normal(size=(2, 2, 3)), RNG.normal(size=(3, 2))
    compare(known_one, a, b, [_summed_to(bar, x.shape) for bar, x in zip(exact(a, b[None]), (a, b), strict=True)])


@pytest.mark.parametrize("shapes", SHAPES[:4], ids=str)
def test_second_order(shapes: Any) -> None:
    args, along = ([RNG.normal(size=shape) for shape in shapes] for _ in range(2))
    got = sg.hvp(product, (0, 1), jit=False)(*args, tuple(along))
    up, down = (exact(*(x + s * d for x, d in zip(args, along, strict=True))) for s in (1e-5, -1e-5))
    for g, u, d in zip(got, up, down, strict=True):
        np.testing.assert_allclose(g, (u - d) / 2e-5, rtol=1e-6, atol=1e-8)


def test_compiled() -> None:
    made = sg.grad(product, (0, 1))
    for shapes in SHAPES[:2]:
        a, b = (RNG.normal(size=shape) for shape in shapes)
        for bar, want in zip(made(a, b), exact(a, b), strict=True):
            np.testing.assert_allclose(bar, want, atol=1e-13)


UNLIKE = [((2, 2, 3), (3, 3, 2)), ((2, 2, 3), (1, 2, 2)), ((3, 1, 2, 3), (2, 2, 3, 2))]


@pytest.mark.parametrize("shapes", UNLIKE, ids=str)
def test_lengths_that_do_not_fit_are_told(shapes: Any) -> None:
    a, b = (RNG.normal(size=shape) for shape in shapes)
    with pytest.raises(ShapeError, match="a @ b"):
        sg.grad(product, jit=False)(a, b)


def test_stacks_of_equal_lengths_are_not_repeated() -> None:
    a, b = (RNG.normal(size=shape) for shape in ((2, 2, 3), (2, 3, 2)))
    assert "broadcast" not in sg.grad(product, (0, 1), jit=False).source_for(a, b)
    mapped = sg.vmap(product, jit=False)
    stacks = [RNG.normal(size=shape) for shape in ((3, 2, 2, 3), (3, 1, 3, 2))]
    want = [product(*pair) for pair in zip(*stacks, strict=True)]
    np.testing.assert_allclose(mapped(*stacks), want, atol=1e-13)
