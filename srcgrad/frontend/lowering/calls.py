"""Calls. Functions of libraries go through the rules; the user's own are read in place; recursion becomes a `Call`."""

from __future__ import annotations

import ast
import dataclasses
import functools
import inspect
import types
from collections.abc import Callable, Sequence
from typing import Any

from srcgrad.core import ir
from srcgrad.core.ir import I8, Const, Var
from srcgrad.core.layouts import TWICE, VIEW
from srcgrad.errors import NotDifferentiableError, Problem, SrcgradError, UnsupportedError
from srcgrad.frontend.lowering import (
    called_helpers,
    iterator_domains,
    nested_recursion,
    of_numba,
    outputs,
    refused_calls,
    stand_ins,
    strings,
)
from srcgrad.frontend.lowering import values as scope
from srcgrad.frontend.lowering.attributes import of_interpreter
from srcgrad.frontend.lowering.builtins import BUILTINS, LEAST, calls, known_length
from srcgrad.frontend.lowering.call_arguments import positional
from srcgrad.frontend.lowering.construction import construct, generated_init, initialise, literal
from srcgrad.frontend.lowering.effects import print_
from srcgrad.frontend.lowering.foreign_arrays import generator_call, given_array, owner_of
from srcgrad.frontend.lowering.lifted import Lifted, handed, itself
from srcgrad.frontend.lowering.loop_domains import OTHERS
from srcgrad.frontend.lowering.nested_recursion import identity
from srcgrad.frontend.lowering.nonlocals import cell, free_of, outer_cell, shared_of
from srcgrad.frontend.lowering.objects import method
from srcgrad.frontend.lowering.paths import Lowering
from srcgrad.frontend.lowering.recursion import Body, call_itself, is_active
from srcgrad.frontend.lowering.special_methods import converted, mapping
from srcgrad.frontend.lowering.state import Reported
from srcgrad.frontend.lowering.values import Closure, Frame, Known, Method, Struct, Value
from srcgrad.frontend.source import fence, hooks, wording
from srcgrad.frontend.source.classes import ALLOWED, listed
from srcgrad.frontend.source.functions import behind, is_jitted, module_of, of_python, signature_of
from srcgrad.frontend.source.liveness import Liveness, assigned, liveness, outside_scopes, yields
from srcgrad.frontend.source.read import FunctionNode, InPlace, Source, read
from srcgrad.rules.language import registry
from srcgrad.rules.language.integers import trips

DEPTH_LIMIT = 60
Args = Sequence[Value]
Named = dict[str, Value]


def call_expression(low: Lowering, node: ast.Call) -> Value:
    function = low.ex(node.func)
    if isinstance(function, Known) and function.value is print:
        print_(low, node)
        return Known(None)
    if isinstance(function, Known) and any(function.value is f for f in (sum, any, all)) and node.args:
        given = low.constructs.consume(function.value, node)
        if given is not None:
            return given
    if isinstance(function, Known) and function.value is len and (turns := _turns(low, node)) is not None:
        return turns
    if isinstance(function, Known) and isinstance(function.value, type) and function.value in OTHERS:
        return iterator_domains.kept(low, OTHERS[function.value](low, node))
    if isinstance(function, Known) and function.value is map and (made := iterator_domains.mapped(low, node)):
        return made
    args = positional(low, function, node)
    named: Named = {}
    for keyword in node.keywords:
        value = low.ex(keyword.value)
        if keyword.arg is not None:
            named[keyword.arg] = value
        elif (items := mapping(low, value)) is not None:
            named.update(items)
        else:
            low.refuse("`**` needs a dict that is known here", "name the arguments")
    return call(low, function, args, named, node)


def _turns(low: Lowering, node: ast.Call) -> Value | None:
    """len(range(...)), which needs no range"""
    match node.args:
        case [ast.Call(func=inner, args=bounds, keywords=[])] if 1 <= len(bounds) <= 3:
            function = low.ex(inner)
            if not isinstance(function, Known) or function.value is not range:
                return None
            first, *more = [low.integer(low.ex(b)) for b in bounds]
            start, stop = (first, more[0]) if more else (Const(0, I8), first)
            step = more[1] if len(more) == 2 else Const(1, I8)
            return low.b.let(trips, start, stop, step, name="turns")
    return None


