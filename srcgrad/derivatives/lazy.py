"""What a `Derivative` loads only when it is asked for: `late.explain` is the module `srcgrad.derivatives.explain`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from srcgrad.backend.compiling import deferred

if TYPE_CHECKING:
    from srcgrad.derivatives import explain as explain


def __getattr__(name: str) -> Any:
    if name == "explain":
        with deferred():
            return importlib.import_module("srcgrad.derivatives.explain")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
