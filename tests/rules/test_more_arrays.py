"""Writing at places, sets, counts, questions, polynomials, windows, statistics: beside NumPy, and derivatives."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import scipy.special

from srcgrad.core.build import Builder
from srcgrad.core.run import run
from srcgrad.rules.language.declare import as_value
from srcgrad.rules.language.registry import FUNCTIONS, METHODS
from srcgrad.rules.language.values import Val
from srcgrad.transform.reverse import reverse
from tests.rules.array_programs import check, program
from tests.rules.test_arrays import call

normal = np.random.default_rng(0).standard_normal
A, C, V, L = normal((3, 4)), normal((4, 3)), normal(5), normal(6)
EMPTY, TWICE = np.zeros(0), np.array([0.3, -1.0, 0.3, 2.0, -1.0])
INF, NAN = math.inf, math.nan
Case = tuple[str, Callable[..., Val], list[Any], Callable[..., Any]]


def agree(make: Callable[..., Val], args: Sequence[Any], plain: Callable[..., Any], exact: bool = True) -> None:
    """The value is NumPy's, dtype and shape too."""
    (got,) = run(program(make, args), *args)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        want = plain(*args)
    np.testing.assert_allclose(got, want, rtol=0 if exact else 1e-13, atol=0 if exact else 1e-15)
    assert np.shape(got) == np.shape(want)
    assert np.asarray(got).dtype == np.asarray(want).dtype


def same(function: Any, **options: Any) -> tuple[Callable[..., Val], Callable[..., Any]]:
    return call(function, **options), lambda *args: function(*args, **options)


def part(function: Any, k: int, **options: Any) -> tuple[Callable[..., Val], Callable[..., Any]]:
    """The k-th of several results."""

    def make(builder: Builder, *args: Any) -> Val:
        return FUNCTIONS[function](builder, *args, **options)[k]

    return make, lambda *args: function(*args, **options)[k]


def writing(function: Any, *rest: Any, **options: Any) -> tuple[Callable[..., Val], Callable[..., Any]]:
    """A copy of the first argument, written into."""

    def make(builder: Builder, x: Val, *args: Any) -> Val:
        y = FUNCTIONS[np.copy](builder, x)
        FUNCTIONS[function](builder, y, *args, *rest, **options)
        return y

    def plain(x: Any, *args: Any) -> Any:
        y = x.copy()
        function(y, *args, *rest, **options)
        return y

    return make, plain


