"""What is made for arguments of one shape alone: lengths are literals, and what follows from them is folded."""

from __future__ import annotations

import math

import numpy as np

from srcgrad import jacfwd
from srcgrad.compiler import program, to_source
from srcgrad.compiler.request import Recipe
from srcgrad.core.ir import Program
from srcgrad.core.run import run
from srcgrad.core.shapes import fixed
from srcgrad.core.types import Type
from srcgrad.frontend.source.structure import Leaf
from srcgrad.optimize.methods import newton_loop


def residual(x):
    y = np.zeros_like(x)
    y[0] = x[0] - math.cos(x[1])
    y[1] = x[1] * x[0] - 0.5
    return y


def for_shape(fun, shape):
    made = program.derive(fun, Recipe("value", leaves=()), [Leaf(Type("f8", len(shape), ref=True))])
    return made.program, program.tidy(Program(fixed(made.program.main, [shape]), made.program.callees))


def test_checks_and_lengths_go():
    free, known = for_shape(jacfwd(residual), (2,))
    text = to_source.text(known, None)
    assert "raise IndexError" in to_source.text(free, None)
    assert "raise" not in text and "shape" not in text
    assert "np.zeros((2, 2))" in text or "np.empty((2, 2))" in text
    x = np.array([0.3, 0.8])
    np.testing.assert_array_equal(run(known, x)[0], run(free, x)[0])


def test_a_check_that_surely_fails_stays():
    _, known = for_shape(jacfwd(residual), (1,))
    assert "raise IndexError" in to_source.text(known, None)


def test_a_solver_of_one_size():
    loop = newton_loop(residual, 1, "forward", False, False)
    specs = loop._specs((np.ones(2), (), 1e-12, 50))
    made = program.derive(loop, Recipe("value", leaves=()), specs)
    text = to_source.text(program.tidy(Program(fixed(made.program.main, [(2,)]))), None)
    assert "shape" not in text and "range(2)" in text
