"""The five shapes of a rule: elementwise, linear, bilinear, general, zero. One declaration makes a primitive, its tangent,
its adjoint, its broadcasting, its lookup from the user's functions, and its own test (from `samples`)."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.rules import registry
from srcgrad.rules.values import Val, contents, emit

Samples = Sequence[tuple[Any, ...]]  # argument tuples at which the rule tests itself


@dataclass(frozen=True, slots=True)
class Info:
    """What a declaration says beyond the primitive: for tests, documents and passes."""

    shape: str
    functions: tuple[Any, ...]
    samples: Samples
    elementwise: bool = False
    partials: Callable[..., Any] | None = None
    params: Sequence[dict[str, Any]] = ({},)
    domain: str = ""
    ties: str = ""
    finite_partials: bool = False
    reads: frozenset[int] | None = field(default=None)


class Rule(ir.Primitive):
    """A primitive that a rule's lambda can call on builder values."""

    def __call__(self, *args: Any, **params: Any) -> Any:
        anchor = next(a for a in args if isinstance(a, Val))
        return emit(self, *(anchor.lift(a) for a in args), **params)


def promote(types: Sequence[ir.Type], result: str = "same") -> ir.Type:
    """NumPy's dtype of an elementwise result, integer scalars being weak (NEP 50); the rank is the largest.

    result: 'same', 'float' (integers become f8), 'bool', or 'int'.
    """
    rank = max((t.rank for t in types), default=0)
    if result in ("bool", "int"):
        return ir.Type("b1" if result == "bool" else "i8", rank)
    dtypes = [t.dtype for t in types if t.dtype[0] in "fc"] or [t.dtype for t in types if t.rank] or [t.dtype for t in types]
    dtype = np.result_type(*(np.dtype(d) for d in dtypes)).str[1:]
    if result == "float" and dtype[0] not in "fc":
        dtype = "f8"
    elif dtype == "b1" and result == "number":
        dtype = "i8"
    if rank == 0 and dtype[0] in "iu":
        dtype = "i8"
    return ir.Type(dtype, rank)


def _times(g: Val, partial: Any) -> Val | None:
    if partial is None:
        return None
    if isinstance(partial, (int, float)):
        return None if partial == 0 else g if partial == 1 else -g if partial == -1 else g * float(partial)
    return g * partial  # type: ignore[no-any-return]


def total(parts: Sequence[Val | None]) -> Val | None:
    """The sum of those that are not zero; None if all are."""
    out: Val | None = None
    for part in parts:
        if part is not None:
            out = part if out is None else out + part
    return out


def expand_to(value: Val, model: Val) -> Val:
    """value broadcast to model's shape (for tangents)."""
    if value.builder.same_shape(value.atom, model.atom):
        return value
    return emit(registry.PRIMITIVES["broadcast_like"], value, model)  # type: ignore[no-any-return]


def sum_to(value: Val, model: Val) -> Val:
    """value summed over the axes along which model was broadcast (for adjoints)."""
    if value.builder.same_shape(value.atom, model.atom):
        return value
    return emit(registry.PRIMITIVES["unbroadcast"], value, model)  # type: ignore[no-any-return]


def cast(value: Val, dtype: str) -> Val:
    """value in this dtype."""
    if value.type.dtype == dtype:
        return value
    return emit(registry.PRIMITIVES["cast"], value, dtype=dtype)  # type: ignore[no-any-return]


def _is_float(value: Val) -> bool:
    return value.type.dtype[0] in "fc"


def plain_adaptor(rule: ir.Primitive) -> Callable[..., Any]:
    """The adaptor of a function whose arguments are all values."""

    def call(builder: Builder, *args: Any) -> Any:
        values = [a if isinstance(a, Val) else Val(builder, _literal(a)) for a in args]
        return emit(rule, *map(contents, values))

    return call


def _literal(value: Any) -> ir.Const:
    from_python = {bool: ir.B1, int: ir.I8, float: ir.F8}
    return ir.Const(value, from_python[type(value)])


def elementwise(
    name: str,
    functions: tuple[Any, ...],
    *,
    partials: Callable[..., tuple[Any, ...]],
    samples: Samples,
    evaluate: Callable[..., Any] | None = None,
    scalar: str | None = None,
    array: str | None = None,
    result: str = "float",
    **info: Any,
) -> Rule:
    """A function of each element. `partials(*args, y)` gives a builder value, a number or None (zero) an argument.

    scalar, array: the Python expressions it prints as, over `_0, _1`; by default `math.NAME(_0)` if math has it, else `np.NAME(_0)`.
    """

    def infer(types: tuple[ir.Type, ...], params: dict[str, Any]) -> tuple[ir.Type, ...]:
        return (promote(types, result),)

    def jvp(dots: Sequence[Val | None], args: Sequence[Val], outs: Sequence[Val], params: dict[str, Any]) -> list[Val | None]:
        parts = partials(*args, outs[0])
        out = total([None if d is None else _times(d, p) for d, p in zip(dots, parts, strict=True)])
        return [None if out is None else cast(expand_to(out, outs[0]), outs[0].type.dtype)]

    def vjp(bars: Sequence[Val | None], args: Sequence[Val], outs: Sequence[Val], params: dict[str, Any]) -> list[Val | None]:
        (g,) = bars
        if g is None:
            return [None] * len(args)
        got: list[Val | None] = []
        for x, p in zip(args, partials(*args, outs[0]), strict=True):
            part = _times(g, p) if _is_float(x) else None
            got.append(None if part is None else cast(sum_to(part, x), x.type.dtype))
        return got

    rule = Rule(
        name, infer, evaluate or functions[0], _template(name, functions, scalar, array), jvp, vjp,
        Info("elementwise", functions, samples, elementwise=True, partials=partials, **info),
    )  # fmt: skip
    registry.register(rule)
    registry.adaptor(*functions)(plain_adaptor(rule))
    return rule


