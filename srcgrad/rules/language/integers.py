"""Integers about loops and sizes, which the transformations emit: trip counts, sizes that are not negative."""

from __future__ import annotations

from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.numeric import sequences
from srcgrad.rules.language.declare import zero
from srcgrad.rules.language.metadata import At
from srcgrad.rules.language.runtime_text import sources


def _int(types: tuple[ir.Type, ...], params: dict[str, Any]) -> tuple[ir.Type, ...]:
    return (ir.I8,)


def _trips(start: int, stop: int, step: int) -> int:
    return len(range(int(start), int(stop), int(step)))


def _nonnegative(size: int) -> int:
    return max(int(size), 0)


def _larger(a: int, b: int) -> int:
    return max(int(a), int(b))


def _smaller(a: int, b: int) -> int:
    return min(int(a), int(b))


def _outside(places: Any, n: int) -> bool:
    return bool(np.any((places < -n) | (places >= n)))


def _outside_template(types: tuple[ir.Type, ...], params: dict[str, Any]) -> Any:
    return "outside(_0, _1)", sources(sequences.outside)


trips = zero(
    "trips",
    (_trips,),
    folds=True,
    is_length=True,
    infer=_int,
    template="len(range(_0, _1, _2))",
    elementwise=False,
    samples=[(0, 5, 1), (3, 3, 1), (7, 0, -2)],
)
nonnegative = zero(
    "nonnegative",
    (_nonnegative,),
    folds=True,
    is_length=True,
    infer=_int,
    template="max(_0, 0)",
    elementwise=False,
    samples=[(3,), (-1,)],
)
larger = zero(
    "larger", (_larger,), folds=True, infer=_int, template="max(_0, _1)", elementwise=False, samples=[(3, 4), (5, 2)]
)
smaller = zero(
    "smaller", (_smaller,), folds=True, infer=_int, template="min(_0, _1)", elementwise=False, samples=[(3, 4), (5, 2)]
)
outside = zero(
    "outside",
    (),
    evaluate=_outside,
    infer=lambda types, params: (ir.B1,),
    template=_outside_template,
    elementwise=False,
    samples=[
        (np.array([0, -2, 1]), 2),
        (np.array([0, 2]), 2),
        (np.array([[0, -3]]), 2),
        (np.array([[[0], [1]]]), 2),
    ],
)
other_length = zero(
    "other_length",
    (),
    evaluate=lambda x, n, axis: x.shape[axis] != n,
    infer=lambda types, params: (ir.B1,),
    template="_0.shape[axis] != _1",
    elementwise=False,
    samples=[
        (np.zeros((2, 3)), 3),
        (np.zeros((2, 3)), 2),
        (np.zeros((2, 3, 1)), 3),
        At(np.zeros(3), 3, axis=0),
    ],
    params=[{"axis": 1}],
)
