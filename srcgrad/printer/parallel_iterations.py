"""A parallel loop whose iterations may raise, printed: Numba runs no such loop in parallel, and loses what a function
called there raises. So an iteration becomes a function, another says whether it fails, and after a failure the
iterations are made once more in order, which raises what the first of them raises.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Sequence
from itertools import count

from srcgrad.core import ir, walk
from srcgrad.printer.templates import call, name


def may_raise(stmt: ir.Stmt) -> bool:
    """Whether compiled code of the statement may raise an error."""
    if not isinstance(stmt, ir.Let):
        return isinstance(stmt, (ir.Effect, ir.Draw, ir.Call, ir.Custom))
    return stmt.op.traits.may_raise([a.type for a in stmt.args], stmt.params)


def guarded(loop: ir.For) -> bool:
    """Whether the loop is to be printed with its iterations as a function."""
    return loop.parallel and any(map(may_raise, walk.walk(loop.body)))


def outlined(loop: ast.For, function: str, variables: Collection[str]) -> tuple[list[ast.FunctionDef], list[ast.stmt]]:
    """The functions that stand for an iteration, and what is printed in the loop's place. variables: all names in
    use."""
    index = loop.target
    assert isinstance(index, ast.Name)
    turn = _free(f"{function}_turn", variables)
    fails = f"{turn}_fails"
    failed = _free("failed", variables)
    params = [index.id, *_read(loop.body, variables, index.id)]
    there = call(turn, *map(name, params))
    caught = ast.ExceptHandler(name("Exception"), None, [ast.Return(ast.Constant(1))])
    tried = [ast.Try([ast.Expr(there)], [caught], [], []), ast.Return(ast.Constant(0))]
    signed = call("np.int64", name(index.id))
    count = ast.AugAssign(_stored(failed), ast.Add(), call(fails, signed, *map(name, params[1:])))
    again = ast.For(_stored(index.id), call("range", *loop.iter.args), [ast.Expr(there)], [])  # type: ignore[attr-defined]
    some = ast.Compare(name(failed), [ast.Gt()], [ast.Constant(0)])
    remark: ast.stmt = ast.Expr(name("# in order, to raise what the first of them raises"))
    lines: list[ast.stmt] = [
        ast.Assign([_stored(failed)], ast.Constant(0)),
        ast.For(index, loop.iter, [count], []),
        ast.If(some, [remark, again], []),
    ]
    return [_define(turn, params, loop.body), _define(fails, params, tried)], lines


def chosen(loop: ast.For, function: str, variables: Collection[str]) -> tuple[list[ast.FunctionDef], list[ast.stmt]]:
    """The function that stands for an iteration, and its calls: by threads, or where there is one iteration, alone."""
    index = loop.target
    assert isinstance(index, ast.Name) and isinstance(loop.iter, ast.Call)
    turn = next(f for k in count(1) if (f := f"{function}_rows{k if k > 1 else ''}") not in variables)
    read = _read(loop.body, variables, index.id)
    (parts,) = loop.iter.args
    signed = call("np.int64", name(index.id))
    threads = ast.For(index, loop.iter, [ast.Expr(call(turn, signed, *map(name, read)))], [])
    alone = ast.Expr(call(turn, ast.Constant(0), *map(name, read)))
    several = ast.Compare(parts, [ast.Gt()], [ast.Constant(1)])
    return [_define(turn, [index.id, *read], loop.body)], [ast.If(several, [threads], [alone])]


def _stored(text: str) -> ast.Name:
    return ast.Name(text, ast.Store())


def _free(wish: str, taken: Collection[str]) -> str:
    while wish in taken:
        wish += "2"
    return wish


def _read(body: Sequence[ast.stmt], variables: Collection[str], index: str) -> list[str]:
    """The variables from outside that the body reads."""
    names = [n for stmt in body for n in ast.walk(stmt) if isinstance(n, ast.Name)]
    bound = {n.id for n in names if isinstance(n.ctx, ast.Store)} | {index}
    return list(dict.fromkeys(n.id for n in names if n.id in variables and n.id not in bound))


def _define(function: str, params: Sequence[str], body: Sequence[ast.stmt]) -> ast.FunctionDef:
    arguments = ast.arguments([], [ast.arg(p) for p in params], None, [], [], None, [])
    return ast.FunctionDef(function, arguments, list(body), [])
