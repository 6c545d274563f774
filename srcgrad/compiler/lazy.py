"""What is loaded when it is first needed: a process that finds everything in the cache never reads the compiler.

`lazy.program`, `lazy.to_source`, `lazy.kept_bytes` and `lazy.mapped_kernel_program` are modules of `srcgrad`,
`lazy.cuda` and `lazy.launch` those of `srcgrad.backend`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from srcgrad.backend.compiling import deferred

if TYPE_CHECKING:
    from srcgrad.backend import cuda as cuda
    from srcgrad.backend import launch as launch
    from srcgrad.compiler import kept_bytes as kept_bytes
    from srcgrad.compiler import mapped_kernel_program as mapped_kernel_program
    from srcgrad.compiler import program as program
    from srcgrad.compiler import to_source as to_source

HOMES = {
    "program": "srcgrad.compiler.program",
    "to_source": "srcgrad.compiler.to_source",
    "kept_bytes": "srcgrad.compiler.kept_bytes",
    "mapped_kernel_program": "srcgrad.compiler.mapped_kernel_program",
    "cuda": "srcgrad.backend.cuda",
    "launch": "srcgrad.backend.launch",
}


def __getattr__(name: str) -> Any:
    if name in HOMES:
        with deferred():
            globals()[name] = importlib.import_module(HOMES[name])  # and not asked for again
        return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
