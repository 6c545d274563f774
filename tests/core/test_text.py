"""A program is text that reads back: written, read and written again it is the same, and computes the same."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.compiler import program as pipeline
from srcgrad.core import ir
from srcgrad.core.ir import F8, Fun, Program, Var
from srcgrad.core.read_text import TextError, read
from srcgrad.core.run import run
from srcgrad.core.verify import verify
from srcgrad.core.walk import walk
from srcgrad.core.write_text import write
from srcgrad.rules.language.registry import PRIMITIVES
from tests import oracle
from tests.core.generate import arguments, random_program
from tests.hard.cases import RIGHT
from tests.hard.table import Case


def again(program: Program) -> Program:
    """The program written and read back, which must be written the same, what is known of its functions too."""
    text = write(program)
    made = read(text, PRIMITIVES)
    verify(made)
    assert write(made) == text
    return made


@pytest.mark.parametrize("seed", range(40))
def test_random_programs_read_back(seed: int) -> None:
    program = random_program(seed)
    args = arguments(seed)
    for a, b in zip(run(again(program).main, *args), run(program.main, *args), strict=True):
        np.testing.assert_array_equal(a, b)


# a Jacobian is of floats alone
OF_FLOATS = [case for case in RIGHT[::6] if case.name != "integer_result_beside"]


@pytest.mark.parametrize("case", OF_FLOATS, ids=lambda c: c.name)
def test_every_stage_reads_back(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def watch(name: str, program: Program) -> None:
        again(program)
        seen.append(name)

    monkeypatch.setattr(pipeline, "WATCHERS", [watch])
    args = case.args()
    active = [k for k, arg in enumerate(args) if oracle.float_leaves(arg)]
    sg.jacrev(case.fun, argnums=active, jit=False).source_for(*args)
    assert {"simplify", "jacrev", "parallel"} <= set(seen)


TEXT = """\
fun f(x: &f8[1], n: i8):
    s.3: f8 = for i: i8 in range(0, n, 1) with s: f8 = 0.0:
        t: f8 = load x[i]
        s.2: f8 = add(s, t)
        next s.2
    return s.3
