"""Turns of loops that are written out one by one."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from srcgrad.core import ir
from srcgrad.core.ir import Atom, Const
from srcgrad.frontend.lowering.loop_domains import Domain, rest
from srcgrad.frontend.lowering.paths import Lowering
from srcgrad.frontend.lowering.statements import assign
from srcgrad.frontend.lowering.values import FALSE, TRUE, Absent, Missing, Struct, Value
from srcgrad.frontend.lowering.wider_starts import any_turn
from srcgrad.frontend.source.liveness import Names

UNROLL_LIMIT = 200
FIRST, OTHERS = 1, 2  # parts of a loop of which the first turn is written out
Rest = Callable[[Lowering, "ast.For | ast.While", "Domain | None"], None]


def unrolled(low: Lowering, node: ast.For, items: Struct | Domain, turn: int = 0) -> None:
    """One turn for each item of a tuple; what follows a turn that may break is guarded."""
    if turn == len(items.items if isinstance(items, Struct) else items.known or ()):
        return low.block(node.orelse)
    item = items.items[turn] if isinstance(items, Struct) else items.item(Const(turn, ir.I8))
    _turn(low, node, item, lambda: unrolled(low, node, items, turn + 1))


def _turn(low: Lowering, node: ast.For | ast.While, item: Value | None, rest: Callable[[], None]) -> None:
    """One turn, and the others."""
    live = low.frame.live
    names = live.leaving(node) | low.frame.kept
    low.frame.loops.append(live.leaving(node))
    if isinstance(node, ast.For) and item is not None:
        assign(low, node.target, item)
    low.block(node.body)
    low.frame.loops.pop()
    if not low.frame.flags.raised:
        unless_left(low, rest, names)


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


def first_apart(
    low: Lowering, node: ast.For | ast.While, over: Domain | None, unlike: Mapping[str, Missing], loop: Rest
) -> None:
    """The first turn, written out, and a loop for the others: these names are of another kind at its head than after a
    turn. Where there is no turn they must not be read any more, for there they keep the kind that they had."""
    live = low.live_after(node)

    def turns() -> None:
        path = low.frame.path
        if over is None:
            with _within(low, node, path, FIRST):
                _turn(low, node, None, lambda: _others(low, node, None, path, loop))
            return
        with _within(low, node, path, FIRST):
            others = rest(low, over)
            _turn(low, node, over.item(over.start), lambda: _others(low, node, others, path, loop))

    def none() -> None:
        low.frame.env.update({name: Absent(missing) for name, missing in unlike.items()})
        low.block(node.orelse)

    low.branch(_entered(low, node, over), turns, none, live)


def _others(low: Lowering, node: ast.For | ast.While, over: Domain | None, path: tuple[int, ...], loop: Rest) -> None:
    with _within(low, node, path, OTHERS):
        loop(low, node, over)


@contextmanager
def _within(low: Lowering, node: ast.AST, path: tuple[int, ...], part: int) -> Iterator[None]:
    """What is learnt of the loops inside belongs to this part of the turns."""
    frame = low.frame
    outer, frame.path = frame.path, (*path, id(node), part)
    try:
        yield
    finally:
        frame.path = outer


def _entered(low: Lowering, node: ast.For | ast.While, over: Domain | None) -> Atom:
    """Whether there is a turn at all."""
    if isinstance(node, ast.While):
        return low.truth(low.ex(node.test))
    assert over is not None
    return any_turn(low, over)
