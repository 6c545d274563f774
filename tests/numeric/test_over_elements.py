"""Functions over elements beside NumPy: as they stand, and written out for the ranks of a call."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from srcgrad.numeric import broadcasting, rearrangements, recurrences, reductions, small_matrices
from srcgrad.printer import loop_nests
from srcgrad.rules.language.over_elements import OverElements

RNG = np.random.default_rng(0)
SHAPES = [(4,), (3, 4), (2, 3, 4)]


def both(function: Callable[..., Any], args: tuple[Any, ...], **known: Any) -> list[Any]:
    """What the function gives, and what its text for these ranks gives."""
    over = OverElements(function, tuple(np.ndim(a) for a in args), tuple(known.items()))
    with np.errstate(all="ignore"):
        return [function(*args, **known), loop_nests.python("f", over)(*args)]


def check(function: Callable[..., Any], args: tuple[Any, ...], expected: Any, **known: Any) -> None:
    for got in both(function, args, **known):
        assert np.shape(got) == np.shape(expected)
        np.testing.assert_allclose(got, expected, rtol=1e-13)


def reduced() -> list[Any]:
    return [
        (shape, axes, keepdims)
        for shape in SHAPES
        for count in range(1, len(shape) + 1)
        for axes in combinations(range(len(shape)), count)
        for keepdims in (False, True)
    ]


@pytest.mark.parametrize(("shape", "axes", "keepdims"), reduced())
def test_reductions(shape: tuple[int, ...], axes: tuple[int, ...], keepdims: bool) -> None:
    x = RNG.normal(size=shape)
    over: dict[str, Any] = {"axes": axes, "keepdims": keepdims}
    check(reductions.summed, (x,), np.sum(x, axes, keepdims=keepdims), **over, dtype=None)
    for size in (1.0, 1e200, 1e-200):
        expected = np.sqrt(np.sum(x * x, axes, keepdims=keepdims)) * size
        check(reductions.norms, (size * x,), expected, **over, least=1e-292)
    shares = np.exp(x) / np.exp(x).sum(axes, keepdims=True)
    check(reductions.exponentials, (x,), shares, axes=axes, keepdims=False, wanted="shares")
    check(reductions.exponentials, (x,), np.log(shares), axes=axes, keepdims=False, wanted="log_softmax")
    check(reductions.exponentials, (x,), np.log(np.exp(x).sum(axes, keepdims=keepdims)), **over, wanted="logsumexp")
    if len(axes) < len(shape) or keepdims:  # of all elements `np.max` is what is printed
        for largest, function in ((True, np.max), (False, np.min)):
            known = {**over, "largest": largest, "ignore": False, "message": "none"}
            check(reductions.extremes, (x,), function(x, axes, keepdims=keepdims), **known)


@pytest.mark.parametrize("shape", SHAPES)
def test_along_an_axis(shape: tuple[int, ...]) -> None:
    x = RNG.normal(size=shape)
    for axis in range(len(shape)):
        turned = np.flip(np.cumsum(np.flip(x, axis), axis), axis)
        check(reductions.running_sums, (x,), np.cumsum(x, axis), axis=axis, reverse=False, dtype=None)
        check(reductions.running_sums, (x,), turned, axis=axis, reverse=True, dtype=None)
        check(recurrences.running_products, (x,), np.cumprod(x, axis), axis=axis)
        others = np.prod(x, axis, keepdims=True) / x
        check(recurrences.products_of_others, (x,), others, axis=axis)
        sides = [recurrences.products_of_side(x, axis, back) for back in (False, True)]
        np.testing.assert_allclose(sides[0] * sides[1], others, rtol=1e-13)
        check(rearrangements.order, (x,), np.argsort(x, axis, kind="stable"), axis=axis)
        at = np.argsort(x, axis)
        check(rearrangements.take_along, (x, at), np.sort(x, axis), axis=axis)
        check(rearrangements.rolled, (x, 3), np.roll(x, 3, axis), axis=axis)
        if len(shape) > 1:
            check(reductions.products, (x,), np.prod(x, axis), axis=axis)


@pytest.mark.parametrize(("low", "high"), [((4,), (3, 4)), ((1, 4), (3, 4)), ((3, 1), (2, 3, 4)), ((1,), (5,))])
def test_broadcasting(low: tuple[int, ...], high: tuple[int, ...]) -> None:
    value, like = RNG.normal(size=low), RNG.normal(size=high)
    check(broadcasting.spread, (value, like), np.broadcast_to(value, high))
    g = RNG.normal(size=high)
    (gathered, written) = both(broadcasting.gathered, (g, value))
    assert gathered.shape == low
    assert np.sum(gathered * value) == pytest.approx(np.sum(g * np.broadcast_to(value, high)))
    np.testing.assert_array_equal(gathered, written)


@pytest.mark.parametrize("n", [1, 2, 3, 7])
@pytest.mark.parametrize("columns", [None, 1, 3])
def test_linear_systems(n: int, columns: int | None) -> None:
    a = RNG.normal(size=(n, n))
    a[0, 0] = 0.0 if n > 1 else 1.0  # needs an exchange
    b = RNG.normal(size=(n,) if columns is None else (n, columns))
    for singular in (False, True):
        for x in both(small_matrices.eliminate, (a, b), singular=singular, in_place=False):
            np.testing.assert_allclose(a @ x, b, atol=1e-11)
    for upper in (False, True):
        triangle = (np.triu if upper else np.tril)(a) + 2.0 * np.eye(n)
        for transposed in (False, True):
            known = {"upper": upper, "transposed": transposed, "unit": False}
            for x in both(small_matrices.solve_triangular, (triangle, b), **known):
                np.testing.assert_allclose((triangle.T if transposed else triangle) @ x, b, atol=1e-11)


def test_singular_systems() -> None:
    a, b = np.ones((2, 2)), np.ones(2)
    over = OverElements(small_matrices.eliminate, (2, 1), (("singular", True), ("in_place", False)))
    for function in (lambda a, b: small_matrices.eliminate(a, b, True), loop_nests.python("eliminate", over)):
        with pytest.raises(np.linalg.LinAlgError, match="Singular"):
            function(a, b)


def test_diagonals_and_triangles() -> None:
    x = RNG.normal(size=(3, 4))
    for off in (-2, 0, 1, 5):
        known = {"axes": (0, 1), "moved": True}
        check(rearrangements.diagonal, (x,), np.diagonal(x, off), **known, off=off)
        check(rearrangements.triangle, (x,), np.triu(x, off), upper=True, off=off)
        check(rearrangements.triangle, (x,), np.tril(x, off), upper=False, off=off)
    tower = RNG.normal(size=(3, 2, 3))
    check(rearrangements.diagonal, (tower,), np.diagonal(tower, 0, 0, 2), axes=(0, 2), moved=False, off=0)


TEXTS = [
    (
        OverElements(reductions.summed, (2,), (("axes", (1,)), ("keepdims", False), ("dtype", None))),
        """\
