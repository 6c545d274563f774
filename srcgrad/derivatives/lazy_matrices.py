"""Sparse matrices are loaded, with `scipy.sparse`, when the first is asked for: `lazy_matrices.sparse`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from srcgrad.backend.compiling import deferred

if TYPE_CHECKING:
    from srcgrad.derivatives import sparse as sparse


def __getattr__(name: str) -> Any:
    if name == "sparse":
        with deferred():
            return importlib.import_module("srcgrad.derivatives.sparse")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
