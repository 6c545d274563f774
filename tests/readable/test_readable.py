"""Generated derivatives as they read, beside adjoints by hand, which compute the same."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.benchmarks import generated
from tests.readable import by_hand
from tests.readable.table import ENTRIES, Entry
from tests.schedule.in_loops import value_and_grad_in_loops

GOLDEN = Path(__file__).parents[1] / "golden" / "readable"
NAMES = tuple(ENTRIES)


@pytest.mark.parametrize("name", NAMES)
def test_source(name: str, request: pytest.FixtureRequest) -> None:
    path = GOLDEN / f"{name}.py"
    made = ENTRIES[name].source
    if request.config.getoption("--update-golden"):
        path.write_text(made, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == made


@pytest.mark.parametrize("name", NAMES)
def test_adjoints_by_hand_compute_the_same(name: str) -> None:
    entry = ENTRIES[name]
    ours = leaves(value_and_grad_in_loops(entry.fun, entry.argnums)(*entry.args()))
    others = leaves(getattr(by_hand, name)(*entry.args()))
    for one, other in zip(ours, others, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_lines_beside_those_by_hand(name: str) -> None:
    primal, ours, hand = lines(name, ENTRIES[name])
    assert ours <= ENTRIES[name].most, f"{name}: {primal} lines of the function, {ours} of ours, {hand} by hand"


@pytest.mark.parametrize("name", NAMES)
def test_the_derivative_stands_first(name: str) -> None:
    first = next(line for line in (GOLDEN / f"{name}.py").read_text().splitlines() if line.startswith("def "))
    assert first.startswith(f"def {ENTRIES[name].fun.__name__}_value_and_grad(")


@pytest.mark.parametrize("name", NAMES)
def test_a_line_is_shown_once_in_each_sweep(name: str) -> None:
    """Of the function itself: once where it is run, or run again, and once going back."""
    text = (GOLDEN / f"{name}.py").read_text(encoding="utf-8")
    for part in text.replace("# reverse", "\n\n\n").split("\n\n\n"):
        comments = Counter(line.strip() for line in part.splitlines() if line.strip().startswith("#"))
        assert max(comments.values(), default=0) <= 2


def lines(name: str, entry: Entry) -> tuple[int, int, int]:
    """Of the function, of its derivative, and of the one by hand."""
    hand = getattr(by_hand, name)
    made = (GOLDEN / f"{name}.py").read_text(encoding="utf-8")
    return generated.primal_lines(entry.fun), generated.generated_lines(made), generated.primal_lines(hand)


def leaves(tree: Any) -> list[Any]:
    return [leaf for item in tree for leaf in leaves(item)] if isinstance(tree, (tuple, list)) else [tree]
