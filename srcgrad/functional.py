"""`jvp` and `vjp`: derivatives at a point, in a direction."""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from srcgrad import arguments
from srcgrad.core.types import I8, Type
from srcgrad.derivative import Derivative
from srcgrad.driver import Options
from srcgrad.errors import ArgumentError
from srcgrad.recipe import Recipe, float_leaves
from srcgrad.syntax.structure import Leaf, Node, Spec, assemble, describe, leaf_types, parts

_MADE: weakref.WeakKeyDictionary[Any, dict[Any, Derivative]] = weakref.WeakKeyDictionary()


def _derivative(fun: Any, recipe: Recipe, options: Options) -> Derivative:
    """The derivative that was made for this function before, or a new one."""
    made = _MADE.setdefault(fun, {})
    key = (recipe, options)
    if key not in made:
        made[key] = Derivative(fun, recipe, options)
    return made[key]


def _count(fun: Any) -> int:
    return len(inspect.signature(getattr(fun, "py_func", fun)).parameters)


def jvp_with(fun: Any, primals: Any, tangents: Any, options: Options) -> tuple[Any, Any]:
    """(value, tangent) of fun at primals along tangents."""
    for what, given in (("primals", primals), ("tangents", tangents)):
        if not isinstance(given, (tuple, list)):
            raise ArgumentError(f"{what} must be a tuple with one entry an argument", hint=f"({what},)")
    if len(primals) != len(tangents):
        raise ArgumentError(f"there are {len(primals)} primals and {len(tangents)} tangents")
    specs = [arguments.spec_of(p, f"primals[{k}]") for k, p in enumerate(primals)]
    dots = [d for p, s, t in zip(primals, specs, tangents, strict=True) for d in _dots(p, s, t)]
    active = tuple(k for k, dot in enumerate(dots) if dot is not None)
    values = _floats_at(primals, specs, set(active))
    recipe = Recipe("jvp", tuple(range(_count(fun))), single=False, leaves=active)
    full = arguments.Parameters(inspect.signature(getattr(fun, "py_func", fun))).bind(values, {})
    made = _derivative(fun, recipe, options)
    return made.at([*full, tuple(d for d in dots if d is not None)])  # type: ignore[no-any-return]


def _dots(primal: Any, spec: Spec, tangent: Any) -> Iterator[Any]:
    """The tangent of each leaf of an argument; None for zero."""
    if isinstance(spec, Leaf):
        if tangent is None:
            yield None
        elif spec.type.dtype == "b1" or (spec.type.ref and not spec.type.is_float):
            raise ArgumentError("a bool or an array of integers has no tangent", hint="give None")
        else:
            kind = spec.type if spec.type.is_float else Type("f8")
            yield conform(tangent, kind, primal, "tangent")
    elif isinstance(spec, Node):
        inner = [None] * len(spec.keys) if tangent is None else _children(spec, tangent, "tangent")
        for child, child_spec, dot in zip(parts(primal)[2], spec.children, inner, strict=True):
            yield from _dots(child, child_spec, dot)


def _children(spec: Node, value: Any, what: str) -> tuple[Any, ...]:
    kind, keys, children = parts(value)
    if kind is not spec.kind or keys != spec.keys:
        raise ArgumentError(f"a {what} has not the structure of what it belongs to, a {spec.kind.__name__}")
    return children


def conform(value: Any, kind: Type, model: Any, what: str) -> Any:
    """A tangent or cotangent as exactly the type of what it belongs to, whose shape it must have."""
    if np.shape(value) != np.shape(model):
        raise ArgumentError(f"a {what} has shape {np.shape(value)}, what it belongs to {np.shape(model)}")
    given = np.asarray(value)
    if given.dtype.kind not in ("fciu" if kind.is_complex else "fiu"):
        raise ArgumentError(f"a {what} of {given.dtype} is no number")
    if kind.ref and given.dtype.kind in "fc" and given.dtype != np.dtype(kind.dtype):
        raise ArgumentError(f"a {what} is of {given.dtype}, what it belongs to of {np.dtype(kind.dtype)}")
    return given.astype(kind.dtype, copy=False) if kind.ref else arguments.converter(kind)(given[()])


def _floats_at(values: Sequence[Any], specs: Sequence[Spec], active: set[int]) -> list[Any]:
    """The arguments with integers at active leaves as floats."""
    items = list(arguments.flat(values, specs))
    rest = iter([float(v) if k in active and isinstance(v, int) else v for k, v in enumerate(items)])
    return [assemble(spec, rest) for spec in specs]


class Pullback:
    """What `vjp` returns: takes the cotangent of the value, gives a tuple of one cotangent an argument."""

    def __init__(self, made: Derivative, primals: Sequence[Any], value: Any) -> None:
        self._made, self._primals, self._value = made, primals, value
        self._spec = describe(value)

    def __call__(self, cotangent: Any) -> tuple[Any, ...]:
        bar = _conformed(cotangent, self._spec, self._value)
        return self._made.at([*self._primals, bar])  # type: ignore[no-any-return]


def _conformed(bar: Any, spec: Spec, value: Any) -> Any:
    """A cotangent in exactly the structure and types of the value (None where that is no float)."""
    if isinstance(spec, Node):
        children = zip(_children(spec, bar, "cotangent"), spec.children, parts(value)[2], strict=True)
        return assemble(_leaf_each(spec), iter([_conformed(*child) for child in children]))
    if isinstance(spec, Leaf) and spec.type.is_float:
        return conform(bar, spec.type, value, "cotangent")
    return None


def _leaf_each(spec: Node) -> Node:
    """The node with a leaf for each child, to put finished children into."""
    return Node(spec.kind, spec.keys, tuple(Leaf(Type("f8")) for _ in spec.children))


def vjp_with(fun: Any, primals: Sequence[Any], options: Options) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """(value, pullback); the pullback keeps copies of the arrays, so that writing into them later does not matter."""
    parameters = arguments.Parameters(inspect.signature(getattr(fun, "py_func", fun)))
    full = parameters.bind(primals, {})
    specs = [arguments.spec_of(p, n) for p, n in zip(full, parameters.names, strict=True)]
    copies = iter([v.copy() if isinstance(v, np.ndarray) else v for v in arguments.flat(full, specs)])
    full = [assemble(spec, copies) for spec in specs]
    if not any(t.is_float or t.is_complex for spec in specs for t in leaf_types(spec)):
        full = [float(v) if spec == Leaf(I8) and isinstance(v, int) else v for v, spec in zip(full, specs, strict=True)]
        specs = [arguments.spec_of(p, n) for p, n in zip(full, parameters.names, strict=True)]
    every = tuple(range(len(full)))
    value = _derivative(fun, Recipe("value", every, leaves=()), options).at(full)
    recipe = Recipe("pullback", every, single=False, leaves=tuple(float_leaves(specs)))
    return value, Pullback(_derivative(fun, recipe, options), full, value)

