"""The pages about functions are those that the declarations give; a rule added in one place brings all with it."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from srcgrad import grad
from srcgrad.rules.language import registry
from srcgrad.rules.language.declare import Edge, elementwise
from srcgrad.rules.scalar.elementwise import absolute
from srcgrad.testing.matrix import COLUMNS, check_rule
from tests.rules import coverage, pages
from tests.rules.mutants import mutants, survives

NEWER = ("`math.sumprod`",)  # functions that the oldest Python, for which the page is written, does not have


def test_the_page_of_functions_is_up_to_date() -> None:
    lines = "".join(pages.page()).rstrip("\n").split("\n")
    shown = [line for line in lines if not any(name in line for name in NEWER)]
    assert "\n".join(shown) + "\n" == pages.PAGE.read_text("utf-8"), "python -m tests.rules.pages"


def test_every_function_that_has_a_rule_is_listed() -> None:
    listed = {function for home in pages.names().values() for _, function in home}
    own = ("srcgrad", "_operator")
    left = [f for f in registry.FUNCTIONS if not (getattr(f, "__module__", None) or "numpy").startswith(own)]
    assert [f for f in left if f not in listed] == []


def test_every_function_without_a_rule_has_a_reason() -> None:
    """Those that have a derivative and no rule yet are counted in the page; no function is without a word."""
    text = coverage.PAGE.read_text("utf-8")
    if coverage.VERSIONS not in text:
        pytest.skip("docs/numpy-coverage.md speaks of other versions of NumPy and Numba")
    assert "".join(coverage.page()) == text, "python -m tests.rules.coverage"


def signed_square(x: Any) -> Any:
    return x * np.abs(x)


@pytest.fixture
def added() -> Iterator[Any]:
    """One declaration, as a new line of `srcgrad/rules/` would have it."""
    rule = elementwise(
        "signed_square",
        (signed_square,),
        evaluate=signed_square,
        scalar="_0 * np.abs(_0)",
        scalars=False,
        partials=lambda x, y: (2.0 * absolute(x),),
        samples=[(0.7,), (-1.3,), (20.0,)],
        edges=[Edge((0.0,), (0.0,))],
        domain="all reals",
    )
    yield rule
    del registry.PRIMITIVES["signed_square"], registry.FUNCTIONS[signed_square]


def test_a_rule_added_brings_its_test_its_mutants_and_its_line(added: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tally = check_rule(added)
    assert {column for _, _, column in tally.tried} == {*COLUMNS} - {"broadcast"}
    wrong = list(mutants(added))
    assert len(wrong) > 20
    assert not [str(mutant) for mutant in wrong if survives(mutant)]
    monkeypatch.setattr(pages, "HOMES", {"mine": types.SimpleNamespace(signed_square=signed_square)})
    assert "| `mine.signed_square` | yes | all reals | at 0: 0 |  |\n" in "".join(pages.page())
    assert grad(lambda x: signed_square(x), jit=False)(-3.0) == 6.0
