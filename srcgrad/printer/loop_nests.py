"""A plain Python function over elements, which is for arrays of any rank, as text for arrays of known ranks.

An interpreter that computes what is known and writes down what is not. Known are numbers, flags, ranks, and tuples of
indices and lengths, whose items may be expressions: `x[(*rest, k)]` becomes `x[i, k]`, `for at in np.ndindex(x.shape)`
a nest of loops, and an array of no axes a scalar.
"""

from __future__ import annotations

import ast
import inspect
import linecache
import math
import operator
import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import lru_cache
from types import FunctionType
from typing import Any

import numpy as np

from srcgrad.numeric import indices
from srcgrad.rules.language.over_elements import OverElements

LETTERS = "ijklmnopqrstuvw"
MADE = ("zeros", "ones", "empty", "full")
OPERATORS: dict[type, Callable[..., Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod, ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le,
    ast.Gt: operator.gt, ast.GtE: operator.ge, ast.In: lambda a, b: a in b, ast.NotIn: lambda a, b: a not in b,
    ast.Is: operator.is_, ast.IsNot: operator.is_not, ast.Not: operator.not_, ast.USub: operator.neg,
}  # fmt: skip
OF_TUPLES: dict[str, Callable[..., Any]] = {
    "len": len, "enumerate": lambda items: tuple(enumerate(items)),
    "reversed": lambda items: items[::-1], "range": lambda *ends: tuple(range(*ends)),
}  # fmt: skip


@lru_cache(maxsize=4096)
def text(name: str, over: OverElements) -> str:
    """The function's source under this name."""
    return _Writer(over).source(name)


def python(name: str, over: OverElements) -> FunctionType:
    """The function under this name, written out."""
    return compiled(name, text(name, over), over.function.__module__)


def compiled(name: str, source: str, module: str) -> FunctionType:
    """The function of this name in a text that tracebacks and readers of sources find."""
    file = f"<{module} {name} {hash((source,)):x}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    namespace: dict[str, Any] = {"np": np, "math": math, "__name__": module}
    exec(compile(source, file, "exec"), namespace)
    made = namespace[name]
    assert isinstance(made, FunctionType)
    return made


def known(value: Any) -> bool:
    """Whether nothing of the value is an expression."""
    return all(map(known, value)) if isinstance(value, tuple) else not isinstance(value, ast.AST)


class Shape(tuple[Any, ...]):
    """The lengths of an array, and the expression that gives them all."""

    whole: ast.expr


def expression(value: Any) -> ast.expr:
    """A value as the expression that gives it."""
    if isinstance(value, Shape):
        return value.whole
    if isinstance(value, tuple):
        return ast.Tuple([expression(v) for v in value], ast.Load())
    if isinstance(value, ast.expr):
        return value
    if isinstance(value, FunctionType):
        return ast.Name(value.__name__, ast.Load())
    if isinstance(value, type):
        return ast.Attribute(ast.Name("np", ast.Load()), value.__name__, ast.Load())
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value < 0:
        return ast.UnaryOp(ast.USub(), ast.Constant(-value))
    return ast.Constant(value)


def _of_comprehensions(tree: ast.AST) -> set[str]:
    """The names that comprehensions bind."""
    targets = [c.target for c in ast.walk(tree) if isinstance(c, ast.comprehension)]
    return {n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)}


