"""The ways through a function that calls itself: each is differentiated as a function of its own, so that the sweep
back finds what a branch has computed, and does not run the branch again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Union

from srcgrad.core import ir
from srcgrad.core.ir import Atom, Fun, Stmt, Var
from srcgrad.core.walk import substitute, walk
from srcgrad.transform.program_edits import without_effects

MOST = 8  # ways through one function


@dataclass(frozen=True, eq=False)
class Path:
    """One way: a function with the parameters and results of the whole."""

    fun: Fun


@dataclass(frozen=True, eq=False)
class Fork:
    """Where two ways part. head: what both begin with, and its result, by which they part."""

    head: Fun
    then: Tree
    orelse: Tree


Tree = Union[Path, Fork]


def paths(tree: Tree) -> Iterator[Path]:
    if isinstance(tree, Path):
        yield tree
    else:
        yield from paths(tree.then)
        yield from paths(tree.orelse)


def ways(fun: Fun) -> Tree:
    """The ways through a function, which part at the branches that it ends with."""
    tree = _split(fun, fun.body)
    return tree if sum(1 for _ in paths(tree)) <= MOST else Path(fun)


def _split(fun: Fun, head: tuple[Stmt, ...]) -> Tree:
    """fun: without the effects that were had before; head: its body, with all effects."""
    place = _last_branch(fun.body)
    if place is None:
        return Path(fun)
    branch, before, after = fun.body[place], fun.body[:place], fun.body[place + 1 :]
    assert isinstance(branch, ir.If)
    done = without_effects(replace(fun, body=before)).body
    sides = []
    for which in ("then", "orelse"):
        env: dict[Var, Atom] = {o.target: getattr(o, which) for o in branch.outs}
        body = (*getattr(branch, which), *substitute(after, env))
        results = tuple(env.get(r, r) if isinstance(r, Var) else r for r in fun.results)
        side = replace(fun, body=(*done, *body), results=results)
        sides.append(_split(side, side.body))
    return Fork(Fun("head", fun.params, before, (branch.cond,)), *sides)


def _last_branch(body: Sequence[Stmt]) -> int | None:
    """The place of the branch with calls that the body ends with, if what stands before costs little."""
    for place in range(len(body) - 1, -1, -1):
        stmt = body[place]
        if isinstance(stmt, ir.If) and _calls((stmt,)):
            return place if all(map(_light, body[:place])) else None
        if not isinstance(stmt, (ir.Let, ir.Remark)) or any(t.type.rank for t in getattr(stmt, "targets", ())):
            return None
    return None


def _calls(stmts: Sequence[Stmt]) -> bool:
    return any(isinstance(s, ir.Call) for s in walk(stmts))


def _light(stmt: Stmt) -> bool:
    """Whether the statement may stand on both ways."""
    match stmt:
        case ir.If():
            return not stmt.outs and all(map(_light, (*stmt.then, *stmt.orelse)))
        case ir.Alloc():
            return None not in stmt.shape
        case ir.Let() | ir.Load() | ir.View() | ir.Effect() | ir.Remark():
            return True
    return False
