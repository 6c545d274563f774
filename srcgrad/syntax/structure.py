"""The structure of arguments and results: nested Python values as leaves and a hashable description of the rest."""
from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Union

import numpy as np

from srcgrad.core.types import B1, C8, C16, F4, F8, I8, Type


@dataclass(frozen=True, slots=True)
class Leaf:
    """A dynamic value: a float, an integer, a bool or an array."""

    type: Type


@dataclass(frozen=True, slots=True)
class Static:
    """A value that the transformation sees: None, a string, a function. It is part of the cache key."""

    value: Any


@dataclass(frozen=True, slots=True)
class Node:
    """tuple, list, dict with string keys, NamedTuple or dataclass: `kind` is its class."""

    kind: type
    keys: tuple[str, ...]
    children: tuple[Spec, ...]


Spec = Union[Leaf, Static, Node]


def describe(value: Any) -> Spec:
    """The description of a run-time value (an ndarray is a reference to memory)."""
    if isinstance(value, np.ndarray):
        return Leaf(Type(value.dtype.str[1:], value.ndim, ref=True))
    if isinstance(value, (bool, np.bool_)):
        return Leaf(B1)
    if isinstance(value, (int, np.integer)):
        return Leaf(I8)
    if isinstance(value, np.float32):
        return Leaf(F4)
    if isinstance(value, (float, np.floating)):
        return Leaf(F8)
    if isinstance(value, (complex, np.complexfloating)):
        return Leaf(C8 if isinstance(value, np.complex64) else C16)
    kind, keys, children = parts(value)
    if kind is None:
        return Static(value)
    return Node(kind, keys, tuple(map(describe, children)))


def parts(value: Any) -> tuple[type | None, tuple[str, ...], tuple[Any, ...]]:
    """(class, keys, children) of a container; (None, (), ()) of anything else."""
    kind = type(value)
    if isinstance(value, dict):
        return kind, tuple(value), tuple(value.values())
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return kind, tuple(value._fields), tuple(value)
    if isinstance(value, (tuple, list)):
        return kind, tuple(map(str, range(len(value)))), tuple(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = tuple(f.name for f in dataclasses.fields(value))
        return kind, names, tuple(getattr(value, n) for n in names)
    return None, (), ()


def leaves(value: Any, spec: Spec) -> Iterator[Any]:
    """The run-time leaves of value, in order; `spec` is its description."""
    if isinstance(spec, Leaf):
        yield value
    elif isinstance(spec, Node):
        for child, inner in zip(parts(value)[2], spec.children, strict=True):
            yield from leaves(child, inner)


def leaf_types(spec: Spec) -> Iterator[Type]:
    if isinstance(spec, Leaf):
        yield spec.type
    elif isinstance(spec, Node):
        for child in spec.children:
            yield from leaf_types(child)


def assemble(spec: Spec, items: Iterator[Any]) -> Any:
    """The value of this structure from an iterator over its leaves."""
    if isinstance(spec, Leaf):
        return next(items)
    if isinstance(spec, Static):
        return spec.value
    return make(spec.kind, spec.keys, [assemble(child, items) for child in spec.children])


def make(kind: type, keys: Sequence[str], children: Sequence[Any]) -> Any:
    if issubclass(kind, dict):
        return kind(zip(keys, children, strict=True))
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return kind(*children)
    if issubclass(kind, (tuple, list)):
        return kind(children)
    return kind(**dict(zip(keys, children, strict=True)))