def f(x):
    out = np.zeros((x.shape[0],), x.dtype)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            out[i] += x[i, j]
    return out
""",
    ),
    (
        OverElements(broadcasting.gathered, (2, 1)),
        """\
def f(value, like):
    # the sum over the axes along which something of like's shape was repeated
    out = np.zeros(like.shape, value.dtype)
    step_0 = 0 if like.shape[0] == 1 else 1
    for i in range(value.shape[0]):
        for j in range(value.shape[1]):
            out[j * step_0] += value[i, j]
    return out
""",
    ),
    (
        OverElements(recurrences.shifted, (1,), (("axis", 0), ("back", True), ("first", 0))),
        """\
def f(x):
    out = np.empty(x.shape, x.dtype)
    carried = x.dtype.type(0)
    for k in range(x.shape[0] - 1, -1, -1):
        out[k] = carried
        carried = x[k]
    return out
""",
    ),
]


@pytest.mark.parametrize(
    ("over", "expected"), TEXTS, ids=lambda v: getattr(getattr(v, "function", None), "__name__", "")
)
def test_texts(over: OverElements, expected: str) -> None:
    assert loop_nests.text("f", over) == expected


def test_an_array_of_no_axes_is_a_scalar() -> None:
    known = (("axes", (0, 1)), ("keepdims", False), ("dtype", None))
    text = loop_nests.text("f", OverElements(reductions.summed, (2,), known))
    assert "out = x.dtype.type(0)\n" in text
    assert "out += x[i, j]\n" in text
    assert math.isclose(loop_nests.python("f", OverElements(reductions.summed, (2,), known))(np.ones((2, 3))), 6.0)
