"""The primitive for what a function is given back by a call, and keeps: while it is differentiated, and at no other
time."""

from __future__ import annotations

from srcgrad.core.ir import Let, Primitive, Stmt
from srcgrad.core.traits import Traits

# What it gives is made once, in the forward sweep, and kept: no other run makes it.
HOLD = Primitive(
    "hold",
    infer=lambda types, params: (types[0],),
    evaluate=lambda x: x,
    template="_0",
    jvp=lambda dots, args, outs, params: list(dots),
    vjp=lambda bars, args, outs, params: list(bars),
    traits=Traits(form="linear", straight=True, constant_slope=True),
)


def is_held(stmt: Stmt) -> bool:
    return isinstance(stmt, Let) and stmt.op is HOLD
