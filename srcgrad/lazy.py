"""What is loaded when it is first needed: a process that finds everything in the cache never reads the compiler.

`lazy.pipeline` and `lazy.mapped_kernel` are the modules of `srcgrad`, `lazy.cuda` and `lazy.launch` those of
`srcgrad.backend`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from srcgrad import mapped_kernel as mapped_kernel
    from srcgrad import pipeline as pipeline
    from srcgrad.backend import cuda as cuda
    from srcgrad.backend import launch as launch

HOMES = {
    "pipeline": "srcgrad.pipeline", "mapped_kernel": "srcgrad.mapped_kernel", "cuda": "srcgrad.backend.cuda",
    "launch": "srcgrad.backend.launch",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in HOMES:
        return importlib.import_module(HOMES[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
