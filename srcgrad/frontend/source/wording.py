"""Structures, types and classes in words, for messages; and the names that a misspelt one may have meant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from srcgrad import optional
from srcgrad.core.types import Type
from srcgrad.frontend.source.structure import Leaf, Node, Spec

CLASSES = {str: "a string", set: "a set", frozenset: "a set", complex: "a complex number", bytes: "a bytes object"}
SCALARS = {
    "f8": "a float",
    "f4": "a float32",
    "b1": "a bool",
    "c16": "a complex number",
    "c8": "a complex64",
}
KINDS = {
    "U": "strings",
    "S": "byte strings",
    "O": "Python objects",
    "c": "complex numbers",
    "M": "dates",
    "m": "time spans",
    "V": "records",
    "T": "strings",
}


def of_type(type: Type) -> str:
    """`a float`, `a 2-dimensional array of float64`"""
    if type.rank == 0:
        return SCALARS.get(type.dtype, "an integer")
    return f"a {type.rank}-dimensional array of {of_dtype(type.dtype)}"


def of_dtype(code: str) -> str:
    """`float64`, `strings (<U3)`"""
    try:
        dtype = np.dtype(code)
    except TypeError:
        return code
    return KINDS.get(dtype.kind, str(dtype)) if dtype.kind != "c" else f"complex numbers ({dtype})"


def of_spec(spec: Spec) -> str:
    """What an argument or a result is."""
    if isinstance(spec, Leaf):
        return of_type(spec.type)
    if isinstance(spec, Node):
        return of_items(spec.kind, spec.keys, [of_spec(child) for child in spec.children])
    return of_object(spec.value)


def of_items(kind: type, keys: Sequence[str], items: Sequence[str]) -> str:
    """A container with what is in it."""
    if issubclass(kind, (tuple, list)) and not hasattr(kind, "_fields"):
        if not items:
            return f"an empty {kind.__name__}"
        inside = f"of {len(items)}" if len(items) > 4 else f"of {joined(items)}"
        return f"a {kind.__name__} {inside}"
    if not keys:
        return f"an empty {kind.__name__}"
    return f"a {kind.__name__} with {joined([f'`{key}`' for key in keys])}"


def of_object(value: Any) -> str:
    """A Python object that is neither a number nor an array."""
    if value is None:
        return "None"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    name = getattr(value, "__name__", None)
    if callable(value) and isinstance(name, str):
        return f"the function {name}"
    kind = type(value)
    return CLASSES.get(kind) or f"{'an' if kind.__name__[0] in 'aeiouAEIOU' else 'a'} {kind.__name__}"


def joined(items: Sequence[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`"""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"


def close(name: str, names: Iterable[str]) -> str:
    """The name that a misspelt one may have meant, or ''."""
    pool = sorted({n for n in names if not n.startswith("_")})
    folded = {n.lower().replace("_", ""): n for n in pool}
    same = folded.get(name.lower().replace("_", ""))
    found = [same] if same else optional.package("difflib").get_close_matches(name, pool, 1, 0.7)
    return found[0] if found else ""


def meant(name: str, names: Iterable[str], otherwise: str, form: str = "`{}`") -> str:
    """A hint: the name that may have been meant, or something else to do."""
    found = close(name, names)
    return f"did you mean {form.format(found)}?" if found else otherwise
