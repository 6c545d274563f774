"""A function that stands inside another one, as a program of its own: for derivatives of it, and for other programs
that it is handed to. What it takes from around it is captured: the program finds it in the function around.

It is read where it is called, by the lowering of the function around it, and what was emitted is taken out: so all that
can be called there can be differentiated there.
"""

from __future__ import annotations

import ast
import functools
import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NoReturn

from srcgrad.bounds.insert_checks import checked
from srcgrad.core import ir
from srcgrad.core.aliases import Aliases, written
from srcgrad.core.build import Builder
from srcgrad.core.free import free_of
from srcgrad.core.ir import Atom, Stmt, Var
from srcgrad.core.walk import substitute, walk
from srcgrad.errors import ArgumentError, UnsupportedError
from srcgrad.frontend.lowering import edges, values
from srcgrad.frontend.lowering.builtins import known_length
from srcgrad.frontend.lowering.capture import Captured, Local
from srcgrad.frontend.lowering.paths import Lowering
from srcgrad.frontend.lowering.program_parts import Lowered, mark_effectful_calls
from srcgrad.frontend.lowering.values import Closure, Known, Method, Struct, Value
from srcgrad.frontend.lowering.view_conflicts import conflict
from srcgrad.frontend.source.functions import signature_of
from srcgrad.frontend.source.structure import Leaf, Spec

Parameter = inspect.Parameter


class Lifted:
    """The function. It gives its program while the lowering of the function around it goes on."""

    def __init__(self, low: Lowering, function: Value, parameters: Sequence[Parameter] | None = None) -> None:
        """parameters: those that it is called with, if not its own."""
        self.low, self.function = low, function
        self.__name__ = _name(function)
        self.__signature__ = inspect.Signature(_parameters(low, function) if parameters is None else parameters)

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise ArgumentError(f"`{self.__name__}` stands inside a function and is called from outside of it")

    def __srcgrad_parts__(self) -> tuple[Any, ...]:
        return (self.__name__,)

    def __srcgrad_stands_at__(self) -> ast.AST:
        """What is read in the function around it."""
        return self.low.frame.node

    def __srcgrad_core__(self, specs: Sequence[Spec]) -> Lowered:
        low, params, names = self.low, list[Var](), tuple(self.__signature__.parameters)
        with _apart(low) as out:
            args = [edges.argument(low, name, spec, params) for name, spec in zip(names, specs, strict=True)]
            value = self._called([edges.within(arg, lambda atom: edges.number(low, atom)) for arg in args])
            shares = tuple(edges.shares(low, value, params))
            together = Aliases(out, given_back=True).together(list(values.leaves(value)))
            value = edges.whole(low, value, params)
        facts = ir.FunFacts(shares=shares, together=together)
        fun = ir.Fun(self.__name__, tuple(params), tuple(out), tuple(values.leaves(value)), facts)
        fun, captured = _closed(low, fun)
        program = mark_effectful_calls(ir.Program(checked(fun), _callees(low, fun)))
        return Lowered(program, names, values.spec_of(value), captured)

    def _called(self, arguments: Sequence[Value]) -> Value:
        """What the function gives for one value a parameter."""
        args: list[Value] = []
        named: dict[str, Value] = {}
        for parameter, value in zip(self.__signature__.parameters.values(), arguments, strict=True):
            if parameter.kind is Parameter.VAR_POSITIONAL and isinstance(value, Struct):
                args += value.items
            elif parameter.kind is Parameter.VAR_KEYWORD and isinstance(value, Struct):
                named |= dict(zip(value.keys, value.items, strict=True))
            elif parameter.kind is Parameter.KEYWORD_ONLY:
                named[parameter.name] = value
            else:
                args.append(value)
        value = self.low.settle(self.low.constructs.call(self.function, args, named), "result")
        return values.seen(known_length(self.low, value))


