"""What is printed, on programs made by hand."""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
import pytest

from srcgrad.core import ir
from srcgrad.core.build import Builder, const
from srcgrad.core.ir import B1, F4, F8, I8, Atom, Carry, Const, Program, Type, Var
from srcgrad.core.run import run
from srcgrad.printer.render import render
from srcgrad.rules.scalar.arithmetic import add, multiply, subtract
from srcgrad.rules.scalar.compare import greater, less
from srcgrad.rules.scalar.elementwise import cos, sin
from srcgrad.rules.shapes.shape import dim
from tests.printer.executing import agrees

VECTOR, MATRIX, VALUE = Type("f8", 1, ref=True), Type("f8", 2, ref=True), Type("f8", 1)
ALL = ir.Slice()


def line(number: int, text: str) -> ir.Span:
    return ir.Span("f.py", number, 0, number, len(text), text)


def program(b: Builder, params: list[Var], *results: ir.Atom, name: str = "f") -> Program:
    return Program(ir.Fun(name, tuple(params), tuple(b.out), results))


def body_of(p: Program) -> str:
    """The printed function without its imports and head."""
    text = render(p)
    lines = text[text.index(f"def {p.main.name}(") :].splitlines()[1:]
    return "\n".join(one.removeprefix("    ") for one in lines)


def adjoint_of_a_product() -> Program:
    x, n, b = Var("x", VECTOR), Var("n", I8), Builder()
    length, here = b.let(dim, x, axis=0), line(4, "s = s * math.sin(x[i])")
    kept = b.alloc("f8", (n,), ir.Init.EMPTY, name="s_kept")
    head = line(3, "for i in range(n):")
    s, last, i = Var("s", F8), Var("s", F8), Var("i", I8)
    with b.block() as body, b.at(here):
        b.store(kept, (i,), s)
        after = b.let(multiply, s, b.let(sin, b.load(x, (i,))), name="s")
    b.put(ir.For(i, const(0), n, const(1), (Carry(s, const(1.0), after, last),), tuple(body), span=head))
    b.put(ir.Remark("reverse"))
    x_bar = b.alloc("f8", (length,), name="x_bar")
    bar, out, i = Var("s_bar", F8), Var("s_bar", F8), Var("i", I8)
    with b.block() as body, b.at(here):
        x_i = b.load(x, (i,))
        slope = b.let(sin, x_i)
        b.accumulate(x_bar, (i,), b.let(multiply, b.let(multiply, bar, b.load(kept, (i,))), b.let(cos, x_i)))
        after = b.let(multiply, bar, slope, name="s_bar")
    top = b.let(subtract, n, const(1))
    b.put(ir.For(i, top, const(-1), const(-1), (Carry(bar, const(1.0), after, out),), tuple(body), span=head))
    return program(b, [x, n], x_bar, name="f_grad")


def test_the_adjoint_of_a_product_reads_as_written_by_hand() -> None:
    p = adjoint_of_a_product()
    assert (
        render(p)
        == """\
import math
import numpy as np


def f_grad(x, n):
    s_kept = np.empty(n)
    s = 1.0
    for i in range(n):
        # s = s * math.sin(x[i])
        s_kept[i] = s
        s = s * math.sin(x[i])
    # reverse
    x_bar = np.zeros_like(x)
    s_bar = 1.0
    for i in range(n - 1, -1, -1):
        # s = s * math.sin(x[i])
        x_bar[i] += s_bar * s_kept[i] * math.cos(x[i])
        s_bar = s_bar * math.sin(x[i])
    return x_bar
"""
    )
    agrees(p, np.array([0.3, 0.7, 1.1]), 3)


