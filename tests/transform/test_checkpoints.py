"""Loops that are run again from snapshots give what they give where all is kept."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from srcgrad.core import ir
from srcgrad.core.run import run
from srcgrad.core.verify import verify
from srcgrad.core.walk import walk
from srcgrad.errors import UnsupportedError
from srcgrad.frontend.lowering.function import lower
from srcgrad.frontend.source.structure import describe
from srcgrad.rules.language.checkpoints import next_snapshot
from srcgrad.simplify.pipeline import simplify, simplify_fun
from srcgrad.transform.forward import forward
from srcgrad.transform.reverse import reverse
from tests.hard.cases import RIGHT
from tests.hard.compare import Comparison
from tests.hard.engines import Core
from tests.transform.checkpoint_programs import PROGRAMS, X

LIMITS = [(1, 0), (3, 0), (100, 0), (0, 200), (0, 10**6)]


def limit(snapshots: int, bytes: int, strict: bool = True) -> ir.Checkpoints:
    return ir.Checkpoints(snapshots, bytes, strict, simplify_fun)


def lowered(fun: Callable[..., Any], args: tuple[Any, ...], checkpoint: ir.Checkpoints | None = None) -> ir.Program:
    program = simplify(lower(fun, [describe(a) for a in args]).program)
    main = program.main
    return replace(program, main=replace(main, facts=replace(main.facts, checkpoint=checkpoint)))


def floats(fun: ir.Fun) -> list[int]:
    return [k for k, p in enumerate(fun.params) if p.type.is_float]


def adjoint(fun: Callable[..., Any], args: tuple[Any, ...], checkpoint: ir.Checkpoints | None = None) -> ir.Program:
    program = lowered(fun, args, checkpoint)
    made = simplify(reverse(program, floats(program.main)))
    for each in (made.main, *made.callees.values()):
        verify(each)
    return made


def takes_snapshots(program: ir.Program) -> bool:
    funs = (program.main, *program.callees.values())
    return any(isinstance(s, ir.Alloc) and s.target.name == "taken" for fun in funs for s in walk(fun.body))


def same(got: Any, wanted: Any) -> None:
    for one, other in zip(got, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("fun", PROGRAMS, ids=lambda f: f.__name__)
def test_adjoints_are_those_of_the_plan_that_keeps_all(fun: Callable[..., Any]) -> None:
    args = PROGRAMS[fun]
    wanted = run(adjoint(fun, args), *args, 1.0)
    for each in LIMITS:
        made = adjoint(fun, args, limit(*each))
        assert takes_snapshots(made), each
        same(run(made, *args, 1.0), wanted)


@pytest.mark.parametrize("fun", PROGRAMS, ids=lambda f: f.__name__)
def test_no_iterations_at_all(fun: Callable[..., Any]) -> None:
    args = tuple(0 if isinstance(a, int) and not isinstance(a, bool) else a for a in PROGRAMS[fun])
    wanted = run(adjoint(fun, args), *args, 1.0)
    for each in ((2, 0), (0, 10**4)):
        same(run(adjoint(fun, args, limit(*each)), *args, 1.0), wanted)


@pytest.mark.parametrize("fun", list(PROGRAMS)[::2], ids=lambda f: f.__name__)
def test_second_derivatives(fun: Callable[..., Any]) -> None:
    """Forward over reverse, and reverse over reverse with snapshots of the loops of the first derivative, too."""
    args = PROGRAMS[fun]
    dots = [np.cos(np.arange(np.size(a))).reshape(np.shape(a)) if np.ndim(a) else 0.7 for a in args if _float(a)]
    outs = []
    for checkpoint in (None, limit(2, 0, strict=False), limit(0, 200, strict=False)):
        first = adjoint(fun, args, checkpoint)
        places = floats(first.main)
        outs.append([*run(simplify(forward(first, frozenset(places))), *args, 1.0, *dots, 0.0)])
        again = replace(first.main, facts=replace(first.main.facts, checkpoint=checkpoint))
        twice = simplify(reverse(replace(first, main=again), places))
        verify(twice.main)
        seeds = [np.ones(np.shape(r)) if np.ndim(r) else 1.0 for r in run(first, *args, 1.0)]
        outs.append([*run(twice, *args, 1.0, *seeds)])
    for k in (2, 4):
        same(outs[k], outs[0])
        same(outs[k + 1], outs[1])


def _float(a: Any) -> bool:
    return isinstance(a, (float, np.ndarray))


LOOPS = [c for c in RIGHT if "for " in inspect.getsource(c.fun)][::12]


@pytest.mark.parametrize("case", LOOPS, ids=lambda c: c.name)
def test_hard_cases(case: Any) -> None:
    assert Comparison(case, Core(case, checkpoint=limit(2, 0, strict=False))).run() == []


# ---- how much is run again


def best(steps: int, snapshots: int, known: dict[tuple[int, int], int]) -> int:
    """The fewest steps that reversing so many takes, by trying every place for the next snapshot."""
    if steps == 1 or snapshots == 1:
        return steps * (steps - 1) // 2
    if (steps, snapshots) not in known:
        known[steps, snapshots] = min(
            m + best(steps - m, snapshots - 1, known) + best(m, snapshots, known) for m in range(1, steps)
        )
    return known[steps, snapshots]


def taken(steps: int, snapshots: int) -> int:
    """The steps that it takes by the rule that generated code follows."""
    if steps == 1 or snapshots == 1:
        return steps * (steps - 1) // 2
    ahead = next_snapshot.evaluate(0, steps, 1, snapshots)
    return int(ahead) + taken(steps - ahead, snapshots - 1) + taken(ahead, snapshots)


@pytest.mark.parametrize("snapshots", [1, 2, 3, 5, 8])
def test_as_few_iterations_are_run_again_as_can_be(snapshots: int) -> None:
    known: dict[tuple[int, int], int] = {}
    for steps in range(1, 60):
        assert taken(steps, snapshots) == best(steps, snapshots, known)


# ---- what is refused, and what is left as it is


def draws(x, n):
    for t in range(n):
        x = math.sin(x) + np.random.random()
    return x


def appends(x, n):
    items = [x]
    for t in range(n):
        items.append(math.sin(items[t]))
    return items[-1] * items[0]


def chosen(x, n):
    a, b = x.copy(), x * 2.0
    u = a if x[0] > 0.0 else b
    for t in range(n):
        u[0] = math.sin(u[0]) + u[1]
    return np.sum(a) + np.sum(b)


def other_name(x, n):
    a, b = x.copy(), x * 2.0
    u, w = a, b
    for t in range(n):
        w[0] = math.sin(u[0]) + w[1]
        u, w = w, u
    return np.sum(a) + np.sum(u)


REFUSED = {draws: 0.3, appends: 0.3, chosen: X, other_name: X}


@pytest.mark.parametrize("fun", REFUSED, ids=lambda f: f.__name__)
def test_loops_that_cannot_be_run_again_are_refused_at_their_line(fun: Callable[..., Any]) -> None:
    with pytest.raises(UnsupportedError, match="cannot be checkpointed") as error:
        adjoint(fun, (REFUSED[fun], 5), limit(3, 0))
    assert error.value.problems[0].source.strip().startswith(("for ", "while "))
    assert not takes_snapshots(adjoint(fun, (REFUSED[fun], 5), limit(3, 0, strict=False)))


def grows(x, n):
    for t in range(n):
        x = np.concatenate((x, x[:1] * math.sin(x[0])))
    return np.sum(x * x)


def buffers_of_two_lengths(x, n):
    u, w = x.copy(), np.ones(len(x) + 1)
    for t in range(n):
        w[0] = math.sin(u[0]) + w[1]
        u, w = w, u
    return np.sum(u)


@pytest.mark.parametrize("fun", [grows, buffers_of_two_lengths], ids=lambda f: f.__name__)
def test_an_array_that_changes_its_shape_is_noticed(fun: Callable[..., Any]) -> None:
    for each in ((1, 0), (3, 0), (0, 10**4)):
        with pytest.raises(ValueError, match="changes in a loop that is checkpointed"):
            run(adjoint(fun, (X, 5), limit(*each)), X, 5, 1.0)
    assert not takes_snapshots(adjoint(fun, (X, 5), limit(3, 0, strict=False)))


def only_sums(x, n):
    s = 0.0
    for i in range(len(x)):
        s += x[i] * x[i]
    return s


def test_a_loop_that_keeps_nothing_is_left_as_it_is() -> None:
    one, other = adjoint(only_sums, (X, 3)), adjoint(only_sums, (X, 3), limit(3, 0))
    assert not takes_snapshots(other)
    assert len(list(walk(one.main.body))) == len(list(walk(other.main.body)))
