"""The fixture `check_grads`, which comes with the package.

pytest imports this file at the start of every run in an environment that has srcgrad; the rest is loaded when a test
asks for it.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def check_grads() -> Callable[..., None]:
    """`srcgrad.testing.check_grads`."""
    check: Any = pkgutil.resolve_name("srcgrad.testing.check_grads:check_grads")
    return check  # type: ignore[no-any-return]
