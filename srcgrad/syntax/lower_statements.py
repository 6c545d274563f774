"""Statements other than loops and calls."""

from __future__ import annotations

import ast

from srcgrad.core.build import whole
from srcgrad.core.ir import Var
from srcgrad.syntax import scope
from srcgrad.syntax.lower_base import Lowering, handles
from srcgrad.syntax.lower_expressions import BINARY, binary, closure, unpacked
from srcgrad.syntax.lower_subscripts import augment, in_place, write
from srcgrad.syntax.scope import BROKEN, CONTINUED, RESULT, RETURNED, TRUE, Known, Struct, Value


@handles(ast.Assign)
def _assign(low: Lowering, node: ast.Assign) -> None:
    before = len(low.b.out)
    value = low.ex(node.value)
    if isinstance(node.targets[0], ast.Name):
        value = low.spelled(value, node.targets[0].id, before)
    if len(node.targets) > 1:
        value = low.settle(value, "a")
    for target in node.targets:
        assign(low, target, value)


@handles(ast.AnnAssign)
def _annotated(low: Lowering, node: ast.AnnAssign) -> None:
    if node.value is not None:
        assign(low, node.target, low.ex(node.value))


def assign(low: Lowering, target: ast.expr, value: Value) -> None:
    match target:
        case ast.Name(id=name):
            low.bind(name, value)
        case ast.Tuple() | ast.List():
            _unpack(low, target.elts, value)
        case ast.Subscript():
            write(low, target, value)
        case _:
            low.refuse(f"`{ast.unparse(target)}` is assigned to", "only names, elements and slices can be assigned")


def _unpack(low: Lowering, targets: list[ast.expr], value: Value) -> None:
    star = next((k for k, t in enumerate(targets) if isinstance(t, ast.Starred)), None)
    if star is not None:
        items, after = unpacked(low, value), len(targets) - star - 1
        if len(items) < len(targets) - 1:
            low.refuse(f"{len(items)} values are unpacked into at least {len(targets) - 1} names")
        middle = scope.struct(items[star : len(items) - after], list)
        value = scope.struct([*items[:star], middle, *items[len(items) - after :]])
        targets = [t.value if isinstance(t, ast.Starred) else t for t in targets]
    for target, item in zip(targets, unpacked(low, value, len(targets)), strict=True):
        assign(low, target, item)


@handles(ast.AugAssign)
def _augmented(low: Lowering, node: ast.AugAssign) -> None:
    function = BINARY[type(node.op)]
    match node.target:
        case ast.Subscript():
            augment(low, node, function)
        case ast.Name(id=name):
            old, before = low.lookup(name), len(low.b.out)
            right = low.ex(node.value)
            if isinstance(old, Var) and old.type.ref:
                adds = isinstance(node.op, (ast.Add, ast.Sub)) and old.type.is_float
                in_place(low, old, whole(old), right, function, None, adds)
            elif isinstance(old, Struct) and old.kind is list:
                low.refuse("a list is changed in place", "write a = a + [...]")
            else:
                low.bind(name, low.spelled(binary(low, function, old, right), name, before))
        case _:
            low.refuse(
                f"`{ast.unparse(node.target)}` is assigned to", "only names, elements and slices can be assigned"
            )


@handles(ast.If)
def _if(low: Lowering, node: ast.If) -> None:
    cond = low.truth(low.ex(node.test))
    low.branch(cond, lambda: low.block(node.body), lambda: low.block(node.orelse), low.live_after(node))


@handles(ast.Return)
def _return(low: Lowering, node: ast.Return) -> None:
    value = Known(None) if node.value is None else low.ex(node.value)
    low.frame.env[RESULT] = low.settle(value, "result")
    low.frame.env[RETURNED] = TRUE


@handles(ast.Break)
def _break(low: Lowering, node: ast.Break) -> None:
    low.frame.env[BROKEN] = TRUE


@handles(ast.Continue)
def _continue(low: Lowering, node: ast.Continue) -> None:
    low.frame.env[CONTINUED] = TRUE


@handles(ast.Pass, ast.Global, ast.Nonlocal)
def _pass(low: Lowering, node: ast.Pass) -> None:
    """Nothing to do (`global` and `nonlocal` of names that are written are refused by the fence)."""


@handles(ast.Expr)
def _expression(low: Lowering, node: ast.Expr) -> None:
    if not isinstance(node.value, ast.Constant):
        low.ex(node.value)


@handles(ast.FunctionDef)
def _function(low: Lowering, node: ast.FunctionDef) -> None:
    if node.decorator_list:
        low.refuse("a decorated nested function is outside the language", "define it outside")
    low.bind(node.name, closure(low, node))