class _Writer:
    def __init__(self, over: OverElements) -> None:
        self.lines = inspect.getsource(over.function).splitlines()
        (tree,) = ast.parse("\n".join(self.lines)).body
        assert isinstance(tree, ast.FunctionDef)
        self.tree = tree
        self.env: dict[str, Any] = dict(over.known)
        names = [a.arg for a in tree.args.args]
        self.params = [n for n in names if n not in self.env]
        self.ranks = dict(zip(self.params, over.ranks, strict=False))
        self.globals = over.function.__globals__
        found = [n for n in ast.walk(tree) if isinstance(n, ast.Name)]
        self.times = Counter(n.id for n in found if isinstance(n.ctx, ast.Store))
        self.loads = Counter(n.id for n in found if isinstance(n.ctx, ast.Load))
        self.taken = {*self.params, *self.times} - _of_comprehensions(tree)

    def source(self, name: str) -> str:
        args = ast.arguments([], [ast.arg(n) for n in self.params], None, [], [], None, [])
        body = self.block(self.tree.body) or [ast.Pass()]
        made = ast.FunctionDef(name, args, body, [], None, None)
        first, *rest = ast.unparse(ast.fix_missing_locations(made)).splitlines()
        return "\n".join([first, *self.comments(), *map(_exchange, rest)]) + "\n"

    def comments(self) -> list[str]:
        """What the function says of itself: the comment at its head."""
        start = next(k for k, line in enumerate(self.lines) if line.rstrip().endswith(":")) + 1
        found = self.lines[start : self.tree.body[0].lineno - 1]
        return [line for line in found if line.strip().startswith("#")]

    # ---- statements

    def block(self, stmts: list[ast.stmt]) -> list[ast.stmt]:
        out: list[ast.stmt] = []
        for stmt in stmts:
            out += self.stmt(stmt)
            if out and isinstance(out[-1], ast.Return):
                break
        return out

    def stmt(self, stmt: ast.stmt) -> list[ast.stmt]:
        match stmt:
            case ast.Assign(targets=[target]):
                return self.assign(target, stmt.value)
            case ast.AugAssign():
                target = self.target(stmt.target)
                assert isinstance(target, (ast.Name, ast.Subscript))
                return [ast.AugAssign(target, stmt.op, self.residual(stmt.value))]
            case ast.If():
                return self.branch(stmt)
            case ast.For():
                return self.loop(stmt)
            case ast.While():
                return [ast.While(self.residual(stmt.test), self.block(stmt.body), [])]
            case ast.Return(value=ast.expr() as value):
                return [ast.Return(self.residual(value))]
            case ast.Raise(exc=ast.expr() as error):
                return [ast.Raise(self.residual(error), None)]
            case ast.Expr(value=value):
                return [ast.Expr(self.residual(value))]
            case _:
                return [stmt]

    def assign(self, target: ast.expr, node: ast.expr) -> list[ast.stmt]:
        if isinstance(target, ast.Tuple) and isinstance(node, ast.Tuple) and self.apart(target):
            return [made for t, v in zip(target.elts, node.elts, strict=True) for made in self.assign(t, v)]
        value = self.value(node)
        if not isinstance(target, ast.Name):
            return [ast.Assign([self.target(target)], expression(value), lineno=0)]
        if (rank := self.rank_of(node)) is not None:
            self.ranks[target.id] = rank
        if isinstance(value, tuple):
            return self.named(target.id, value)
        if isinstance(value, ast.Name) and value.id in self.params and self.times[target.id] == 1:
            self.env[target.id] = value  # another name of an argument
            return []
        if self.times[target.id] > 1 or not known(value):
            return [ast.Assign([target], expression(value), lineno=0)]
        self.env[target.id] = value
        return []

    def apart(self, target: ast.Tuple) -> bool:
        """Whether an assignment of several values may be made one by one: names that are assigned nowhere else."""
        return all(isinstance(t, ast.Name) and self.times[t.id] == 1 for t in target.elts)

    def named(self, name: str, value: tuple[Any, ...]) -> list[ast.stmt]:
        """A tuple is known by its items; those that take computing get a name each."""
        out: list[ast.stmt] = []
        items = []
        for k, item in enumerate(value):
            if isinstance(item, (ast.IfExp, ast.Call)) or (isinstance(item, ast.BinOp) and self.loads[name] > 1):
                out.append(ast.Assign([ast.Name(f"{name}_{k}", ast.Store())], item, lineno=0))
                item = ast.Name(f"{name}_{k}", ast.Load())
            items.append(item)
        self.env[name] = tuple(items)
        return out

    def branch(self, stmt: ast.If) -> list[ast.stmt]:
        test = self.value(stmt.test)
        if known(test):
            return self.block(stmt.body if test else stmt.orelse)
        return [ast.If(expression(test), self.block(stmt.body), self.block(stmt.orelse))]

    def loop(self, stmt: ast.For) -> list[ast.stmt]:
        if isinstance(stmt.iter, ast.Call) and ast.unparse(stmt.iter.func) == "np.ndindex":
            return self.nest(stmt, self.value(stmt.iter.args[0]))
        if isinstance(stmt.iter, ast.Call) and ast.unparse(stmt.iter.func) == "range":
            return [ast.For(stmt.target, self.range_of(stmt.iter), self.block(stmt.body), [], lineno=0)]
        over = self.value(stmt.iter)
        if not isinstance(over, tuple):
            return [ast.For(stmt.target, expression(over), self.block(stmt.body), [], lineno=0)]
        out = []
        for item in over:
            self.env.update(bound(stmt.target, item))
            out += self.block(stmt.body)
        return out

    def range_of(self, call: ast.Call) -> ast.expr:
        return ast.Call(call.func, [self.residual(a) for a in call.args], [])

    def nest(self, stmt: ast.For, lengths: tuple[Any, ...]) -> list[ast.stmt]:
        letters = [c for c in LETTERS if c not in self.taken][: len(lengths)]
        self.taken |= {*letters}
        assert isinstance(stmt.target, ast.Name)
        self.env[stmt.target.id] = tuple(ast.Name(c, ast.Load()) for c in letters)
        body = self.block(stmt.body)
        self.taken -= {*letters}
        for letter, n in reversed(list(zip(letters, lengths, strict=True))):
            over = ast.Call(ast.Name("range", ast.Load()), [expression(n)], [])
            body = [ast.For(ast.Name(letter, ast.Store()), over, body, [], lineno=0)]
        return body

    def target(self, node: ast.expr) -> ast.expr:
        if isinstance(node, ast.Tuple):
            return ast.Tuple([self.target(e) for e in node.elts], ast.Store())
        return self.residual(node) if isinstance(node, ast.Subscript) else node

    # ---- expressions

    def residual(self, node: ast.expr) -> ast.expr:
        return expression(self.value(node))

    def value(self, node: ast.expr) -> Any:
        """What an expression gives, as far as it is known: a value, or an expression."""
        method = getattr(self, type(node).__name__.lower(), None)
        return method(node) if method else node

    def constant(self, node: ast.Constant) -> Any:
        return node.value

    def name(self, node: ast.Name) -> Any:
        return self.env.get(node.id, node)

    def tuple(self, node: ast.Tuple) -> Any:
        items: list[Any] = []
        for e in node.elts:
            if not isinstance(e, ast.Starred):
                items.append(self.value(e))
            else:
                items += self.each(e.value) if isinstance(e.value, ast.GeneratorExp) else self.value(e.value)
        return tuple(items)

    def attribute(self, node: ast.Attribute) -> Any:
        made = ast.Attribute(base := self.residual(node.value), node.attr, ast.Load())
        if isinstance(base, ast.Name) and (rank := self.ranks.get(base.id)) is not None:
            if node.attr == "ndim":
                return rank
            if node.attr == "shape":
                shape = Shape(ast.Subscript(made, ast.Constant(k), ast.Load()) for k in range(rank))
                shape.whole = made
                return shape
        return made

    def subscript(self, node: ast.Subscript) -> Any:
        value, index = self.value(node.value), self.index(node.slice)
        if isinstance(value, tuple):
            return value[index]
        if isinstance(index, tuple) and not index:
            return value
        index = index[0] if isinstance(index, tuple) and len(index) == 1 else index
        return ast.Subscript(expression(value), expression(_plain_slices(index)), node.ctx)

    def index(self, node: ast.expr) -> Any:
        if not isinstance(node, ast.Slice):
            return self.value(node)
        ends = [None if e is None else self.value(e) for e in (node.lower, node.upper, node.step)]
        return slice(*ends)

    def call(self, node: ast.Call) -> Any:
        function = ast.unparse(node.func)
        if function == "tuple" and isinstance(node.args[0], ast.GeneratorExp):
            return tuple(self.each(node.args[0]))
        if function == "any" and isinstance(node.args[0], ast.GeneratorExp):
            tests = [expression(test) for test in self.each(node.args[0])]
            return ast.BoolOp(ast.Or(), tests) if len(tests) > 1 else tests[0] if tests else False
        if function == "slice":
            return slice(*(self.value(a) for a in node.args))
        args = [self.value(a) for a in node.args]
        if function in OF_TUPLES and (function != "range" or all(map(known, args))):
            return OF_TUPLES[function](*args)
        if function in ("min", "max") and all(map(known, args)):
            return (min if function == "min" else max)(*args)
        if (inner := self.formula(function)) is not None:
            return self.within(dict(zip((a.arg for a in inner.args.args), args, strict=True)), inner)
        if function.removeprefix("np.") in MADE and args[0] == ():
            return _scalar(function.removeprefix("np."), args[1:])
        more = [ast.keyword(k.arg, self.residual(k.value)) for k in node.keywords]
        return ast.Call(self.residual(node.func), [expression(a) for a in args], more)

    def formula(self, name: str) -> ast.FunctionDef | None:
        """The function of this name, if it is one of those that give indices."""
        function = self.globals.get(name)
        if not isinstance(function, FunctionType) or function.__module__ != indices.__name__:
            return None
        (tree,) = ast.parse(inspect.getsource(function)).body
        assert isinstance(tree, ast.FunctionDef)
        return tree

    def within(self, env: dict[str, Any], function: ast.FunctionDef) -> Any:
        before, self.env = self.env, env
        (stmt,) = function.body
        assert isinstance(stmt, ast.Return) and stmt.value is not None
        value = self.value(stmt.value)
        self.env = before
        return value

    def each(self, node: ast.GeneratorExp) -> Iterator[Any]:
        (clause,) = node.generators
        before = dict(self.env)
        for item in self.value(clause.iter):
            self.env.update(bound(clause.target, item))
            if all(self.value(test) for test in clause.ifs):
                yield self.value(node.elt)
        self.env = before

    def ifexp(self, node: ast.IfExp) -> Any:
        test = self.value(node.test)
        if known(test):
            return self.value(node.body if test else node.orelse)
        return ast.IfExp(expression(test), self.residual(node.body), self.residual(node.orelse))

    def binop(self, node: ast.BinOp) -> Any:
        left, right = self.value(node.left), self.value(node.right)
        if isinstance(left, tuple) or (known(left) and known(right) and type(node.op) in OPERATORS):
            return OPERATORS[type(node.op)](left, right)
        if isinstance(node.op, (ast.Add, ast.Sub)) and isinstance(right, int) and right <= 0:
            flipped = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
            return left if right == 0 else ast.BinOp(expression(left), flipped, ast.Constant(-right))
        if isinstance(node.op, ast.Add) and known(left) and left == 0:
            return right
        return ast.BinOp(expression(left), node.op, expression(right))

    def unaryop(self, node: ast.UnaryOp) -> Any:
        value = self.value(node.operand)
        if known(value) and type(node.op) in OPERATORS:
            return OPERATORS[type(node.op)](value)
        return ast.UnaryOp(node.op, expression(value))

    def compare(self, node: ast.Compare) -> Any:
        values = [self.value(v) for v in (node.left, *node.comparators)]
        if all(map(known, values)):
            pairs = zip(values, node.ops, values[1:], strict=False)
            return all(OPERATORS[type(op)](a, b) for a, op, b in pairs)
        return ast.Compare(expression(values[0]), node.ops, [expression(v) for v in values[1:]])

    def boolop(self, node: ast.BoolOp) -> Any:
        ends = isinstance(node.op, ast.Or)  # the value that decides
        left: list[ast.expr] = []
        value: Any = None
        for part in node.values:
            value = self.value(part)
            if not known(value):
                left.append(expression(value))
            elif bool(value) is ends:
                return ast.BoolOp(node.op, [*left, expression(value)]) if left else value
        if not left:
            return value
        return left[0] if len(left) == 1 else ast.BoolOp(node.op, left)

    def rank_of(self, node: ast.expr) -> int | None:
        """The rank of an array that is made here."""
        match node:
            case ast.IfExp(test=test, body=body, orelse=orelse) if known(chosen := self.value(test)):
                return self.rank_of(body if chosen else orelse)
            case ast.Call(func=ast.Attribute(value=ast.Name(id="np"), attr=made), args=[shape, *_]) if made in MADE:
                lengths = self.value(shape)
                return len(lengths) if isinstance(lengths, tuple) else 1
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="copy")):
                return self.ranks.get(name)
        return None


