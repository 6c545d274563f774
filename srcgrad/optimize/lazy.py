"""What is loaded only when a solver is called inside other code: `lazy.inside` is `srcgrad.optimize.inside`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from srcgrad.backend.compiling import deferred

if TYPE_CHECKING:
    from srcgrad.optimize import inside as inside


def __getattr__(name: str) -> Any:
    if name == "inside":
        with deferred():
            return importlib.import_module("srcgrad.optimize.inside")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
