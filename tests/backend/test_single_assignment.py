"""The single assignment form that generated functions are compiled through: valid, and meaning the same as Numba's."""

from __future__ import annotations

import itertools
from typing import Any

import numba
import pytest
from numba.core import analysis, ir

import srcgrad as sg
from srcgrad.backend.numba_pipeline import GeneratedCodeCompiler, compile_so
from srcgrad.backend.single_assignment import single_assignment


def straight(x):
    t = x * 2.0
    t = t + x
    t = t * t
    return t


def branches(x, n):
    if x > 1.0:
        y = x
    elif n:
        y = 2.0 * x
        x = y
    else:
        y = 0.5
    return x * y


def loops(x, n):
    s, k = x, 0
    while k < n:
        if s > 3.0:
            s = s / 2.0
            k = k + 2
            continue
        for i in range(k):
            s = s + i * x
            if s > 50.0:
                break
        k = k + 1
    else:
        s = s + 1.0
    return s * k


def read_before_it_is_surely_bound(x, n):
    if n > 100:
        last = x
    for i in range(n):
        if i > 0:
            x = x + last
        last = x * i
    return x


def swaps(x, n):
    a, b, c = x, 2.0 * x, 3.0
    for _ in range(n):
        a, b = b, a + c
        c, a = a, c
    return a + 10.0 * b + 100.0 * c


@pytest.mark.parametrize("function", [branches, loops, read_before_it_is_surely_bound, swaps])
def test_the_results_are_numbas(function):
    usual, ours = numba.njit(function), numba.njit(function)
    compile_so([ours])
    assert ours._compiler.pipeline_class is GeneratedCodeCompiler
    for x, n in itertools.product((0.5, 1.5, 4.0), (0, 1, 2, 7)):
        assert ours(x, n) == usual(x, n)


@pytest.mark.parametrize("function", [straight, branches, loops, read_before_it_is_surely_bound, swaps])
def test_each_name_is_assigned_once_and_read_where_its_assignment_leads(function):
    made = numba.core.compiler.run_frontend(function)
    single_assignment(made)
    where: dict[str, int] = {}
    for label, block in made.blocks.items():
        for stmt in block.body:
            if isinstance(stmt, ir.Assign):
                assert stmt.target.name not in where, stmt
                where[stmt.target.name] = label
    above = analysis.compute_cfg_from_blocks(made.blocks).dominators()
    for label, block in made.blocks.items():
        for stmt in block.body:
            value = getattr(stmt, "value", None)
            if isinstance(value, ir.Expr) and value.op == "phi":
                for var, before in zip(value.incoming_values, value.incoming_blocks, strict=True):
                    assert var is ir.UNDEFINED or where[var.name] in above[before]
            else:
                reads = [v.name for v in stmt.list_vars() if not (isinstance(stmt, ir.Assign) and v is stmt.target)]
                assert all(where[name] in above[label] for name in reads), stmt


def test_generated_functions_are_compiled_so_and_the_users_are_not():
    @numba.njit
    def half(x):
        return 0.5 * x

    def f(x):
        return half(x) * x

    d = sg.grad(f)
    assert d(3.0) == 3.0
    assert d.jitted(3.0)._compiler.pipeline_class is GeneratedCodeCompiler
    assert half._compiler.pipeline_class is numba.core.compiler.Compiler


def test_a_function_of_thousands_of_lines_in_which_names_come_back():
    lines = [f"    t = t * {1 + k / 1e6} + x\n    if t > 1e9:\n        t = x" for k in range(1200)]
    space: dict[str, Any] = {}
    exec("def f(x):\n    t = x\n" + "\n".join(lines) + "\n    return t\n", space)
    made = numba.core.compiler.run_frontend(space["f"])
    single_assignment(made)  # which has no recursion from block to block
    joined = [s for b in made.blocks.values() for s in b.body if getattr(getattr(s, "value", None), "op", "") == "phi"]
    assert len(joined) == 1200
