"""Calls, closures, captured values, structures, recursion."""

from __future__ import annotations

import functools
import math
import operator
from dataclasses import dataclass
from typing import NamedTuple

import numba
import numpy as np
import pytest

from srcgrad.core import ir
from srcgrad.core.walk import walk
from srcgrad.errors import NotDifferentiableError, SrcgradError, UnsupportedError
from srcgrad.frontend.lowering.function import lower
from srcgrad.frontend.source.structure import Leaf, Static, describe
from tests.frontend import helpers_for_calls
from tests.frontend.lowering import close, lowered, run_lowered, same

A = np.array([0.3, -0.7, 1.1, 0.4])
M = np.arange(6.0).reshape(2, 3) / 5
SCALE = 2.5
TABLE = np.array([1.0, 2.0, 4.0])
COUNT = 3
TWICE = functools.partial(operator.mul, 2)
SETTINGS = {"rate": 0.5, "name": "cube", "sizes": (2, 3)}


class Point(NamedTuple):
    x: float
    y: float = 2.0

    def norm2(self):
        return self.x * self.x + self.y * self.y


@dataclass
class Layer:
    w: np.ndarray
    b: float

    def apply(self, x):
        return self.w * x + self.b


def helper(x, y=2.0, *, power=2):
    return x**power + y, x - y


def scale_in_place(a, factor):
    a *= factor


def fill(a, value):
    for i in range(len(a)):
        a[i] = value + i


@numba.njit
def jitted(x, k=3):
    s = 0.0
    for i in range(k):
        if i == 2:
            continue
        s += x * i
    return s


def factorial(n):
    if n <= 1:
        return 1
    return n * factorial(n - 1)


def power(x, n):
    if n == 0:
        return 1.0
    if n % 2 == 1:
        return x * power(x, n - 1)
    half = power(x, n // 2)
    return half * half


def even(x, n):
    if n == 0:
        return x
    return odd(x * SCALE, n - 1)


def odd(x, n):
    if n == 0:
        return -x
    return even(x + 1.0, n - 1)


def tree(x, n):
    s = x
    for i in range(n):
        s += tree(x * 0.5, i)
    return s


def doubled(a, n):
    if n == 0:
        return a
    return doubled(a * 2.0, n - 1)


def applied(f, x, n):
    for _ in range(n):
        x = f(x)
    return x


def composed(f, g):
    return lambda x: f(g(x))


def uses_helper(x):
    a, b = helper(x)
    c, _ = helper(y=x, x=b)
    d, e = helper(x, power=3)
    return a + b * c + d * e


def uses_mutating_helpers(a, m):
    b = a
    scale_in_place(b, 3.0)
    fill(m[1], a[0])
    fill(m[:, 0], 5.0)
    return a, m


def uses_jitted(x):
    return jitted(x) + jitted(x, 2) * jitted(x, k=5)


def uses_nested(x, n):
    offset = 1.5

    def inner(y, k=n):
        return y * offset + k

    square = lambda v, p=2: v**p  # noqa: E731
    offset = 2.5
    return inner(x) + square(x) + square(x, p=3)


def uses_functions_as_arguments(x):
    f = composed(math.sin, lambda v: v * x)
    return applied(f, x, 3) + applied(jitted, x, 1) + applied(TWICE, x, 2)


def uses_captured(x):
    return x * SCALE + TABLE[1] * COUNT + helpers_for_calls.RATE + helpers_for_calls.scaled(x) + SETTINGS["rate"]


def static_choices(x, mode="cube", extra=None):
    if mode == "cube":
        x = x**3
    elif mode == "square":
        x = x**2
    if extra is not None:
        x = x + extra
    return x * len(SETTINGS["sizes"]) if "name" in SETTINGS else x


def structures(p, params, layers):
    s = p.norm2() + p.x * p[1]
    for key, value in params.items():
        s += value if key == "b" else 2 * value
    x = params["w"]
    for layer in layers:
        x = np.sum(layer.apply(x))
    q = p._replace(y=x)
    return {"point": Point(q.y, y=s), "layers": [Layer(layers[0].w * 2, b=x)], "pair": (x, None, "text")}


def comprehensions(x):
    parts = [x * k for k in range(4) if k != 2]
    total = sum(p * p for p in parts) + sum(parts) + sum(x * i for i in range(3))
    a, *rest, z = parts
    return total + max(parts) - min(a, z, x) + len(rest) + rest[0]


def sum_over_dynamic(a, n):
    return sum(a[i] * a[j] for i in range(n) for j in range(i) if a[j] > 0)


def kinds(x, a, k):
    s = x if isinstance(x, float) else 0.0
    if isinstance(a, np.ndarray) and not isinstance(k, float):
        s += a.ndim + a.size + len(a)
    return s


PROGRAMS = [
    (uses_helper, 0.7), (uses_mutating_helpers, A, M), (uses_jitted, 0.3), (uses_nested, 0.3, 4),
    (uses_functions_as_arguments, 0.4), (uses_captured, 0.3), (static_choices, 0.3, "cube", None),
    (static_choices, 0.3, "square", None), (static_choices, 0.3, "none", 1.0), (comprehensions, 0.3),
    (sum_over_dynamic, A, 4), (sum_over_dynamic, A, 0), (kinds, 0.3, A, 2),
    (structures, Point(0.3, 0.4), {"w": 0.5, "b": 1.5}, [Layer(A, 0.1), Layer(A * 2, 0.2)]),
    (factorial, 5), (power, 0.7, 11), (even, 0.3, 5), (even, 0.3, 0), (odd, 0.3, 4), (tree, 0.3, 4), (doubled, A, 3),
]  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p[0].__name__)
def test_runs_as_the_function_does(program) -> None:
    same(*program)