def fibonacci(results_inside: bool) -> Program:
    """p, q = q, p + q each turn; perhaps what p was is read after the loop (the lost copy)."""
    b, n = Builder(), Var("n", I8)
    p, q, p_out, q_out, old, old_out = (Var(name, F8) for name in "pqpqop")
    with b.block() as body:
        total = b.let(add, p, q, name="q")
    carry = [Carry(p, const(1.0), q, p_out), Carry(q, const(2.0), total, q_out)]
    if results_inside:
        carry.append(Carry(old, const(0.0), p, old_out))
    b.put(ir.For(Var("i", I8), const(0), n, const(1), tuple(carry), tuple(body)))
    return program(b, [n], p_out, q_out, *([old_out] if results_inside else []))


@pytest.mark.parametrize("n", (0, 1, 2, 5))
@pytest.mark.parametrize("old", (False, True))
def test_swaps_and_lost_copies(n: int, old: bool) -> None:
    agrees(fibonacci(old), n)


def test_a_swap_is_one_line() -> None:
    assert body_of(fibonacci(False)) == "p = 1.0\nq = 2.0\nfor i in range(n):\n    p, q = q, p + q\nreturn p, q"


def test_names_shadow_nothing() -> None:
    names = ("sum", "np", "math", "f", "lambda", "x.y", "njit", "print", "x", "x")
    params = [Var(name, F8) for name in names]
    b = Builder()
    total: Atom = params[0]
    for p in params[1:]:
        total = b.let(subtract, total, p)
    text = render(program(b, params, b.let(sin, total)))
    assert "def f(sum_2, np_2, math_2, f_2, lambda_2, x_y, njit_2, print_2, x, x_2):" in text
    agrees(program(b, params, total), *map(float, range(len(params))))


CONSTANTS = [
    (const(math.inf), "np.inf"),
    (const(-math.inf), "-np.inf"),
    (const(math.nan), "np.nan"),
    (const(-0.0), "-0.0"),
    (const(1e-300), "1e-300"),
    (const(-3), "-3"),
    (const(True), "True"),
    (Const(0.1, F4), "np.float32(0.1)"),
    (Const(float(np.float32(0.1)), F4), "np.float32(0.1)"),
    (Const(-2.0, F4), "np.float32(-2.0)"),
]


@pytest.mark.parametrize(("value", "text"), CONSTANTS, ids=[t for _, t in CONSTANTS])
def test_constants(value: Const, text: str) -> None:
    p = program(Builder(), [], value)
    assert body_of(p) == f"return {text}"
    (got,) = agrees(p)
    assert np.asarray(got).dtype == np.dtype(value.type.dtype)


def test_negative_literals_keep_their_parentheses() -> None:
    b, x = Builder(), Var("x", F8)
    power = ir.Primitive("power_", lambda t, p: (F8,), np.power, "_0 ** _1")
    p = program(b, [x], b.let(power, const(-2.0), b.let(power, x, const(-1.0))))
    assert body_of(p) == "return (-2.0) ** x ** -1.0"
    agrees(p, 0.5)


def test_loads_stay_before_stores() -> None:
    """Through a view too: nothing moves past what may write."""
    b = Builder()
    a = b.alloc("f8", (const(3),), const(1.0), name="a")
    view = b.view(a, (ir.Slice(step=const(-1)),), name="back")
    old = b.load(a, (const(0),))
    b.store(view, (const(2),), const(5.0))
    (got,) = agrees(program(b, [], b.let(add, old, const(1.0))))
    assert got == 2.0


@pytest.mark.parametrize("merge", ("loop", "branch", "list"))
def test_loads_stay_before_stores_to_what_was_merged(merge: str) -> None:
    b, n = Builder(), Var("n", I8)
    p, q = (b.alloc("f8", (const(2),), const(1.0), name=name) for name in "pq")
    either = Var("u", VECTOR)
    if merge == "loop":
        carry = Carry(Var("u", VECTOR), p, q, either)
        b.put(ir.For(Var("i", I8), const(0), n, const(1), (carry,), ()))
    elif merge == "branch":
        b.put(ir.If(b.let(less, n, const(1)), (), (), (ir.Out(either, p, q),)))
    else:
        refs = Var("refs", Type("f8", 1, many=True))
        b.put(ir.NewList(refs, p))
        b.put(ir.Append(refs, p, Var("pos", I8)))
        b.put(ir.RefAt(either, refs, const(0)))
    old = b.load(p, (const(0),))
    b.store(either, (const(0),), const(5.0))
    (got, first) = agrees(program(b, [n], b.let(add, old, const(1.0)), b.load(p, (const(0),))), 0)
    assert (got, first) == (2.0, 5.0)


