"""Hand-written adjoints: compiled as an expert compiles them."""

from __future__ import annotations

import types
from typing import Any

from tests.benchmarks.workloads.table import bound_to

FAST = {"reassoc", "contract", "arcp", "nsz"}
OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": FAST}
# the polynomials' roundings are exact only in the order in which they are written
EXACT: dict[str, Any] = OPTIONS | {"fastmath": {"contract"}, "forceinline": True}
VECTOR = "srcgrad.numeric.vector"
OWN = "tests.benchmarks"


def compiled(fun: Any, made: dict[Any, Any] | None = None) -> Any:
    """The function by Numba, and what it calls of the benchmarks and of the library's vector functions."""
    import numba

    made = {} if made is None else made
    if fun not in made:
        space = dict(fun.__globals__)
        copy = bound_to(fun, space)
        made[fun] = numba.njit(**(EXACT if fun.__module__.startswith(VECTOR) else OPTIONS))(copy)
        for name in fun.__code__.co_names:
            callee = fun.__globals__.get(name)
            if isinstance(callee, types.FunctionType) and callee.__module__.startswith((VECTOR, OWN)):
                space[name] = compiled(callee, made)
    return made[fun]
