"""The straight way from `jvp`, `vjp` and pullbacks to compiled code."""

from __future__ import annotations

import types
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from srcgrad.backend.compiling import interruption
from srcgrad.compiler.find_or_make import Options
from srcgrad.compiler.request import Recipe
from srcgrad.core.types import F8
from srcgrad.derivatives.derivative import MOST, Derivative
from srcgrad.derivatives.relatives import Abstract, abstract, begin, described, family
from srcgrad.derivatives.straight_call import Bind, Straight, by_place
from srcgrad.derivatives.written_calls import OTHER, Unwritten, Writer
from srcgrad.frontend.source.structure import Leaf, Node, Spec, describe

Make = Callable[[], Straight | None]
Keep = Callable[[Make], None]  # is told how what goes straight the next time is made

# by function, then by the transformer and its options; a function that is made anew is kept when it is met again
_KNOWN: dict[Any, dict[Any, list[Straight]]] = {}
_MET: weakref.WeakKeyDictionary[Any, set[Any]] = weakref.WeakKeyDictionary()
KINDS = (types.FunctionType, Derivative)
FUNCTIONS = 512  # that are kept


@dataclass(frozen=True, eq=False)
class Shared:
    """What the pullbacks of a function and its relatives, for arguments of these structures, have in common."""

    recipe: Recipe
    options: Options
    specs: tuple[Spec, ...]
    calls: list[Abstract] = field(default_factory=list)


@dataclass(eq=False)
class Pulled:
    """What all pullbacks of one function have in common. things: of the function, in the order of its relatives'."""

    shared: Shared
    fun: Any
    things: Sequence[Any]
    straight: list[Straight] = field(default_factory=list)

    def at_once(self, items: Sequence[Any], value: Any, cotangent: tuple[Any, ...]) -> Any:
        """The cotangents, if a pullback like this one was called before; else `OTHER`."""
        for straight in self.straight:
            out = straight((items, value, cotangent), {})
            if out is not OTHER:
                return out
        for call in self.shared.calls if not self.straight else ():
            straight = call.of(self.things)
            out = straight((items, value, cotangent), {})
            if out is not OTHER:
                self.straight.append(straight)
                return out
        return OTHER

    def keep(self, straight: Straight | None) -> None:
        if straight is None:
            return
        self.straight.append(straight)
        made = abstract(straight, self.things)
        if made is not None and len(self.shared.calls) < MOST:
            self.shared.calls.append(made)


