"""Functions that yield. A loop over one is its body, with the loop's own body in the place of each `yield`; what takes
all items at once (`list`, `sum`, `zip`) gets a list of them."""

from __future__ import annotations

import ast
import copy
import dataclasses
import functools
import inspect
import types
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from srcgrad.core.ir import Atom, Const, Var
from srcgrad.frontend.lowering import values
from srcgrad.frontend.lowering.calls import run
from srcgrad.frontend.lowering.nonlocals import cell
from srcgrad.frontend.lowering.paths import Lowering
from srcgrad.frontend.lowering.values import Absent, Cell, Closure, Generated, Known, Maybe, Method, Struct, Value
from srcgrad.frontend.source import classes, fence
from srcgrad.frontend.source.functions import behind
from srcgrad.frontend.source.liveness import assigned, outside_scopes, yields
from srcgrad.frontend.source.read import FunctionNode

BODY, ITEM, ITEMS, COUNT = "@body", "@item", "@items", "@count"
LEFT, BROKEN, GIVEN = "@left", "@broken", "@given"  # whether by a return, or by a break; what is returned


# ---- what gives one


def misplaced(low: Lowering, node: ast.Yield | ast.YieldFrom) -> NoReturn:
    low.refuse("the value of a `yield` is used", "write `yield` as a statement of its own")


def generated(low: Lowering, node: ast.expr) -> Struct | None:
    """What a call of a function that yields gives, or the `__iter__` of an object; None of anything else."""
    if isinstance(node, ast.Call):
        function = low.ex(node.func)
        if not _makes_one(function):
            return None
        return _made_by(low.ex(node))
    if not isinstance(node, (ast.Name, ast.Attribute)):
        return None
    with low.attempt():
        value = low.ex(node)
    found = classes.written(value.kind, "__iter__") if isinstance(value, Struct) else None
    if found is None or found.foreign or not _written_so(found.value):
        return None
    return _made_by(low.constructs.inline(found.value, [low.ex(node)], {}, low.frame.node))


def _made_by(value: Value) -> Struct | None:
    return value if isinstance(value, Struct) and value.kind is Generated else None


def _makes_one(function: Value) -> bool:
    match function:
        case Closure(node=ast.FunctionDef() as node):
            return yields(node)
        case Struct(kind=kind) if kind is functools.partial:
            return _makes_one(function.held[0])
        case Method(owner=Struct() as owner, name=name):
            return _written_so(inspect.getattr_static(owner.kind, name, None))
        case Known(value=target):
            return _written_so(target)
    return False


def _written_so(target: Any) -> bool:
    while isinstance(target, (types.MethodType, staticmethod, classmethod, functools.partial)):
        target = target.func if isinstance(target, functools.partial) else target.__func__
    return inspect.isgeneratorfunction(behind(target))


def _bare() -> ast.Return:
    """A return that says nothing of the result."""
    node = ast.Return(None)
    node.bare = True  # type: ignore[attr-defined]
    return node


# ---- as the function that it stands for


_MADE: dict[tuple[int, str], tuple[ast.AST, ast.FunctionDef]] = {}  # the same tree each time


class _Driven(ast.NodeTransformer):
    """A generator's text with something else in the place of each `yield`."""

    def __init__(self, step: Callable[[ast.expr], list[ast.stmt]]) -> None:
        self.step = step

    def visit_Expr(self, node: ast.Expr) -> Any:
        if isinstance(node.value, ast.Yield):
            return self.step(node.value.value or ast.Constant(None))
        if isinstance(node.value, ast.YieldFrom):
            name = f"{ITEM}s"
            body = self.step(ast.Name(name, ast.Load()))
            return ast.For(ast.Name(name, ast.Store()), node.value.value, body, [])
        return node

    def visit_Return(self, node: ast.Return) -> ast.stmt:
        return _bare()

    def _scope(self, node: Any) -> Any:
        return node

    visit_FunctionDef = visit_Lambda = visit_AsyncFunctionDef = _scope


def _driven(node: FunctionNode, how: str, step: Callable[[ast.expr], list[ast.stmt]]) -> ast.FunctionDef:
    """The function that does this with each item."""
    if (id(node), how) not in _MADE:
        new = copy.deepcopy(node)
        assert isinstance(new, ast.FunctionDef)
        for part in list(ast.walk(new)):
            if isinstance(part, ast.Try) and any(isinstance(n, (ast.Yield, ast.YieldFrom)) for n in ast.walk(part)):
                new.decorator_list = [ast.Name("try", ast.Load())]
        transform = _Driven(step)
        new.body = [s for stmt in new.body for s in _several(transform.visit(stmt))]
        new.partial = True  # type: ignore[attr-defined]
        _MADE[id(node), how] = node, _placed(new, node)
    return _MADE[id(node), how][1]


