"""The fixture `check_grads`, which pytest finds wherever srcgrad is installed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from srcgrad.testing import check_grads as _check_grads


@pytest.fixture
def check_grads() -> Callable[..., None]:
    """`srcgrad.testing.check_grads`."""
    return _check_grads