def test_recursion_is_a_call_of_its_own_function() -> None:
    program = same(power, 0.7, 11).program
    assert list(program.callees) == ["power_inner"]
    calls = [s for fun in (program.main, *program.callees.values()) for s in walk(fun.body) if isinstance(s, ir.Call)]
    assert len(calls) == 3 and {c.callee for c in calls} == {"power_inner"}


def test_what_recursion_captures_goes_along() -> None:
    program = same(even, 0.3, 5).program
    assert [p.name for p in program.main.params] == ["x", "n", "SCALE"]
    assert [p.name for p in program.callees["even_inner"].params] == ["x", "n", "SCALE"]


def test_captured_numbers_and_arrays_are_read_afresh() -> None:
    got = lowered(uses_captured, 0.3)
    assert sorted(c.name for c in got.captured) == ["RATE", "SCALE", "SETTINGS_rate", "TABLE", "helpers_for_calls_RATE"]
    kept = helpers_for_calls.RATE
    try:
        helpers_for_calls.RATE = 7.0
        close(run_lowered(got, 0.3), uses_captured(0.3))
    finally:
        helpers_for_calls.RATE = kept


def test_closures_keep_their_own_cells() -> None:
    def make(c, k):
        def f(x):
            return x * c + k

        return f

    first, second = make(2.0, 1), make(3.0, 2)
    a, b = same(first, 0.5), same(second, 0.5)
    assert [c.read() for c in (*a.captured, *b.captured)] == [2.0, 3.0]
    assert all(use.holds() for use in (*a.statics, *b.statics))


def test_static_values_tell_when_they_change() -> None:
    got = lowered(uses_captured, 0.3)
    (count,) = [use for use in got.statics if use.origin.name == "COUNT"]
    assert count.holds()
    globals()["COUNT"] = 4
    try:
        assert not count.holds()
    finally:
        globals()["COUNT"] = 3