def call(low: Lowering, function: Value, args: Args, named: Named, node: ast.AST) -> Value:
    match function:
        case Closure():
            return _closure(low, function, args, named, node)
        case Method():
            return _method(low, function, args, named, node)
        case Known():
            return call_known(low, function, args, named, node)
        case Struct(kind=kind) if kind is functools.partial:
            return _partial(low, function, args, named, node)
        case Struct() if calls(function.kind):
            return _struct_method(low, function, "__call__", args, named, node)
    return low.refuse(f"{scope.describe(function)} is called", "only functions can be called")


def _partial(low: Lowering, made: Struct, args: Args, named: Named, node: ast.AST) -> Value:
    """A call of what functools.partial made inside the function."""
    given = dict(zip(made.keys, made.items, strict=True))
    function = given.pop("@function")
    first = [given.pop(key) for key in made.keys if key.isdigit()]
    return call(low, function, [*first, *args], {**given, **named}, node)


# ---- known objects


def call_known(low: Lowering, function: Known, args: Args, named: Named, node: ast.AST) -> Value:
    target = function.value
    told = converted(low, target, args) if listed(target) else None
    if told is not None:
        return told
    built = _built_in(low, function, args, named, node)
    if built is not None:
        return built
    inside = hooks.inside(target)
    if inside is not None:
        return inside(low, args, named)  # type: ignore[no-any-return]
    if isinstance(target, Lifted) and target.low is low:
        return call(low, target.function, args, named, node)
    if hooks.gives_core(target):
        return _prepared(low, target, args, named)
    stand_in = stand_ins.stand_in(low, function, args, named) or stand_ins.frozen(low, target, args, named)
    if stand_in is not None:
        return stand_in if isinstance(stand_in, Struct) else _called(low, stand_in, node)
    if listed(target) and target in registry.FUNCTIONS:
        low.divides(target, [*args, *named.values()])
        args, named, out = outputs.taken(low, target, args, named)
        made = library(low, registry.FUNCTIONS[target], args, named, getattr(target, "__name__", repr(target)))
        return low.kept_apart(target, made) if out is None else outputs.stored(low, target, out, made)
    if isinstance(target, functools.partial):
        bound = [literal(low, a) for a in target.args]
        keywords = {k: literal(low, v) for k, v in target.keywords.items()}
        return call(low, Known(target.func), [*bound, *args], {**keywords, **named}, node)
    if isinstance(target, types.MethodType):
        owner = Known(target.__self__, owner_of(function.origin, target.__name__))
        return call(low, Known(target.__func__), [owner, *args], named, node)
    if isinstance(target, type):
        return construct(low, target, args, named, node)
    if isinstance(target, (types.WrapperDescriptorType, types.MethodDescriptorType)):
        own = of_interpreter(low, target, args, named)
        if own is not None:
            return own
    init = generated_init(target, args)
    if init is not None:
        return initialise(low, init, args, named)
    call_ = None if is_jitted(target) else inspect.getattr_static(type(target), "__call__", None)
    if isinstance(call_, types.FunctionType) and type(target).__module__.split(".")[0] not in ALLOWED:
        return inline(low, call_, [function, *args], named, node)
    target = behind(target)
    if isinstance(target, types.FunctionType) and refused_calls.is_outside(target):
        refused_calls.outside(low, target)
    refused_calls.of_peer(low, target)
    if isinstance(target, types.FunctionType) and module_of(target).split(".")[0] not in ALLOWED:
        return inline(low, target, args, named, node)
    name = getattr(target, "__name__", type(target).__name__)
    module = str(getattr(target, "__module__", None) or "")
    module = module if module.startswith("__") else module.lstrip("_")
    raise NotDifferentiableError(
        f"there is no rule for `{module + '.' if module and module != 'builtins' else ''}{name}`",
        hint=refused_calls.instead(target),
    )


def _built_in(low: Lowering, function: Known, args: Args, named: Named, node: ast.AST) -> Value | None:
    """A builtin function, and what makes arrays of other libraries' and lists of Numba's."""
    target = function.value
    table = given_array(function, args, named)
    if table is not None:
        return low.captures.array(table)
    number = strings.number(low, target, args, named) if target is int or target is float else None
    if number is not None:
        return number
    if listed(target) and target in BUILTINS:
        if len(args) < LEAST.get(target, 0):
            name = getattr(target, "__name__", repr(target))
            low.refuse(f"missing argument in the call of `{name}`", f"it takes {LEAST[target]} at least")
        given: Value | None = BUILTINS[target](low, args, named)
        if given is not None:
            return given
    drawn = generator_call(function)
    if drawn is not None:
        return library(low, drawn, args, named, target.__name__)
    text = strings.method(low, target, args, named)
    if text is not None:
        return text
    kind = of_numba.container(target)
    if kind is not None:
        return call(low, Known(kind), args if isinstance(target, type) else [], {}, node)
    return None


