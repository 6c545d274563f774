"""What a `Derivative` loads only when it is asked for: `late.explain` is the module
`srcgrad.derivatives.explain`, `late.shown` is `srcgrad.derivatives.shown`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from srcgrad.backend.compiling import deferred

if TYPE_CHECKING:
    from srcgrad.derivatives import explain as explain
    from srcgrad.derivatives import nonfinite as nonfinite
    from srcgrad.derivatives import shown as shown

MODULES = {name: f"srcgrad.derivatives.{name}" for name in ("explain", "nonfinite", "shown")}


def __getattr__(name: str) -> Any:
    if name in MODULES:
        with deferred():
            return importlib.import_module(MODULES[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
