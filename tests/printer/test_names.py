"""The names of generated variables: whatever the user's are, choosing ends, and the text computes the same."""

from __future__ import annotations

import keyword
from random import Random
from typing import Any

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.core import ir
from srcgrad.printer.coalesce import Classes
from srcgrad.printer.evaluation_order import lay_out
from srcgrad.printer.folding import Folds
from srcgrad.printer.names import name_variables, spelled
from tests.fuzz.programs import compiled
from tests.fuzz.reference import limited

PIECES = ("x", "w", "t", "_", "__", "1", "2", "12", "bar", "kept", "in", "np", "é", "፩", "ß", "µ")

# An array `w` that is bound again and again, and elements of it: names with numbers are kept apart there.
TEMPLATE = """
def f(u, {w}):
    {t} = {w} * u
    {x} = {w}[1] + 0.0
    for k in range(3):
        {t} = {t} * {x} * {w}[1] + np.sin({t})
        {w}2 = {t} + {w}
        {t} = {t} * {w}2[1]
    return np.sum({t}) * {w}[1]
"""


def gradients(text: str, name: str) -> tuple[Any, Any]:
    u = np.array([0.3, 0.8, 1.1])
    with limited(20.0):
        out: tuple[Any, Any] = sg.grad(compiled(name, text), argnums=(0, 1), jit=False)(u, u * 0.5)
        return out


def texts() -> list[str]:
    names = ["w_", "w__", "_w", "w_1", "w_1_", "w_1_2", "w1_", "x_bar", "w_bar_", "t_2", "_t_2_", "w_kept", "w_፩", "µ_"]
    names += ["list_", "np_", "math_1", "in_", "lambda_", "match", "é_1", "w_dot", "value", "_"]
    return [TEMPLATE.format(w=w, t=t, x=x) for w in names for t, x in (("t", "x"), (f"{w}_2", f"{w}x_"))]


@pytest.mark.parametrize("number", range(0, len(texts()), 4))
def test_odd_names_end_and_compute_the_same(number: int) -> None:
    wanted = gradients(TEMPLATE.format(w="w", t="t", x="x"), "plain_names")
    for k, text in enumerate(texts()[number : number + 4]):
        for got, known in zip(gradients(text, f"odd_{number + k}"), wanted, strict=True):
            np.testing.assert_allclose(got, known, rtol=1e-13)


@pytest.mark.parametrize("apart", (False, True))
def test_names_of_any_spelling_are_identifiers_of_their_own(apart: bool) -> None:
    """Variables that are all alive at once, of random names."""
    r = Random(7)
    for _ in range(60):
        wishes = ["".join(r.choices(PIECES, k=r.randint(1, 5))) for _ in range(30)]
        with limited(20.0):
            names = list(chosen(wishes, apart))
        assert len(set(names)) == len(names)
        assert all(n.isidentifier() and not keyword.iskeyword(n) for n in names), names


def chosen(wishes: list[str], apart: bool) -> Any:
    params = tuple(ir.Var(w, ir.Type("f8", 1, ref=True)) for w in wishes)
    loads = tuple(ir.Load(ir.Var(p.name, ir.F8), p, (ir.Const(k, ir.I8),)) for k, p in enumerate(params))
    fun = ir.Fun("f", params, loads, (*params, *(s.target for s in loads), *(s.target for s in loads)))
    folds = Folds(fun)
    nodes = lay_out(fun.body, folds)
    return name_variables(fun, Classes(fun, nodes, folds), folds.defs, {"np", "f"}, apart).values()


@pytest.mark.parametrize("wish", ("a b", "1x", "", "___", "x-y", "௰", "፩", "½", "params['w'][1]", "Ⅷ", "जाति"))
def test_a_wish_is_spelled_as_an_identifier(wish: str) -> None:
    assert spelled(wish).isidentifier()


@pytest.mark.parametrize("name", ("w_", "x_bar", "t_2", "k_kept"))
def test_second_derivatives_have_names_too(name: str) -> None:
    f = compiled(f"second_{name}", TEMPLATE.format(w=name, t="t", x="x"))
    u, d = np.array([0.3, 0.8, 1.1]), np.array([1.0, -0.5, 0.25])
    with limited(60.0):
        product = sg.hvp(f, jit=False)(u, u * 0.5, d)
        np.testing.assert_allclose(sg.hessian(f, jit=False)(u, u * 0.5) @ d, product, rtol=1e-12)
