"""Many problems at once: what of a solve is mapped along an axis, and the loop over the problems."""

# mypy: disallow-untyped-calls=False
from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from srcgrad.api import vmap
from srcgrad.errors import ArgumentError
from srcgrad.frontend.source import wording
from srcgrad.frontend.source.structure import assemble, describe, leaves

Part = Callable[..., Any]
Axes = tuple[int | None, ...]


def axes_of(batch: Any, args: tuple[Any, ...]) -> Axes | None:
    """The mapped axis of the starting point and of each argument; None where there is one problem."""
    if batch is False or batch is None:
        return None
    if batch is True:
        return (0, *(None for _ in args))
    if not isinstance(batch, (tuple, list)) or not all(a is None or _integer(a) for a in batch):
        raise ArgumentError(
            f"batch={batch!r} is neither True nor a tuple of axes", hint="give an axis or None for x0 and each of args"
        )
    if len(batch) != 1 + len(args):
        given = "entry" if len(batch) == 1 else "entries"
        what = f"batch={batch!r} has {len(batch)} {given} for x0 and {len(args)} in args"
        raise ArgumentError(what, hint="give one for x0, and one for each of args")
    if all(a is None for a in batch):
        raise ArgumentError(f"batch={batch!r} maps nothing", hint="give the axis of one argument at least")
    return tuple(batch)


def _integer(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


class Problems:
    """The data of a batch, with the mapped axes in front."""

    def __init__(self, start: Any, args: tuple[Any, ...], axes: Axes) -> None:
        self.starts = None if axes[0] is None else in_front(start, axes[0], "x0")
        self.start = start
        pairs = list(zip(args, axes[1:], strict=True))
        self.mapped = tuple(in_front(a, axis, f"args[{k}]") for k, (a, axis) in enumerate(pairs) if axis is not None)
        self.shared = tuple(a for a, axis in pairs if axis is None)
        self.whether = tuple(axis is not None for axis in axes[1:])
        lengths = {len(leaf) for leaf in _leaves((self.starts, self.mapped))}
        if len(lengths) > 1:
            message = f"what is mapped has {wording.joined(sorted(map(str, lengths)))} entries along its axes"
            raise ArgumentError(message, hint="give each problem a start and arguments of its own")
        self.count = lengths.pop() if lengths else 0

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, which: slice) -> tuple[Any, Any]:
        """Starting points (or the one that is for all) and mapped arguments of some of the problems."""
        start = self.start if self.starts is None else self.starts[which]
        return start, _mapped(lambda leaf: leaf[which], self.mapped)


def one_of(start: Any, args: tuple[Any, ...], axes: Axes) -> tuple[Any, tuple[Any, ...]]:
    """A starting point and arguments of one problem."""

    def first(value: Any, axis: int | None) -> Any:
        return value if axis is None else _mapped(lambda leaf: _first(leaf, axis), value)

    return first(start, axes[0]), tuple(map(first, args, axes[1:]))


def _first(leaf: Any, axis: int) -> Any:
    return np.take(leaf, 0, axis) if leaf.shape[axis] else np.zeros(np.delete(leaf.shape, axis))


def in_front(value: Any, axis: int, name: str) -> Any:
    for leaf in _leaves(value):
        if not hasattr(leaf, "shape") or not -len(leaf.shape) <= axis < len(leaf.shape):
            message = f"{name} is mapped along axis {axis}, and holds {wording.of_spec(describe(leaf))}"
            raise ArgumentError(message, hint=f"give None for {name} in batch, or arrays that have this axis")
    if axis == 0:
        return value
    return _mapped(lambda leaf: _moved(leaf, axis, name), value)


def _moved(leaf: Any, axis: int, name: str) -> Any:
    if not isinstance(leaf, np.ndarray):
        raise ArgumentError(f"{name} lies on a GPU and is mapped along axis {axis}", hint="let its first axis count")
    return np.moveaxis(leaf, axis, 0)


def _leaves(value: Any) -> Iterator[Any]:
    if _on_device(value):
        yield value
    else:
        yield from leaves(value, describe(value))


def _on_device(value: Any) -> bool:
    return hasattr(value, "__cuda_array_interface__")


def _mapped(change: Part, value: Any) -> Any:
    if _on_device(value):
        return change(value)
    spec = describe(value)
    return assemble(spec, map(change, leaves(value, spec)))


@functools.lru_cache(maxsize=256)
def batched(
    loop: Any, others: int, jit: bool, target: str, single: bool, starts: bool, whether: tuple[bool, ...]
) -> Any:
    """The loop `(x0, args, ...)` as one of `(x0, mapped, shared, ...)` over many problems. single: whether the starts
    are numbers of single precision, as the kernel's are to be that it ends at. whether: each argument is mapped."""
    narrow = np.float32 if single and target != "cpu" else _same
    solve = {2: _root, 3: _minimum}[others](loop, _arranged(whether), narrow)
    return vmap(
        solve, (0 if starts else None, 0 if any(whether) else None, *(None,) * (1 + others)), jit=jit, target=target
    )


def _arranged(whether: Sequence[bool]) -> Part:
    """`(mapped, shared) -> args`."""
    parts: list[Part] = []
    counts = {True: 0, False: 0}
    for mapped in whether:
        parts.append((_from_mapped if mapped else _from_shared)(counts[mapped]))
        counts[mapped] += 1
    if not parts:
        return lambda mapped, shared: ()
    each = tuple(parts)
    return lambda mapped, shared: tuple([part(mapped, shared) for part in each])


def _from_mapped(k: int) -> Part:
    return lambda mapped, shared: mapped[k]


def _from_shared(k: int) -> Part:
    return lambda mapped, shared: shared[k]


def _same(x: Any) -> Any:
    return x


def _root(loop: Part, arranged: Part, narrow: Any) -> Part:
    def newton(x0, mapped, shared, tol, maxiter):  # type: ignore[no-untyped-def]
        x, *rest = loop(x0, arranged(mapped, shared), tol, maxiter)
        return narrow(x), *rest

    return newton


def _minimum(loop: Part, arranged: Part, narrow: Any) -> Part:
    def minimize(x0, mapped, shared, tol, maxiter, options):  # type: ignore[no-untyped-def]
        x, *rest = loop(x0, arranged(mapped, shared), tol, maxiter, options)
        return narrow(x), *rest

    return minimize