def _called(low: Lowering, stand_in: stand_ins.Called, node: ast.AST) -> Value:
    function, args, named = stand_in
    return call(low, function, args, dict(named), node)


OTHERWISE = "give the call other arguments, or write out what it does"


def library(low: Lowering, adaptor: Callable[..., Any], args: Args, named: Named, name: str) -> Value:
    """What the rules emit for a call."""
    given = [low.outward(a) for a in args]
    options = {k: low.outward(v) for k, v in named.items()}
    try:
        inspect.signature(adaptor).bind(low.b, *given, **options)
    except TypeError as error:
        message = f"`{name}` does not accept these arguments: {str(error).replace(chr(39), '`')}"
        raise UnsupportedError(message, hint="give it what NumPy's takes, without rarer options") from None
    try:
        return low.inward(low.emitted(adaptor, given, options))
    except SrcgradError as error:
        if any(p.hint for p in error.problems):
            raise
        raise type(error)(error.problems[0].message, hint=OTHERWISE) from None


def _prepared(low: Lowering, target: hooks.GivesCore, args: Args, named: Named) -> Value:
    """An object that brings its own core program (a derivative, a solver, a function with its own rule)."""
    try:
        if hooks.takes_arguments(target):
            found: Sequence[Any] = target.__srcgrad_arguments__(args, named)
        elif not named and not hasattr(target, "__signature__"):
            found = list(args)
        else:
            bound = signature_of(target).bind(*args, **named)
            bound.apply_defaults()
            found = list(bound.arguments.values())
    except TypeError as error:
        told = error.problems[0] if isinstance(error, SrcgradError) else Problem(str(error), "give what it takes")
        low.refuse(f"`{getattr(target, '__name__', target)}`: {told.message}", told.hint)
    return put(low, target, found)


def put(low: Lowering, target: hooks.GivesCore, arguments: Sequence[Any]) -> Value:
    """What brings its own core program, in place, with one value a parameter."""
    values = [handed(low, given(low, v)) for v in arguments]
    plain = [scope.seen(known_length(low, low.settle(v, "a"))) for v in values]
    lowered = target.__srcgrad_core__([scope.spec_of(v) for v in plain])
    if lowered.program.main.facts.changed:
        _check_objects(low, values)
    atoms: list[ir.Atom] = [atom for value in plain for atom in scope.leaves(value)]
    result = low.place(lowered, atoms)
    if any(isinstance(stmt, ir.Custom) for stmt in lowered.program.main.body):
        _keep_apart(low, atoms, list(scope.leaves(result)), lowered.program.main.facts)
    return result


def _keep_apart(low: Lowering, args: Sequence[ir.Atom], results: Sequence[ir.Atom], facts: ir.FunFacts) -> None:
    """Of a function with its own rule that returns its argument's memory, or one array twice: neither may be written
    after the call."""
    for n, k in facts.shares:
        target, arg = results[n], args[k]
        if isinstance(target, Var) and isinstance(arg, Var):
            low.b.layouts.doubtful(target, arg, VIEW)
    for n, k in facts.together:
        first, second = results[n], results[k]
        assert isinstance(first, Var) and isinstance(second, Var)
        low.b.layouts.doubtful(first, second, TWICE)


def given(low: Lowering, value: Any) -> Value:
    """An argument, or a default, or what star parameters collect."""
    if isinstance(value, scope.ANY):
        return value
    if isinstance(value, tuple):
        return scope.struct([given(low, v) for v in value])
    if isinstance(value, dict):
        return Struct(dict, tuple(value), tuple(given(low, v) for v in value.values()))
    return literal(low, value)


def _check_objects(low: Lowering, values: Sequence[Value]) -> None:
    """What is put in place works on copies of the objects that it is given: one must not stand there twice."""
    seen: set[Struct] = set()

    def visit(value: Value) -> None:
        if isinstance(value, Struct):
            if not value.value and value in seen:
                low.refuse("the same object is given to a derivative twice", "give a copy of one")
            seen.add(value)
            for item in value.held:
                visit(item)

    for value in values:
        visit(value)


