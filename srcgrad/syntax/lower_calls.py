"""Calls. Functions of libraries go through the rules; the user's own are read in place; recursion becomes a `Call`."""

from __future__ import annotations

import ast
import dataclasses
import functools
import inspect
import operator
import types
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.ir import Const, Var
from srcgrad.errors import NotDifferentiableError, UnsupportedError
from srcgrad.rules import registry
from srcgrad.syntax import fence, scope
from srcgrad.syntax.capture import LIBRARIES, Origin
from srcgrad.syntax.liveness import Liveness, assigned, liveness
from srcgrad.syntax.lower_base import Lowering, handles
from srcgrad.syntax.lower_effects import print_
from srcgrad.syntax.lower_expressions import attribute, binary, dimension, unpacked
from srcgrad.syntax.lower_ranges import Domain, domain
from srcgrad.syntax.lower_recursion import Body, call_itself, is_active
from srcgrad.syntax.lower_state import Reported
from srcgrad.syntax.lower_statements import assign
from srcgrad.syntax.read import FunctionNode, Source, read
from srcgrad.syntax.scope import Closure, Frame, Known, Method, Struct, Value

DEPTH_LIMIT = 60
Args = Sequence[Value]
Named = dict[str, Value]


@handles(ast.Call)
def _call(low: Lowering, node: ast.Call) -> Value:
    function = low.ex(node.func)
    if isinstance(function, Known) and function.value is print:
        print_(low, node.args)
        return Known(None)
    if isinstance(function, Known) and function.value is sum:
        match node.args:
            case [ast.GeneratorExp() as generator]:
                return _sum_over(low, generator)
    args: list[Value] = []
    for arg in node.args:
        args.extend(unpacked(low, low.ex(arg.value)) if isinstance(arg, ast.Starred) else [low.ex(arg)])
    named: Named = {}
    for keyword in node.keywords:
        value = low.ex(keyword.value)
        if keyword.arg is not None:
            named[keyword.arg] = value
        elif isinstance(value, Struct) and issubclass(value.kind, dict):
            named.update(zip(value.keys, value.items, strict=True))
        else:
            low.refuse("`**` needs a dict that is known here")
    return call(low, function, args, named, node)


def call(low: Lowering, function: Value, args: Args, named: Named, node: ast.AST) -> Value:
    match function:
        case Closure():
            return _closure(low, function, args, named, node)
        case Method():
            return _method(low, function, args, named, node)
        case Known():
            return _known(low, function, args, named, node)
    return low.refuse(f"{scope.describe(function)} is called")


# ---- known objects


def _known(low: Lowering, function: Known, args: Args, named: Named, node: ast.AST) -> Value:
    target = function.value
    if isinstance(target, Hashable) and target in BUILTINS:
        given = BUILTINS[target](low, args, named)
        if given is not None:
            return given
    if hasattr(target, "__srcgrad_bind__"):
        target, args = target.__srcgrad_bind__(args, named)
        return _prepared(low, target, args, {})
    if hasattr(target, "__srcgrad_core__"):
        return _prepared(low, target, args, named)
    if isinstance(target, Hashable) and target in registry.FUNCTIONS:
        low.divides(target, args)
        return library(low, registry.FUNCTIONS[target], args, named, getattr(target, "__name__", repr(target)))
    if isinstance(target, functools.partial):
        bound = [literal(low, a) for a in target.args]
        keywords = {k: literal(low, v) for k, v in target.keywords.items()}
        return call(low, Known(target.func), [*bound, *args], {**keywords, **named}, node)
    if isinstance(target, types.MethodType):
        origin = function.origin
        owner = Known(target.__self__, None if origin is None else Origin(origin.space, origin.name, origin.path[:-1]))
        return call(low, Known(target.__func__), [owner, *args], named, node)
    if isinstance(target, type):
        return _construct(low, target, args, named, node)
    target = getattr(target, "py_func", target)
    if isinstance(target, types.FunctionType) and str(target.__module__).split(".")[0] not in LIBRARIES:
        return inline(low, target, args, named, node)
    name = getattr(target, "__name__", type(target).__name__)
    module = getattr(target, "__module__", None)
    raise NotDifferentiableError(
        f"there is no rule for `{module + '.' if module and module != 'builtins' else ''}{name}`",
        hint=_instead(target),
    )


