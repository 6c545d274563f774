"""`out=` of NumPy's functions and methods: what they give is stored into an array, which is the call's value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from srcgrad.core.build import whole
from srcgrad.core.ir import Var
from srcgrad.frontend.lowering import subscripts
from srcgrad.frontend.lowering.paths import Lowering
from srcgrad.frontend.lowering.values import Known, Struct, Value, describe

PLACES: dict[Any, int] = {np.dot: 2, np.clip: 3}  # where it may stand without its name


def taken(
    low: Lowering, target: Any, args: Sequence[Value], named: Mapping[str, Value]
) -> tuple[Sequence[Value], dict[str, Value], Var | None]:
    """The arguments without the array that is to be stored into, and that. target: the function, or a method's name."""
    others = {name: value for name, value in named.items() if name != "out"}
    out = named.get("out")
    place = target.nin if isinstance(target, np.ufunc) and target.nout == 1 else PLACES.get(target)
    if out is None and place is not None and len(args) == place + 1:
        out, args = args[place], args[:place]
    if isinstance(out, Struct) and out.kind is tuple and len(out.items) == 1:
        (out,) = out.items
    if out is None or (isinstance(out, Known) and out.value is None):
        return args, others, None
    if not isinstance(out, Var) or not out.type.ref:
        low.refuse(f"`out` is {describe(out)}", "give an array that has a name, or leave it out and assign the result")
    return args, others, out


def stored(low: Lowering, target: Any, out: Var, value: Value) -> Var:
    """out[...] = value. Only a ufunc repeats its result to fill more axes."""
    rank = low.atom(value).type.rank
    if rank != out.type.rank and not (isinstance(target, np.ufunc) and rank < out.type.rank):
        low.refuse(f"the result has {rank} axes, and `out` {out.type.rank}", "give an array of the result's shape")
    subscripts.put(low, out, whole(out), value)
    return out
