"""What is loaded when it is first needed: a process that finds everything in the cache never reads the compiler.

`lazy.pipeline` is the module `srcgrad.pipeline`, `lazy.cuda` the module `srcgrad.backend.cuda`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from srcgrad import pipeline as pipeline
    from srcgrad.backend import cuda as cuda


def __getattr__(name: str) -> Any:
    if name == "pipeline":
        return importlib.import_module("srcgrad.pipeline")
    if name == "cuda":
        return importlib.import_module("srcgrad.backend.cuda")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
