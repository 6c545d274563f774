"""Nested arguments and results, taken apart and put together again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from srcgrad.frontend.source.structure import make, parts

Leaves = Iterator[Any]


def leaves(value: Any) -> Leaves:
    """What a nested value holds that is no container: in order, by sorted keys in dicts."""
    kind, keys, children = parts(value)
    if kind is None:
        yield value
        return
    for k in _order(kind, keys):
        yield from leaves(children[k])


def changed(value: Any, change: Callable[[Any], Any]) -> Any:
    """The nested value with each leaf changed, in the order of `leaves`."""
    kind, keys, children = parts(value)
    if kind is None:
        return change(value)
    made = {k: changed(children[k], change) for k in _order(kind, keys)}
    return make(kind, keys, [made[k] for k in range(len(keys))])


def _order(kind: type, keys: Sequence[str]) -> Sequence[int]:
    """JAX gives dicts back with their keys sorted, whatever order they had."""
    return sorted(range(len(keys)), key=keys.__getitem__) if issubclass(kind, dict) else range(len(keys))
