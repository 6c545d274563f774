"""Nests of loops over elements in parallel: the numbers of one thread, bit by bit, whatever threads there are."""

from __future__ import annotations

import functools
import random
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.compiler import to_source
from srcgrad.schedule.parallel_nests import parallel_nests


def diffused(u, c, steps):
    for _ in range(steps):
        new = u.copy()
        new[1:-1, 1:-1] = u[1:-1, 1:-1] + c[1:-1, 1:-1] * (u[2:, 1:-1] + u[:-2, 1:-1] - 2.0 * u[1:-1, 1:-1])
        u = new
    return np.sum(u * u)


def layers(a, w, steps):
    h = a * a * w
    for _ in range(steps):
        h = h / (1.0 + h * h) * w
    return np.sum(h * a)


def cumulated(a, w, steps):
    """Rows that depend on the row before."""
    z = a.copy()
    for i in range(1, a.shape[0]):
        z[i] = z[i - 1] * w[i] + a[i]
    for i in range(steps):
        z[i] += a[i + 1] * z[i + 1]
    return np.sum(z * z)


def by_rows(a, w, steps):
    total = np.zeros(a.shape[0])
    for i in range(a.shape[0]):
        row = a[i] * w[i]
        total[i] = np.sum(row * row) + steps
    return np.sum(total * total)


def gathered(a, w, steps):
    """Rows that are added to wherever the order says."""
    order = np.argsort(a[:, 0])
    return np.sum(a[order] * (a * w)) + np.sum(w[order[::-1]] * a) * steps


FUNCTIONS: list[Callable[..., Any]] = [diffused, layers, cumulated, by_rows, gathered]
SERIAL = [cumulated, gathered]


def arguments(n: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(4)
    return rng.normal(size=(n, n + 1)), rng.normal(size=(n, n + 1)), 3


def in_another_order(*bounds: int) -> list[int]:
    turns = list(range(*bounds))
    random.Random(len(turns)).shuffle(turns)
    return turns


def run_in_python(source: str, name: str, *args: Any) -> Any:
    """A generated module as plain Python, with a `prange` that goes over its turns in another order."""
    plain = re.sub(r"^(@njit.*|from numba import.*)\n", "", source, flags=re.MULTILINE)
    scope: dict[str, Any] = {"prange": in_another_order}
    exec(plain, scope)
    return scope[name](*args)


@pytest.mark.parametrize("fun", FUNCTIONS, ids=lambda f: f.__name__)
def test_in_any_order_of_the_parts(fun: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    args, name = arguments(40), f"{fun.__name__}_value_and_grad"
    one = sg.value_and_grad(fun, argnums=(0, 1), cache=False).source_for(*args)
    assert "prange" not in one
    monkeypatch.setattr(to_source, "parallel_nests", functools.partial(parallel_nests, long=0))
    source = sg.value_and_grad(fun, argnums=(0, 1), cache=False, parallel=True).source_for(*args)
    assert (source.count("in prange(parts") > 0) is (fun not in SERIAL)
    for made, expected in zip(run_in_python(source, name, *args), run_in_python(one, name, *args), strict=True):
        np.testing.assert_array_equal(made, expected)


def test_compiled_with_threads_and_without() -> None:
    several, one = (sg.value_and_grad(layers, argnums=(0, 1), parallel=p) for p in (True, False))
    for n in (5, 250):  # one part, sixteen
        made, expected = several(*arguments(n)), one(*arguments(n))
        assert made[0] == expected[0]
        for a, b in zip(made[1], expected[1], strict=True):
            np.testing.assert_array_equal(a, b)
    assert several.source.count("def layers_value_and_grad_rows") == several.source.count("in prange(parts):") >= 1
