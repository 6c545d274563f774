"""Floats that the test of a loop writes are read in tests only: a transformation gives them no derivative."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.compiler.program import WATCHERS
from srcgrad.core import ir, walk
from srcgrad.core.ir import Program
from srcgrad.core.read_text import read
from srcgrad.core.verify import VerifyError, verify
from srcgrad.rules.language.registry import PRIMITIVES

LOOP = """
fun f(x: f8, n: i8):
    m: &f8[1] = alloc zeros (3)
    o: &f8[1] = alloc zeros (3)
    {before}
    k.3: i8 = loop with k: i8 = 0:
        {test}
        t: b1 = less(k, n)
    while t:
        k.2: i8 = add(k, 1)
        next k.2
    y: f8 = load m[0]
    return y
"""
OWN = "w: &f8[1] = alloc zeros (2)\n        "
REFUSED = {
    "store": ("", "store m[0] = x"),
    "sum": ("", "m[0] += x"),
    "view of what is outside": ("v: &f8[1] = view m[0:2]", "store v[0] = x"),
    "view made inside": ("", "v: &f8[1] = view m[0:2]\n        store v[0] = x"),
    "one of two": ("", f"{OWN}store w[0] = x\n        store m[1] = x"),
}
ALLOWED = {
    "nothing": ("", ""),
    "memory of its own": ("", f"{OWN}store w[0] = x"),
    "memory that nothing reads": ("", "store o[1] = x"),
    "memory that tests read": ("", "store o[1] = x\n        z: f8 = load o[1]"),
    "a view of that": ("", f"{OWN}v: &f8[1] = view w[0:1]\n        v[0] += x"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_store_that_is_read_elsewhere_is_refused(name):
    before, test = REFUSED[name]
    with pytest.raises(VerifyError, match="the test of a loop writes"):
        verify(read(LOOP.format(before=before, test=test), PRIMITIVES))


@pytest.mark.parametrize("name", ALLOWED)
def test_what_tests_alone_read_is_no_matter(name):
    before, test = ALLOWED[name]
    verify(read(LOOP.format(before=before, test=test), PRIMITIVES))


# ---- what users write in a test


def first(a, x):
    a[0] = a[0] * x
    return a[0]


def by_function(x):
    a = np.ones(2)
    while first(a, x) > 0.1:
        a[1] = a[1] + a[0]
    return a[1] * x


def by_own_memory(x):
    s = x
    while sum([s * k for k in range(3)]) > 1.0:
        s = s * 0.5
    return s * x


def by_method(x):
    a = [x]
    while a.append(a[-1] * x) is None and len(a) < 4:
        x = x * 0.5
    return a[-1] * x


def by_walrus(x):
    s = 0.0
    while (s := s + x) < 2.0:
        x = x * 1.5
    return s * x


def by_both(x):
    a, n = np.ones(3), 0
    while n < 3 and first(a, x) > 0.05:
        n += 1
    return a[0] * x


def by_closure(x):
    a = np.ones(1)

    def smaller():
        a[0] *= x
        return a[0] > 0.2

    while smaller():
        pass
    return a[0] + math.sin(x)


@pytest.fixture
def watched() -> Iterator[list[Program]]:
    seen: list[Program] = []

    def watch(name: str, program: Program) -> None:
        verify(program)
        seen.append(program)

    WATCHERS.append(watch)
    yield seen
    WATCHERS.remove(watch)


@pytest.mark.parametrize("fun", [by_function, by_own_memory, by_method, by_walrus, by_both, by_closure])
@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_tests_with_effects_are_lowered_into_the_body(fun, mode, watched):
    slope = sg.grad(fun, mode=mode, jit=False, cache=False)(0.7)
    assert slope == pytest.approx((fun(0.7 + 1e-6) - fun(0.7 - 1e-6)) / 2e-6, rel=1e-7)
    loops = [s for p in watched for s in walk.walk(p.main.body) if isinstance(s, (ir.While, ir.For))]
    assert loops