PLACES = np.array([1, -2, 5, 1])
GRADUAL = np.cumsum(np.abs(normal(6)) + 0.1)
TURNS = np.mod(np.cumsum(normal(12)) * 3, 2 * np.pi)
MASK, SHARES = A > 0, np.array([0.35, 0.6])
DERIVED: list[tuple[tuple[Callable[..., Val], Callable[..., Any]], list[Any]]] = [
    (writing(np.put), [A, PLACES, V[:2]]),
    (writing(np.put), [L, PLACES[:2], V]),
    (writing(np.put), [A, PLACES, 0.7]),
    (writing(np.put_along_axis, 1), [A, np.array([[0, 2], [1, 1], [3, 0]]), normal((3, 2))]),
    (writing(np.putmask), [A, MASK, V[:3]]),
    (writing(np.place), [A, MASK, V[:3]]),
    (writing(np.place), [L, L > 0, V]),
    (same(np.insert), [L, 2, 0.5]),
    (same(np.insert), [L, -2, V]),
    (same(np.insert), [A, 3, V]),
    (same(np.insert), [L, np.array([1, 4, 1, -1]), V[:4]]),
    (same(np.insert), [L, np.array([1, 4]), 0.3]),
    (same(np.insert, axis=1), [A, 2, V[:3]]),
    (same(np.insert, axis=0), [A, 1, V[:4]]),
    (same(np.union1d), [V, L]),
    (same(np.setdiff1d), [V, L]),
    (same(np.setxor1d), [V, L]),
    (same(np.compress, axis=1), [np.array([True, False, True, False]), A]),
    (same(np.extract), [MASK, A]),
    (same(np.bincount), [np.array([1, 4, 1, 0, 2]), V]),
    (same(np.resize, new_shape=(4, 5)), [A]),
    (same(np.cov), [A]),
    (same(np.cov), [V]),
    (same(np.cov), [L, GRADUAL]),
    (same(np.cov, rowvar=False, bias=True), [A]),
    (same(np.corrcoef), [A]),
    (same(np.corrcoef), [L, GRADUAL]),
    (same(np.gradient), [L]),
    (same(np.gradient, edge_order=2), [L, 0.3]),
    (same(np.gradient), [L, GRADUAL]),
    (same(np.gradient, edge_order=2), [L, GRADUAL]),
    (same(np.gradient, axis=0), [C]),
    (part(np.gradient, 1), [A, 0.5, np.array([0.0, 1.0, 3.0, 4.0])]),
    (same(np.unwrap), [TURNS]),
    (same(np.unwrap, axis=0), [TURNS.reshape(4, 3)]),
    (same(np.kaiser), [6, 2.5]),
    (same(np.polyval), [V, 0.7]),
    (same(np.polyval), [V, A]),
    (same(np.polyadd), [V, L]),
    (same(np.polysub), [L, V]),
    (same(np.polymul), [V, L]),
    (same(np.polyder), [V]),
    (same(np.polyder, m=2), [V]),
    (same(np.polyint), [V]),
    (same(np.polyfit, deg=2), [GRADUAL, L]),
    (same(np.quantile, axis=0), [A, SHARES]),
    (same(np.quantile), [V, SHARES]),
    (same(np.percentile, keepdims=True), [A, 100 * SHARES]),
    (same(np.nanquantile, axis=1), [A, SHARES]),
    (same(np.nanmedian), [A]),
    (same(np.nanmedian, axis=0), [C]),
    (same(np.nanpercentile, q=45.0, axis=1), [A]),
    (same(np.ldexp), [A, 3]),
    (part(np.frexp, 0), [A]),
    (same(scipy.special.logsumexp, axis=1, b=2.0), [A]),
]


@pytest.mark.parametrize("case", range(len(DERIVED)))
def test_derivatives(case: int) -> None:
    (make, plain), args = DERIVED[case]
    check(make, args, plain, order=1)


def weighted(builder: Builder, x: Val, b: Val) -> Val:
    return FUNCTIONS[scipy.special.logsumexp](builder, x, b=b)


def blocks(builder: Builder, x: Val, y: Val) -> Val:
    return FUNCTIONS[np.block](builder, [[x, y], [y, as_value(builder, 2.0)]])


def copied_where(builder: Builder, x: Val, y: Val) -> Val:
    out = FUNCTIONS[np.copy](builder, x)
    FUNCTIONS[np.copyto](builder, out, y, where=FUNCTIONS[np.greater](builder, x, as_value(builder, 0.0)))
    return out


def horner(builder: Builder, x: Val) -> Val:
    return FUNCTIONS[np.polyval](builder, (1.0, as_value(builder, 2), x), x)


def several(builder: Builder, x: Val) -> Val:
    return FUNCTIONS[np.quantile](builder, x, [0.25, as_value(builder, 0.5)], 1)


def periods(builder: Builder, x: Val, period: Val) -> Val:
    return FUNCTIONS[np.unwrap](builder, x, period=period)


def one_item(builder: Builder, x: Val) -> Val:
    item = METHODS["item"]
    return item(builder, x, as_value(builder, -2)) * item(builder, x, as_value(builder, 1), as_value(builder, 2))


def chosen(builder: Builder, k: Val, x: Val, y: Val) -> Val:
    return METHODS["choose"](builder, k, [x, y])


