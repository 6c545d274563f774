"""What a function's head says of the types of its parameters."""

from __future__ import annotations

import inspect
from collections.abc import Hashable
from typing import Any

import numpy as np

from srcgrad.core.types import B1, C16, F4, F8, I8, Type
from srcgrad.derivatives import arguments
from srcgrad.derivatives.written_calls import SIMPLE
from srcgrad.frontend.source.structure import Leaf, Spec


def of_parameter(param: inspect.Parameter) -> Spec:
    """What an annotation says, or else a default; a float where neither says anything."""
    kind = declared(param)
    if kind is not None:
        return kind
    if param.default is not inspect.Parameter.empty:
        return arguments.spec_of(param.default, param.name)
    return Leaf(F8)


def declared(param: inspect.Parameter) -> Spec | None:
    """What an annotation says; None where it says nothing that is understood."""
    kind = param.annotation
    simple: dict[Any, Type] = {**SIMPLE, "float": F8, "int": I8, "bool": B1, "np.float32": F4, "complex": C16}
    if isinstance(kind, Hashable) and kind in simple:
        return Leaf(simple[kind])
    return Leaf(Type("f8", 1, ref=True)) if kind is np.ndarray or kind == "np.ndarray" else None