def test_memory_made_of_a_value_is_not_shared() -> None:
    b, x = Builder(), Var("x", VECTOR)
    value = Var("v", VALUE)
    b.put(ir.Load(value, x, (ALL,), copy=False))
    y = b.alloc("f8", (), value, name="y")
    twice = b.let(multiply, value, const(2.0))
    first, second = b.alloc("f8", (), twice, name="p"), b.alloc("f8", (), twice, name="q")
    for k, memory in enumerate((y, first, second)):
        b.store(memory, (const(0),), const(float(k)))
    agrees(program(b, [x], y, first, second), np.ones(3))


def test_elements_that_are_stored_need_no_copy_but_overlaps_do() -> None:
    b, x = Builder(), Var("x", VECTOR)
    y = b.alloc("f8", (), b.load(x), name="y")
    b.store(y, (ir.Slice(const(1)),), b.load(x, (ir.Slice(None, const(-1)),)))
    b.store(y, (ir.Slice(None, const(-1)),), b.load(y, (ir.Slice(const(1)),)))
    p = program(b, [x], y)
    assert body_of(p) == "y = x.copy()\ny[1:] = x[:-1]\ny[:-1] = y[1:].copy()\nreturn y"
    agrees(p, np.arange(4.0))


def logic(cond: str) -> Program:
    b, x, y, out = Builder(), Var("x", F8), Var("y", F8), Var("t", B1)
    first = b.let(less, x, y)
    with b.block() as side:
        second = b.let(less, y, const(0.5))
    if cond == "and":
        b.put(ir.If(first, tuple(side), (), (ir.Out(out, second, const(False)),)))
    else:
        b.put(ir.If(first, (), tuple(side), (ir.Out(out, const(True), second),)))
    return program(b, [x, y], out)


@pytest.mark.parametrize("word", ("and", "or"))
def test_boolean_logic_is_an_expression(word: str) -> None:
    assert body_of(logic(word)) == f"return x < y {word} y < 0.5"
    for x, y in ((0.0, 0.3), (0.0, 0.9), (0.7, 0.3), (0.9, 0.7)):
        agrees(logic(word), x, y)


def test_a_while_whose_test_needs_statements() -> None:
    b, s, out = Builder(), Var("s", F8), Var("s", F8)
    with b.block() as test:
        root = b.let(sin, s, name="r")
        go = b.let(less, root, const(0.8))
    with b.block() as body:
        after = b.let(add, s, b.let(multiply, root, root))
    b.put(ir.While(tuple(test), go, (Carry(s, const(0.5), after, out),), tuple(body)))
    p = program(b, [], out)
    assert body_of(p) == (
        "s = 0.5\nwhile True:\n    r = math.sin(s)\n    if not r < 0.8:\n        break\n    s = s + r * r\nreturn s"
    )
    agrees(p)


def test_effects_are_the_users_statements() -> None:
    x = Var("x", F8)
    positive, formatted = Var("t", ir.B1), ir.Formatted("{!r} is small", (x,))
    stmts = (
        ir.Let((positive,), greater, (x, const(0.0))),
        ir.Assert(positive, formatted, span=line(2, "assert x > 0.0, '{!r} is small'.format(x)")),
        ir.Print(("at", x)),
    )
    p = Program(ir.Fun("f", (x,), stmts, (x,)))
    text = body_of(p).replace('"', "'")
    assert text == "assert x > 0.0, '{!r} is small'.format(x)\nprint('at', x)\nreturn x"
    agrees(p, 1.0)


