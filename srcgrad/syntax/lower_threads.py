"""The names of `numba.cuda` in a kernel."""

from __future__ import annotations

import types
from typing import Any

from srcgrad.rules import threads
from srcgrad.syntax.lower_base import Lowering
from srcgrad.syntax.scope import Known, Value


def of_threads(value: Any) -> bool:
    """Whether this is the module `numba.cuda`, or a part of what stands for it."""
    if isinstance(value, types.ModuleType):
        return value.__name__ in threads.MODULES
    return isinstance(value, (threads.Names, threads.Coordinates))


def attribute(low: Lowering, value: Any, name: str) -> Value:
    """What `value.name` means in a kernel."""
    if not low.threads:
        low.refuse(f"`cuda.{name}` stands outside a kernel", "use it in a kernel that srcgrad.cuda.adjoint is given")
    if isinstance(value, types.ModuleType):
        return Known(threads.word(name))
    if isinstance(value, threads.Coordinates):
        return threads.axis_of(low.b, value, name)
    return Known(threads.part(value, name))
