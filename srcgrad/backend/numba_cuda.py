"""The insides of Numba's CUDA target that we touch, and of NVIDIA's package; the simulator has none of them."""

from __future__ import annotations

import importlib
from typing import Any

MODULES = {name: f"numba.cuda.{name}" for name in ("compiler", "cudaimpl", "dispatcher", "models")}
MODULES["views"] = "cuda.core.utils"  # of memory that objects with DLPack alone share


def __getattr__(name: str) -> Any:
    if name in MODULES:
        return importlib.import_module(MODULES[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
