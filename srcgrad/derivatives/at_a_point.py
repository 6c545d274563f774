"""`jvp` and `vjp`: derivatives at a point, in a direction."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from srcgrad.backend.compiling import interruption
from srcgrad.compiler.find_or_make import Options
from srcgrad.compiler.request import Recipe, float_leaves
from srcgrad.core.types import I8, Type
from srcgrad.derivatives import arguments, straight_points
from srcgrad.derivatives.derivative import MOST, Derivative
from srcgrad.derivatives.relatives import described
from srcgrad.derivatives.straight_points import Keep, Pulled, Shared
from srcgrad.derivatives.written_calls import OTHER
from srcgrad.errors import ArgumentError, CallError
from srcgrad.frontend.source import wording
from srcgrad.frontend.source.error_places import speaking_of
from srcgrad.frontend.source.structure import Leaf, Node, Spec, assemble, describe, leaf_types, parts


@functools.lru_cache(maxsize=512)
def _derivative(fun: Any, recipe: Recipe, options: Options) -> Derivative:
    """The derivative that was made for this function before, or a new one."""
    return Derivative(fun, recipe, options)


def jvp_with(fun: Any, primals: Any, tangents: Any, options: Options, keep: Keep) -> tuple[Any, Any]:
    """(value, tangent) of fun at primals along tangents."""
    with speaking_of(fun):
        full, dots = _checked(fun, primals, tangents)
    active = tuple(k for k, dot in enumerate(dots) if dot is not None)
    recipe = Recipe("jvp", tuple(range(len(full))), single=False, leaves=active)
    made = _derivative(fun, recipe, options)
    values = [*full, tuple(d for d in dots if d is not None)]
    value, tangent = made.at(values)
    keep(lambda: straight_points.of_tangent(made, values, arguments.parameters_of(fun).bind, primals, tangents))
    return value, tangent


def _checked(fun: Any, primals: Any, tangents: Any) -> tuple[list[Any], list[Any]]:
    """The arguments with defaults filled in, and the tangent of each leaf of the primals (None for zero)."""
    for what, given in (("primals", primals), ("tangents", tangents)):
        if not isinstance(given, (tuple, list)):
            message = f"{what} is {wording.of_spec(describe(given))}, not a tuple with one entry a parameter"
            raise ArgumentError(message, hint="write jvp(f, (x,), (x_dot,))")
    if len(primals) != len(tangents):
        message = f"there are {len(primals)} primals and {len(tangents)} tangents"
        raise ArgumentError(message, hint="give one tangent a primal: None stands for zero")
    parameters = arguments.parameters_of(fun)
    parameters.bind(primals, {})
    names = parameters.by_place(len(primals))
    specs = [arguments.spec_of(p, n) for p, n in zip(primals, names, strict=True)]
    each = zip(primals, specs, tangents, names, strict=True)
    dots = [d for p, s, t, n in each for d in _dots(p, s, t, n)]
    values = _floats_at(primals, specs, {k for k, dot in enumerate(dots) if dot is not None})
    return parameters.bind(values, {}), dots


def _dots(primal: Any, spec: Spec, tangent: Any, path: str) -> Iterator[Any]:
    """The tangent of each leaf of an argument; None for zero."""
    if isinstance(spec, Leaf):
        if tangent is None:
            yield None
        elif spec.type.dtype == "b1" or (spec.type.ref and not spec.type.is_float):
            message = f"`{path}` is {wording.of_type(spec.type)}, which has no tangent"
            raise ArgumentError(message, hint="give None as its tangent", about=_root(path))
        else:
            kind = spec.type if spec.type.is_float else Type("f8")
            yield conform(tangent, kind, primal, "tangent", path)
    elif isinstance(spec, Node):
        inner = [None] * len(spec.keys) if tangent is None else _children(spec, tangent, "tangent", path)
        for key, child, child_spec, dot in zip(spec.keys, parts(primal)[2], spec.children, inner, strict=True):
            yield from _dots(child, child_spec, dot, arguments.step(path, spec.kind, key))


def _root(path: str) -> str:
    """The parameter that a path begins with."""
    return path.split("[")[0].split(".")[0]


def _children(spec: Node, value: Any, what: str, path: str) -> tuple[Any, ...]:
    kind, keys, children = parts(value)
    if kind is not spec.kind or keys != spec.keys:
        message = (
            f"the {what} of `{path}` is {wording.of_spec(describe(value))}, and `{path}` is {wording.of_spec(spec)}"
        )
        raise ArgumentError(message, hint=f"give it the structure of `{path}`", about=_root(path))
    return children


def conform(value: Any, kind: Type, model: Any, what: str, path: str) -> Any:
    """A tangent or cotangent as exactly the type of what it belongs to, whose shape it must have."""
    about = _root(path)
    spec = describe(value)
    given = np.asarray(value) if isinstance(spec, Leaf) else np.empty((), object)
    if given.dtype.kind not in ("fciu" if kind.is_complex else "fiu"):
        message = f"the {what} of `{path}` is {wording.of_spec(spec)}"
        raise ArgumentError(message, hint=f"give {wording.of_type(kind)}", about=about)
    if given.shape != np.shape(model):
        message = f"the {what} of `{path}` has the shape {given.shape}, not {np.shape(model)}"
        raise ArgumentError(message, hint=f"give it the shape of `{path}`", about=about)
    if kind.ref and given.dtype.kind in "fc" and given.dtype != np.dtype(kind.dtype):
        message = f"the {what} of `{path}` is of {given.dtype}, and `{path}` of {np.dtype(kind.dtype)}"
        raise ArgumentError(message, hint=f"write .astype(np.{np.dtype(kind.dtype)})", about=about)
    return given.astype(kind.dtype, copy=False) if kind.ref else arguments.converter(kind)(given[()])


def _floats_at(values: Sequence[Any], specs: Sequence[Spec], active: set[int]) -> list[Any]:
    """The arguments with integers at active leaves as floats."""
    items = list(arguments.flat(values, specs))
    rest = iter([float(v) if k in active and isinstance(v, int) else v for k, v in enumerate(items)])
    return [assemble(spec, rest) for spec in specs]


class Pullback:
    """What `vjp` returns: takes the cotangent of the value, gives a tuple of one cotangent an argument."""

    def __init__(self, pulled: Pulled, items: Sequence[Any], value: Any) -> None:
        self._pulled, self._items, self._value = pulled, items, value

    def __call__(self, *cotangent: Any) -> tuple[Any, ...]:
        try:
            out = self._pulled.at_once(self._items, self._value, cotangent)
            return self._general(cotangent) if out is OTHER else out
        except SystemError as error:
            raise interruption(error) from None

    def _general(self, cotangent: Sequence[Any]) -> tuple[Any, ...]:
        pulled, options = self._pulled, self._pulled.shared.options
        made = _derivative(pulled.fun, pulled.shared.recipe, options)
        with speaking_of(made.primal):
            if len(cotangent) != 1:
                message = f"a pullback takes one cotangent, in the structure of the value, not {len(cotangent)}"
                raise CallError(message, hint="give a tuple if the function returns a tuple")
            spec = describe(self._value)
            bar = _conformed(cotangent[0], spec, self._value, "value")
        given = iter(self._items)
        values = [*(assemble(spec, given) for spec in pulled.shared.specs), bar]
        out = made.at(values)
        if len(pulled.straight) < MOST and options.jit and not options.on_device:
            pulled.keep(straight_points.of_cotangent(made, values, self._items, self._value, spec, cotangent[0]))
        return out  # type: ignore[no-any-return]


def _conformed(bar: Any, spec: Spec, value: Any, path: str) -> Any:
    """A cotangent in exactly the structure and types of the value (None where that is no float)."""
    if isinstance(spec, Node):
        paths = [arguments.step(path, spec.kind, key) for key in spec.keys]
        children = zip(_children(spec, bar, "cotangent", path), spec.children, parts(value)[2], paths, strict=True)
        return assemble(_leaf_each(spec), iter([_conformed(*child) for child in children]))
    if isinstance(spec, Leaf) and spec.type.is_float:
        return conform(bar, spec.type, value, "cotangent", path)
    return None


def _leaf_each(spec: Node) -> Node:
    """The node with a leaf for each child, to put finished children into."""
    return Node(spec.kind, spec.keys, tuple(Leaf(Type("f8")) for _ in spec.children))


def vjp_with(
    fun: Any, primals: Sequence[Any], options: Options, keep: Keep
) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """(value, pullback); the pullback keeps copies of the arrays, so that writing into them later does not matter."""
    with speaking_of(fun):
        parameters = arguments.parameters_of(fun)
        given = parameters.bind(primals, {})
        specs = [arguments.spec_of(p, n) for p, n in zip(given, parameters.names, strict=True)]
    copies = iter([v.copy() if isinstance(v, np.ndarray) else v for v in arguments.flat(given, specs)])
    full = [assemble(spec, copies) for spec in specs]
    if not any(t.is_float or t.is_complex for spec in specs for t in leaf_types(spec)):
        full = [float(v) if spec == Leaf(I8) and isinstance(v, int) else v for v, spec in zip(full, specs, strict=True)]
        specs = [arguments.spec_of(p, n) for p, n in zip(full, parameters.names, strict=True)]
    every = parameters.each(full)
    made = _derivative(fun, Recipe("value", every, leaves=()), options)
    value = made.at(full)
    recipe = Recipe("pullback", every, single=False, leaves=tuple(float_leaves(specs)))
    known = described(fun)
    pulled = Pulled(Shared(recipe, options, tuple(specs)), fun, known.things if known else ())
    keep(lambda: straight_points.of_value(made, given, full, parameters.bind, len(primals), Pullback, pulled))
    return value, Pullback(pulled, tuple(arguments.flat(full, specs)), value)
