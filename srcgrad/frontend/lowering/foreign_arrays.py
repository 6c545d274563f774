"""Calls of objects that are found by name: what makes NumPy's of another library's array, what draws numbers."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from srcgrad.frontend.lowering.capture import Origin
from srcgrad.frontend.lowering.values import Known, Value
from srcgrad.frontend.source.structure import of_arrays
from srcgrad.rules.random import generators


def owner_of(origin: Origin | None, method: str) -> Origin | None:
    """Where the object of a bound method is found."""
    if origin is None:
        return None
    found = bool(origin.path) and origin.path[-1] == (".", method)
    return Origin(origin.space, origin.name, origin.path[:-1]) if found else origin.then(".", "__self__")


def given_array(function: Known, args: Sequence[Value], named: Mapping[str, Value]) -> Known | None:
    """Another library's array or table, of a call that makes it NumPy's: value.to_numpy(), np.asarray(value)."""
    target, owner = function.value, None
    if isinstance(target, types.MethodType) and target.__name__ in ("to_numpy", "numpy", "__array__") and not args:
        owner = Known(target.__self__, owner_of(function.origin, target.__name__))
    elif (target is np.asarray or target is np.array) and len(args) == 1 and isinstance(args[0], Known):
        owner = args[0]
    return owner if owner is not None and not named and owner.origin and of_arrays(owner.value) else None


def generator_call(function: Known) -> Callable[..., Any] | None:
    """What emits a draw from a `np.random.Generator` that is a name of the function's module."""
    owner, origin = getattr(function.value, "__self__", None), function.origin
    if not isinstance(owner, np.random.Generator) or origin is None or len(origin.path) != 1:
        return None
    module = str(origin.space.get("__name__")) if isinstance(origin.space, dict) else ""
    if getattr(sys.modules.get(module), "__dict__", None) is not origin.space:
        return None
    return generators.call_of(module, origin.name, function.value.__name__)
