"""What the tests of the public functions share."""

from __future__ import annotations

from typing import Any


def plain(transform: Any, *args: Any, **options: Any) -> Any:
    """The transformer's derivative, not compiled: these tests are of what is around the generated code."""
    return transform(*args, jit=False, **options)
