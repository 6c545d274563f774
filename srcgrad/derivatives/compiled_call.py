"""A derivative called from compiled code: a small compiled function with the primal's parameters takes structures apart
and puts the result together."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from srcgrad.backend import callable as native
from srcgrad.compiler.find_or_make import Bound
from srcgrad.compiler.request import Recipe
from srcgrad.core.types import F8, I8, Type
from srcgrad.derivatives import into_arrays
from srcgrad.errors import ArgumentError
from srcgrad.frontend.source import classes
from srcgrad.frontend.source.structure import Leaf, Node, Spec

UNFIT = "raise ValueError('out has not the shape of the gradient')"
UNLIKE = "raise ValueError('a tangent has not the shape of its argument')"


def bind_types(signature: inspect.Signature, args: Sequence[Any], kws: dict[str, Any]) -> list[Spec | None]:
    """The description of each parameter; None where the default is taken."""
    given = signature.bind(*args, **kws).arguments
    return [native.spec_of(given[n], n) if n in given else None for n in signature.parameters]


def dispatcher(
    name: str,
    home: str,
    signature: inspect.Signature,
    given: Sequence[Spec],
    specs: Sequence[Spec],
    bound: Bound,
    apart: Sequence[tuple[int, int]],
    alike: Sequence[tuple[int, int]],
    jit: Callable[..., Any],
    into: Into | None = None,
) -> Any:
    """A dispatcher with this signature, and with `out` after it if the gradient is written `into` arrays. home: the
    module that it belongs to; given: the arguments' structures as they come, specs: as the derivative takes them;
    apart: places of leaves that must not overlap; alike: of tangents, and of what they must have the shape of. What is
    captured is frozen at its value now, as Numba freezes globals."""
    meta = bound.unit.meta
    namespace = {"__name__": home, "_compiled": bound.unit.function, "_overlap": native.overlap, "_int64": np.int64}
    items: list[str] = []
    for name_, was, spec in zip(signature.parameters, given, specs, strict=True):
        taken = _leaves(name_, spec)
        items += [_cast(item, t, was != spec) for item, t in taken]
    checks = [(items[k], items[other]) for k, other in apart if other < len(items)]
    for k, read in enumerate(bound.read):
        namespace[f"_captured_{k}"] = read()
        items.append(f"_captured_{k}")
    count = sum(1 for _ in _leaves("r", meta.result))
    leaves = ["_r"] if count == 1 else [f"_r[{k}]" for k in range(count)]
    results = iter(leaves)
    text = _rebuilt(meta.result, results, namespace)
    params = []
    for param in signature.parameters.values():
        params.append(param.name if param.default is param.empty else f"{param.name}=_default_{param.name}")
        namespace[f"_default_{param.name}"] = param.default
    params += [] if into is None else ["out=None"]
    lines = [f"def {name}({', '.join(params)}):"]
    for a, b in checks:
        message = f"{a} is overwritten and overlaps {b}"
        lines += [f"    if _overlap({a}, {b}):", f"        raise ValueError({message!r})"]
    for k in meta.overwritten if meta.facts.ordered else ():
        message = f"{items[k]} is reshaped and written into, and is not in C order: pass np.ascontiguousarray of it"
        lines += [f"    if not {items[k]}.flags.c_contiguous:", f"        raise ValueError({message!r})"]
    lines += [f"    if {items[a]}.shape != {items[b]}.shape:\n        {UNLIKE}" for a, b in alike]
    lines.append(f"    _r = _compiled({', '.join(items)})")
    if into is not None:
        text = _written(into, leaves, namespace, lines)
    source = "\n".join([*lines, f"    return {text}", ""])
    return native.compiled(name, source, namespace, jit)


class Into(NamedTuple):
    """The structure of the gradient that is written into `out`, what stands before it in the result, and after."""

    before: tuple[Spec, ...]
    gradient: Spec
    after: tuple[Spec, ...]
    alone: bool


def into(out: Any, recipe: Recipe, result: Spec) -> Into:
    """How an `out` of this Numba type takes the gradient, as which it must be typed."""
    where = into_arrays.place(recipe)
    parts = (result,) if where is None or not isinstance(result, Node) else result.children
    made = Into(parts[: where or 0], parts[where or 0], parts[(where or 0) + 1 :], where is None)
    into_arrays.check_types(made.gradient, native.spec_of(out, "out"))
    return made


def _written(into: Into, leaves: Sequence[str], namespace: dict[str, Any], lines: list[str]) -> str:
    """Write the gradient into `out`; gives what is returned."""
    results = iter(leaves)
    before = [_rebuilt(spec, results, namespace) for spec in into.before]
    targets = [target for target, _ in _leaves("out", into.gradient)]
    items = [next(results) for _ in targets]
    after = [_rebuilt(spec, results, namespace) for spec in into.after]
    for target, item in zip(targets, items, strict=True):
        lines.append(f"    if {target}.shape != {item}.shape:\n        {UNFIT}")
    lines += [f"    {target}[...] = {item}" for target, item in zip(targets, items, strict=True)]
    return "out" if into.alone else f"({', '.join([*before, 'out', *after])})"


def _cast(item: str, type: Type, changed: bool) -> str:
    """An argument as the derivative takes it; compiled code knows integers of many lengths."""
    if type == I8:
        return f"_int64({item})"
    return f"float({item})" if changed and type == F8 else item


def _leaves(expression: str, spec: Spec) -> Iterator[tuple[str, Type]]:
    """Python expressions for the leaves of something of this structure."""
    if isinstance(spec, Leaf):
        yield expression, spec.type
    elif isinstance(spec, Node):
        for key, child in zip(spec.keys, spec.children, strict=True):
            attribute = issubclass(spec.kind, tuple) and hasattr(spec.kind, "_fields")
            yield from _leaves(f"{expression}.{key}" if attribute else f"{expression}[{key}]", child)


def _rebuilt(spec: Spec, results: Iterator[str], namespace: dict[str, Any]) -> str:
    """A Python expression that puts a result of this structure together."""
    if isinstance(spec, Leaf):
        return next(results)
    if isinstance(spec, Node):
        inner = [_rebuilt(child, results, namespace) for child in spec.children]
        if spec.kind is tuple:
            return f"({', '.join(inner)}{',' if len(inner) == 1 else ''})"
        own = classes.written(spec.kind, "__new__")
        if own is not None and not own.generated:
            message = f"a {spec.kind.__name__} has a `__new__` of its own, and cannot be made in compiled code"
            raise ArgumentError(message, hint="call the derivative from Python, or use a plain NamedTuple")
        if issubclass(spec.kind, tuple):
            kind = f"_{spec.kind.__name__}"
            namespace[kind] = spec.kind
            return f"{kind}({', '.join(inner)})"
        message = f"a result with a {spec.kind.__name__} in it cannot be given to compiled code"
        raise ArgumentError(message, hint="let the function return numbers, arrays, tuples and NamedTuples of them")
    if spec.value is None:
        return "None"
    message = f"a result with {spec.value!r} in it cannot be given to compiled code"
    raise ArgumentError(message, hint="let the function return numbers, arrays, tuples and NamedTuples of them")