def _template(name: str, functions: tuple[Any, ...], scalar: str | None, array: str | None) -> Callable[..., str]:
    arity = 1 if scalar is None and array is None else 0
    in_math = any(getattr(f, "__module__", "") == "math" for f in functions)
    one = scalar or f"{'math' if in_math else 'np'}.{name}(_0)"
    many = array or (scalar if arity == 0 and scalar else f"np.{name}(_0)")

    def template(types: tuple[ir.Type, ...], params: dict[str, Any]) -> str:
        return many if any(t.rank for t in types) else one

    return template


def zero(
    name: str,
    functions: tuple[Any, ...],
    *,
    infer: Callable[..., tuple[ir.Type, ...]] | None = None,
    evaluate: Callable[..., Any] | None = None,
    template: str | Callable[..., Any],
    samples: Samples = (),
    result: str = "bool",
    elementwise: bool = True,
    **info: Any,
) -> Rule:
    """A function that carries no derivative: comparisons, shapes, rounding."""

    def by_elements(types: tuple[ir.Type, ...], params: dict[str, Any]) -> tuple[ir.Type, ...]:
        return (promote(types, result),)

    rule = Rule(
        name, infer or by_elements, evaluate or functions[0], template,
        info=Info("zero", functions, samples, elementwise=elementwise, **info),
    )  # fmt: skip
    registry.register(rule)
    registry.adaptor(*functions)(plain_adaptor(rule))
    return rule


def linear(
    name: str,
    functions: tuple[Any, ...],
    *,
    transpose: Callable[..., Any],
    infer: Callable[..., tuple[ir.Type, ...]],
    evaluate: Callable[..., Any],
    template: str | Callable[..., Any],
    samples: Samples,
    **info: Any,
) -> Rule:
    """Linear in its first argument (the others say only how). `transpose(g, *args, **params)` gives that argument's adjoint."""
    holder: list[Rule] = []

    def jvp(dots: Sequence[Val | None], args: Sequence[Val], outs: Sequence[Val], params: dict[str, Any]) -> list[Any]:
        if dots[0] is None:
            return [None]
        return [emit(holder[0], dots[0], *args[1:], **params)]

    def vjp(bars: Sequence[Val | None], args: Sequence[Val], outs: Sequence[Val], params: dict[str, Any]) -> list[Any]:
        (g,) = bars
        rest: list[Any] = [None] * (len(args) - 1)
        return [None if g is None or not _is_float(args[0]) else transpose(g, *args, **params), *rest]

    rule = Rule(name, infer, evaluate, template, jvp, vjp, Info("linear", functions, samples, **info))
    holder.append(rule)
    registry.register(rule)
    if functions:
        registry.adaptor(*functions)(plain_adaptor(rule))
    return rule


def bilinear(
    name: str,
    functions: tuple[Any, ...],
    *,
    left: Callable[..., Any],
    right: Callable[..., Any],
    infer: Callable[..., tuple[ir.Type, ...]],
    evaluate: Callable[..., Any],
    template: str | Callable[..., Any],
    samples: Samples,
    **info: Any,
) -> Rule:
    """Linear in each of two arguments. `left(g, a, b)` and `right(g, a, b)` give their adjoints."""
    holder: list[Rule] = []

    def jvp(dots: Sequence[Val | None], args: Sequence[Val], outs: Sequence[Val], params: dict[str, Any]) -> list[Any]:
        a, b = args
        parts = [
            None if dots[0] is None else emit(holder[0], dots[0], b, **params),
            None if dots[1] is None else emit(holder[0], a, dots[1], **params),
        ]
        return [total(parts)]

    def vjp(bars: Sequence[Val | None], args: Sequence[Val], outs: Sequence[Val], params: dict[str, Any]) -> list[Any]:
        (g,) = bars
        if g is None:
            return [None, None]
        a, b = args
        return [
            left(g, a, b, **params) if _is_float(a) else None,
            right(g, a, b, **params) if _is_float(b) else None,
        ]

    rule = Rule(name, infer, evaluate, template, jvp, vjp, Info("bilinear", functions, samples, **info))
    holder.append(rule)
    registry.register(rule)
    if functions:
        registry.adaptor(*functions)(plain_adaptor(rule))
    return rule


def general(
    name: str,
    functions: tuple[Any, ...],
    *,
    jvp: Callable[..., Any],
    vjp: Callable[..., Any],
    infer: Callable[..., tuple[ir.Type, ...]],
    evaluate: Callable[..., Any],
    template: str | Callable[..., Any],
    samples: Samples,
    **info: Any,
) -> Rule:
    """Any other: jvp(dots, args, outs, params) and vjp(bars, args, outs, params), lists in, lists out, None for zero."""
    rule = Rule(name, infer, evaluate, template, jvp, vjp, Info("general", functions, samples, **info))
    registry.register(rule)
    if functions:
        registry.adaptor(*functions)(plain_adaptor(rule))
    return rule