def _several(made: Any) -> list[ast.stmt]:
    return made if isinstance(made, list) else [made]


def _placed(new: ast.FunctionDef, where: ast.AST) -> ast.FunctionDef:
    """What has no place of its own gets that of what stands around it."""

    def visit(node: ast.AST, around: ast.AST) -> None:
        if "lineno" in node._attributes and not hasattr(node, "lineno"):
            ast.copy_location(node, around)
        for child in ast.iter_child_nodes(node):
            visit(child, node if hasattr(node, "lineno") else around)

    visit(new, where)
    return ast.fix_missing_locations(new)


def _call(name: str, *args: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), list(args), [])


def _run(low: Lowering, made: Struct, how: str, step: Callable[[ast.expr], list[ast.stmt]], **more: Value) -> Value:
    """The generator's body, with something else in the place of each `yield`; what that returns."""
    (code, *held), names = made.held, made.keys[1:]
    assert isinstance(code, Known)
    source, name, outer = code.value
    node = _driven(source.node, how, step)
    if node.decorator_list and isinstance(node.decorator_list[0], ast.Name) and node.decorator_list[0].id == "try":
        low.refuse("a `yield` stands inside of a `try`", "yield after it")
    if any(isinstance(n, (ast.Yield, ast.YieldFrom)) for n in outside_scopes(node.body)):
        low.refuse("the value of a `yield` is used", "write `yield` as a statement of its own")
    source = dataclasses.replace(source, node=node)
    fence.check(source)
    env = {**dict(zip(names, held, strict=True)), **more}
    return run(low, source, name, env, outer, low.frame.node, (id(node), tuple(names)))


# ---- a loop over one


def loop(low: Lowering, node: ast.For, made: Struct, count: Value | None = None) -> None:
    """for ... in generator(...), or in enumerate(generator(...), count)."""
    frame, leaves = low.frame, _leaves(node.body)
    names = assigned([node.target, *node.body])
    boxed = [name for name in names if not _is_cell(frame.env.get(name))]
    for name in boxed:
        value = frame.env.get(name)
        if isinstance(value, (Maybe, Absent)):
            low.refuse(f"`{name}` may be {value.missing.state} before a loop over a generator", "assign it before")
        frame.env[name] = cell(value, name)
    kept = {name: frame.env.get(name) for name in (LEFT, BROKEN, COUNT)}
    ours = {LEFT: cell(values.FALSE, LEFT), BROKEN: cell(values.FALSE, BROKEN), COUNT: cell(count, COUNT)}
    frame.env.update(ours)
    body = Closure(_body(node, [*names, *ours], count is not None), frame)
    more: dict[str, Value] = {**ours, BODY: body}
    given = _run(low, made, "leaving", _leaving, **more) if leaves else _run(low, made, "staying", _staying, **more)
    for name in boxed:
        _unboxed(frame.env, name)
    for name, value in kept.items():
        frame.env.pop(name, None)
        if value is not None:
            frame.env[name] = value
    _after(low, node, _condition(_held(ours[LEFT])), _condition(_held(ours[BROKEN])), given)


def _after(low: Lowering, node: ast.For, left: Atom, broken: Atom, given: Value) -> None:
    """The loop's `else`, and what the loop has returned."""
    live = low.live_after(node)
    if node.orelse:
        whole = low.negated(low.either(left, broken))
        low.branch(whole, lambda: low.block(node.orelse), lambda: None, live)
    if left != values.FALSE:
        low.branch(left, lambda: low.set_flags(returned=values.TRUE, result=given), lambda: None, live)


def _condition(value: Value | None) -> Atom:
    return value if isinstance(value, (Var, Const)) else values.FALSE


def _is_cell(value: Value | None) -> bool:
    return isinstance(value, Struct) and value.kind is Cell


def _held(value: Value | None) -> Value | None:
    return value.held[0] if isinstance(value, Struct) and value.held else None


def _unboxed(env: values.Env, name: str) -> None:
    value = _held(env.pop(name))
    if value is not None:
        env[name] = value


def _staying(item: ast.expr) -> list[ast.stmt]:
    return [ast.Expr(_call(BODY, item))]


def _leaving(item: ast.expr) -> list[ast.stmt]:
    test = ast.BoolOp(ast.Or(), [ast.Name(LEFT, ast.Load()), ast.Name(BROKEN, ast.Load())])
    given = ast.Assign([ast.Name(GIVEN, ast.Store())], _call(BODY, item))
    return [given, ast.If(test, [ast.Return(ast.Name(GIVEN, ast.Load()))], [])]