PLACES = np.array([0, 2, 2, 1])
ADDED: list[tuple[int, Any]] = [  # the memory's rank, and an index with P for the places
    (1, "P"),
    (2, "P:"),
    (2, ":P"),
    (2, "0P"),
    (2, "P0"),
    (3, "P::"),
    (3, ":P:"),
    (3, "0:P"),
    (3, ":0P"),
    (2, "PP"),
    (3, "P:P"),
]


@pytest.mark.parametrize("scalar", (False, True))
@pytest.mark.parametrize(("rank", "index"), ADDED)
def test_repeated_places_add_up(rank: int, index: str, scalar: bool) -> None:
    b, places = Builder(), Var("places", Type("i8", 1, ref=True))
    a = b.alloc("f8", (const(3),) * rank, const(1.0), name="a")
    where = b.load(places)
    kinds: dict[str, Atom | ir.Slice] = {"P": where, ":": ALL, "0": const(1)}
    plain: dict[str, Any] = {"P": PLACES, ":": slice(None), "0": 1}
    items = tuple(kinds[c] for c in index)
    shape = np.zeros((3,) * rank)[tuple(plain[c] for c in index)].shape
    values = Var("values", Type("f8", len(shape), ref=True))
    b.accumulate(a, items, const(0.5) if scalar else b.load(values))
    numbers = np.random.default_rng(0).normal(size=shape)
    agrees(program(b, [places, values], a), PLACES, numbers)


def test_growing_axes() -> None:
    for shape, index in (((None,), "i"), ((None, const(2)), "ij"), ((const(3), None), "ij"), ((None, None), "ij")):
        b = Builder()
        kept = b.alloc("f8", shape, name="t_kept")
        i, j, total, out = Var("i", I8), Var("j", I8), Var("s", F8), Var("s", F8)
        with b.block() as inner:
            b.store(kept, (i, j)[: len(index)], const(2.5))
        with b.block() as outer:
            b.put(ir.For(j, const(0), const(2), const(1), (), tuple(inner)))
        b.put(ir.For(i, const(0), const(3), const(1), (), tuple(outer)))
        place, back = (Var("i", I8), const(1)), const(-1)
        with b.block() as body:
            after = b.let(add, total, b.load(kept, place[: len(index)]))
        b.put(ir.For(place[0], const(2), back, back, (Carry(total, const(0.0), after, out),), tuple(body)))
        (got,) = agrees(program(b, [], out))
        assert got == 7.5


def test_what_numba_must_take() -> None:
    """Helpers, lists of references, and single precision that stays so, compiled."""
    b, places, x = Builder(), Var("places", Type("i8", 1, ref=True)), Var("x", F4)
    kept = b.alloc("f8", (None,), name="t_kept")
    rows = b.alloc("f8", (None, const(2)), name="m_kept")
    refs, i, one = Var("refs", Type("f8", 1, many=True)), Var("i", I8), Var("one", VECTOR)
    a = b.alloc("f8", (const(3),), name="a")
    b.put(ir.NewList(refs, a))
    with b.block() as body:
        b.store(kept, (i,), const(0.5))
        b.store(rows, (i, ALL), const(0.25))
        fresh = b.alloc("f8", (const(2),), const(3.0))
        b.put(ir.Append(refs, fresh, Var("pos", I8)))
    b.put(ir.For(i, const(0), const(5), const(1), (), tuple(body)))
    b.put(ir.RefAt(one, refs, const(4)))
    b.accumulate(a, (b.load(places),), b.load(kept, (const(4),)))
    half = b.let(multiply, x, Const(0.1, F4))
    p = program(b, [places, x], a, one, b.load(rows, (const(4), const(1))), half)
    space: dict[str, Any] = {}
    exec(render(p, jit_options="cache=False"), space)
    got = space["f"](PLACES, np.float32(3.0))
    for ours, theirs in zip(got, run(p, PLACES, np.float32(3.0)), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert space["f"].overloads[space["f"].signatures[0]].signature.return_type[3] == numba.float32