def test_derivatives_second_order() -> None:
    check(weighted, [V, np.abs(V) + 0.1], lambda x, b: scipy.special.logsumexp(x, b=b))
    check(blocks, [V[None, :1], L[None, :1]], lambda x, y: np.block([[x, y], [y, 2.0]]))
    check(copied_where, [A, 3 * A], lambda x, y: np.where(x > 0, y, x))
    check(horner, [A], lambda x: x * x + 2 * x + x)
    check(several, [A], lambda x: np.quantile(x, [0.25, 0.5], 1))
    check(periods, [TURNS, 3.0], lambda x, p: np.unwrap(x, period=p))
    check(one_item, [A], lambda x: x.item(-2) * x.item(1, 2))
    check(chosen, [np.array([0, 1, 1, 0]), L[:4], V[:4]], lambda k, x, y: k.choose([x, y]))
    make, plain = part(np.gradient, 1)
    check(make, [A, GRADUAL[:3], GRADUAL[:4]], plain)
    check(same(np.corrcoef)[0], [A], np.corrcoef)


def test_weights_that_are_0() -> None:
    """An element without weight does not count, however large; its weight's derivative is the true one."""
    weights, big = np.array([1.0, 0.0, 2.0, 0.5, 1.5]), V.copy()
    big[1] = 5000.0
    made = program(weighted, [V, weights])
    np.testing.assert_allclose(run(made, big, weights)[0], scipy.special.logsumexp(big, b=weights), rtol=1e-14)
    _, by_value, by_weight = run(reverse(made, [0, 1]), V, weights, 1.0)
    shares = np.exp(V - scipy.special.logsumexp(V, b=weights))
    np.testing.assert_allclose(by_weight, shares, rtol=1e-13)
    np.testing.assert_allclose(by_value, weights * shares, rtol=1e-13)


def test_elements_that_are_nan_have_no_part_in_a_median() -> None:
    holed = np.array([[1.0, NAN, 2.0, 4.0], [NAN, 3.0, 3.0, NAN], [NAN, NAN, NAN, NAN]])
    for function, q in ((np.nanmedian, ()), (np.nanquantile, (0.3,)), (np.nanpercentile, (70.0,))):
        for options in ({}, {"axis": 0}, {"axis": 1}, {"axis": 1, "keepdims": True}):
            agree(
                lambda b, x, f=function, q=q, o=options: FUNCTIONS[f](b, x, *q, **o),
                [holed],
                lambda x, f=function, q=q, o=options: f(x, *q, **o),
                exact=False,
            )
    made = program(lambda b, x: FUNCTIONS[np.sum](b, FUNCTIONS[np.nanmedian](b, x, axis=1)), [holed[:2]])
    np.testing.assert_array_equal(run(reverse(made, [0]), holed[:2], 1.0)[1], [[0, 0, 1, 0], [0, 0.5, 0.5, 0]])


