"""What is known of a loop while its body is tried, and names that the first turn changes to another kind."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field

from srcgrad.core import ir
from srcgrad.core.ir import Atom, Const, Stmt, Var
from srcgrad.frontend.lowering import joining, values
from srcgrad.frontend.lowering.loop_domains import Domain
from srcgrad.frontend.lowering.paths import Lowering
from srcgrad.frontend.lowering.retry import Held
from srcgrad.frontend.lowering.state import REPORTED
from srcgrad.frontend.lowering.unrolled_loops import OTHERS
from srcgrad.frontend.lowering.values import TRUE, Env, Flags, Poison, Struct, Value
from srcgrad.frontend.lowering.wider_starts import started

APART = 2  # so many turns may be written out in front of a loop


@dataclass
class Facts:
    """What is known of a loop's carried names: the joined value of head and next, as a model; which change shape; which
    start wider than they are, and what they are where there is no turn; which no turn binds for the next."""

    models: dict[str, Value] = field(default_factory=dict)
    reshaped: set[str] = field(default_factory=set)
    started: dict[str, values.Missing] = field(default_factory=dict)
    unbound: set[str] = field(default_factory=set)


@dataclass
class Turn:
    """One trial of a body.   alike: the names that have the same shapes after it as before, by what it demands.
    later: the names that the turn before was taken to bind; paths that read them were left out."""

    inner: dict[str, Value]
    index: Var | None
    test: tuple[Stmt, ...]
    cond: Atom
    after: dict[str, Value | None]
    exit: Atom
    flags: Flags
    heads: dict[Struct, values.Rows]  # of the lists that are appended to a fixed number of times each turn
    body: list[Stmt] = field(default_factory=list)
    held: Held = field(default_factory=dict)
    carry: list[ir.Carry] = field(default_factory=list)
    unchanged: dict[Var, Atom] = field(default_factory=dict)
    alike: set[str] = field(default_factory=set)
    later: Sequence[str] = ()


class TurnsWanted(Exception):
    """The numbers that the loop goes over must be known, one by one."""


class FirstUnlike(Exception):
    """Names are of another kind at the head of the first turn than after it."""

    def __init__(self, names: dict[str, values.Missing]) -> None:
        super().__init__()
        self.names = names


def starts_wider(
    low: Lowering,
    node: ast.For | ast.While,
    over: Domain | None,
    names: list[str],
    before: Env,
    turn: Turn,
    facts: Facts,
) -> bool:
    """Whether a name starts as what a turn makes of it, from here on; raise `FirstUnlike` where the first turn changes
    the kind of a name otherwise."""
    unlike: dict[str, values.Missing] = {}
    starts: Env = {}
    for name in _read_again(low, node, names):
        first, last = before.get(name), turn.after.get(name)
        if first is None or last is None or isinstance(first, Poison) or last is REPORTED:
            continue
        pair = joining.align(first, last, name)
        if isinstance(pair, Poison):
            found = last.pair if isinstance(last, Poison) and last.pair else (first, last)
            unlike[name] = values.Missing(f"still {values.describe(first)}", joining.one_kind(*found))
            if over is not None or turn.cond == TRUE:
                start = started(low, node, name, before, last, turn.inner.get(name), turn.body)
                starts |= {} if start is None else {name: start}
    if unlike and starts.keys() == unlike.keys():
        facts.started |= {name: missing for name, missing in unlike.items() if isinstance(before[name], Const)}
        before.update(starts)
        return True
    if unlike and low.frame.path[-2 * APART :] != (id(node), OTHERS) * APART:
        raise FirstUnlike(unlike)
    return False


def _read_again(low: Lowering, node: ast.For | ast.While, names: list[str]) -> list[str]:
    live = low.frame.live
    return [name for name in names if name in live.head[id(node)] | live.after[id(node)]]
