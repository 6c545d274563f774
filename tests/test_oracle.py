"""The reference against plain evaluation and numerical derivatives, on every hard case."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from tests import oracle
from tests.hard.cases import RIGHT
from tests.hard.edges import EDGES
from tests.hard.table import Case

SMOOTH = [c for c in RIGHT if c not in EDGES.cases]


def directions(args: Sequence[Any], rng: np.random.Generator) -> list[Any]:
    return [rng.standard_normal(np.shape(x)) for x in oracle.float_leaves(args)]


def plain(case: Case, args: Sequence[Any]) -> list[Any]:
    with np.errstate(all="ignore"):
        return list(oracle.leaves(case.fun(*copy.deepcopy(args))))


def moved(args: Any, direction: Sequence[Any], t: float) -> Any:
    steps = iter(direction)
    is_float = oracle.is_float
    return oracle.rebuild(args, iter([x + t * next(steps) if is_float(x) else x for x in oracle.leaves(args)]))


def slope(case: Case, args: Any, direction: Sequence[Any], h: float) -> list[Any]:
    up, down = (plain(case, moved(args, direction, s)) for s in (h, -h))
    return [(np.asarray(p) - np.asarray(q)) / (2 * h) for p, q in zip(up, down, strict=True)]


def numeric(case: Case, args: Any, direction: Sequence[Any]) -> list[Any]:
    """Central differences, extrapolated once."""
    fine, coarse = (slope(case, args, direction, h) for h in (1e-4, 2e-4))
    return [(4 * p - q) / 3 for p, q in zip(fine, coarse, strict=True)]


@pytest.mark.parametrize("case", RIGHT, ids=lambda c: c.name)
def test_value(case: Case) -> None:
    args = case.args()
    got = oracle.evaluate(case.fun, args)[frozenset()]
    for x, y in zip(got, plain(case, args), strict=True):
        assert np.allclose(np.asarray(x, float), np.asarray(y, float), rtol=max(case.tolerance, 1e-12))


@pytest.mark.parametrize("case", [c for c in SMOOTH if c.tolerance < 1e-6], ids=lambda c: c.name)
def test_first_order(case: Case) -> None:
    args = case.args()
    direction = directions(args, np.random.default_rng(1))
    got = oracle.evaluate(case.fun, args, [direction])[frozenset({0})]
    for x, y in zip(got, numeric(case, args, direction), strict=True):
        assert np.allclose(x, np.asarray(y, float), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("case", [c for c in SMOOTH if c.tolerance < 1e-6], ids=lambda c: c.name)
def test_second_and_third_order(case: Case) -> None:
    args, rng = case.args(), np.random.default_rng(2)
    d, v, u = (directions(args, rng) for _ in range(3))
    third = oracle.evaluate(case.fun, args, [d, v, u])
    for path in ({0, 1}, {0, 1, 2}):
        along = [d, v, u][len(path) - 1]
        lower = [d, v, u][: len(path) - 1]
        wanted = frozenset(range(len(lower)))

        def derivative(t: float) -> list[Any]:
            return oracle.evaluate(case.fun, moved(args, along, t), lower)[wanted]  # noqa: B023

        for x, up, down in zip(third[frozenset(path)], derivative(1e-5), derivative(-1e-5), strict=True):
            estimate = (np.asarray(up) - np.asarray(down)) / 2e-5
            assert np.allclose(x, estimate, rtol=1e-4, atol=1e-5 * (1 + np.abs(np.asarray(up)).max(initial=0)))


def test_orders_of_a_polynomial() -> None:
    table = oracle.evaluate(lambda x, y: x**3 * y**2, (2.0, 3.0), [[1.0, None], [1.0, None], [None, 1.0]])
    assert [table[frozenset(s)][0] for s in ((), (0,), (0, 1), (2,), (1, 2), (0, 1, 2))] == [72, 108, 108, 48, 72, 72]