"""


def test_a_text_is_a_program() -> None:
    (total,) = run(read(TEXT, PRIMITIVES), np.array([1.0, 2.0, 4.0]), 2)
    assert total == 3.0


def test_what_is_known_of_a_function_reads_back() -> None:
    """Each fact, with the variables that it speaks of."""
    refs = ir.Type("f8", 1, many=True)
    x, y, n = Var("x", ir.Type("f8", 1, ref=True)), Var("y", ir.Type("f8", 1, ref=True)), Var("n", ir.I8)
    facts = ir.FunFacts(
        overwritten=("x", "it's"), ordered=("x",), captured=("n",), shares=((0, 1), (1, 0)), together=((0, 1),),
        changed=True, equal_lengths=True, may_be_left=True,
        no_unit_axes=frozenset({x, y}), least={x: (4,)}, unit_axes={y: (0,)}, same_shapes=((y, x),),
        longer=(ir.Longer(x, 0, 3, y, 0, 2), ir.Longer(y, 0, 1, x, 0, 0)), lengths={x: (4,), y: (2,)},
        plan=(ir.Kept("x_kept", ir.I8, None, "it is needed"), ir.Kept("y", refs, 3, "it's read", True)),
        checks=(1, 0, 2), parallel=(ir.Verdict("i", 3, "in parallel"),), kernel=ir.KernelFacts((y, x)), in_place=True,
        results=frozenset({x}),
    )  # fmt: skip
    told = [f.name for f in fields(facts) if f.name != "checkpoint"]  # a function, which has no text
    assert all(getattr(facts, name) != getattr(ir.FunFacts(), name) for name in told)
    made = again(Program(Fun("f", (x, y, n), (), (x,), facts))).main
    there = dict(zip((x, y, n), made.params, strict=True))
    assert made.facts == replace(
        facts,
        no_unit_axes=frozenset({there[x], there[y]}),
        least={there[x]: (4,)},
        unit_axes={there[y]: (0,)},
        longer=(ir.Longer(there[x], 0, 3, there[y], 0, 2), ir.Longer(there[y], 0, 1, there[x], 0, 0)),
        same_shapes=((there[y], there[x]),),
        lengths={there[x]: (4,), there[y]: (2,)},
        kernel=ir.KernelFacts((there[y], there[x])),
        results=frozenset({there[x]}),
    )


def test_what_is_known_of_variables_that_are_gone_is_not_written() -> None:
    x, gone = Var("x", ir.Type("f8", 1, ref=True)), Var("x", ir.Type("f8", 1, ref=True))
    facts = ir.FunFacts(no_unit_axes=frozenset({gone}), same_shapes=((gone, x), (x, gone)), lengths={gone: (3,)})
    assert again(Program(Fun("f", (x,), (), (x,), facts))).main.facts == ir.FunFacts()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("add(s, t)", "add(s, u)", "'u' is not bound"),
        ("load x[i]", "load x[i", "ends too soon"),
        ("next s.2", "next s.2 $", "cannot read"),
    ],
)
def test_what_is_wrong_is_told_with_the_line(old: str, new: str, message: str) -> None:
    with pytest.raises(TextError, match=message) as error:
        read(TEXT.replace(old, new), PRIMITIVES)
    assert "the line" in str(error.value)


PASSING = """\
fun f(x: f8, n: i8, a: &f8[1]):
    print 'x is', x, n, (x, ('one',)), literal None
    print
    print format '{:.3f} {!r}' (x, python n) {sep='', flush=True}
    positive: b1 = greater(x, 0.0)
    assert positive
    assert positive, 'a text with "quotes", \\\\ and {braces}:'
    assert False, literal ['a', b'b', {'c': 1, 'd': (2.5, True)}, {3}]
    seed numpy n
    seed python 3
    if positive:
        raise ValueError
    if positive:
        raise ValueError 'too large', x, 1, -2.5, a
    if positive:
        raise ShapeError of 'srcgrad.errors' filling 'x is {:.2f}' x
    if positive:
        raise IndexError 'a[n] is out of range (line 3 of f)' else IndexError 'a[n] is out of range' 'from -n to n - 1'
    if positive:
        raise ValueError 'n to a negative power' else PowerError 'n to a power' 'make it a float'
    if positive:
        leave 0, 0.0, 0.5~f4, False
    return x
"""


def test_what_passes_through_reads_back() -> None:
    program = read(PASSING, PRIMITIVES)
    assert write(program) == PASSING
    statements = [s for s in walk(program.main.body) if isinstance(s, ir.Effect)]
    assert [type(s).__name__ for s in statements] == ["Print"] * 3 + ["Assert"] * 3 + ["Seed"] * 2 + [
        *["Raise"] * 5,
        "Return",
    ]
    literal = statements[5]
    assert isinstance(literal, ir.Assert) and literal.message == ir.Literal(
        ["a", b"b", {"c": 1, "d": (2.5, True)}, {3}]
    )
    index, power = (s.failure for s in statements[11:13] if isinstance(s, ir.Raise))
    assert index is not None and index.text == "a[n] is out of range (line 3 of f)"
    assert power is not None and power.error == "PowerError"


@pytest.mark.parametrize("name", ["print", "seed", "leave", "literal", "python", "format", "of", "filling"])
def test_a_variable_may_have_the_name_of_a_word(name: str) -> None:
    x, y = (Var(name, F8) for _ in range(2))
    body = (ir.Let((y,), PRIMITIVES["add"], (x, x)), ir.Print(("at", x, (y, ir.Formatted("{!r}", (ir.AsPython(y),))))))
    again(Program(ir.Fun("f", (x,), body, (y,))))
