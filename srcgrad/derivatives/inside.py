"""The transformers called inside a function that is read: of functions that stand there, applied while it is read.

A derivative that is made inside is like any other; its function is `lifted`, so that what it takes from around it is
captured, which is no constant for the derivatives of the function around.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NoReturn

from srcgrad.compiler import lazy
from srcgrad.compiler.find_or_make import Options
from srcgrad.compiler.request import Recipe, float_leaves, gradient_spec
from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.core.ir import Const, Var
from srcgrad.derivatives import arguments
from srcgrad.derivatives.choices import options_of
from srcgrad.derivatives.derivative import Derivative
from srcgrad.derivatives.plain import plain
from srcgrad.errors import ArgumentError, SrcgradError
from srcgrad.frontend.lowering import values
from srcgrad.frontend.lowering.builtins import known_length
from srcgrad.frontend.lowering.calls import given, put
from srcgrad.frontend.lowering.capture import Captured, Local
from srcgrad.frontend.lowering.function import Lowered
from srcgrad.frontend.lowering.lifted import handed, lifted
from srcgrad.frontend.lowering.new_function import copy_of
from srcgrad.frontend.lowering.paths import Lowering
from srcgrad.frontend.lowering.values import Known, Struct, Value
from srcgrad.frontend.source import hooks, wording
from srcgrad.frontend.source.structure import Leaf, Node, Spec, Static, leaf_types
from srcgrad.transform.program_edits import expect_shape

Args = Sequence[Value]
Named = Mapping[str, Value]


def transformed(public: Callable[..., Any], low: Lowering, args: Args, named: Named) -> Value:
    """What a transformer gives: a derivative, or the decorator that makes one."""
    options = {name: _known(low, name, value) for name, value in named.items() if name != "fun"}
    places = list(inspect.signature(public).parameters)
    options |= {name: _known(low, name, value) for name, value in zip(places[1:], args[1:], strict=False)}
    fun = args[0] if args else named.get("fun", Known(None))
    if isinstance(fun, Known) and fun.value is None:
        return Known(functools.partial(public, **options))
    made = _unplaced(public, lifted(low, fun), **options)
    if not hooks.gives_core(made):
        low.refuse("a sparse matrix is made outside of a function", "leave sparse=True out, or use jvp or vjp")
    return Known(made)


def _unplaced(call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What a function gives; what it refuses is refused at the user's line that is being read."""
    try:
        return call(*args, **kwargs)
    except SrcgradError as error:
        told = error.problems[0]
        raise type(error)(told.message, hint=told.hint) from None


def _known(low: Lowering, name: str, value: Value) -> Any:
    """An option, as the object that it is."""
    match value:
        case Known(value=found):
            return found
        case Const(value=number, type=kind):
            return {"i": int, "b": bool}.get(kind.dtype[0], float)(number.real)
        case Struct(kind=kind, rows=None) if kind in (tuple, list):
            return kind(_known(low, name, item) for item in value.items)
    return low.refuse(f"`{name}` is not known where the derivative is made", "write it as a literal")


# ---- at a point


def jvp(low: Lowering, args: Args, named: Named) -> Value:
    """(value, tangent)"""
    fun, primals, tangents = _bound(low, ("fun", "primals", "tangents"), args, named)
    points, directions = _items(low, "primals", primals), _items(low, "tangents", tangents)
    if len(points) != len(directions):
        message = f"there are {len(points)} primals and {len(directions)} tangents"
        raise ArgumentError(message, hint="give one tangent a primal: None stands for zero")
    own = _unplaced(plain, lifted(low, fun))
    parameters = arguments.parameters_of(own)
    names = parameters.by_place(len(points))
    pairs = [pair for each in zip(points, directions, names, strict=False) for pair in _along(low, *each)]
    moved = iter([point for point, _ in pairs])
    points = [values.refill(point, moved) for point in points]
    full = [_settled(low, given(low, v)) for v in _unplaced(parameters.bind, points, {})]
    active = tuple(k for k, (_, dot) in enumerate(pairs) if dot is not None)
    recipe = Recipe("jvp", tuple(range(len(full))), single=False, leaves=active)
    dots = values.struct([dot for _, dot in pairs if dot is not None])
    return put(low, Derivative(own, recipe, Options()), [*full, dots])


def vjp(low: Lowering, args: Args, named: Named) -> Value:
    """(value, pullback)"""
    rest = {name: value for name, value in named.items() if name != "fun"}
    fun, *points = _bound(low, ("fun",), args[:1], {k: v for k, v in named.items() if k == "fun"}) + list(args[1:])
    options_of({name: _known(low, name, value) for name, value in rest.items()})
    own = _unplaced(plain, lifted(low, fun))
    parameters = arguments.parameters_of(own)
    points = [_settled(low, point) for point in points]
    if not any(t.is_float for point in points for t in leaf_types(values.spec_of(point))):
        points = [low.converted(p, ir.F8) if isinstance(p, (Var, Const)) and p.type == ir.I8 else p for p in points]
    full = [_settled(low, given(low, v)) for v in _unplaced(parameters.bind, points, {})]
    value = _settled(low, low.constructs.call(fun, points))
    specs = [values.spec_of(v) for v in full]
    recipe = Recipe("pullback", parameters.each(full), single=False, leaves=tuple(float_leaves(specs)))
    made = lazy.program.derive(own, recipe, [*specs, gradient_spec(values.spec_of(value))])
    return values.struct([value, Known(Pullback(low, made, full, value))])


