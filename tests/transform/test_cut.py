"""What the plan keeps and computes again: the cut by itself, what it is told, and that every choice gives the same."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest

from srcgrad.analysis.effects import Facts
from srcgrad.analysis.varying import Varying
from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.core.ir import Var
from srcgrad.core.run import run
from srcgrad.core.walk import walk
from srcgrad.rules.language import registry
from srcgrad.simplify.pipeline import simplify
from srcgrad.transform.max_flow import INFINITE, Network
from srcgrad.transform.operands import operands
from srcgrad.transform.plan import Keeping, Plan
from srcgrad.transform.reverse import keep_values, reverse
from tests.fuzz.checks import Menu
from tests.fuzz.hunt import case, verdict
from tests.transform.test_reverse import floats, lowered

Edges = list[tuple[int, int, float]]


def cheapest(nodes: int, edges: Edges) -> float:
    """The least capacity of all cuts, found by trying each."""
    best = INFINITE
    for inner in itertools.product((False, True), repeat=nodes - 2):
        side = [True, False, *inner]
        best = min(best, sum(room for a, b, room in edges if side[a] and not side[b]))
    return best


@pytest.mark.parametrize("seed", range(40))
def test_the_cut_is_the_least(seed: int) -> None:
    random, nodes = Random(seed), 7
    edges: Edges = []
    for _ in range(random.randint(4, 16)):
        a, b = random.sample(range(nodes), 2)
        edges.append((a, b, random.choice((1.0, 2.0, 5.0, INFINITE)) if a and b != 1 else float(random.randint(0, 6))))
    network = Network(nodes)
    for edge in edges:
        network.edge(*edge)
    side = network.cut(0, 1)
    assert 0 in side and 1 not in side
    assert sum(room for a, b, room in edges if a in side and b not in side) == cheapest(nodes, edges)


READ: list[tuple[str, list[bool], set[str]]] = [
    ("add", [True, True], set()),
    ("multiply", [True, True], {"a", "b"}),
    ("multiply", [True, False], {"b"}),
    ("divide", [True, False], {"b"}),
    ("divide", [False, True], {"b", "y"}),
    ("where", [False, True, True], {"a"}),
    ("exp", [True], {"y"}),
    ("sin", [True], {"a"}),
    ("sqrt", [True], {"y"}),
    ("greater", [False, False], set()),
]


@pytest.mark.parametrize(("name", "active", "expected"), READ)
def test_what_an_adjoint_reads(name: str, active: list[bool], expected: set[str]) -> None:
    op = registry.PRIMITIVES[name]
    args = tuple(Var(n, ir.B1 if (name, n) == ("where", "a") else ir.F8) for n in "abc"[: len(active)])
    let = ir.Let((Var("y", ir.B1 if name == "greater" else ir.F8),), op, args)
    assert {v.name for v in operands(let, active)} == expected


def test_lengths_are_not_read() -> None:
    builder, x = Builder(), Var("x", ir.Type("f8", 1))
    builder.let(registry.PRIMITIVES["sum"], x, axes=(0,), keepdims=False)
    (let,) = builder.out
    assert isinstance(let, ir.Let) and operands(let, [True]) == []


def nested(x: Any, n: int, m: int) -> float:
    a = np.zeros(m)
    total = 0.0
    for i in range(n):
        scale = 2.0 * i
        for j in range(m):
            kept = x[j] * 3.0
            total += kept * scale * a[j]
        for j in range(m):
            a[j] = x[j] + scale
    return total


def test_where_values_change() -> None:
    program = lowered(nested, (np.ones(3), 2, 3))
    facts = Facts(program.main)
    varying = Varying(facts)
    outer, inner, _ = (s for s in walk(program.main.body) if isinstance(s, ir.For))
    loads = [s.target for s in walk(inner.body) if isinstance(s, ir.Load)]
    changes = {v.name: varying.of(v) & {outer, inner} for v in loads}
    assert changes == {"x": {inner}, "a": {outer, inner}}
    (scale,) = (s.target for s in outer.body if isinstance(s, ir.Let) and s.target.name == "scale")
    assert varying.of(scale) == {outer}


def gated(x: Any, c: float) -> float:
    s = c
    for i in range(len(x)):
        t = 0.0
        for j in range(i):
            t += np.sin(x[j] * s)
        s = s * np.exp(t / (i + 1.0))
    return s


def test_the_costs_are_told() -> None:
    program = lowered(gated, (np.ones(3), 0.5))
    lines = list(Plan(Facts(program.main)).describe())
    assert any("kept at each visit, for " in line and "to compute it again costs " in line for line in lines)
    assert not any("at each visit" in line for line in Plan(Facts(program.main), keeping="none").describe())


CHOICES: tuple[Keeping, ...] = ("cost", "all", "none")


def same_by_every_choice(program: ir.Program, args: Any) -> None:
    weights = [np.ones(np.shape(r)) if np.ndim(r) else 1.0 for r in run(program, *args)]
    seeds = [w for w, r in zip(weights, program.main.results, strict=True) if r.type.is_float]
    found = []
    for keeping in CHOICES:
        with keep_values(keeping):
            found.append(run(simplify(reverse(program, floats(program.main))), *args, *seeds))
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("fun", "args"), [(gated, (np.array([0.3, -0.4, 0.8]), 0.5)), (nested, (np.ones(3), 4, 3))])
def test_every_choice_gives_the_same(fun: Callable[..., Any], args: Any) -> None:
    same_by_every_choice(lowered(fun, args), args)


@pytest.mark.parametrize("seed", range(0, 60, 3))
def test_every_choice_is_right_for_random_programs(seed: int) -> None:
    """Beside the reference, which knows nothing of what is kept."""

    p, menu = case(seed, "random")
    assert isinstance(menu, Menu)
    for keeping in CHOICES:
        found = verdict(p, replace(menu, keeping=keeping, second=False, reverse_twice=False, reverse_forward=False))
        assert not found.bad, (keeping, found)