def _instead(target: Any) -> str:
    known = registry.INSTEAD.get(target) if isinstance(target, Hashable) else None
    return known or "write it out, or give it a rule with custom_jvp or custom_vjp"


def literal(low: Lowering, value: Any) -> Value:
    """A Python object that cannot change: a number is a literal."""
    if isinstance(value, np.ndarray):
        low.refuse("an array is bound to a function", "pass it as an argument")
    return Const(value, ir.F8) if isinstance(value, float) else low.captures.plain(value)


def library(low: Lowering, adaptor: Callable[..., Any], args: Args, named: Named, name: str) -> Value:
    """What the rules emit for a call."""
    given = [low.outward(a) for a in args]
    options = {k: low.outward(v) for k, v in named.items()}
    try:
        inspect.signature(adaptor).bind(low.b, *given, **options)
    except TypeError as error:
        raise UnsupportedError(f"`{name}` is not understood with these arguments: {error}") from None
    return low.inward(low.emitted(adaptor, given, options))


def _construct(low: Lowering, kind: type, args: Args, named: Named, node: ast.AST) -> Value:
    """A NamedTuple or a dataclass."""
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        names: tuple[str, ...] = tuple(kind._fields)
        defaults = dict(getattr(kind, "_field_defaults", {}))
    elif dataclasses.is_dataclass(kind):
        fields = [f for f in dataclasses.fields(kind) if f.init]
        names = tuple(f.name for f in fields)
        defaults = {f.name: f.default for f in fields if f.default is not dataclasses.MISSING}
        if hasattr(kind, "__post_init__"):
            low.refuse(f"`{kind.__name__}` has a __post_init__", "leave it out")
    else:
        message = f"there is no rule for `{kind.__name__}`"
        raise NotDifferentiableError(message, hint="use a tuple, a NamedTuple or a dataclass")
    given = dict(zip(names, args, strict=False))
    if len(args) > len(names) or set(named) - set(names) or set(given) & set(named):
        low.refuse(f"the arguments do not fit `{kind.__name__}`")
    given.update(named)
    for name in names:
        if name not in given:
            if name not in defaults:
                low.refuse(f"`{kind.__name__}` misses its argument `{name}`")
            given[name] = literal(low, defaults[name])
    return Struct(kind, names, tuple(low.settle(given[name], name) for name in names))


def _prepared(low: Lowering, target: Any, args: Args, named: Named) -> Value:
    """An object that brings its own core program (a derivative, a solver, a function with its own rule)."""
    values = list(args)
    if named:
        bound = inspect.signature(target).bind(*args, **named)
        bound.apply_defaults()
        values = [v if isinstance(v, scope.ANY) else literal(low, v) for v in bound.arguments.values()]
    values = [low.settle(v, "a") for v in values]
    lowered = target.__srcgrad_core__([scope.spec_of(v) for v in values])
    return low.place(lowered, [atom for value in values for atom in scope.leaves(value)])


# ---- methods


def _method(low: Lowering, method: Method, args: Args, named: Named, node: ast.AST) -> Value:
    owner, name = method.owner, method.name
    if isinstance(owner, Struct):
        return _struct_method(low, owner, name, args, named, node)
    if name not in registry.METHODS:
        raise NotDifferentiableError(f"there is no rule for the method `{name}` of {scope.describe(owner)}")
    return library(low, registry.METHODS[name], [owner, *args], named, name)


