"""What several passes share."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np

from srcgrad.core import ir, walk
from srcgrad.core.aliases import Aliases
from srcgrad.core.ir import Stmt


def key(thing: Any) -> Hashable:
    """Equal for equal atoms, indices and static parameters; 0.0 and -0.0 differ, a NaN equals itself."""
    kind = type(thing)
    if kind is ir.Var or kind is str or thing is None:  # nearly all: much faster than patterns
        return thing  # type: ignore[no-any-return]
    if kind is ir.Const:
        return ("const", repr(thing.value), thing.type)
    match thing:
        case ir.Slice():
            return ("slice", key(thing.start), key(thing.stop), key(thing.step))
        case ir.Transpose():
            return ("transpose", thing.axes)
        case ir.Reshape():
            return ("reshape", tuple(map(key, thing.shape)))
        case bool() | int() | float() | complex():
            return (type(thing), repr(thing))
        case tuple() | list():
            return (type(thing), tuple(map(key, thing)))
        case Mapping():
            return ("map", tuple((name, key(thing[name])) for name in sorted(thing)))
        case np.dtype() | type():
            return thing
    return ("object", id(thing))


def written(stmt: Stmt) -> list[ir.Var]:
    """The references through which the statement, or what is inside it, writes."""
    return [s.ref for s in walk.walk((stmt,)) if isinstance(s, (ir.Store, ir.Accumulate))]


def growing(fun: ir.Fun, classes: Aliases) -> set[ir.Var]:
    """The classes of memory whose shape is made by the stores to it."""
    if ir.Alloc not in walk.kinds(fun):
        return set()
    return {classes.of(s.target) for s in walk.walk(fun.body) if isinstance(s, ir.Alloc) and None in s.shape}
