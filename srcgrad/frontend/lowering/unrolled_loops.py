"""Turns of loops that are written out one by one."""

from __future__ import annotations

import ast
from collections.abc import Callable

from srcgrad.frontend.lowering.paths import Lowering
from srcgrad.frontend.lowering.statements import assign
from srcgrad.frontend.lowering.values import FALSE, TRUE, Struct
from srcgrad.frontend.source.liveness import Names

UNROLL_LIMIT = 200


def unrolled(low: Lowering, node: ast.For, items: Struct, turn: int) -> None:
    """One turn for each item of a tuple; what follows a turn that may break is guarded."""
    if turn == len(items.items):
        return low.block(node.orelse)
    if turn > UNROLL_LIMIT:
        low.refuse(f"a loop over more than {UNROLL_LIMIT} known items", "use an array")
    live = low.frame.live
    names = live.leaving(node) | low.frame.kept
    low.frame.loops.append(live.leaving(node))
    assign(low, node.target, items.items[turn])
    low.block(node.body)
    low.frame.loops.pop()
    if not low.frame.flags.raised:
        unless_left(low, lambda: unrolled(low, node, items, turn + 1), names)


def unless_left(low: Lowering, go: Callable[[], None], names: Names) -> None:
    """What follows a turn, or a loop, unless it was broken or returned from there."""
    broken, returned = low.flag("broken"), low.flag("returned")
    low.set_flags(broken=FALSE, continued=FALSE)
    stop = low.either(broken, returned)
    flags = {"returned": returned} if broken == FALSE and returned != FALSE else {}

    def follow() -> None:
        low.set_flags(returned=FALSE)
        go()

    low.branch(low.negated(stop), follow, lambda: low.set_flags(**dict.fromkeys(flags, TRUE)), names, flags)
