"""The insides of Numba's CUDA target that we touch; the simulator has none of them."""

from __future__ import annotations

import importlib
from typing import Any

MODULES = ("compiler", "cudaimpl", "dispatcher", "models")


def __getattr__(name: str) -> Any:
    if name in MODULES:
        return importlib.import_module(f"numba.cuda.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
