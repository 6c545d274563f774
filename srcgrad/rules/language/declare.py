"""The five shapes of a rule: elementwise, linear, bilinear, general, zero.

One declaration makes a primitive, its tangent, its adjoint, its broadcasting, its lookup from the user's functions, and
its own test (from `samples`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any, Union

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import LITERALS, Builder
from srcgrad.core.traits import Form, Traits, always
from srcgrad.errors import UnsupportedError
from srcgrad.rules.language import by_numbers, promotion, registry
from srcgrad.rules.language.metadata import At as At
from srcgrad.rules.language.metadata import Edge as Edge
from srcgrad.rules.language.metadata import Info as Info
from srcgrad.rules.language.metadata import Literal as Literal
from srcgrad.rules.language.metadata import Params as Params
from srcgrad.rules.language.metadata import Samples as Samples
from srcgrad.rules.language.metadata import only_ranks as only_ranks
from srcgrad.rules.language.of_scipy import Named
from srcgrad.rules.language.runtime_text import sources
from srcgrad.rules.language.values import Val, contents, emit

Template = Union[str, Callable[..., str]]  # an expression over `_0, _1, ...`, or (types, params) -> one
_TRAITS = frozenset(f.name for f in fields(Traits))
Duals = Sequence[Union[Val, None]]  # tangents or adjoints; None stands for zero


class Rule(ir.Primitive):
    """A primitive that a rule's lambda can call on builder values."""

    def __call__(self, *args: Any, **params: Any) -> Val:
        values = [a for a in args if isinstance(a, Val)]
        anchor = next((a for a in values if _is_float(a)), values[0])
        return emit(self, *(anchor.lift(a) for a in args), **params)


def promote(types: Sequence[ir.Type], result: str = "same") -> ir.Type:
    """NumPy's dtype of an elementwise result, integer scalars being weak (NEP 50); the rank is the largest.

    result: 'same', 'number' (two boolean scalars make an integer), 'small' (two arrays of them an i1, too), 'float'
    (integers become f8), 'bool', or 'int'.
    """
    rank = max((t.rank for t in types), default=0)
    if result in ("bool", "int"):
        return ir.Type("b1" if result == "bool" else "i8", rank)
    strong = [t.dtype for t in types if t.rank or t.dtype[0] in "fc"]
    weak = [t.dtype for t in types if not t.rank and t.dtype[0] not in "fc"]
    dtype = np.result_type(*(np.dtype(d) for d in strong or weak)).str[1:]
    if dtype == "b1" and "i8" in weak:
        dtype = "i8"
    if result == "float" and dtype[0] not in "fc":
        dtype = "f8"
    elif rank == 0 and (dtype[0] in "iu" or (dtype == "b1" and result in ("number", "small"))):
        dtype = "i8"
    elif dtype == "b1" and result == "small":
        dtype = "i1"
    return ir.Type(dtype, rank)


def _times(g: Val, partial: Any) -> Val | None:
    """What g contributes: the partial derivative is None for zero, a number, a builder value, or a function of g."""
    if partial is None:
        return None
    if callable(partial):
        return partial(g)  # type: ignore[no-any-return]
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
    return emit(registry.PRIMITIVES["broadcast_like"], value, model)


def sum_to(value: Val, model: Val) -> Val:
    """value summed over the axes along which model was broadcast (for adjoints)."""
    if value.builder.same_shape(value.atom, model.atom):
        return value
    return emit(registry.PRIMITIVES["unbroadcast"], value, model)


def cast(value: Val, dtype: str) -> Val:
    """value in this dtype."""
    if value.type.dtype == dtype:
        return value
    return emit(registry.PRIMITIVES["cast"], value, dtype=dtype)


def _is_float(value: Val) -> bool:
    return value.type.dtype[0] in "fc"


def plain_adaptor(rule: ir.Primitive) -> Callable[..., Any]:
    """The adaptor of a function whose arguments are all values."""

    def call(builder: Builder, *args: Any) -> Any:
        return emit(rule, *(contents(as_value(builder, a)) for a in args))

    return call


def as_value(builder: Builder, value: Any) -> Val:
    """A Python number as a literal; a builder value as it is."""
    if isinstance(value, Val):
        return value
    if type(value) not in LITERALS:
        raise UnsupportedError(
            f"expected a number or an array, got a {type(value).__name__}; use a number or an array here"
        )
    return Val(builder, ir.Const(value, LITERALS[type(value)]))