def _struct_method(low: Lowering, owner: Struct, name: str, args: Args, named: Named, node: ast.AST) -> Value:
    if issubclass(owner.kind, dict):
        match name:
            case "keys":
                return scope.struct([Known(key) for key in owner.keys])
            case "values":
                return scope.struct(owner.items)
            case "items":
                return scope.struct([scope.struct([Known(k), v]) for k, v in zip(owner.keys, owner.items, strict=True)])
            case "get" if args and isinstance(args[0], Known):
                found = owner.get(args[0].value)
                return found if found is not None else args[1] if len(args) > 1 else Known(None)
    if name == "_replace" and hasattr(owner.kind, "_fields"):
        items = [low.settle(named.get(key, item), key) for key, item in zip(owner.keys, owner.items, strict=True)]
        return Struct(owner.kind, owner.keys, tuple(items))
    found_in_class = inspect.getattr_static(owner.kind, name, None)
    if isinstance(found_in_class, types.FunctionType):
        return inline(low, found_in_class, [owner, *args], named, node)
    message = f"the method `{name}` of a {owner.kind.__name__} is outside the language"
    return low.refuse(message, "make a new one instead of changing it")


# ---- the user's functions, read in place


def inline(low: Lowering, fun: types.FunctionType, args: Args, named: Named, node: ast.AST) -> Value:
    source = read(fun)
    fence.check(source)
    env = bind_arguments(low, source.node.args, fun.__name__, args, named, lambda name: _default(low, fun, name))
    key = (fun, tuple(scope.spec_of(v) for v in env.values()))
    if is_active(low, key):
        body: Body = lambda other, values: run(other, source, fun.__name__, values, None, node, key)  # noqa: E731
        return call_itself(low, fun, key, env, body)
    return run(low, source, fun.__name__, env, None, node, key)


def _default(low: Lowering, fun: types.FunctionType, name: str) -> Value | None:
    try:
        return low.captures.default(fun, name)
    except KeyError:
        return None


def _closure(low: Lowering, closure: Closure, args: Args, named: Named, node: ast.AST) -> Value:
    arguments = closure.node.args
    positional = [a.arg for a in (*arguments.posonlyargs, *arguments.args)]
    defaults = dict(zip(positional[len(positional) - len(closure.defaults) :], closure.defaults, strict=True))
    defaults.update({a.arg: d for a, d in zip(arguments.kwonlyargs, closure.kw_defaults, strict=True) if d is not None})
    name = closure.node.name if isinstance(closure.node, ast.FunctionDef) else "lambda_"
    env = bind_arguments(low, arguments, name, args, named, defaults.get)
    source = dataclasses.replace(closure.frame.source, node=closure.node)
    key = (id(closure.node), id(closure.frame), tuple(scope.spec_of(v) for v in env.values()))
    if is_active(low, key):
        low.refuse(f"the nested function `{name}` calls itself", "define it at the top of the file")
    return run(low, source, name, env, closure.frame, node, key)


def bind_arguments(
    low: Lowering, arguments: ast.arguments, name: str, args: Args, named: Named, default: Callable[[str], Value | None]
) -> dict[str, Value]:
    """The parameters' values, in the order of the signature."""
    positional = [a.arg for a in (*arguments.posonlyargs, *arguments.args)]
    names = positional + [a.arg for a in arguments.kwonlyargs]
    if len(args) > len(positional):
        low.refuse(f"`{name}` takes {len(positional)} positional arguments, not {len(args)}")
    given = dict(zip(positional, args, strict=False))
    for key, value in named.items():
        if key in given or key not in names:
            low.refuse(f"`{name}` has no argument `{key}` left to give")
        given[key] = value
    env: dict[str, Value] = {}
    for key in names:
        value_ = given[key] if key in given else default(key)
        if value_ is None:
            low.refuse(f"`{name}` misses its argument `{key}`")
        env[key] = low.settle(value_, key)
    return env


@functools.lru_cache(maxsize=512)
def facts_of(node: FunctionNode) -> tuple[frozenset[str], Liveness]:
    """The local names of a function, and what is live where."""
    if isinstance(node, ast.Lambda):
        return frozenset(assigned([node.body])), Liveness()
    free = {name for n in ast.walk(node) if isinstance(n, (ast.Global, ast.Nonlocal)) for name in n.names}
    return frozenset(assigned(node.body)) - free, liveness(node.body)


