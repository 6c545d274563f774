"""Unsigned subscripts: they are what they were, never negative, and stand where compiled code is faster for them."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.core import ir
from srcgrad.core.ir import Program
from srcgrad.core.read_text import read
from srcgrad.core.rewrite import rewrite
from srcgrad.core.run import run
from srcgrad.core.verify import verify
from srcgrad.rules.language.registry import PRIMITIVES
from srcgrad.schedule.index_forms import unsigned, with_unsigned_places

PROGRAM = """
fun f(x: &f8[2], a: i8, b: i8):
    n: i8 = dim(x) {{axis=0}}
    m: i8 = dim(x) {{axis=1}}
    last: i8 = subtract(m, 10)
    low: i8 = nonnegative(a)
    less: i8 = subtract(low, 1)
    y: &f8[2] = alloc zeros (n, m)
    s.9: f8 = for i: i8 in range(0, n, 1) with s.1: f8 = 0.0:
        s.8: f8 = for q: i8 in range({bounds}) with s.2: f8 = s.1:
            c: i8 = {first}
            d: i8 = {second}
            v: f8 = load x[i, c]
            y[i, d] += v
            w: f8 = load y[i, q]
            s.3: f8 = add(s.2, w)
            next s.3
        for q.2: i8 in range({bounds}):
            e: i8 = add(q.2, {by})
            u: f8 = load x[i, e]
            y[i, q.2] += u
        next s.8
    return y, s.9
"""
BOUNDS = [
    "0, b, 1",
    "1, b, 1",
    "low, b, 1",
    "a, b, 1",
    "b, low, -1",
    "b, less, -1",
    "b, a, -1",
    "2, b, 2",
    "last, 6, -1",
]
PLACES = [
    "add(q, 1)",
    "subtract(q, 1)",
    "subtract(last, q)",
    "subtract(b, q)",
    "add(q, a)",
    "add(q, low)",
    "multiply(q, 1)",
]


def no_sign(place: int) -> int:
    assert place >= 0
    return int(place)


STRICT = replace(unsigned, evaluate=no_sign)


def strictly(program: Program) -> Program:
    """The program with a look at each unsigned subscript."""

    def looking(stmt: ir.Stmt) -> ir.Stmt:
        return replace(stmt, op=STRICT) if isinstance(stmt, ir.Let) and stmt.op is unsigned else stmt

    return replace(program, main=rewrite(program.main, looking))


def test_random_loops_compute_the_same_and_no_subscript_that_is_said_to_be_unsigned_is_negative() -> None:
    draw, changed = random.Random(0), 0
    for _ in range(60):
        text = PROGRAM.format(
            bounds=draw.choice(BOUNDS), first=draw.choice(PLACES), second=draw.choice(PLACES), by=draw.randint(-2, 2)
        )
        program = read(text, PRIMITIVES)
        made = replace(program, main=with_unsigned_places(program.main))
        verify(made)
        changed += made.main is not program.main
        x = np.random.default_rng(0).random((3, 32))
        for a, b in ((0, 6), (3, 9), (-2, 5), (4, 4), (5, 2), (-3, -1)):
            for new, old in zip(run(strictly(made), x, a, b), run(program, x, a, b), strict=True):
                np.testing.assert_array_equal(new, old, err_msg=text)
    assert changed > 30


def convolution(x, k):
    n = x.shape[0]
    s = 0.0
    for i in range(n):
        s += x[i] * k[n - 1 - i]
    return s


def lagged(x, lag):
    if lag < 0:
        raise ValueError("the lag is negative")
    s = 0.0
    for i in range(lag, x.shape[0]):
        s += x[i] * x[i - lag]
    return s


def wide_stencil(x):
    s = 0.0
    for i in range(2, x.shape[0] - 2):
        d = x[i - 2] - 2.0 * x[i] + x[i + 2]
        s += d * d
    return s


def triangular(a, x):
    s = 0.0
    for i in range(x.shape[0]):
        r = 0.0
        for j in range(i + 1):
            r += a[i - j] * x[j]
        s += r * r
    return s


def from_the_end(x):
    """Negative subscripts, which count from the end."""
    s = 0.0
    for i in range(1, x.shape[0]):
        s += x[-i] * x[i - 2] * i
    return s


NUMBERS = np.random.default_rng(0).random(9)
USERS = [
    (convolution, (NUMBERS, NUMBERS[::-1].copy())),
    (lagged, (NUMBERS, 3)),
    (wide_stencil, (NUMBERS,)),
    (triangular, (NUMBERS, NUMBERS[::-1].copy())),
    (from_the_end, (NUMBERS,)),
]


@pytest.mark.parametrize(("fun", "args"), USERS, ids=lambda u: getattr(u, "__name__", ""))
def test_compiled_code_gives_what_python_gives(fun, args) -> None:
    compiled, plain = sg.value_and_grad(fun), sg.value_and_grad(fun, jit=False)
    value, bar = compiled(*args)
    expected, expected_bar = plain(*args)
    assert value == pytest.approx(expected, rel=1e-13)
    np.testing.assert_allclose(bar, expected_bar, rtol=1e-13)
    assert ("np.uintp" in compiled.source) == (fun is not from_the_end)
    assert "np.uintp" not in plain.source


def body_of(source: str) -> str:
    return source[source.index("    s = 0.0") :]


def test_what_is_printed() -> None:
    """A subscript that is read once stands where it is read; one that is read again has a name."""
    made = sg.value_and_grad(convolution, argnums=(0, 1))
    made(*USERS[0][1])
    assert body_of(made.source) == (
        """    s = 0.0
    for i in range(n):
        # s += x[i] * k[n - 1 - i]
        at = np.uintp(t - i)
        s += x[i] * k[at]
        k_bar[at] = x[i]
        x_bar[i] = k[at]
    return s, x_bar, k_bar
"""
    )
    by_first = sg.value_and_grad(wide_stencil)
    by_first(NUMBERS)
    assert body_of(by_first.source) == (
        """    s = 0.0
    for i in range(2, x.shape[0] - 2):
        # d = x[i - 2] - 2.0 * x[i] + x[i + 2]
        at = np.uintp(i - 2)
        at_2 = np.uintp(i)
        at_3 = np.uintp(i + 2)
        d = x[at] - 2.0 * x[at_2] + x[at_3]
        # s += d * d
        s += d * d
        d_bar = 2.0 * d
        # d = x[i - 2] - 2.0 * x[i] + x[i + 2]
        x_bar[at_3] += d_bar
        x_bar[at_2] += d_bar * -2.0
        x_bar[at] += d_bar
    return s, x_bar
"""
    )


def test_a_chain_of_products_is_left_as_it_is() -> None:
    """Each iteration waits for the one before: nothing would be faster."""
    text = """
fun f(x: &f8[1]):
    n: i8 = dim(x) {axis=0}
    last: i8 = subtract(n, 1)
    s.3: f8 = for i: i8 in range(last, -1, -1) with s: f8 = 0.5:
        v: f8 = load x[i]
        t: f8 = multiply(s, v)
        next t
    return s.3
"""
    program = read(text, PRIMITIVES)
    assert with_unsigned_places(program.main) is program.main
