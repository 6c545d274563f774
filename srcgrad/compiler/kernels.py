"""Kernels in the cache folder: what is dear to compile is compiled once a machine, whatever derivative calls it."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence

from srcgrad.backend import cache, cpu
from srcgrad.compiler.generated_modules import PACKAGE
from srcgrad.printer.kernel_modules import Kernel, Module, split

# The date of every kernel's file, whose name stands for what is in it: one that is written again is the same to Numba.
DATE = 1_000_000_000


def shared(module: Module) -> tuple[str, tuple[Kernel, ...]]:
    """A module as it lies in the cache folder, where it imports its kernels; and these."""
    return split(module.text, module.kernels, PACKAGE, _name)


def _name(function: str, text: str) -> str:
    """The module of a kernel: its text and the versions of what compiles it decide its name."""
    name = f"{function}{cache.KERNEL}{cache.digest(text.encode(), cpu.versions().encode()).hex()[:20]}"
    assert re.fullmatch(r"\w+", name)
    return name


def ready(kernels: Sequence[Kernel]) -> bool:
    """Have the modules of these kernels where generated modules import them from; says whether it could."""
    return all(_is_ready(kernel) for kernel in kernels)


def _is_ready(kernel: Kernel) -> bool:
    path = cache.keep(cache.folder() / f"{kernel.module}.py", kernel.text, DATE)
    if path is None:
        return False
    loaded = sys.modules.get(f"{PACKAGE}.{kernel.module}")
    if loaded is None or loaded.__file__ != str(path):
        cpu.load_module(path, kernel.text)
    return True
