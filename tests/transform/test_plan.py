"""What the plan decides, program by program."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from srcgrad.analysis.effects import Facts
from srcgrad.core import ir
from srcgrad.core.walk import walk
from srcgrad.simplify.pipeline import simplify
from srcgrad.transform.compositions import grad, hessian, jacrev
from srcgrad.transform.plan import Plan, Policy
from srcgrad.transform.reverse import reverse
from srcgrad.transform.storage import Listed
from tests.transform import memory_programs as programs
from tests.transform.test_reverse import floats, lowered


def plan_of(fun: Callable[..., Any]) -> Plan:
    return Plan(Facts(lowered(fun, programs.PROGRAMS[fun]).main))


def kept_arrays(fun: Callable[..., Any]) -> int:
    """The arrays and lists that the finished gradient keeps."""
    program = simplify(grad(lowered(fun, programs.PROGRAMS[fun]), [0]))
    made = [s for s in walk(program.main.body) if isinstance(s, (ir.NewList, ir.Alloc))]
    return sum(isinstance(s, ir.NewList) or s.target.name.endswith("_kept") for s in made)


DECISIONS = [
    (programs.only_read, {"reload"}),
    (programs.in_place_product, {"keep", "reload", "named"}),
    (programs.scratch, {"reload"}),
    (programs.branch_at_the_top, {"keep", "reload", "named"}),
    (programs.triangular, {"keep", "named"}),
]


@pytest.mark.parametrize(("fun", "expected"), DECISIONS, ids=lambda x: getattr(x, "__name__", ""))
def test_loads_are_decided(fun: Callable[..., Any], expected: set[str]) -> None:
    assert set(plan_of(fun).decision.values()) == expected


@pytest.mark.parametrize("fun", [programs.time_steps_in_place, programs.sliced_steps, programs.buffers_of_two_lengths])
def test_time_steps_take_a_snapshot(fun: Callable[..., Any]) -> None:
    counts = [len(roots) for roots in plan_of(fun).snapshots.values()]
    assert max(counts) == 1


def test_triangular_loops_take_none() -> None:
    assert not any(plan_of(programs.triangular).snapshots.values())


def test_snapshots_are_not_nested() -> None:
    plan = plan_of(programs.time_steps_in_place)
    assert sum(map(len, plan.snapshots.values())) == 1


@pytest.mark.parametrize(
    ("fun", "mode"), [(programs.rotated, "swap"), (programs.chosen_buffer, "list"), (programs.escaping, "list")]
)
def test_references_that_go_round(fun: Callable[..., Any], mode: str) -> None:
    plan = plan_of(fun)
    carrying = [m for loop, m in plan.references.items() if any(c.inner.type.ref for c in loop.carry)]
    assert set(carrying) == {mode}


@pytest.mark.parametrize(
    ("fun", "count"),
    [(programs.only_read, 0), (programs.carried_scalar, 2), (programs.in_place_product, 1), (programs.overlapping, 0)],
)
def test_a_gradient_keeps_no_more_than_it_needs(fun: Callable[..., Any], count: int) -> None:
    assert kept_arrays(fun) == count


def test_a_sum_has_no_forward_sweep_in_its_gradient() -> None:
    program = simplify(grad(lowered(programs.only_read, programs.PROGRAMS[programs.only_read]), [0]))
    assert Counter(type(s) for s in walk(program.main.body))[ir.For] == 1


def test_the_plan_prints() -> None:
    lines = list(plan_of(programs.in_place_product).describe())
    assert lines == ["a_kept (line 18): kept at each load, for a is overwritten later"]
    sine, line = plan_of(programs.carried_scalar).describe()
    assert sine == "t_kept (line 33): kept at each visit, for 6; to compute it again costs 15 (1: a multiplication)"
    assert line.startswith("s_kept (line ") and "its value at the entry of each iteration" in line
    assert sum("a snapshot an iteration" in line for line in plan_of(programs.time_steps_in_place).describe()) == 1


POLICIES: tuple[Policy, ...] = ("auto", "keep", "snapshot")


def unexplained(program: ir.Program) -> list[str]:
    """The memory that is kept by its name, and of which the plan says nothing."""
    main = program.main
    said = {(kept.name, kept.type) for kept in main.facts.plan}
    made = [s.target for s in walk(main.body) if isinstance(s, (ir.NewList, ir.Alloc))]
    return [v.name for v in made if v.name.endswith(("_kept", "_bars")) and (v.name, v.type) not in said]


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("fun", programs.PROGRAMS, ids=lambda f: f.__name__)
def test_all_that_is_kept_has_a_reason(fun: Callable[..., Any], policy: Policy) -> None:
    program = lowered(fun, programs.PROGRAMS[fun])
    once = simplify(reverse(program, floats(program.main), policy))
    assert unexplained(once) == []
    if policy == "auto":
        assert unexplained(simplify(reverse(once, floats(once.main)))) == []


@pytest.mark.parametrize("order", ["rows", "columns"])
def test_jacobians_tell_what_their_sweeps_keep(order: str) -> None:
    program = lowered(programs.carried_scalar, programs.PROGRAMS[programs.carried_scalar])
    made = jacrev(program, [0], simplify) if order == "rows" else hessian(program, [0], simplify)
    assert unexplained(made) == [] and {kept.name for kept in made.main.facts.plan} >= {"s_kept", "t_kept"}


def test_allocations_that_escape_are_known_before_the_emission() -> None:
    plan = plan_of(programs.escaping)
    (escape,) = plan.escapes
    assert isinstance(escape, ir.Alloc)
    storage = plan.storage[escape]
    assert isinstance(storage, Listed) and storage.name.endswith("_bars")


@pytest.mark.parametrize("fun", [programs.rotated, programs.buffers_of_two_lengths], ids=lambda f: f.__name__)
def test_snapshots_come_in_the_order_of_the_accesses(fun: Callable[..., Any]) -> None:
    """The same source in each run: sets of variables have no order."""
    plan = Plan(Facts(lowered(fun, programs.PROGRAMS[fun]).main), "snapshot")
    for loop, roots in plan.snapshots.items():
        met = [a.ref for a in walk(loop.body) if isinstance(a, ir.Load) and a.ref in roots]
        assert [r for r in dict.fromkeys(met) if r in roots] == [r for r in roots if r in met]
