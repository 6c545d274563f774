"""What is loaded only when a transformer is called inside a function that is read: `srcgrad.derivatives.inside`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from srcgrad.backend.compiling import deferred

if TYPE_CHECKING:
    from srcgrad.derivatives import inside as inside


def __getattr__(name: str) -> Any:
    if name == "inside":
        with deferred():
            return importlib.import_module("srcgrad.derivatives.inside")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
