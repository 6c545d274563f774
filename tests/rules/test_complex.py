"""Every rule that takes complex numbers, or gives them: values, both modes, both orders."""

from __future__ import annotations

import pytest

from srcgrad.rules.language import registry
from tests.rules.complex_trials import RULES, check_derivatives, check_values, complex_cases


@pytest.mark.parametrize("name", RULES)
def test_complex(name: str) -> None:
    rule = registry.PRIMITIVES[name]
    tried = 0
    for case, still in complex_cases(rule):
        check_values(case)
        if rule.differentiable:
            check_derivatives(case, still)
        tried += 1
    assert tried or not rule.differentiable, f"{name} has no sample that can be moved off the real line"
