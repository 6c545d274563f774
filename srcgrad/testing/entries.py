"""Nested values as flat vectors of their float entries, and back; a complex entry is its two parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srcgrad.frontend.source.structure import make, parts

Vector = NDArray[np.float64]


def is_float(leaf: Any) -> bool:
    """Whether a leaf carries a derivative: floats, real or complex."""
    return isinstance(leaf, (float, complex, np.inexact)) or (isinstance(leaf, np.ndarray) and leaf.dtype.kind in "fc")


def is_complex(leaf: Any) -> bool:
    return bool(np.iscomplexobj(leaf))


def _vector(leaf: Any) -> Vector:
    array = np.asarray(leaf)
    wide = array.astype(np.complex128 if is_complex(array) else np.float64)
    return wide.reshape(-1).view(np.float64)


def map_leaves(fun: Callable[[Any], Any], value: Any) -> Any:
    """The same structure with `fun` of each leaf, from left to right."""
    kind, keys, children = parts(value)
    if kind is None:
        return fun(value)
    return make(kind, keys, [map_leaves(fun, child) for child in children])


def leaves(value: Any, label: str = "") -> Iterator[tuple[str, Any]]:
    """(label, leaf) of every leaf; labels are spelled as one reaches the leaf in Python."""
    kind, keys, children = parts(value)
    if kind is None:
        yield label, value
        return
    for key, child in zip(keys, children, strict=True):
        yield from leaves(child, label + _access(kind, key))


def _access(kind: type, key: str) -> str:
    if issubclass(kind, dict):
        return f"[{key!r}]"
    if issubclass(kind, (tuple, list)) and not hasattr(kind, "_fields"):
        return f"[{key}]"
    return f".{key}"


def flatten(value: Any) -> Vector:
    """All float entries of a value, one after another."""
    flat = [_vector(leaf) for _, leaf in leaves(value) if is_float(leaf)]
    return np.concatenate(flat) if flat else np.zeros(0)


def labels(value: Any, label: str = "") -> list[str]:
    """The label of each entry that `flatten` gives, such as `params['w'][0, 1]`."""
    return [
        name + (str(list(index)) if index else "") + part
        for name, leaf in leaves(value, label)
        if is_float(leaf)
        for index in np.ndindex(np.shape(leaf))
        for part in ((".real", ".imag") if is_complex(leaf) else ("",))
    ]


def conjugation(value: Any) -> Vector:
    """What the flat vector is multiplied by to conjugate the complex numbers in it."""
    floats = [leaf for _, leaf in leaves(value) if is_float(leaf)]
    signs = [np.resize([1.0, -1.0] if is_complex(leaf) else [1.0], _width(leaf)) for leaf in floats]
    return np.concatenate(signs) if signs else np.zeros(0)


def _width(leaf: Any) -> int:
    return int(np.size(leaf)) * (2 if is_complex(leaf) else 1)


def unflatten(like: Any, flat: Vector, *, widen: bool = False) -> Any:
    """A value like `like` with these float entries; other leaves are copied. `widen` makes every float a double."""
    rest = flat

    def fill(leaf: Any) -> Any:
        nonlocal rest
        if not is_float(leaf):
            return leaf.copy() if isinstance(leaf, np.ndarray) else leaf
        taken, rest = rest[: _width(leaf)], rest[_width(leaf) :]
        if is_complex(leaf):
            taken = np.ascontiguousarray(taken).view(np.complex128)
        dtype = taken.dtype if widen else np.asarray(leaf).dtype
        return taken.astype(dtype).reshape(np.shape(leaf)) if isinstance(leaf, np.ndarray) else dtype.type(taken[0])

    return map_leaves(fill, like)


def pick(value: Any, like: Any) -> Vector:
    """The entries of a value that stand where `like` has floats."""
    found = dict(leaves(value))
    flat = [_vector(found[k]) for k, leaf in leaves(like) if is_float(leaf) and k in found]
    return np.concatenate(flat) if flat else np.zeros(0)


def blank(like: Any) -> Any:
    """The same structure as a seed: None stands for what is not a float."""
    return map_leaves(lambda leaf: leaf if is_float(leaf) else None, like)


def single_precision(value: Any) -> bool:
    """Whether any float in the value is narrower than a double."""
    singles = (np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.complex64))
    return any(is_float(leaf) and np.asarray(leaf).dtype in singles for _, leaf in leaves(value))