def run(
    low: Lowering, source: Source, name: str, env: dict[str, Value], outer: Frame | None, node: ast.AST, key: Any
) -> Value:
    """The body of a function with its parameters bound; what it returns."""
    if len(low.stack) > DEPTH_LIMIT:
        low.refuse(f"the call of `{name}` is nested more than {DEPTH_LIMIT} deep")
    names, live = facts_of(source.node)
    caller, span = low.frame, low.b.span
    path = (*caller.path, id(node)) if caller is not None else ()
    low.frame = Frame(source, name, dict(env), names | env.keys(), live, path, outer)
    low.stack.append(key)
    refused = len(low.refusals)
    try:
        if isinstance(source.node, ast.Lambda):
            with low.b.at(source.span(source.node.body)):
                return low.settle(low.ex(source.node.body), "result")
        low.block(source.node.body)
        if scope.RAISED in low.frame.env and caller is not None:
            caller.env[scope.RAISED] = scope.TRUE
        if len(low.refusals) > refused:
            raise Reported
        with low.placing(source.node):
            return low.result()
    finally:
        low.stack.pop()
        low.frame, low.b.span = caller, span


# ---- builtins on structures


def _len(low: Lowering, args: Args, named: Named) -> Value | None:
    match args:
        case [Struct() as struct]:
            return Const(len(struct.items), ir.I8)
        case [Var() as array] if array.type.rank:
            return dimension(low, array, 0)
    return low.refuse("len takes an array, a tuple, a list or a dict")


def _sum(low: Lowering, args: Args, named: Named) -> Value | None:
    if not args or not isinstance(args[0], Struct):
        return None
    total: Value = args[1] if len(args) > 1 else named.get("start", Const(0, ir.I8))
    for item in args[0].items:
        total = item if total == Const(0, ir.I8) else binary(low, operator.add, total, item)
    return total


def _extremum(function: Callable[..., Any]) -> Callable[[Lowering, Args, Named], Value | None]:
    def call_(low: Lowering, args: Args, named: Named) -> Value | None:
        items = list(args[0].items) if len(args) == 1 and isinstance(args[0], Struct) else list(args)
        if named or (len(items) < 2 and not isinstance(args[0], Struct)) or not items:
            return None
        return items[0] if len(items) == 1 else low.apply(function, *items)

    return call_


def _sequence(kind: type) -> Callable[[Lowering, Args, Named], Value | None]:
    def call_(low: Lowering, args: Args, named: Named) -> Value | None:
        if not args:
            return scope.struct([], kind)
        if isinstance(args[0], Var) and args[0].type.rank:
            low.refuse(f"an array is turned into a {kind.__name__}", "keep it an array")
        return scope.struct(unpacked(low, args[0]), kind)

    return call_


def _dict(low: Lowering, args: Args, named: Named) -> Value | None:
    if args:
        if not isinstance(args[0], Struct) or not issubclass(args[0].kind, dict):
            low.refuse("dict() takes keywords or a dict")
        named = {**dict(zip(args[0].keys, args[0].items, strict=True)), **named}
    return Struct(dict, tuple(named), tuple(low.settle(v, k) for k, v in named.items()))


def _isinstance(low: Lowering, args: Args, named: Named) -> Value | None:
    value, kinds = args
    if isinstance(kinds, Struct):
        classes = tuple(k.value for k in kinds.items if isinstance(k, Known))
    else:
        classes = (kinds.value,) if isinstance(kinds, Known) else ()
    match value:
        case Struct():
            own: type = value.kind
        case Known():
            own = type(value.value)
        case Var() | Const():
            own = np.ndarray if value.type.rank else {"f": float, "i": int, "b": bool}[value.type.dtype[0]]
        case _:
            own = types.FunctionType
    return scope.TRUE if any(issubclass(own, c) for c in classes) else scope.FALSE