# ---- methods


def _method(low: Lowering, method: Method, args: Args, named: Named, node: ast.AST) -> Value:
    owner, name = method.owner, method.name
    if isinstance(owner, Struct):
        return _struct_method(low, owner, name, args, named, node)
    if name == "tolist" and isinstance(owner, Var) and not args and not named:
        return call(low, Known(list), [owner], {}, node)
    if owner in low.captures.foreign and name in ("to_numpy", "numpy") and not args and not named:
        return owner
    if owner in low.captures.foreign and name in ("std", "var") and "ddof" not in named:
        low.refuse(f"`{name}` of another library's array may divide by n - 1", f"say it: np.{name}(x, ddof=1)")
    if name not in registry.METHODS:
        message = f"there is no rule for the method `{name}` of {scope.describe(owner)}"
        raise NotDifferentiableError(message, hint=wording.meant(name, registry.METHODS, "write it out"))
    args, named, out = outputs.taken(low, name, args, named)
    made = library(low, registry.METHODS[name], [owner, *args], named, name)
    return made if out is None else outputs.stored(low, name, out, made)


def _struct_method(low: Lowering, owner: Struct, name: str, args: Args, named: Named, node: ast.AST) -> Value:
    given = method(low, owner, name, args, named)
    if given is not None:
        return given
    if owner.kind is scope.Frozen:
        return _called(low, stand_ins.of_frozen(low, owner, name, args, named), node)
    found = inspect.getattr_static(owner.kind, name, None)
    if isinstance(found, staticmethod):
        return call(low, Known(found.__func__), args, named, node)
    if isinstance(found, classmethod):
        return call(low, Known(found.__func__), [Known(owner.kind), *args], named, node)
    if isinstance(found, types.FunctionType):
        return inline(low, found, [owner, *args], named, node)
    if hooks.gives_core(found):
        bind = getattr(found, "__get__", None)
        if bind is None:
            return call(low, Known(found), args, named, node)
        return call(low, Known(bind(None, owner.kind)), [owner, *args], named, node)
    message = f"the method `{name}` of a {owner.kind.__name__} is outside the language"
    return low.refuse(message, "write it out")


# ---- the user's functions, read in place


def inline(low: Lowering, fun: types.FunctionType, args: Args, named: Named, node: ast.AST) -> Value:
    source = stand_ins.at_call(low, read(fun), node)
    env = bind_arguments(low, source.node.args, fun.__name__, args, named, lambda name: _default(low, fun, name))
    if yields(source.node):
        return _generated(source, fun.__name__, None, env)
    fence.check(source)
    key = (fun, tuple(scope.spec_of(itself(v)) for v in env.values()))
    body: Body = lambda other, values: run(other, source, fun.__name__, values, None, node, key)  # noqa: E731
    if is_active(low, key):
        return call_itself(low, fun, key, env, body)
    return called_helpers.called_or_in_place(low, fun.__name__, key, env, body, node)


def _generated(source: Source, name: str, outer: Frame | None, env: dict[str, Value]) -> Struct:
    """What a call of a function that yields gives: nothing of it runs before it is looped over."""
    keys, held = ("@text", *env), (Known((source, name, outer)), *env.values())
    return Struct(scope.Generated, keys, held, value=True, locked="it is a generator")


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
    if yields(closure.node):
        return _generated(source, name, closure.frame, env)
    key = (id(closure.node), identity(closure.frame), tuple(scope.spec_of(v) for v in env.values()))
    if is_active(low, key):
        body = lambda other, given, around: run(other, source, name, given, around, node, key)  # noqa: E731
        return nested_recursion.call_itself(low, name, closure, key, env, body)
    return run(low, source, name, env, closure.frame, node, key)


