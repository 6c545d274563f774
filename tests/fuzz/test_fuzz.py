"""A slice of the fuzzer with fixed seeds; the fuzzer itself."""

from __future__ import annotations

import numpy as np
import pytest

from srcgrad.compiler import find_or_make
from tests.fuzz import calls, directed, hunt, weights
from tests.fuzz.checks import Menu, judge
from tests.fuzz.programs import Fuzzed, directed_program, program, random_program
from tests.fuzz.reference import Dropped, run_plain
from tests.fuzz.shrink import shrink
from tests.fuzz.writer import CONSTRUCTS

LONG = """
def f(x, a, b):
    s = x * 0.5
    for i in range(3):
        if a[i] > 0.0:
            b[i] = s
        s = s + math.tan(a[i] * b[0])
    return s * x
"""


def test_every_construct_has_a_weight() -> None:
    assert {group: set(table) for group, table in CONSTRUCTS.items()} == {g: set(t) for g, t in weights.GROUPS.items()}
    assert set(directed.PATTERNS) == set(weights.DIRECTED)


def test_a_seed_gives_one_program() -> None:
    for seed in range(30):
        p, q = program(seed), program(seed)
        assert p.text == q.text and repr(p.args) == repr(q.args) and p.uses == q.uses


SLICES = [("random", first, 14) for first in range(0, 100, 20)] + [("numpy", first, 12) for first in (0, 20)]
SLICES += [("calls", first, 14) for first in (0, 20)]


def test_a_slice_as_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the form that is compiled, in CPython."""
    monkeypatch.setitem(find_or_make.UNJITTED, "loops", True)
    found = [outcome for kind in ("random", "numpy") for outcome in hunt.outcomes(range(200, 212), kind, 1)]
    assert [(o.seed, o.verdict) for o in found if o.verdict.bad] == []
    assert sum(o.verdict.kind == "right" for o in found) >= 18


@pytest.mark.parametrize(("kind", "first", "least"), SLICES)
def test_a_slice(kind: str, first: int, least: int) -> None:
    """least: how many of its programs must be right, and not refused or dropped."""
    tally = hunt.Tally()
    for outcome in hunt.outcomes(range(first, first + 20), kind, 1):
        tally.add(outcome)
    assert [(o.seed, o.verdict) for o in tally.bad] == []
    assert tally.kinds["right"] >= least, tally.report()


def test_all_orders_and_modes_of_random_programs() -> None:
    kinds = [judge(random_program(seed), Menu()) for seed in range(1000, 1030)]
    assert not [(seed, found) for seed, found in enumerate(kinds, 1000) if found.bad]
    assert sum(found.kind == "right" for found in kinds) >= 25


@pytest.mark.parametrize("name", list(weights.DIRECTED))
def test_directed_programs(name: str) -> None:
    for seed in range(3):
        verdict = judge(directed_program(seed, name), Menu.of(seed))
        assert not verdict.bad, (name, seed, verdict)


@pytest.mark.parametrize("seed", (1, 3, 4))
def test_compiled_programs(seed: int) -> None:
    verdict = judge(
        program(seed),
        Menu(
            compiled=True,
            second=False,
            forward=False,
            reverse_twice=False,
            reverse_forward=False,
            forward_twice=False,
        ),
    )
    assert not verdict.bad, verdict


@pytest.mark.parametrize("seed", (2001349, 2001624))
def test_programs_that_numba_compiled_wrong(seed: int) -> None:
    """A store that only a list of references shows, which Numba took for dead beside a comprehension; `t` and `t_2`."""
    p, menu = hunt.case(seed, "compiled")
    assert not hunt.verdict(p, menu).bad


def test_every_transformer_is_called() -> None:
    for seed in (0, 2):
        p, _ = hunt.case(seed, "calls")
        assert calls.judge(p, calls.Transformers()).kind == "right"
    chosen = {name for seed in range(100) for name in calls.Transformers.of(seed).names}
    assert chosen == set(calls.CALLS) == {*calls.FIRST, *calls.SECOND}


def test_a_call_that_does_not_end_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it was once with the names of such a program: `t`, `w_`, `w_[1]`."""

    def endless(*_: object) -> None:
        while True:
            pass

    monkeypatch.setattr("srcgrad.printer.render.name_variables", endless)
    monkeypatch.setattr(calls, "SECONDS", 0.5)
    found = calls.judge(hunt.case(0, "calls")[0], calls.Transformers(("grad",)))
    assert found.kind == "crash" and found.what.startswith("grad: over"), found


def test_odd_names_change_nothing_else() -> None:
    for seed in range(40):
        p, q = program(seed), hunt.case(seed, "calls")[0]
        assert p.text != q.text and repr(run_plain_or_reason(p)) == repr(run_plain_or_reason(q))


def run_plain_or_reason(p: Fuzzed) -> object:
    try:
        return run_plain(p)
    except Dropped as reason:
        return str(reason)


def test_programs_near_kinks_are_dropped() -> None:
    text = "def f(x, a):\n    if a[0] > {}:\n        return x * x\n    return a[0] * x\n"
    args = (0.5, np.array([0.25, 0.5]))
    for limit, kind in ((0.25 + 1e-9, "dropped"), (0.2, "right"), (0.3, "right")):
        assert judge(Fuzzed(f"kink_{limit}", text.format(limit), args), Menu()).kind == kind


def test_shrinking_keeps_what_fails() -> None:
    p = Fuzzed("shrunk", LONG, (0.5, np.ones(3), np.ones(3)))
    small = shrink(p, lambda q: "math.tan(a" in q.text and judge(q, Menu(second=False)).kind == "right")
    assert len(small.text.splitlines()) <= 4 and "if" not in small.text and len(small.args) == 1