class Opened:
    """A function whose parameters are those of a lifted one, and then what that takes from around it."""

    def __init__(self, inner: Lifted, captured: Sequence[Captured]) -> None:
        self._inner, self._captured = inner, captured
        self._count = len(inner.__signature__.parameters)
        more = [Parameter(f"captured_{k}", Parameter.POSITIONAL_ONLY) for k in range(len(captured))]
        self.__name__ = inner.__name__
        self.__signature__ = inspect.Signature([*inner.__signature__.parameters.values(), *more])

    def __call__(self, *args: Any) -> NoReturn:
        self._inner(*args)

    def __srcgrad_parts__(self) -> tuple[Any, ...]:
        return (self.__name__,)

    def __srcgrad_core__(self, specs: Sequence[Spec]) -> Lowered:
        made = self._inner.__srcgrad_core__(specs[: self._count])
        params = {c.origin.key: c.param for c in made.captured}
        given = [params.pop(c.origin.key, Var(c.name, c.param.type)) for c in self._captured]
        if params or [Leaf(p.type) for p in given] != list(specs[self._count :]):
            name = next((c.name for c in made.captured if c.origin.key in params), self.__name__)
            self._inner.low.refuse(
                f"a function that is handed to a solver takes `{name}` from around it in one of its calls only",
                "make it a parameter, and hand it over in args",
            )
        main = made.program.main
        own = main.params[: len(main.params) - len(made.captured)]
        program = replace(made.program, main=replace(main, params=(*own, *given)))
        return replace(made, program=program, params=tuple(self.__signature__.parameters), captured=())


def opened(low: Lowering, function: Value, specs: Sequence[Spec]) -> tuple[Any, tuple[Atom, ...]]:
    """A function for arguments of these structures, as one that takes what it has from around it as further arguments;
    and those."""
    inner = Lifted(low, function, [Parameter(f"x_{k}", Parameter.POSITIONAL_ONLY) for k in range(len(specs))])
    captured = inner.__srcgrad_core__(specs).captured
    return Opened(inner, captured), tuple(low.captures.adopt(c) for c in captured)


@contextmanager
def _apart(low: Lowering) -> Iterator[list[Stmt]]:
    """A block for a function of its own: what it raises is caught by nothing around, and it changes nothing there."""
    frame, flags, born = low.frame, low.frame.flags, values.now()
    tries, sites, low.calls.tries, low.calls.sites = low.calls.tries, low.calls.sites, [], None
    doubts = len(low.b.layouts.doubts)
    try:
        with low.b.block() as out, low.changes() as changed:
            yield out
        older = next((struct for struct in changed if struct.born < born), None)
        if older is not None:
            what = f"`{older.label}`" if older.label else f"a {older.kind.__name__}"
            low.refuse(f"a function that is differentiated here changes {what}, which it has not made", "return it")
        clash = conflict(ir.Fun("", (), tuple(out), ()), low.b.layouts.doubts[doubts:])
        if clash is not None:
            why = clash[1].why
            low.refuse(why.message.format(clash[1].base.name), why.hint)
    finally:
        low.calls.tries, low.calls.sites = tries, sites
        low.frame, frame.flags = frame, flags


def _closed(low: Lowering, fun: ir.Fun) -> tuple[ir.Fun, tuple[Captured, ...]]:
    """The function with what it takes from around as further parameters. Arrays that it writes into are copied."""
    builder, env, captured = Builder(), dict[Var, Atom](), list[Captured]()
    own = {*fun.params}
    for var in [v for v in free_of(fun.body, fun.results) if v not in own]:
        if var.type.many:
            low.refuse(f"a function that is differentiated here takes `{var.name}` from around it, a list of arrays "
                       "of unknown length", "make it an array: np.array(...)")  # fmt: skip
        atom = low.memory(var, var.name)
        param = Var(var.name, atom.type)
        captured.append(Captured(param, Local(low.captures, atom, var.name)))
        env[var] = builder.load(param) if var.type.is_array_value else param
    for param in written(fun):
        env[param] = builder.alloc(param.type.dtype, (), builder.load(param), param.name)
    body = substitute(fun.body, env)
    params = (*fun.params, *(c.param for c in captured))
    results = tuple(env.get(r, r) if isinstance(r, Var) else r for r in fun.results)
    made = replace(fun, params=params, body=(*builder.out, *body), results=results)
    if foreign := written(made):
        name = next(iter(foreign)).name
        low.refuse(f"a function that is differentiated here writes into `{name}`, which it has not made",
                   "make the array inside, or pass it as an argument")  # fmt: skip
    return made, tuple(captured)