def _leaves(stmts: Sequence[ast.stmt]) -> bool:
    """Whether something in the body leaves the loop."""
    return any(isinstance(n, ast.Return) for n in outside_scopes(stmts)) or _breaks(stmts)


def _breaks(stmts: Sequence[ast.AST]) -> bool:
    for node in stmts:
        if isinstance(node, ast.Break):
            return True
        inner = node.orelse if isinstance(node, (ast.For, ast.While)) else list(ast.iter_child_nodes(node))
        if not isinstance(node, (ast.FunctionDef, ast.Lambda)) and _breaks(inner):
            return True
    return False


class _Leaving(ast.NodeTransformer):
    """The body of a loop as that of a function: what leaves a turn returns."""

    inside = 0

    def visit_Break(self, node: ast.Break) -> Any:
        return node if self.inside else [_true(BROKEN), _bare()]

    def visit_Continue(self, node: ast.Continue) -> Any:
        return node if self.inside else _bare()

    def visit_Return(self, node: ast.Return) -> Any:
        return [_true(LEFT), node]

    def _loop(self, node: Any) -> Any:
        self.inside += 1
        node.body = [s for stmt in node.body for s in _several(self.visit(stmt))]
        self.inside -= 1
        node.orelse = [s for stmt in node.orelse for s in _several(self.visit(stmt))]
        return node

    visit_For = visit_While = _loop

    def _scope(self, node: Any) -> Any:
        return node

    visit_FunctionDef = visit_Lambda = _scope


def _true(name: str) -> ast.stmt:
    return ast.Assign([ast.Name(name, ast.Store())], ast.Constant(True))


def _body(node: ast.For, names: list[str], counted: bool) -> ast.FunctionDef:
    """def loop(item): nonlocal names; target = item; ..."""
    how = f"loop {counted}"
    if (id(node), how) not in _MADE:
        item: ast.expr = ast.Name(ITEM, ast.Load())
        if counted:
            item = ast.Tuple([ast.Name(COUNT, ast.Load()), item], ast.Load())
        steps: list[ast.stmt] = [ast.Nonlocal(names), ast.Assign([node.target], item)]
        if counted:
            steps.append(ast.AugAssign(ast.Name(COUNT, ast.Store()), ast.Add(), ast.Constant(1)))
        transform = _Leaving()
        steps += [s for stmt in copy.deepcopy(node.body) for s in _several(transform.visit(stmt))]
        args = ast.arguments(posonlyargs=[], args=[ast.arg(ITEM)], kwonlyargs=[], kw_defaults=[], defaults=[])
        function = ast.FunctionDef("loop", args, steps, [])
        function.partial = True  # type: ignore[attr-defined]
        _MADE[id(node), how] = node, _placed(function, node)
    return _MADE[id(node), how][1]


# ---- all items at once


def exhausted(low: Lowering, made: Struct) -> Struct:
    """list(generator)"""
    code = made.held[0]
    assert isinstance(code, Known)
    node = code.value[0].node
    if _endless(node):
        low.refuse("a generator that never ends is taken whole", "loop over it with `for`, and break")
    items = Struct(list, (), ())
    items.label = values.spelling(low.naming.now) or "items"
    _run(low, made, "items", _appending, **{ITEMS: items})
    if _writes_what_it_yields(node):
        low.refuse("a generator yields what it then changes in place", "yield a copy: x.copy()")
    return items


def _appending(item: ast.expr) -> list[ast.stmt]:
    append = ast.Attribute(ast.Name(ITEMS, ast.Load()), "append", ast.Load())
    return [ast.Expr(ast.Call(append, [item], []))]


def _endless(node: FunctionNode) -> bool:
    loops = [n for n in ast.walk(node) if isinstance(n, ast.While) and isinstance(n.test, ast.Constant)]
    return any(bool(n.test.value) and not _leaves(n.body) for n in loops if isinstance(n.test, ast.Constant))


def _writes_what_it_yields(node: FunctionNode) -> bool:
    """Whether a name that is yielded as it is may be changed in place."""
    given = [n.value for n in ast.walk(node) if isinstance(n, ast.Yield) and n.value is not None]
    parts = [p for v in given for p in (v.elts if isinstance(v, ast.Tuple) else [v])]
    names = {p.id for p in parts if isinstance(p, ast.Name)}
    for n in ast.walk(node):
        target = n.target if isinstance(n, ast.AugAssign) else n
        if isinstance(target, ast.Subscript) and isinstance(target.ctx, ast.Store):
            if isinstance(target.value, ast.Name) and target.value.id in names:
                return True
    return False