class Pullback:
    """What `vjp` gives inside: a program of the cotangent. What it is to be applied at is captured, copied where it is
    memory, which may be written into before the pullback is called."""

    def __init__(self, low: Lowering, made: Lowered, full: Sequence[Value], value: Value) -> None:
        main, captured = made.program.main, list(made.captured)
        point = [atom for v in full for atom in values.leaves(v)]
        results = [atom for atom in values.leaves(value) if atom.type.is_float]
        bars = main.params[len(point) : len(main.params) - len(captured)]
        builder, likes = Builder(), list[Captured]()
        for bar, like in zip(bars, results, strict=True):
            if bar.type.ref:
                likes.append(_held(low, like))
                expect_shape(builder, bar, likes[-1].param, "a cotangent has not the shape of the value")
        kept = [Captured(p, _held(low, a).origin) for p, a in zip(main.params, point, strict=False)]
        others = [_again(low, c) for c in captured]
        params = (*bars, *main.params[: len(point)], *main.params[len(point) + len(bars) :], *(c.param for c in likes))
        fun = replace(main, params=params, body=(*builder.out, *main.body))
        program = replace(made.program, main=fun)
        self._lowered = replace(made, program=program, params=("cotangent",), captured=(*kept, *others, *likes))
        self._expected = gradient_spec(values.spec_of(value))
        self.__name__ = "pullback"
        self.__signature__ = inspect.Signature([inspect.Parameter("cotangent", inspect.Parameter.POSITIONAL_ONLY)])

    def __call__(self, cotangent: Any) -> NoReturn:
        raise ArgumentError("a pullback that was made inside a function is called from outside of it")

    def __srcgrad_core__(self, specs: Sequence[Spec]) -> Lowered:
        if not _fits(specs[0], self._expected):
            message = f"the cotangent is {wording.of_spec(specs[0])}, where {wording.of_spec(self._expected)} must be"
            raise ArgumentError(message, hint="give it the structure of the value: None for what is no float")
        return self._lowered

    def __srcgrad_parts__(self) -> tuple[Any, ...]:
        return (self.__name__,)


def _fits(spec: Spec, expected: Spec) -> bool:
    """Whether a cotangent is of this structure; numbers are converted."""
    if isinstance(spec, Leaf) and isinstance(expected, Leaf):
        real = spec.type.is_scalar and expected.type.is_scalar and not spec.type.is_complex
        return spec == expected or real
    if isinstance(spec, Node) and isinstance(expected, Node):
        same = (spec.kind, spec.keys) == (expected.kind, expected.keys)
        return same and all(map(_fits, spec.children, expected.children))
    return isinstance(expected, Static) and spec == expected


def _held(low: Lowering, atom: ir.Atom) -> Captured:
    """A variable as it is now."""
    kept = copy_of(low, atom) if isinstance(atom, Var) and atom.type.ref else atom
    name = atom.name if isinstance(atom, Var) else "x"
    return Captured(Var(name, atom.type), Local(low.captures, kept, name))


def _again(low: Lowering, captured: Captured) -> Captured:
    """What a function has captured, as it is now."""
    origin = captured.origin
    if not isinstance(origin, Local) or origin.owner is not low.captures:
        return captured
    return Captured(captured.param, _held(low, origin.atom).origin)


# ---- parts


def _bound(low: Lowering, names: Sequence[str], args: Args, named: Named) -> list[Value]:
    """The arguments of these names; what else is named is an option, which says how a derivative is compiled."""
    found = dict(zip(names, args, strict=False)) | {name: named[name] for name in names if name in named}
    options_of({name: _known(low, name, value) for name, value in named.items() if name not in names})
    missing = [name for name in names if name not in found]
    if missing or len(args) > len(names):
        low.refuse(f"it takes {wording.joined(names)}", "write jvp(f, (x,), (x_dot,)) or vjp(f, x)")
    return [found[name] for name in names]


def _items(low: Lowering, what: str, value: Value) -> list[Value]:
    if not isinstance(value, Struct) or value.kind not in (tuple, list):
        message = f"{what} is {values.describe(value)}, not a tuple with one entry a parameter"
        raise ArgumentError(message, hint="write jvp(f, (x,), (x_dot,))")
    return [_settled(low, item) for item in value.items]


def _settled(low: Lowering, value: Value) -> Value:
    return handed(low, values.seen(known_length(low, low.settle(value, "a"))))


def _along(low: Lowering, point: Value, direction: Value, name: str) -> Iterator[tuple[ir.Atom, ir.Atom | None]]:
    """Each leaf of an argument with its tangent; None for zero."""
    none = isinstance(direction, Known) and direction.value is None
    match point:
        case Var() | Const() if none:
            yield point, None
        case Var() | Const() if isinstance(direction, (Var, Const)):
            scalar = point.type.is_scalar and direction.type.is_scalar
            kind = ir.F8 if scalar and not point.type.is_float else point.type
            if point.type.dtype == "b1" or not (scalar or direction.type == kind) or not kind.is_float:
                message = f"the tangent of `{name}` is {values.describe(direction)}"
                hint = f"give {wording.of_type(kind)}" if kind.is_float else "give None as its tangent"
                raise ArgumentError(message, hint=hint)
            yield (low.converted(point, kind), low.converted(direction, kind)) if scalar else (point, direction)
        case Struct() if none or (isinstance(direction, Struct) and direction.keys == point.keys):
            inner = [direction] * len(point.keys) if none else direction.items  # type: ignore[union-attr]
            for key, item, dot in zip(point.keys, point.items, inner, strict=True):
                yield from _along(low, item, dot, arguments.step(name, point.kind, key))
        case Struct() | Var() | Const():
            message = f"the tangent of `{name}` is {values.describe(direction)}, and `{name}` {values.describe(point)}"
            raise ArgumentError(message, hint=f"give it the structure of `{name}`")
