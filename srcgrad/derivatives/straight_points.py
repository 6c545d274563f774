"""The straight way from `jvp`, `vjp` and pullbacks to compiled code."""

from __future__ import annotations

import types
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from srcgrad.backend.compiling import interruption
from srcgrad.core.types import F8
from srcgrad.derivatives.derivative import MOST, Derivative
from srcgrad.derivatives.straight_call import Bind, Straight, by_place
from srcgrad.derivatives.written_calls import OTHER, Unwritten, Writer
from srcgrad.frontend.source.structure import Leaf, Node, Spec, describe

Make = Callable[[], Straight | None]
Keep = Callable[[Make], None]  # is told how what goes straight the next time is made

_KNOWN: weakref.WeakKeyDictionary[Any, dict[Any, list[Straight]]] = weakref.WeakKeyDictionary()
KINDS = (types.FunctionType, Derivative)


class Pulled(NamedTuple):
    """What all pullbacks of a function, for arguments of these structures, have in common."""

    made: Derivative
    specs: tuple[Spec, ...]
    compiled: bool
    straight: list[Straight]


def at_once(kind: str, fun: Any, args: tuple[Any, ...], options: Mapping[str, Any]) -> Any:
    """The result, if a call like it was made before; else `OTHER`."""
    known = _KNOWN.get(fun) if type(fun) in KINDS else None
    if known is None:
        return OTHER
    try:
        for straight in known.get((kind, repr(options)) if options else kind, ()):
            out = straight(args, {})
            if out is not OTHER:
                return out
    except SystemError as error:
        raise interruption(error) from None
    return OTHER


def keeper(kind: str, fun: Any, options: Mapping[str, Any]) -> Keep:
    """What keeps how a call goes straight the next time."""

    def keep(make: Make) -> None:
        if type(fun) not in KINDS or not options.get("jit", True) or options.get("target", "cpu") != "cpu":
            return
        known = _KNOWN.setdefault(fun, {}).setdefault((kind, repr(options)) if options else kind, [])
        made = make() if len(known) < MOST else None
        if made is not None:
            known.insert(0, made)

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
        make = f"{out.hold(pullback, 'pullback')}({out.hold(pulled, 'pulled')}, ({items}), value)"
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
