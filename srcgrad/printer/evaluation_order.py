"""The shape of the printed function: statements in the order in which they are evaluated, with the copies that loops
and branches stand for as moves. Liveness and printing both read it, so they can't disagree on the order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Union

from srcgrad.core import ir
from srcgrad.core.ir import Atom, Const, Stmt, Var
from srcgrad.printer.folding import Folds


@dataclass(frozen=True, eq=False, slots=True)
class Plain:
    """A statement without regions (or a branch printed as an expression)."""

    stmt: Stmt


@dataclass(frozen=True, eq=False, slots=True)
class Moves:
    """target = source for each pair, at once."""

    pairs: tuple[tuple[Var, Atom], ...]
    dead: list[Var] = field(default_factory=list)  # targets that nothing reads: found by liveness, not printed


@dataclass(frozen=True, eq=False, slots=True)
class Leave:
    """if cond: break (or `if not cond`)"""

    cond: Atom
    when: bool


@dataclass(frozen=True, eq=False, slots=True)
class Loop:
    """before; header: test; [if not cond: break]; body (which ends with its moves and perhaps a Leave); after."""

    stmt: ir.For | ir.While
    before: Moves
    test: tuple[Node, ...]
    body: tuple[Node, ...]
    after: Moves


@dataclass(frozen=True, eq=False, slots=True)
class Branch:
    """if cond: then; else: orelse. A side that leaves ends with `break`; the other side is then what follows."""

    stmt: ir.If
    then: tuple[Node, ...]
    orelse: tuple[Node, ...]
    breaks: bool | None = None  # the value of the condition with which the loop around is left


Node = Union[Plain, Moves, Leave, Loop, Branch]


def lay_out(stmts: Sequence[Stmt], folds: Folds) -> tuple[Node, ...]:
    return tuple(_node(s, folds) for s in stmts if not folds.folded(s) and not folds.dead(s))


def _node(stmt: Stmt, folds: Folds) -> Node:
    match stmt:
        case ir.For() | ir.While():
            return _loop(stmt, folds)
        case ir.If() if stmt not in folds.choices:
            then, orelse = (lay_out(block, folds) for block in (stmt.then, stmt.orelse))
            return Branch(
                stmt,
                (*then, Moves(tuple((o.target, o.then) for o in stmt.outs))),
                (*orelse, Moves(tuple((o.target, o.orelse) for o in stmt.outs))),
            )
    return Plain(stmt)


def _loop(stmt: ir.For | ir.While, folds: Folds) -> Loop:
    test: tuple[Node, ...] = ()
    if isinstance(stmt, ir.While):
        test = (*lay_out(stmt.test, folds), Leave(stmt.cond, False))
    body = lay_out(stmt.body, folds)
    back = Moves(tuple((c.inner, c.next) for c in stmt.carry))
    return Loop(
        stmt,
        Moves(tuple((c.inner, c.init) for c in stmt.carry)),
        test,
        _leaving(stmt, body, back, folds),
        Moves(tuple((c.out, c.inner) for c in stmt.carry)),
    )


def _leaving(stmt: ir.For | ir.While, body: tuple[Node, ...], back: Moves, folds: Folds) -> tuple[Node, ...]:
    """The body with the moves of the back edge and the exit; an exit that a last branch decides is its `break`."""
    if stmt.exit is None or (isinstance(stmt.exit, Const) and not stmt.exit.value):
        return (*body, back)
    last = body[-1] if body else None
    if isinstance(last, Branch) and last.stmt in folds.breaks:
        return (*body[:-1], _breaking(last, stmt.exit, back, folds.breaks[last.stmt]))
    return (*body, back, Leave(stmt.exit, True))


def _breaking(branch: Branch, leave: Atom, back: Moves, when: bool) -> Branch:
    """Each side with the moves of the back edge for its own; the one that is taken `when` the loop is left breaks."""

    def side(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
        *rest, own = nodes
        assert isinstance(own, Moves)
        kept = Moves(tuple(p for p in own.pairs if p[0] is not leave))
        return (*rest, kept, Moves(back.pairs))

    return Branch(branch.stmt, side(branch.then), side(branch.orelse), breaks=when)
