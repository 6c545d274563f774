"""Solvers called inside other code: inside a function that srcgrad reads, and inside compiled code.

Either way a call becomes one of `solve(x0, args, tol, maxiter, options)`, made for what is known of its arguments.
"""

# mypy: disallow-untyped-defs=False
from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from srcgrad.api import compiled
from srcgrad.core.atoms import Const
from srcgrad.core.types import B1, F4, F8, I8, Type
from srcgrad.derivatives.derivative import Derivative
from srcgrad.errors import ArgumentError, CallError, UnsupportedError
from srcgrad.frontend.lowering import calls, lifted
from srcgrad.frontend.lowering import values as scope
from srcgrad.frontend.source import wording
from srcgrad.frontend.source.read import codes
from srcgrad.frontend.source.structure import Leaf, Node, Spec, Static
from srcgrad.optimize import implicit_rules, methods, structured
from srcgrad.optimize.result import MESSAGES, OptimizeHistory, OptimizeResult

Part = Callable[..., Any]
Specs = dict[str, Spec]
OF_PYTHON = ("callback", "callback_every", "bounds")
STATIC = ("fun", "method", "target", "mode", "history", "batch", "jit", "checkpoint", *OF_PYTHON)


def resolved(method: str, specs: Specs) -> tuple[Any, list[str], Part]:
    """In compiled code: the solve, the expressions of what it takes, and what makes the result of what it gives."""
    whole = _whole(method, specs)
    start = "float(x0)" if whole == Leaf(F8) else "x0"
    specs = structured.on_vector(specs, method != "root", whole)
    solve, numbers = _solver(method, specs)
    tol, maxiter, *options = (n if isinstance(n, str) else repr(n) for n in numbers)
    args = "args" if is_tuple(specs["args"]) else "(args,)"
    items = [start, args, tol, maxiter, f"({''.join(f'{o}, ' for o in options)})"]
    return compiled(structured.around(solve, whole)), items, told_history if _static(specs, "history") else told


def told(r):
    """A result of compiled code with its message in words."""
    return OptimizeResult(r.x, r.fun, r.nit, r.success, MESSAGES[r.message], r.nfev)


def told_history(r):
    return OptimizeHistory(r.x, r.fun, r.nit, r.success, MESSAGES[r.message], r.nfev, r.history)


def called(low: Any, public: Any, method: str, args: Sequence[Any], named: dict[str, Any]) -> Any:
    """What a call gives inside of a function that is read."""
    return calls.put(low, *bound(low, public, method, args, named))


def bound(low: Any, public: Any, method: str, args: Sequence[Any], named: dict[str, Any]) -> tuple[Any, list[Any]]:
    """What a call becomes: with the values that were given, and literals for what was not."""
    try:
        given = inspect.signature(public).bind(*args, **named)
    except TypeError as error:
        names = wording.joined(list(inspect.signature(public).parameters))
        raise CallError(str(error).replace("'", "`"), hint=f"{public.__name__} takes {names}") from None
    given.apply_defaults()
    values = with_its_own(low, given.arguments)
    specs = {name: spec_of_argument(name, value) for name, value in values.items()}
    whole = _whole(method, specs)
    start = values["x0"]
    if whole == Leaf(F8):
        start = low.converted(low.atom(calls.given(low, start)), F8)
    specs = structured.on_vector(specs, method != "root", whole)
    solve, numbers = _solver(method, specs)
    tol, maxiter, *options = (values[n] if isinstance(n, str) else _literal(n) for n in numbers)
    more = scope.struct([]) if values["args"] == () else values["args"]
    if not is_tuple(specs["args"]):
        more = scope.struct([more])
    ruled = _ruled(solve, method, specs, scope.spec_of(more))
    if whole is not None:
        ruled = compiled(structured.around(ruled, whole))
    return ruled, [start, more, tol, maxiter, scope.struct(options)]


def spec_of_argument(name: str, value: Any) -> Spec:
    if isinstance(value, Const) and name in STATIC:
        return Static(value.value)
    if isinstance(value, scope.ANY):
        return scope.spec_of(value)
    return Node(tuple, (), ()) if value == () else Static(value)


def _literal(number: Any) -> Const:
    return Const(number, I8 if isinstance(number, int) else F8)


def is_tuple(spec: Spec) -> bool:
    return isinstance(spec, Node) and spec.kind is tuple


def with_its_own(low: Any, values: dict[str, Any]) -> dict[str, Any]:
    """The arguments with a function that takes all it needs: what it has from around it is handed over in args."""
    fun, more = values["fun"], values["args"]
    if isinstance(fun, scope.Known) and not isinstance(fun.value, (lifted.Lifted, Derivative)):
        return values
    if isinstance(fun, scope.Closure) and (alone := freestanding(fun)) is not None:
        return {**values, "fun": scope.Known(alone)}
    if not isinstance(fun, (scope.Known, scope.Closure, scope.Method, scope.Struct)):
        low.refuse(f"{scope.describe(fun)} is handed to a solver", "give a function")
    items = [] if more == () else list(more.items) if is_tuple(spec_of_argument("args", more)) else [more]
    items = [scope.seen(low.settle(item, "a")) for item in items]
    start = scope.seen(low.settle(calls.given(low, values["x0"]), "x"))
    start = scope.map_leaves(start, lambda a: low.converted(a, F8) if a.type == I8 else a)
    function, atoms = lifted.opened(low, fun, [scope.spec_of(v) for v in (start, *items)])
    if not atoms and isinstance(fun, scope.Known):
        return values
    return {**values, "fun": scope.Known(function), "x0": start, "args": scope.struct([*items, *atoms])}