def static(value: Any) -> float | int | bool | complex | None:
    """What a literal is; None of anything else."""
    return value.atom.value if isinstance(value, Val) and isinstance(value.atom, ir.Const) else None


def settle(values: Sequence[Val]) -> list[Val]:
    """Memory loaded, and Python's own floats in the precision of what they stand beside (NEP 50)."""
    loaded = promotion.beside_numbers([contents(v) for v in values], cast)
    floats = {v.type.dtype for v in loaded if _is_float(v) and not v.builder.is_weak(v.atom)}
    if not floats or not floats <= {"f4", "c8"}:
        return loaded
    loaded = promotion.doubled(loaded, cast)
    return [_single(v) if v.builder.is_weak(v.atom) else v for v in loaded]


def _single(value: Val) -> Val:
    atom = value.atom
    if isinstance(atom, ir.Var):
        name = f"{atom.name}_single"
        return emit(registry.PRIMITIVES["cast"], value, dtype="f4", name=name)
    singles = {ir.F8: ir.F4, ir.C16: ir.C8}
    return Val(value.builder, ir.Const(atom.value, singles.get(atom.type, atom.type)))


def widen(value: Val, kind: str = "f8") -> Val:
    """Booleans and small integers as what NumPy's float functions of f8 take (it would make f2 and f4 of them)."""
    return value if value.type.dtype in ("f4", "f8", "c8", "c16", "i8") else cast(value, kind)


def widened(values: Sequence[Val]) -> list[Val]:
    """The operands of a float function; what is small beside single precision stays in it, as in NumPy."""
    strong = [v.type.dtype for v in values if v.type.rank or v.type.is_float]
    single = bool(strong) and np.result_type(*(np.dtype(d) for d in strong)).str[1:] in ("f4", "c8")
    return [widen(v, "f4" if single else "f8") for v in values]


def elementwise_adaptor(rule: ir.Primitive, name: str, *, arity: int, result: str, scalars: bool) -> Callable[..., Any]:
    """The adaptor of a ufunc, or of a function of `math` (`scalars`: it takes no arrays)."""

    def call(builder: Builder, *args: Any, **options: Any) -> Any:
        if options:
            raise UnsupportedError(f"{name} is differentiated without its option {next(iter(options))!r}; leave it out")
        if len(args) != arity:
            raise UnsupportedError(
                f"{name} takes {arity} argument{'s' * (arity > 1)} here, not {len(args)}; leave the others out"
            )
        values = settle([as_value(builder, a) for a in args])
        if scalars and any(v.type.rank for v in values):
            raise UnsupportedError(f"{name} takes scalars, not arrays; for arrays use NumPy's function")
        promotion.check(rule.name, values, exact=result in ("same", "number", "small"))
        out = emit(rule, *(widened(values) if result == "float" else values))
        weak = all(builder.is_weak(v.atom) for v in values)
        if scalars and weak and isinstance(out.atom, ir.Var) and out.type == ir.F8:
            builder.weak.add(out.atom)  # a function of `math` gives a float of Python's own
        return out

    return call


def publish(rule: ir.Primitive, functions: Sequence[Any], *, arity: int, result: str) -> None:
    """Enter an elementwise rule into the registry, with an adaptor for each of its functions."""
    registry.register(rule)
    for function in functions:
        module = getattr(function, "__module__", "") or ""
        name = getattr(function, "__name__", rule.name)
        told = f"math.{name}" if module == "math" else f"np.{name}" if getattr(np, name, None) is function else name
        call = elementwise_adaptor(rule, told, arity=arity, result=result, scalars=module == "math")
        registry.adaptor(function)(call)