def test_an_overwritten_argument_is_copied_at_the_head() -> None:
    got = same(uses_mutating_helpers, A, M)
    assert got.program.main.facts.overwritten == ("a", "m")
    assert [type(s) for s in got.program.main.body[:4]] == [ir.Load, ir.Alloc, ir.Load, ir.Alloc]
    assert same(uses_helper, 0.3).program.main.facts.overwritten == ()


def test_writing_into_a_captured_array_is_refused() -> None:
    def f(x):
        TABLE[0] = x
        return x

    with pytest.raises(UnsupportedError, match="TABLE"):
        lowered(f, 0.3)


def test_a_function_without_a_rule_is_named() -> None:
    def f(x):
        return math.sin(x) + np.poly(TABLE)[0]

    with pytest.raises(NotDifferentiableError, match=r"numpy\.poly") as caught:
        lowered(f, 0.3)
    assert caught.value.problems[0].source.strip() == "return math.sin(x) + np.poly(TABLE)[0]"


def test_recursion_that_writes_into_what_it_captures_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="calls itself and writes into what is not its own"):
        lowered(writes_recursively, 2)


def writes_recursively(n):
    if n > 0:
        A[n] = 0.0
        writes_recursively(n - 1)


class Doubler:
    """Brings its own core program, as a derivative does."""

    def __call__(self, x):
        return helper(x)

    def __srcgrad_core__(self, specs):
        return lower(helper, [*specs, Static(2)])


def test_an_object_with_its_own_core_is_put_in_place() -> None:
    twice = Doubler()

    def f(x):
        p, q = twice(x, 2.0)
        return p * q

    def plain(x):
        p, q = helper(x, 2.0)
        return p * q

    close(run_lowered(lowered(f, 0.7), 0.7), plain(0.7))


def test_the_same_recursive_name_in_two_programs_is_kept_apart() -> None:
    class Recursive:
        def __call__(self, x, n):
            return power(x, n)

        def __srcgrad_core__(self, specs):
            return lower(power, specs)

    core = Recursive()

    def f(x, n):
        return core(x, n) * power(x, n) * core(x, 2)

    def plain(x, n):
        return power(x, n) * power(x, n) * power(x, 2)

    close(run_lowered(lowered(f, 0.7, 5), 0.7, 5), plain(0.7, 5))


def test_closures_of_one_text_are_not_recursion() -> None:
    def make(inner, c):
        return lambda x: c * inner(x)

    same(make(make(make(math.sin, 2.0), 3.0), 5.0), 0.4)


def three_ways(x, n):
    if n <= 0:
        return x
    return other_way(x, n - 1) + three_ways(x * 0.5, n - 2)


def other_way(x, n):
    if n <= 0:
        return -x
    return other_way(x * 2, n - 1) * three_ways(x, n - 1)


def test_functions_that_call_themselves_and_each_other() -> None:
    same(three_ways, 0.3, 5)
    same(other_way, 0.3, 4)


def test_a_result_that_may_be_the_argument_is_not_written_into() -> None:
    def f(a, n):
        b = doubled(a, n)
        b[0] = 7.0
        return a

    with pytest.raises(UnsupportedError, match="layout"):
        lowered(f, A, 2)


def test_arguments_that_do_not_fit_are_refused() -> None:
    def too_many(x):
        return helper(x, x, x)

    def unknown(x):
        return helper(x, z=1)

    def missing(x):
        return Point()

    for f in (too_many, unknown, missing):
        with pytest.raises(SrcgradError) as caught:
            lowered(f, 0.3)
        assert caught.value.placed


def test_single_precision_stays_single() -> None:
    def f(a, x):
        s = 0.0
        for v in a:
            s = s + v * 2.0
        return s * x

    got = lowered(f, A.astype(np.float32), np.float32(0.5))
    assert got.result == Leaf(ir.F4)

    def g(a, x):
        s = 0.0
        for v in a:
            s = s + v * x
        return s

    assert lowered(g, A.astype(np.float32), 0.5).result == describe(1.0)