def _callees(low: Lowering, fun: ir.Fun) -> dict[str, ir.Fun]:
    """The recursive functions that are called, and those that they call."""
    known = {c.name: c.core for c in low.calls.recursions.callees} | dict(low.calls.callees)
    found: dict[str, ir.Fun] = {}
    open_ = [fun]
    while open_:
        for name in [s.callee for s in walk(open_.pop().body) if isinstance(s, ir.Call)]:
            core = known.get(name)
            if core is None:
                low.refuse("a function that calls itself is differentiated inside itself", "differentiate it outside")
            if name not in found:
                found[name] = core
                open_.append(core)
    return found


# ---- anything that can be called


def lifted(low: Lowering, function: Value) -> Any:
    """What can be called, as an object: what is known as it is, anything else as a `Lifted`."""
    match function:
        case Known(value=value):
            return value
        case Closure() | Method(owner=Struct()):
            return Lifted(low, function)
        case Struct() if function.kind is functools.partial or hasattr(function.kind, "__call__"):  # noqa: B004
            return Lifted(low, function)
    raise UnsupportedError(
        f"{values.describe(function)} stands where a function must be",
        hint="give the function itself: grad(f)(x), not grad(f(x))",
    )


def handed(low: Lowering, value: Value) -> Value:
    """An argument of another program: functions that stand here are lifted."""
    match value:
        case Closure() | Method(owner=Struct()):
            return Known(Lifted(low, value))
        case Struct(rows=None) if any(handed(low, item) is not item for item in value.held):
            items = tuple(handed(low, item) for item in value.held)
            return Struct(value.kind, value.keys, items, value=value.value, locked=value.locked)
    return value


def itself(value: Value) -> Value:
    """The function that stands behind a lifted one."""
    return value.value.function if isinstance(value, Known) and isinstance(value.value, Lifted) else value


def _name(function: Value) -> str:
    match function:
        case Closure(node=ast.FunctionDef() as node):
            return node.name
        case Method(name=name):
            return name
        case Known(value=value) if str(getattr(value, "__name__", "")).isidentifier():
            return str(value.__name__)
        case Struct(kind=kind) if kind is not functools.partial:
            return kind.__name__
    return "lambda_"


def _parameters(low: Lowering, function: Value) -> list[Parameter]:
    """The parameters; their defaults are values."""
    match function:
        case Closure():
            return list(_of_closure(function))
        case Known(value=value):
            return list(signature_of(value).parameters.values())
        case Method(owner=Struct(kind=kind), name=name):
            return _of_method(low, kind, name)
        case Struct(kind=kind) if kind is functools.partial:
            return _of_partial(low, function)
    assert isinstance(function, Struct)
    return _of_method(low, function.kind, "__call__")


def _of_closure(closure: Closure) -> Iterator[Parameter]:
    args = closure.node.args
    plain: list[tuple[ast.arg, Any]] = [(a, Parameter.POSITIONAL_ONLY) for a in args.posonlyargs]
    plain += [(a, Parameter.POSITIONAL_OR_KEYWORD) for a in args.args]
    missing = len(plain) - len(closure.defaults)
    for k, (arg, kind) in enumerate(plain):
        yield Parameter(arg.arg, kind, default=closure.defaults[k - missing] if k >= missing else Parameter.empty)
    if args.vararg:
        yield Parameter(args.vararg.arg, Parameter.VAR_POSITIONAL)
    for arg, default in zip(args.kwonlyargs, closure.kw_defaults, strict=True):
        yield Parameter(arg.arg, Parameter.KEYWORD_ONLY, default=Parameter.empty if default is None else default)
    if args.kwarg:
        yield Parameter(args.kwarg.arg, Parameter.VAR_KEYWORD)


def _of_method(low: Lowering, kind: type, name: str) -> list[Parameter]:
    found = inspect.getattr_static(kind, name, None)
    plain = getattr(found, "__func__", found)
    if not callable(plain):
        low.refuse(f"`{name}` of a {kind.__name__} is not a function", "write it as a method")
    params = list(signature_of(plain).parameters.values())
    return params if isinstance(found, staticmethod) else params[1:]


def _of_partial(low: Lowering, made: Struct) -> list[Parameter]:
    function = made.get("@function")
    assert function is not None
    params = _parameters(low, function)
    bound = sum(key.isdigit() for key in made.keys)
    return [p for p in params[bound:] if p.name not in made.keys]