def elementwise(
    name: str,
    functions: tuple[Any, ...],
    *,
    partials: Callable[..., tuple[Any, ...]],
    samples: Samples,
    evaluate: Callable[..., Any] | None = None,
    scalar: Template | None = None,
    array: Template | None = None,
    helpers: Mapping[str, str] | None = None,
    numeric: Callable[..., float] | None = None,
    wide: bool = False,
    result: str = "float",
    infer: Callable[..., tuple[ir.Type, ...]] | None = None,
    jvp: Callable[..., Any] | None = None,
    as_is: Sequence[int] = (),
    each: bool = False,
    **info: Any,
) -> Rule:
    """A function of each element. `partials(*args, y)` gives for each argument a builder value, a number, None (zero),
    or a function of the tangent or adjoint that it multiplies.

    scalar, array: the expressions it prints as, over `_0, _1`; by default its function in `math` and that in `np`.
    helpers: sources that these need. wide: whether they give f8 for f4. jvp: another tangent than that of the partials.
    as_is: which arguments say how, and are never cast. each: whether `scalar` is for numbers only, so that arrays are
    gone through in a loop. numeric: the function of numbers that computes each element, in place of all these.
    """

    def tangent(dots: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
        if all(d is None for d in dots):
            return [None]
        parts = partials(*args, outs[0], **params)
        out = total([None if d is None else _times(d, p) for d, p in zip(dots, parts, strict=True)])
        return [None if out is None else cast(expand_to(out, outs[0]), outs[0].type.dtype)]

    def vjp(bars: Duals, args: Sequence[Val], outs: Sequence[Val], params: dict[str, Any]) -> list[Val | None]:
        (g,) = bars
        if g is None or not any(map(_is_float, args)):
            return [None] * len(args)
        parts = partials(*args, outs[0], **params)
        got = [_times(g, p) if _is_float(x) else None for x, p in zip(args, parts, strict=True)]
        return [None if v is None else cast(sum_to(v, x), x.type.dtype) for x, v in zip(args, got, strict=True)]

    infer = infer or (lambda types, params: (promote(types, result),))
    info.setdefault("scalars", _of_scalars(functions))
    if numeric:
        scalar, helpers = scalar or by_numbers.call_of(numeric), sources(numeric)
    template = elementwise_template(functions, infer, scalar, array, helpers or {}, wide, len(samples[0]), as_is)
    template = by_numbers.each(name, template, infer) if each or numeric else template
    rule = Rule(
        name,
        infer,
        evaluate or (by_numbers.evaluate_by(numeric) if numeric else functions[0]),
        template,
        jvp or tangent,
        vjp,
        *_told("elementwise", functions, samples, info, elementwise=True, partials=partials),
    )
    publish(rule, functions, arity=len(samples[0]), result=result)
    return rule


def elementwise_template(
    functions: Sequence[Any],
    infer: Callable[..., tuple[ir.Type, ...]],
    scalar: Template | None,
    array: Template | None,
    helpers: Mapping[str, str],
    wide: bool,
    arity: int,
    as_is: Sequence[int] = (),
) -> Callable[..., Any]:
    """How an elementwise rule prints; what it prints keeps float32.

    Numba makes f8 of a scalar f4 beside an integer; an f4 array beside one stays, but for np.where.
    """
    places = ", ".join(f"_{k}" for k in range(arity))
    in_math = [f"math.{f.__name__}({places})" for f in functions if getattr(f, "__module__", "") == "math"]
    in_numpy = [f"np.{f.__name__}({places})" for f in functions if isinstance(f, np.ufunc)]
    one: Template = scalar or (in_math or in_numpy)[0]
    many: Template = array or scalar or (in_numpy or in_math)[0]

    def template(types: tuple[ir.Type, ...], params: dict[str, Any]) -> Any:
        (out,) = infer(types, params)
        arrays = any(t.rank for t in types)
        chosen = many if arrays or any(t.is_complex for t in types) else one
        code = chosen if isinstance(chosen, str) else chosen(types, params)
        if out == ir.I8 and all(t == ir.B1 for t in types):
            code = re.sub(r"\b_0\b", "int(_0)", code)  # NumPy's own booleans add up to a boolean
        if out.dtype in ("f4", "c8"):
            for k, t in enumerate(types):
                if t in (ir.I8, ir.B1) and k not in as_is and (not arrays or "np.where" in code):
                    code = re.sub(rf"\b_{k}\b", f"np.float32(_{k})", code)
            if wide:
                single = "np.complex64" if out.is_complex else "np.float32"
                code = f"({code}).astype({single})" if out.rank else f"{single}({code})"
        used = _called(helpers, code)
        return (code, used) if used else code

    return template


def _told(
    form: Form, functions: tuple[Any, ...], samples: Samples, told: Mapping[str, Any], **traits: Any
) -> tuple[Info, Traits]:
    """What a declaration tells, parted into what tests and pages know and what passes know."""
    known = {key: value for key, value in told.items() if key in _TRAITS}
    rest = {key: value for key, value in told.items() if key not in _TRAITS}
    if "domain" in rest:
        known.setdefault("steep", always)
    known = {**traits, **known}
    if form == "bilinear" or known.get("elementwise"):
        known.setdefault("fresh", True)
    return Info(functions, samples, **rest), Traits(form, **known)


def _of_scalars(functions: Sequence[Any]) -> bool:
    return bool(functions) and not any(isinstance(f, (np.ufunc, Named)) for f in functions)


def _called(helpers: Mapping[str, str], code: str) -> dict[str, str]:
    """The helpers that code calls, with those that they call."""
    used: dict[str, str] = {}
    for name in helpers:
        if name not in used and re.search(rf"\b{name}\(", code):
            used[name] = helpers[name]
            rest = {other: text for other, text in helpers.items() if other != name}
            used.update(_called(rest, used[name]))
    return used


def zero(
    name: str,
    functions: tuple[Any, ...],
    *,
    infer: Callable[..., tuple[ir.Type, ...]] | None = None,
    evaluate: Callable[..., Any] | None = None,
    template: str | Callable[..., Any] | None = None,
    scalar: Template | None = None,
    array: Template | None = None,
    helpers: Mapping[str, str] | None = None,
    wide: bool = False,
    samples: Samples = (),
    result: str = "bool",
    elementwise: bool = True,
    as_is: Sequence[int] = (),
    **info: Any,
) -> Rule:
    """A function that carries no derivative: comparisons, shapes, rounding."""

    def by_elements(types: tuple[ir.Type, ...], params: dict[str, Any]) -> tuple[ir.Type, ...]:
        return (promote(types, result),)

    infer = infer or by_elements
    info.setdefault("scalars", _of_scalars(functions))
    arity = len(samples[0]) if samples else 1
    rule = Rule(
        name,
        infer,
        evaluate or functions[0],
        template or elementwise_template(functions, infer, scalar, array, helpers or {}, wide, arity, as_is),
        None,
        None,
        *_told("zero", functions, samples, info, elementwise=elementwise),
    )
    if elementwise:
        publish(rule, functions, arity=arity, result=result)
    else:
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
    """Linear in its first argument (the others say only how), whose adjoint is `transpose(g, *args, **params)`."""
    holder: list[Rule] = []

    def jvp(dots: Duals, args: Sequence[Val], outs: Sequence[Val], params: dict[str, Any]) -> list[Any]:
        if dots[0] is None:
            return [None]
        return [emit(holder[0], dots[0], *args[1:], **params)]

    def vjp(bars: Duals, args: Sequence[Val], outs: Sequence[Val], params: dict[str, Any]) -> list[Any]:
        (g,) = bars
        rest: list[Any] = [None] * (len(args) - 1)
        return [None if g is None or not _is_float(args[0]) else transpose(g, *args, **params), *rest]

    info.setdefault("takes_complex", True)
    rule = Rule(name, infer, evaluate, template, jvp, vjp, *_told("linear", functions, samples, info))
    holder.append(rule)
    return _registered(rule, functions)


def _registered(rule: Rule, functions: tuple[Any, ...]) -> Rule:
    """The rule, found by its name and called by these functions."""
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

    def jvp(dots: Duals, args: Sequence[Val], outs: Sequence[Val], params: dict[str, Any]) -> list[Any]:
        a, b = args
        parts = [
            None if dots[0] is None else emit(holder[0], dots[0], b, **params),
            None if dots[1] is None else emit(holder[0], a, dots[1], **params),
        ]
        return [total(parts)]

    def vjp(bars: Duals, args: Sequence[Val], outs: Sequence[Val], params: dict[str, Any]) -> list[Any]:
        (g,) = bars
        if g is None:
            return [None, None]
        a, b = args
        return [
            cast(left(g, a, b, **params), a.type.dtype) if _is_float(a) else None,
            cast(right(g, a, b, **params), b.type.dtype) if _is_float(b) else None,
        ]

    info.setdefault("takes_complex", True)
    rule = Rule(name, infer, evaluate, template, jvp, vjp, *_told("bilinear", functions, samples, info))
    holder.append(rule)
    return _registered(rule, functions)


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
    """Any other: jvp(dots, args, outs, params), vjp(bars, args, outs, params), lists in, lists out, None for zero."""
    rule = Rule(name, infer, evaluate, template, jvp, vjp, *_told("general", functions, samples, info))
    return _registered(rule, functions)