def at_once(kind: str, fun: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """The result, if a call like it was made before of this function or of a relative; else `OTHER`."""
    if type(fun) not in KINDS:
        return OTHER
    key = (kind, repr(options)) if options else kind
    known = _KNOWN.get(fun)
    try:
        if known is not None:
            for straight in known.get(key, ()):
                out = straight(args, {})
                if out is not OTHER:
                    return out
        return _as_relative(key, fun, args)
    except SystemError as error:
        raise interruption(error) from None


def _as_relative(key: Any, fun: Any, args: tuple[Any, ...]) -> Any:
    """The result by what was written for another function with the same code."""
    known = described(fun)
    found = None if known is None else family((*known.key, key))
    if known is None or found is None:
        return OTHER
    for call in found.calls.get(key, ()):
        shared = call.space.get("_shared")
        straight = call.of([*known.things, shared and Pulled(shared, fun, known.things)])
        out = straight(args, {})
        if out is not OTHER:
            met = _MET.setdefault(fun, set())
            if key in met:
                _known(fun, key).insert(0, straight)
            met.add(key)
            return out
    return OTHER


def _known(fun: Any, key: Any) -> list[Straight]:
    """The straight calls of a function."""
    if len(_KNOWN) >= FUNCTIONS and fun not in _KNOWN:
        _KNOWN.clear()
    return _KNOWN.setdefault(fun, {}).setdefault(key, [])


def keeper(kind: str, fun: Any, options: dict[str, Any]) -> Keep:
    """What keeps how a call goes straight the next time."""

    def keep(make: Make) -> None:
        if type(fun) not in KINDS or not options.get("jit", True) or options.get("target", "cpu") != "cpu":
            return
        key = (kind, repr(options)) if options else kind
        known = _known(fun, key)
        made = make() if len(known) < MOST else None
        if made is None:
            return
        known.insert(0, made)
        relatives = described(fun)
        if relatives is not None:
            name = (*relatives.key, key)
            found = family(name) or begin(name, {}, relatives.kept)
            found.add(key, made, [*relatives.things, made.__globals__.get("_pulled")])

    return keep


def of_tangent(
    made: Derivative, values: Sequence[Any], bind: Bind, primals: Sequence[Any], tangents: Sequence[Any]
) -> Straight | None:
    """`(primals, tangents) -> (value, tangent)`. values: the arguments of `made` for these."""
    call = made._lookup(values)

    def take(out: Writer) -> list[str]:
        out.lines.append("primals, tangents = args")
        out.unless(f"type(primals) is {type(primals).__name__}", f"type(tangents) is {type(tangents).__name__}")
        leaves = by_place(out, bind, bind(primals, {}), call.specs[:-1], len(primals), source="primals")
        names = [out.name("dot") for _ in tangents]
        out.lines.append(f"{''.join(f'{name}, ' for name in names)}= tangents")
        described = zip(names, tangents, map(describe, primals), strict=True)
        return [*leaves, *(leaf for each in described for leaf in _tangent(out, *each))]

    return made.straight(call, take) if type(primals) in (tuple, list) and type(tangents) in (tuple, list) else None


def _tangent(out: Writer, name: str, tangent: Any, spec: Spec) -> list[str]:
    """Take a tangent apart that has the structure of its primal, or is None for zero."""
    if tangent is None and isinstance(spec, (Leaf, Node)):
        out.unless(f"{name} is None")
        return []
    if isinstance(spec, Node):
        names, children = out.children(name, tangent, spec)
        each = zip(names, children, spec.children, strict=True)
        return [leaf for child in each for leaf in _tangent(out, *child)]
    return _leaf(out, name, tangent, spec) if isinstance(spec, Leaf) else []


def _leaf(out: Writer, name: str, value: Any, spec: Leaf) -> list[str]:
    """A leaf of a tangent or cotangent, exactly of the type of what it belongs to."""
    kind = spec.type if spec.type.is_float else F8
    if kind.ref and describe(value) != spec:
        raise Unwritten
    out.leaf(name, value, kind)
    return [name]


def of_value(
    made: Derivative,
    given: Sequence[Any],
    full: Sequence[Any],
    bind: Bind,
    count: int,
    pullback: type,
    pulled: Pulled,
) -> Straight | None:
    """`primals -> (value, pullback)`. given: one argument a parameter; full: what the value was computed of."""
    call = made._lookup(full)

    def take(out: Writer) -> list[str]:
        leaves = by_place(out, bind, given, call.specs, count)
        out.lines += [f"{name} = {name}.copy()" for name, t in zip(leaves, call.meta.types, strict=False) if t.ref]
        return leaves

    def finish(out: Writer, leaves: Sequence[str], result: str) -> str:
        items = "".join(f"{name}, " for name in leaves[: len(leaves) - len(call.bound.read)])
        out.space |= {"_pulled": pulled, "_shared": pulled.shared}
        make = f"{out.hold(pullback, 'pullback')}(_pulled, ({items}), value)"
        return f"(value := {result}, {make})"

    return made.straight(call, take, finish=finish)


def of_cotangent(
    made: Derivative, values: Sequence[Any], items: Sequence[Any], value: Any, spec: Spec, bar: Any
) -> Straight | None:
    """`(leaves of the primals, value, (cotangent,)) -> cotangents of the primals`"""

    def take(out: Writer) -> list[str]:
        leaves = [out.name() for _ in items]
        out.lines += ["items, value, cotangent = args", "bar, = cotangent"]
        out.lines.append(f"{''.join(f'{name}, ' for name in leaves)}= items" if leaves else "pass")
        return [*leaves, *_cotangent(out, "bar", bar, spec, "value", value)]

    return made.straight(made._lookup(values), take)


def _cotangent(out: Writer, name: str, bar: Any, spec: Spec, of: str, value: Any) -> list[str]:
    """Take a cotangent apart that has the structure and the shapes of the value."""
    if isinstance(spec, Node):
        names, children = out.children(name, bar, spec)
        models, values = out.children(of, value, spec)
        each = zip(names, children, spec.children, models, values, strict=True)
        return [leaf for child in each for leaf in _cotangent(out, *child)]
    if not isinstance(spec, Leaf) or not spec.type.is_float:
        return []
    leaves = _leaf(out, name, bar, spec)
    if spec.type.ref:
        out.unless(f"{name}.shape == {of}.shape")
    return leaves