def bind_arguments(
    low: Lowering, arguments: ast.arguments, name: str, args: Args, named: Named, default: Callable[[str], Value | None]
) -> dict[str, Value]:
    """The parameters' values, in the order of the signature."""
    positional = [a.arg for a in (*arguments.posonlyargs, *arguments.args)]
    names = positional + [a.arg for a in arguments.kwonlyargs]
    more = [low.settle(a, "a") for a in args[len(positional) :]]
    if more and arguments.vararg is None:
        low.refuse(
            f"`{name}` takes {len(positional)} positional arguments, not {len(args)}",
            f"it takes {wording.joined(names)}",
        )
    given = dict(zip(positional, args, strict=False))
    others: dict[str, Value] = {}
    for key, value in named.items():
        by_place = key in names and key not in [a.arg for a in arguments.posonlyargs]
        if key in given or (not by_place and arguments.kwarg is None):
            low.refuse(
                f"`{name}` has no argument `{key}` left to give",
                wording.meant(key, names, f"it takes {wording.joined(names)}"),
            )
        (given if by_place else others)[key] = low.settle(value, key)
    env: dict[str, Value] = {}
    for key in names:
        value_ = given[key] if key in given else default(key)
        if value_ is None:
            low.refuse(f"missing argument `{key}` in the call of `{name}`", f"it takes {wording.joined(names)}")
        env[key] = low.settle(value_, key)
    if arguments.vararg is not None:
        env[arguments.vararg.arg] = scope.struct(more)
    if arguments.kwarg is not None:
        env[arguments.kwarg.arg] = Struct(dict, tuple(others), tuple(others.values()))
    return env


@functools.lru_cache(maxsize=512)
def facts_of(node: FunctionNode) -> tuple[frozenset[str], Liveness]:
    """The local names of a function, and what is live where."""
    if isinstance(node, ast.Lambda):
        return frozenset(assigned([node.body])), Liveness()
    free = {name for n in outside_scopes(node.body) if isinstance(n, (ast.Global, ast.Nonlocal)) for name in n.names}
    return frozenset(assigned(node.body)) - free, liveness(node.body)


def run(
    low: Lowering, source: Source, name: str, env: dict[str, Value], outer: Frame | None, node: ast.AST, key: Any
) -> Value:
    """The body of a function with its parameters bound; what it returns."""
    if len(low.calls.stack) > DEPTH_LIMIT:
        low.refuse(f"the call of `{name}` is nested more than {DEPTH_LIMIT} deep", "use a loop")
    names, live = facts_of(source.node)
    caller, span = low.frame, low.b.span
    path = (*caller.path, id(node)) if caller is not None else ()
    cells = {key: cell(env.get(key), key) for key in shared_of(source.node) & (names | env.keys())}
    cells |= {key: outer_cell(low, outer, key) for key in free_of(source.node)}
    low.frame = Frame(source, name, {**env, **cells}, names | env.keys(), live, path, node, outer)
    low.calls.stack.append(key)
    refused = len(low.retry.refusals)
    try:
        if isinstance(source.node, ast.Lambda):
            with low.b.at(source.span(source.node.body)):
                return low.settle(low.ex(source.node.body), "result")
        low.block(source.node.body)
        if low.frame.flags.raised and caller is not None:
            caller.flags = caller.flags.but(raised=True)
        if len(low.retry.refusals) > refused:
            raise Reported
        flags = low.frame.flags
        with low.placing(source.node):
            partial = getattr(source.node, "partial", False)
            result = (flags.result or Known(None)) if partial else low.result()
    except SrcgradError as error:
        raise _called_from(error, caller, source, node) from None
    finally:
        low.retry.refusals[refused:] = [_called_from(e, caller, source, node) for e in low.retry.refusals[refused:]]
        low.calls.stack.pop()
        low.frame, low.b.span = caller, span
    low.passed_on(flags.caught, flags.which)
    return result


def _called_from(error: SrcgradError, caller: Frame | None, source: Source, node: ast.AST) -> SrcgradError:
    """An error in a function's body, with the call that led there."""
    if caller is None or isinstance(error, Reported) or not error.placed:
        return error
    if isinstance(source, InPlace):
        return error  # it has the call's place already
    if of_python(source.fun):
        return error.at(lambda p: _of_library(p, source, caller.source, node))
    span = caller.source.span(node)
    call = f"{span.file}, line {span.line}: {span.text}"
    return error.at(lambda p: dataclasses.replace(p, calls=(*p.calls, call)))


def _of_library(problem: Problem, source: Source, caller: Source, node: ast.AST) -> Problem:
    """What could not be read in Python's own library, at the call of it."""
    name, said = f"{module_of(source.fun)}.{source.fun.__name__}", " is not supported: "
    message = f"`{name}` of Python's library{said}{problem.message.split(said)[-1]}"
    return caller.problem(node, message, "write out what it does")