def _getattr(low: Lowering, args: Args, named: Named) -> Value | None:
    if len(args) < 2 or not isinstance(args[1], Known):
        return low.refuse("getattr needs a name that is known here")
    return attribute(low, args[0], args[1].value)


def _bool(low: Lowering, args: Args, named: Named) -> Value | None:
    return low.truth(args[0]) if len(args) == 1 else None


BUILTINS: dict[Any, Callable[[Lowering, Args, Named], Value | None]] = {
    len: _len, sum: _sum, max: _extremum(max), min: _extremum(min), tuple: _sequence(tuple), list: _sequence(list),
    dict: _dict, isinstance: _isinstance, getattr: _getattr, bool: _bool,
}  # fmt: skip


# ---- comprehensions


def _sum_over(low: Lowering, node: ast.GeneratorExp) -> Value:
    """sum(f(i) for i in ...) as the loop that it is."""
    body: list[ast.stmt] = [_located(ast.AugAssign(ast.Name("total", ast.Store()), ast.Add(), node.elt), node)]
    for part in reversed(node.generators):
        for test in reversed(part.ifs):
            body = [_located(ast.If(test, body, []), node)]
        body = [_located(ast.For(part.target, part.iter, body, []), node)]
    first = _located(ast.Assign([ast.Name("total", ast.Store())], ast.Constant(0)), node)
    last = _located(ast.Return(ast.Name("total", ast.Load())), node)
    empty = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
    function = _located(ast.FunctionDef("sum", empty, [first, *body, last], [], lineno=node.lineno), node)
    return _closure(low, Closure(_sum_function(node, function), low.frame), [], {}, node)


_SUMS: dict[int, tuple[ast.GeneratorExp, ast.FunctionDef]] = {}


def _sum_function(node: ast.GeneratorExp, function: ast.FunctionDef) -> ast.FunctionDef:
    """The same tree each time, for what is known of a loop is kept by its node."""
    return _SUMS.setdefault(id(node), (node, function))[1]


def _located(new: Any, node: ast.AST) -> Any:
    return ast.fix_missing_locations(ast.copy_location(new, node))


@handles(ast.ListComp, ast.GeneratorExp)
def _comprehension(low: Lowering, node: ast.ListComp | ast.GeneratorExp) -> Value:
    """Over known items: one value each."""
    items: list[Value] = []
    frame = low.frame
    env, names = frame.env, frame.locals
    frame.env, frame.locals = dict(env), names | frozenset(assigned([part.target for part in node.generators]))
    _generate(low, node, 0, items)
    frame.env, frame.locals = env, names
    return scope.struct(items, list)


def _generate(low: Lowering, node: ast.ListComp | ast.GeneratorExp, depth: int, items: list[Value]) -> None:
    if depth == len(node.generators):
        items.append(low.settle(low.ex(node.elt), "a"))
        return
    part = node.generators[depth]
    for item in _known_items(low, domain(low, part.iter)):
        assign(low, part.target, item)
        tests = [low.truth(low.ex(test)) for test in part.ifs]
        if not all(isinstance(test, Const) for test in tests):
            low.refuse("a comprehension's condition is not known here", "use a loop and an array")
        if all(isinstance(test, Const) and test.value for test in tests):
            _generate(low, node, depth + 1, items)


def _known_items(low: Lowering, over: Domain | Struct) -> list[Value]:
    if isinstance(over, Struct):
        return list(over.items)
    bounds = [b.value for b in (over.start, over.stop, over.step) if isinstance(b, Const)]
    if len(bounds) < 3:
        low.refuse("the length of a comprehension is not known here", "make an array and fill it in a loop")
    index = Var("i", ir.I8)
    if over.item(index) is not index:
        low.refuse("a comprehension over an array is outside the language", "use array expressions, or a loop")
    return [Const(k, ir.I8) for k in range(*(int(b) for b in bounds))]  # type: ignore[arg-type]
