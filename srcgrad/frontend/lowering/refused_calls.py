"""What is said of a function that cannot be called inside a differentiated one."""

from __future__ import annotations

import random
import sys
import types
from typing import Any, NoReturn

import numpy as np

from srcgrad.frontend.lowering import of_scipy_hints
from srcgrad.frontend.lowering.paths import Lowering
from srcgrad.frontend.source import wording
from srcgrad.frontend.source.classes import ARRAYS, listed
from srcgrad.frontend.source.functions import module_of
from srcgrad.rules.language import registry
from srcgrad.rules.random import generators

OUTSIDE = (
    "srcgrad.api.at_a_point",
    "srcgrad.api.gradients",
    "srcgrad.api.hessians",
    "srcgrad.api.jacobians",
    "srcgrad.api.sweeps",
    "srcgrad.api.values",
    "srcgrad.derivatives.custom_rules",
    "srcgrad.optimize.custom_root",
    "srcgrad.cuda",
    "srcgrad.testing.check_grads",
)


def is_outside(target: types.FunctionType) -> bool:
    """Whether it is one of those functions, and not one that they have made."""
    home = module_of(target)
    return home in OUTSIDE and getattr(sys.modules.get(home), target.__name__, None) is target


def outside(low: Lowering, target: types.FunctionType) -> NoReturn:
    """Refuse a function of this package that has no meaning inside of another."""
    name = target.__name__
    outside = {
        "srcgrad.derivatives.custom_rules": f"write @{name} above a function at the top of the file",
        "srcgrad.optimize.custom_root": f"write @{name}(f) above the solver at the top of the file",
        "srcgrad.testing.check_grads": "call it outside the function",
    }
    hint = outside.get(module_of(target), f"make it outside: df = {name}(f)")
    low.refuse(f"`{name}` is called inside the function", hint)


PEERS = ARRAYS | {"autograd", "tangent"}


def of_peer(low: Lowering, target: Any) -> None:
    """Refuse a function of a library that has arrays of its own."""
    package = str(getattr(target, "__module__", None)).split(".")[0]
    if package in PEERS:
        name = getattr(target, "__name__", type(target).__name__)
        hint = f"use NumPy's: np.{name}" if hasattr(np, name) else "take NumPy arrays: .to_numpy(), or np.asarray(...)"
        low.refuse(f"`{name}` is a function of {package}, for arrays of its own", hint)


def instead(target: Any) -> str:
    """What to write in the place of a call of something without a rule."""
    known = registry.INSTEAD.get(target) if listed(target) else None
    known = known or of_scipy_hints.instead(target)
    owner = getattr(target, "__self__", None)
    drawn = str(getattr(target, "__module__", None)).startswith("numpy.random")
    if known is None and (drawn or isinstance(owner, (np.random.Generator, np.random.RandomState, random.Random))):
        own = str(getattr(target, "__module__", None)) == "numpy.random._generator"
        if own or isinstance(owner, np.random.Generator) or target is np.random.default_rng:
            ways = wording.joined(list(generators.METHODS))
            return (
                f"make the generator a global name of the module, and call its {ways}; or pass numbers as an argument"
            )
        return "call np.random.normal() or its like, or draw outside the function and pass the numbers as an argument"
    return known or "write it out, or give it a rule with custom_jvp or custom_vjp"