def _exchange(line: str) -> str:
    """An assignment to several targets without the parentheses around its values."""
    found = re.fullmatch(r"( *[^=(]+, [^=(]+ = )\((.+)\)", line)
    return found[1] + found[2] if found and isinstance(ast.parse(line.strip()).body[0].targets[0], ast.Tuple) else line  # type: ignore[attr-defined]


def bound(target: ast.expr, item: Any) -> dict[str, Any]:
    """The names of a target with what they stand for."""
    if isinstance(target, ast.Tuple):
        return {name: v for t, i in zip(target.elts, item, strict=True) for name, v in bound(t, i).items()}
    assert isinstance(target, ast.Name)
    return {target.id: item}


def _plain_slices(index: Any) -> Any:
    if isinstance(index, tuple):
        return tuple(map(_plain_slices, index))
    if not isinstance(index, slice):
        return index
    start = None if not isinstance(index.start, ast.expr) and not index.start else expression(index.start)
    return ast.Slice(start, *(None if e is None else expression(e) for e in (index.stop, index.step)))


def _scalar(made: str, args: list[Any]) -> ast.expr:
    """An array of no axes is a scalar."""
    value = args[0] if made == "full" else {"ones": 1, "zeros": 0, "empty": 0}[made]
    (dtype,) = args[1:] if made == "full" else args
    kind = (
        ast.Attribute(dtype, "type", ast.Load())
        if isinstance(dtype, ast.Attribute) and dtype.attr == "dtype"
        else dtype
    )
    return ast.Call(expression(kind), [expression(value)], [])
