"""The names of `numba.cuda` in a kernel."""

from __future__ import annotations

import types
from typing import Any

from srcgrad.frontend.lowering.paths import Lowering
from srcgrad.frontend.lowering.values import Known, Value
from srcgrad.rules import cuda_names


def of_threads(value: Any) -> bool:
    """Whether this is the module `numba.cuda`, or a part of what stands for it."""
    if isinstance(value, types.ModuleType):
        return value.__name__ in cuda_names.MODULES
    return isinstance(value, (cuda_names.Names, cuda_names.Coordinates))


def attribute(low: Lowering, value: Any, name: str) -> Value:
    """What `value.name` means in a kernel."""
    if not low.setting.threads:
        low.refuse(f"`cuda.{name}` stands outside a kernel", "use it in a kernel that srcgrad.cuda.adjoint is given")
    if isinstance(value, types.ModuleType):
        return Known(cuda_names.word(name))
    if isinstance(value, cuda_names.Coordinates):
        return cuda_names.axis_of(low.b, value, name)
    return Known(cuda_names.part(value, name))
