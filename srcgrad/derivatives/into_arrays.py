"""`out=`: a gradient that is written into arrays that are given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from srcgrad.compiler.request import Recipe
from srcgrad.derivatives.arguments import step
from srcgrad.errors import ArgumentError
from srcgrad.frontend.source import wording
from srcgrad.frontend.source.structure import Leaf, Node, Spec, describe, parts

KINDS = ("grad", "value_and_grad", "hvp", "hessian", "jacfwd", "jacrev", "jacobian")


def place(recipe: Recipe) -> int | None:
    """Where the gradient stands in the result; None if it is all of it."""
    if recipe.kind == "value_and_grad":
        return 1
    return 0 if recipe.kind == "grad" and recipe.has_aux else None


def at_once(result: Any, out: Any, where: int | None) -> Any:
    """The result with its gradient in `out`, if that is just like it, of arrays that share no memory; else None.
    where: see `place`."""
    gradient = result if where is None else result[where]
    if type(gradient) is np.ndarray:
        if type(out) is not np.ndarray or not _fits(gradient, out):
            return None
        out[...] = gradient
    elif not _each_at_once(gradient, out):
        return None
    return out if where is None else tuple([out if k == where else item for k, item in enumerate(result)])


def _fits(item: Any, out: Any) -> bool:
    return out.dtype is item.dtype and out.shape == item.shape and bool(out.flags.writeable)


def _each_at_once(gradient: Any, out: Any) -> bool:
    items: list[Any] = []
    targets: list[Any] = []
    if not _alike(gradient, out, items, targets):
        return False
    for k, target in enumerate(targets):
        for other in targets[:k]:
            if np.may_share_memory(target, other):
                return False
    for target, item in zip(targets, items, strict=True):
        target[...] = item
    return True


def _alike(item: Any, out: Any, items: list[Any], targets: list[Any]) -> bool:
    """Whether these are alike, arrays in plain containers; gathers the arrays."""
    kind = type(item)
    if kind is not type(out):
        return False
    if kind is np.ndarray:
        items.append(item)
        targets.append(out)
        return _fits(item, out)
    if kind is dict:
        if tuple(item) != tuple(out):
            return False
        item, out = item.values(), out.values()
    elif (kind is not list and kind is not tuple) or len(item) != len(out):
        return False
    for inner, other in zip(item, out, strict=True):
        if not _alike(inner, other, items, targets):
            return False
    return True


def written(result: Any, out: Any, recipe: Recipe) -> Any:
    """The result with its gradient written into the arrays of `out`, which stands in its place. It was computed before:
    the arrays may share memory with arguments."""
    where = place(recipe)
    pairs = list(_pairs(result if where is None else result[where], out, "out"))
    targets = [target for target, _ in pairs]
    for k, target in enumerate(targets):
        for other in targets[:k]:
            if np.may_share_memory(target, other) and np.shares_memory(target, other):
                raise ArgumentError("two arrays of `out` share memory", hint="give each result an array of its own")
    for target, item in pairs:
        target[...] = item
    return out if where is None else tuple(out if k == where else item for k, item in enumerate(result))


def _pairs(item: Any, target: Any, path: str) -> Iterator[tuple[Any, Any]]:
    """(an array of `out`, what is to be written into it)."""
    if isinstance(item, np.ndarray):
        _check_array(item, target, path)
        yield target, item
        return
    kind, keys, children = parts(item)
    if kind is not None:
        other, names, targets = parts(target)
        if other is not kind or names != keys:
            raise _unlike(describe(item), describe(target), path)
        for key, child, inner in zip(keys, children, targets, strict=True):
            yield from _pairs(child, inner, step(path, kind, key))
    elif item is None and target is not None:
        raise _unlike(describe(item), describe(target), path)
    elif item is not None:
        raise number(path)


def number(path: str) -> ArgumentError:
    """The error where the gradient holds a number."""
    message = f"what is to be written into `{path}` is a number, and only arrays can be written into"
    return ArgumentError(message, hint="leave `out` out, or let the argument be an array")


def _unlike(spec: Spec, given: Spec, path: str) -> ArgumentError:
    message = f"`{path}` is {wording.of_spec(given)}; the gradient is {wording.of_spec(spec)}"
    return ArgumentError(message, hint="give `out` the structure, shapes and dtypes of the gradient")


def _check_array(item: Any, target: Any, path: str) -> None:
    if type(target) is not np.ndarray:
        raise _unlike(describe(item), describe(target), path)
    if target.dtype != item.dtype or target.shape != item.shape:
        message = f"`{path}` has the shape {target.shape} and is of {target.dtype}"
        message += f"; the gradient has the shape {item.shape} and is of {item.dtype}"
        raise ArgumentError(message, hint=f"give np.empty({item.shape}, np.{item.dtype})")
    if not target.flags.writeable:
        raise ArgumentError(f"`{path}` cannot be written into", hint="give an array that is writable")


def check_types(spec: Spec, given: Spec, path: str = "out") -> None:
    """Refuse an `out` of another structure or of other dtypes, where compiled code calls."""
    if isinstance(spec, Leaf) and not spec.type.ref:
        raise number(path)
    if isinstance(spec, Node) and isinstance(given, Node) and (spec.kind, spec.keys) == (given.kind, given.keys):
        for key, inner, other in zip(spec.keys, spec.children, given.children, strict=True):
            check_types(inner, other, step(path, spec.kind, key))
    elif spec != given:
        raise _unlike(spec, given, path)
