"""Iterations that are written out share no statement: passes tell statements apart by identity."""

from __future__ import annotations

import numpy as np

from srcgrad.core import walk
from srcgrad.core.ir import Program
from srcgrad.core.read_text import read
from srcgrad.core.run import run
from srcgrad.rules.language import registry
from srcgrad.schedule.unroll import unroll
from srcgrad.simplify.pipeline import simplify

SAME_IN_EACH = """
fun f(x: &f8[1]):
    n: i8 = dim(x) {axis=0}
    a: &f8[1] = alloc zeros (n)
    small: &f8[1] = alloc zeros (3)
    for i: i8 in range(0, 3, 1):
        v: f8 = load a[-1]
        store small[i] = v
        store a[-1] = 0.0
        w: f8 = load x[i]
        a[-1] += w
    s: f8 = load small[1]
    t: f8 = load small[2]
    u: f8 = load a[-1]
    return s, t, u
"""


def test_each_iteration_has_statements_of_its_own() -> None:
    fun = unroll(read(SAME_IN_EACH.strip() + "\n", registry.PRIMITIVES).main)
    stmts = list(walk.walk(fun.body))
    assert len(stmts) == len(set(stmts)) > 12


def test_what_is_the_same_in_each_iteration_stays() -> None:
    program = read(SAME_IN_EACH.strip() + "\n", registry.PRIMITIVES)
    made = simplify(Program(unroll(program.main), {}))
    assert [float(v) for v in run(made, np.array([1.0, 2.0, 3.0]))] == [1.0, 2.0, 3.0]
