"""`vmap` on CUDA: one kernel, one item a thread, made for the shapes of the items."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from srcgrad.backend import callable as native
from srcgrad.compiler import find_or_make, lazy
from srcgrad.compiler.find_or_make import Bound
from srcgrad.compiler.runtime_errors import TOO_SHORT, telling
from srcgrad.core.types import Type
from srcgrad.derivatives import arguments
from srcgrad.derivatives.derivative import Derivative
from srcgrad.derivatives.one_call import Call, Owner
from srcgrad.errors import UnsupportedError
from srcgrad.frontend.source.error_places import speaking_of
from srcgrad.frontend.source.structure import Spec, assemble, leaf_types, make, parts

Shape = tuple[int, ...]
SMALL = 256  # a larger array that all threads share is of a shape that the kernel is made for only if it must be


class Mapped(Derivative):
    """A function mapped over arrays in one kernel. What comes in on the device goes out on it."""

    def _forget(self) -> None:
        super()._forget()
        self._exact: set[tuple[Spec, ...]] = set()  # structures of which kernels must know the shapes of all arrays

    def _specs(self, values: Sequence[Any]) -> tuple[Spec, ...]:
        return super()._specs([stand_in(value) for value in values])

    def _lookup(self, values: Sequence[Any]) -> Call:
        specs = self._specs(values)
        items = list(arguments.flat(values, specs))
        axes = [axis for spec, axis in zip(specs, self._recipe.axes, strict=True) for _ in leaf_types(spec)]
        whole = tuple(item_shape(np.shape(stand_in(i)), axis) for i, axis in zip(items, axes, strict=True))
        shapes = tuple(None if axis is None and prod(s) > SMALL else s for s, axis in zip(whole, axes, strict=True))
        if shapes != whole and specs not in self._exact:
            try:
                return self._made(specs, shapes)
            except UnsupportedError:  # memory as long as a shared array, perhaps
                self._exact.add(specs)
        return self._made(specs, whole)

    def _made(self, specs: tuple[Spec, ...], shapes: tuple[Shape | None, ...]) -> Call:
        """The kernel for items and shared arrays of these shapes; None: of any."""
        call = self._calls.get((specs, shapes))
        if not isinstance(call, Launch) or not call.current():
            recipe = replace(self._recipe, shapes=shapes)
            made = find_or_make.bound(self.primal, recipe, specs, self._options)
            call = self._calls[specs, shapes] = Launch(self._owner, specs, made)
        self._last = call
        return call

    def _call(self, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        values = self._bind(args, kwargs)
        with speaking_of(self.primal):
            lazy.cuda.require_gpu()
        return self._lookup(values).run(values)

    def explain(self, *args: Any, **kwargs: Any) -> str:
        raise UnsupportedError("a kernel has no explanation yet", hint='map it with target="cpu", and explain that')

    def __srcgrad_core__(self, specs: Sequence[Spec]) -> Any:
        raise UnsupportedError("a kernel is launched from Python alone", hint='use target="cpu" inside a function')

    def _resolve(self, *args: Any) -> Any:
        raise UnsupportedError("a kernel is launched from Python alone", hint='use target="cpu" in compiled code')


native.register(Mapped, Mapped._resolve)


class Launch(Call):
    """A kernel for arguments of these structures and shapes."""

    def __init__(self, owner: Owner, specs: tuple[Spec, ...], bound: Bound) -> None:
        super().__init__(owner, specs, bound)
        captured = self.meta.types[len(self.meta.types) - len(bound.read) :] if bound.read else ()
        self.types = [*(t for spec in specs for t in leaf_types(spec)), *captured]
        self.converters = [_converter(t) for t in self.types]
        assert self.meta.facts.launch is not None
        self.facts = self.meta.facts.launch
        self.raised, self.outs = self.facts.raised, self.facts.outs
        self.function = telling(self.fail, self.meta.failures, {})
        self.works = lazy.launch.Works(self.facts.works)

    def current(self) -> bool:
        """Whether what the function takes from around it has types and shapes as the kernel was made for."""
        found = (np.shape(read()) for read in self.bound.read)
        return self.bound.current() and tuple(found) == self.facts.captured

    def run(self, values: Sequence[Any]) -> Any:
        items, launch = self.leaves(values), lazy.launch
        there = any(map(launch.on_device, items))
        stream = launch.stream_of(items)
        leaf, axis = self.mapped[0]
        count = items[leaf].shape[axis]
        args = [launch.to_device(item, kind, stream) for item, kind in zip(items, self.types, strict=True)]
        kinds = leaf_types(self.meta.result)
        outs = [launch.new((count, *shape), t.dtype, stream) for shape, t in zip(self.outs, kinds, strict=True)]
        if count:
            self._launch(count, args, outs, stream)
        return assemble(self.meta.result, iter(outs if there else launch.to_host(outs, stream)))

    def _launch(self, count: int, args: Sequence[Any], outs: Sequence[Any], stream: Any) -> None:
        launch, kernel = lazy.launch, self.bound.unit.function
        if not self.works.kinds:
            self._tell(self._run(count, [*args, *outs], stream))
            return
        assert self.facts.count is not None
        counting = launch.sibling(kernel, self.facts.count)
        sizes = launch.telling(counting, count, args, stream, sum(rank for _, rank in self.works.kinds))
        while True:
            shapes = self.works.shapes(sizes)
            threads = self.works.threads(shapes, count)
            code = self._run(threads, [*args, *outs, *self.works.arrays(shapes, threads, stream)], stream)
            if not code or self.raised[code - 1] != TOO_SHORT:
                break
            sizes = [2 * size + 1 for size in sizes]
        self._tell(code)

    def _run(self, threads: int, args: Sequence[Any], stream: Any) -> int:
        """The code of what some thread has met, 0 if nothing."""
        kernel = self.bound.unit.function
        if self.raised:
            return int(lazy.launch.telling(kernel, threads, args, stream, 1)[0])
        lazy.launch.launch(kernel, threads, args, stream)
        return 0

    def _tell(self, code: int) -> None:
        if code:
            with speaking_of(self.primal):
                self.function(code)

    def fail(self, code: int) -> None:
        """Raise what a thread has met."""
        raise self.raised[code - 1]()


def _converter(type: Type) -> Callable[[Any], Any]:
    """As for compiled code; what is on the device stays as it is."""
    convert = arguments.converter(type)
    return (lambda a: a if lazy.launch.on_device(a) else convert(a)) if type.ref else convert


def item_shape(shape: Shape, axis: int | None) -> Shape:
    """The shape of what one thread takes."""
    return shape if axis is None else shape[:axis] + shape[axis:][1:]


def stand_in(value: Any) -> Any:
    """A value of the same structure in which arrays on the device are arrays of no memory."""
    if lazy.launch.on_device(value):
        return np.broadcast_to(np.empty((), lazy.launch.dtype(value)), value.shape)
    kind, keys, children = parts(value)
    if kind is None:
        return value
    made = [stand_in(child) for child in children]
    return value if all(a is b for a, b in zip(made, children, strict=True)) else make(kind, keys, made)
