"""Every rule tests itself at its samples."""
from __future__ import annotations

import math

import pytest

import srcgrad.rules  # noqa: F401
from srcgrad.rules.registry import FUNCTIONS, PRIMITIVES
from srcgrad.testing.primitives import check_primitive


@pytest.mark.parametrize("name", sorted(PRIMITIVES))
def test_rule(name: str) -> None:
    check_primitive(PRIMITIVES[name])