WHOLE = np.array([3, -1, 4, 1, 5, -9, 2, 6, 5, 3, 5])
SETS = [TWICE, np.array([0.3, 5.0, 2.0])], [TWICE, EMPTY], [EMPTY, TWICE], [np.array([3, 1, 2, 3]), np.array([2, 3, 9])]
S, T = np.array([1.0, 1.0 + 1e-9, INF, INF, NAN, 2.0]), np.array([1.0, 1.0, INF, -INF, NAN, 2.1])
HOLED = np.array([[1.0, NAN, 3.0], [NAN, 5.0, -1.0]])
ZEROS: tuple[list[float], ...] = ([0, 0, 1.5, 0, 2.0, 0], [0.0, 0], [], [1.0], [0, 1.0], [1.0, 0])
VALUES: list[tuple[tuple[Callable[..., Val], Callable[..., Any]], list[Any]]] = [
    *((same(f), pair) for f in (np.union1d, np.intersect1d, np.setdiff1d, np.setxor1d) for pair in SETS),
    *((same(np.unique), [x]) for x in (np.zeros(0, int), np.array([[3, 1], [1, 2]]))),
    (same(np.isin), [TWICE, np.array([0.3, NAN])]),
    (same(np.isin, invert=True), [np.array([[1, 2], [3, 4]]), np.array([4])]),
    *((same(np.trim_zeros, trim=ends), [np.array(x, float)]) for x in ZEROS for ends in ("fb", "f", "b")),
    (same(np.bincount), [np.array([1, 4, 1, 0])]),
    (same(np.bincount), [np.zeros(0, int)]),
    (same(np.bincount, minlength=8), [np.array([1, 4, 1, 0])]),
    *(
        (part(np.histogram, k, **o), [x])
        for x in (WHOLE, np.ones(3, int))
        for k in (0, 1)
        for o in ({}, {"bins": 5, "range": (-1.0, 1.0)}, {"bins": 7})
    ),
    (part(np.histogram, 0, bins=4, density=True), [WHOLE]),
    (same(np.isclose), [S, T]),
    (same(np.isclose, equal_nan=True), [S, T]),
    (same(np.allclose), [S, T]),
    (same(np.allclose), [A, A + 1e-12]),
    (same(math.isclose), [1.0, 1.0 + 1e-12]),
    (same(np.array_equal), [S, T]),
    (same(np.array_equal), [A, A]),
    (same(np.array_equal), [A, C]),
    (same(np.array_equal), [A, V]),
    (same(np.array_equal, equal_nan=True), [S, S]),
    *((same(f), [T]) for f in (np.isposinf, np.isneginf, np.isreal, np.iscomplex, np.isrealobj, np.iscomplexobj)),
    *((same(f), [x]) for f in (np.isreal, np.isscalar, np.isposinf) for x in (1.5, T)),
    *((same(f, **o), [HOLED]) for f in (np.nanargmax, np.nanargmin) for o in ({}, {"axis": 1})),
    *((part(f, k), [A]) for f in (np.tril_indices_from, np.triu_indices_from) for k in (0, 1)),
    (part(np.diag_indices_from, 1), [np.eye(3)]),
    (part(np.diag_indices, 0), [4]),
    *((part(np.unravel_index, k, shape=(2, 3, 4)), [np.array([0, 5, 23, 12])]) for k in (0, 1, 2)),
    ((part(np.frexp, 1)[0], lambda x: np.frexp(x)[1].astype(int)), [A]),
    (same(math.comb), [10, 3]),
    (same(math.comb), [3, 5]),
    (same(math.perm), [10, 3]),
    (same(math.comb), [60, 30]),
    (same(math.perm), [5]),
    (same(np.asarray_chkfinite), [A]),
]


def test_values() -> None:
    for (make, plain), args in VALUES:
        agree(make, args, plain)
    for window in (np.hanning, np.hamming, np.blackman, np.bartlett, lambda n: np.kaiser(n, 2.0)):
        for n in (0, 1, 2, 7):
            made = call(window) if window in FUNCTIONS else lambda b, m: FUNCTIONS[np.kaiser](b, m, 2.0)
            agree(made, [n], window, exact=False)
    at = [np.array([0, 1, 2]), np.array([3, 0, 1])]
    agree(
        lambda b, i, j: FUNCTIONS[np.ravel_multi_index](b, (i, j), (4, 5)),
        at,
        lambda i, j: np.ravel_multi_index((i, j), (4, 5)),
    )


RAISES: list[tuple[tuple[Callable[..., Val], Callable[..., Any]], list[Any]]] = [
    (same(np.insert), [L, 9, 0.5]),
    (same(np.bincount), [np.array([1, -1])]),
    (same(np.gradient), [L[:1]]),
    (part(np.unravel_index, 0, shape=(2, 3)), [np.array([6])]),
    (same(np.nanargmax), [np.array([NAN])]),
    (same(np.asarray_chkfinite), [np.array([INF])]),
    (same(math.comb), [3, -1]),
    (same(np.cov), [V, L]),
    (writing(np.put), [L, np.array([9]), 0.5]),
]


def test_what_numpy_refuses_raises() -> None:
    for (make, plain), args in RAISES:
        with pytest.raises((ValueError, IndexError)):
            plain(*args)
        with pytest.raises((ValueError, IndexError)):
            run(program(make, args), *args)
