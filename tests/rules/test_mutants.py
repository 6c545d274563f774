"""The self-tests of the rules fail for rules made wrong: one in 25 of `tests.rules.mutants`, every kind among them."""

from __future__ import annotations

from itertools import islice

from srcgrad.rules.language.registry import PRIMITIVES
from tests.rules import complex_mutants
from tests.rules.complex_trials import RULES
from tests.rules.matrix import OF_REALS
from tests.rules.mutants import mutants, survives

ONE_IN = 25


def test_no_mutant_survives() -> None:
    every = (mutant for name in OF_REALS for mutant in mutants(PRIMITIVES[name]))
    tried = list(islice(every, 0, None, ONE_IN))
    assert {"no derivative", "negate", "double", "drop", "swap", "keep", "choose", "turn"} <= {m.kind for m in tried}
    assert [str(mutant) for mutant in tried if survives(mutant)] == []


def test_no_mutant_of_complex_numbers_survives() -> None:
    tried = [mutant for name in RULES for mutant in complex_mutants.mutants(PRIMITIVES[name])]
    assert len(tried) > 900
    assert [str(mutant) for mutant in tried if complex_mutants.survives(mutant)] == []