def freestanding(closure: scope.Closure) -> types.FunctionType | None:
    """A nested function or lambda that takes nothing from around it, as one of its own."""
    outer, node = closure.frame.source.fun, closure.node
    for code in codes(outer.__code__):
        if code.co_firstlineno == node.lineno and _is_code_of(code, node):
            alone = not code.co_freevars and not closure.defaults and not any(closure.kw_defaults)
            return types.FunctionType(code, outer.__globals__) if alone else None
    return None


def _is_code_of(code: types.CodeType, node: Any) -> bool:
    if hasattr(node, "name"):
        return bool(code.co_name == node.name)
    body = node.body
    place = (body.lineno, body.end_lineno, body.col_offset, body.end_col_offset)
    return code.co_name == "<lambda>" and place in set(code.co_positions())


# ---- the solve itself


def _static(specs: Specs, name: str) -> Any:
    spec = specs[name]
    if not isinstance(spec, Static):
        raise UnsupportedError(f"`{name}` is not known where the solver is compiled", hint="write it as a literal")
    return spec.value


def _start(specs: Specs) -> Type:
    """What the starting point is."""
    spec = specs["x0"]
    kind = F8 if isinstance(spec, Static) and isinstance(spec.value, (int, float)) else None
    kind = spec.type if isinstance(spec, Leaf) else kind
    if kind is None or kind == B1 or (kind.ref and not kind.is_float):
        hint = "start from a float or an array of floats"
        raise ArgumentError(f"x0 is {wording.of_spec(spec)}", hint=hint)
    return kind


def _whole(method: str, specs: Specs) -> Spec | None:
    return structured.whole(specs["x0"], _method(method, specs) not in ("root", "gradient-descent"))


def _method(method: str, specs: Specs) -> str:
    return str(_static(specs, "method")) if "method" in specs else method


def _solver(method: str, specs: Specs) -> tuple[Part, list[Any]]:
    """The solve, and where its numbers come from: names of parameters, or numbers."""
    if _static(specs, "target") != "cpu" or _static(specs, "batch"):
        message = "inside other code, a solver runs on the CPU, from one starting point"
        raise UnsupportedError(message, hint="leave target and batch out")
    for name in ("callback", "callback_every"):
        if specs[name] != Static(None):
            message = "inside other code, a solver has no callback"
            raise UnsupportedError(message, hint=f"leave {name} out, or call the solver from Python")
    if specs.get("bounds", Static(None)) != Static(None):
        message = "inside other code, a solver has no bounds"
        raise UnsupportedError(message, hint="call it from Python, or minimise over z with x = low + exp(z)")
    defaults = {} if method == "root" else methods.METHODS[_known(_method(method, specs))]
    numbers = [specs[n].value if isinstance(specs[n], Static) else n for n in ("tol", "maxiter")]  # type: ignore[union-attr]
    for name in ("lr", "momentum", "beta1", "beta2", "epsilon"):
        given = specs.get(name, Static(None))
        if given != Static(None) and name not in defaults:
            hint = f"its options are {wording.joined([*defaults])}" if defaults else "it has none"
            raise ArgumentError(f"{_method(method, specs)} has no option `{name}`", hint=hint)
    for name, default in defaults.items():
        given = specs[name]
        number = given.value if isinstance(given, Static) else name
        numbers.append(default if number is None else number)
    return _solve(method, specs, bool(isinstance(numbers[0], str) or numbers[0] > 0.0)), numbers


def _known(method: str) -> str:
    if method not in methods.METHODS:
        others = f"the methods are {', '.join(methods.METHODS)}"
        raise ArgumentError(f"there is no method {method!r}", hint=wording.meant(method, methods.METHODS, others))
    return method


def _solve(method: str, specs: Specs, tolerant: bool) -> Part:
    start = _start(specs)
    number = float if start == I8 else _same
    option = np.float32 if start == F4 else _same
    fun, mode, record, checkpoint = (_static(specs, name) for name in ("fun", "mode", "history", "checkpoint"))
    mode = methods.kept(mode, checkpoint)
    kind = OptimizeHistory if record else OptimizeResult
    if method == "root":
        root = methods.newton_loop(fun, start.rank, mode, record, True)

        def newton(x0, args, tol, maxiter, options):
            x, *rest = root(number(x0), args, tol, maxiter)
            return kind(option(x), *rest)

        return newton
    loop = methods.minimising_loop(fun, _method(method, specs), start.rank, tolerant, mode, record, True)

    def minimize(x0, args, tol, maxiter, options):
        x, *rest = loop(number(x0), args, tol, maxiter, tuple([option(o) for o in options]))
        return kind(option(x), *rest)

    return minimize


def _same(x):
    return x


def _ruled(solve: Part, method: str, specs: Specs, args: Spec) -> Any:
    """The solve, with the rule by which it is differentiated."""
    if _static(specs, "history"):
        return implicit_rules.Final(solve)
    fun = methods.spread(_static(specs, "fun"))
    return implicit_rules.with_rule(solve, fun, method != "root", _start(specs).rank, args)
