"""The structure of arguments and results: nested Python values as leaves and a hashable description of the rest."""

from __future__ import annotations

import functools
import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Union

import numpy as np

from srcgrad.core.types import B1, C8, C16, F4, F8, I8, Type
from srcgrad.frontend.source import classes


@dataclass(frozen=True, slots=True)
class Leaf:
    """A dynamic value: a float, an integer, a bool or an array."""

    type: Type


@dataclass(frozen=True, slots=True, eq=False)
class Static:
    """A value that the transformation sees: None, a string, a function. It is part of the cache key.

    Objects whose class says in its own code which of them are equal count as equal only if they are the same.
    cell: what holds an object whose attributes may change, which are read, or compared, at each call."""

    value: Any
    cell: types.CellType | None = None

    @property
    def _key(self) -> Any:
        kind = type(self.value)
        own = any(classes.written(kind, name) for name in ("__eq__", "__hash__"))
        return id(self.value) if own and not isinstance(self.value, type) else self.value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Static) and type(self.value) is type(other.value) and bool(self._key == other._key)

    def __hash__(self) -> int:
        return hash(self._key)

    def __reduce__(self) -> tuple[Any, ...]:
        return Static, (self.value,)


@dataclass(frozen=True, slots=True)
class Node:
    """tuple, list, dict with string keys, NamedTuple or dataclass: `kind` is its class."""

    kind: type
    keys: tuple[str, ...]
    children: tuple[Spec, ...]


SEEN = 200  # a list or dict of Numba's that holds more is none whose items are each an argument
Spec = Union[Leaf, Static, Node]


DEEPEST = 200  # structures inside one another


def static(value: Any) -> Static:
    return Static(value, types.CellType(value) if classes.of_user(value) else None)


class Records:
    """The kind of a structured array: it is taken as an array for each of its fields."""


def describe(value: Any, depth: int = 0) -> Spec:
    """The description of a run-time value (an ndarray is a reference to memory). RecursionError of one that holds
    itself, or that is deeper than any that could be differentiated: how deep Python goes is for the process to say."""
    if isinstance(value, np.ndarray) and not (value.dtype.names and value.ndim):
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
        array = as_array(value)
        return static(value) if array is None else describe(array)
    if depth > DEEPEST:
        raise RecursionError
    return Node(kind, keys, tuple([describe(child, depth + 1) for child in children]))


@functools.lru_cache(maxsize=512)
def _gives_array(kind: type) -> bool:
    """Whether objects of a class are other libraries' arrays, or what says that it is one array."""
    return (
        kind.__module__.split(".")[0] in classes.ARRAYS and hasattr(kind, "__array__") and kind.__name__ != "DataFrame"
    )


def as_array(value: Any) -> np.ndarray[Any, Any] | None:
    """Another library's array as NumPy's; None of anything else, and of one whose places are not numbered from 0."""
    kind: Any = type(value)
    if not _gives_array(kind):
        return None
    index = getattr(value, "index", None)
    if type(value).__module__.startswith("pandas") and not _numbered(index):
        return None
    try:
        made = np.asarray(value)
    except (TypeError, ValueError, RuntimeError):  # it lies elsewhere, or is followed by its library
        return None
    return made if made.ndim and made.dtype.kind in "fciub" else None


def of_arrays(value: Any) -> bool:
    """Whether this belongs to a library with arrays of its own."""
    return type(value).__module__.split(".")[0] in classes.ARRAYS


def is_table(value: Any) -> bool:
    """Whether this is a table of columns that have names."""
    return type(value).__name__ == "DataFrame" and of_arrays(value)


def _numbered(index: Any) -> bool:
    return type(index).__name__ == "RangeIndex" and index.start == 0 and index.step == 1


def parts(value: Any) -> tuple[type | None, tuple[str, ...], tuple[Any, ...]]:
    """(class, keys, children) of a container, none of whose class's code is run; (None, (), ()) of anything else."""
    kind: Any = type(value)
    if kind.__module__.startswith("numba.typed.") and len(value) <= SEEN:
        return parts(list(value) if kind.__name__ == "List" else dict(value))
    if kind is tuple or kind is list:
        return kind, tuple(map(str, range(len(value)))), tuple(value)
    if issubclass(kind, np.ndarray):
        names = value.dtype.names if value.ndim else None
        fields = [np.asarray(value[name]) for name in names or ()]
        return (Records, tuple(names), tuple(fields)) if names else (None, (), ())
    if issubclass(kind, dict):
        base = classes.builtin_base(kind)
        return kind, tuple(base.keys(value)), tuple(base.values(value))
    if issubclass(kind, (tuple, list)):
        items = tuple(classes.builtin_base(kind).__iter__(value))
        named = classes.is_named_tuple(kind) and len(kind._fields) == len(items)
        return kind, tuple(kind._fields) if named else tuple(map(str, range(len(items)))), items
    if hasattr(kind, "__dataclass_fields__"):
        names = (*classes.fields_of(kind), *classes.shadowing(value))
        pairs = [(name, classes.held(value, name)) for name in names]
        pairs = [pair for pair in pairs if pair[1] is not classes.MISSING]
        return kind, tuple(name for name, _ in pairs), tuple(item for _, item in pairs)
    return None, (), ()


def leaves(value: Any, spec: Spec) -> Iterator[Any]:
    """The run-time leaves of value, in order; `spec` is its description."""
    if isinstance(spec, Leaf):
        array = as_array(value)
        yield value if array is None else array
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


def _records(fields: dict[str, Any]) -> Any:
    """A structured array of these fields; those that carry no derivative are left out."""
    held = {name: field for name, field in fields.items() if field is not None}
    length = len(next(iter(held.values()))) if held else 0
    rank = 1 if not held else min(field.ndim for field in held.values())
    shape = next(iter(held.values())).shape[:rank] if held else (length,)
    made = np.zeros(shape, [(name, field.dtype, field.shape[rank:]) for name, field in held.items()])
    for name, field in held.items():
        made[name] = field
    return made


def make(kind: type, keys: Sequence[str], children: Sequence[Any]) -> Any:
    """A container of this class, made without running the class's code. (A `defaultdict` comes without a factory: what
    is missing in a gradient is not what is missing in the argument.)"""
    if kind is tuple or kind is list:
        return kind(children)
    if kind is Records:
        return _records(dict(zip(keys, children, strict=True)))
    base = classes.builtin_base(kind)
    if issubclass(kind, tuple):
        return base.__new__(kind, children)
    made = base.__new__(kind)
    if issubclass(kind, dict):
        base.update(made, zip(keys, children, strict=True))
    elif issubclass(kind, list):
        base.extend(made, children)
    else:
        for key, child in zip(keys, children, strict=True):
            classes.put(made, key, child)
    return made
