"""Which references may reach the same memory, and which array values are memory of their own."""

from __future__ import annotations

from srcgrad.core import ir


def makes_fresh(let: ir.Let) -> bool:
    """Whether the operation's result surely shares no memory with its arguments."""
    traits = let.op.traits
    return traits.fresh and not traits.transparent([a.type for a in let.args], let.params)
