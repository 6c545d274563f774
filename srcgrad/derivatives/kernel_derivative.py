"""The derivatives of kernels: objects that are launched as the kernel is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from srcgrad.analysis.threads import Coordinate
from srcgrad.backend import cache
from srcgrad.backend import kernels as native
from srcgrad.compiler import kernel_program, lazy
from srcgrad.core.ir import Const, Type
from srcgrad.errors import ArgumentError, CallError, SrcgradError, UnsupportedError
from srcgrad.frontend.lowering.kernel_shapes import guessed
from srcgrad.frontend.source import wording
from srcgrad.frontend.source.error_places import speaking_of
from srcgrad.frontend.source.functions import signature_of
from srcgrad.frontend.source.read import python_function
from srcgrad.frontend.source.structure import Leaf, Spec, describe

PREFIX = {"adjoint": "bar", "tangent": "dot"}


@dataclass(eq=False)
class Variant:
    """The kernels for arguments of some types, in launches of some shape."""

    made: kernel_program.Made
    kernels: Mapping[str, Any]
    buffers: dict[Any, list[Any]] = field(default_factory=dict)  # by stream: launches of one wait for one another


class KernelDerivative:
    """The adjoint or the tangent of a kernel. `derivative[grid, block](*args, *bars)` launches it.

    Attributes
    ----------
    primal : the kernel it was made from.
    source : the generated module: valid Python that runs with Numba alone.
    """

    def __init__(self, kernel: Any, mode: str) -> None:
        if isinstance(kernel, KernelDerivative):
            message = f"{kernel!r} is a derivative already"
            raise UnsupportedError(message, hint="put its .source into a module, and give the kernel in it")
        self.primal = kernel
        self._fun = python_function(native.kernel_function(kernel))
        self._mode = mode
        self._signature = signature_of(self._fun)
        self._variants: dict[Any, Variant] = {}
        self._last: Variant | None = None
        self.__name__ = f"{self._fun.__name__}_{mode}"
        self.__doc__ = self._fun.__doc__

    def __repr__(self) -> str:
        return f"srcgrad.cuda.{self._mode}({self._fun.__name__})"

    def __getitem__(self, configuration: tuple[Any, ...]) -> Callable[..., None]:
        """A launch of `configuration`: (blocks, threads in a block), and a stream as a third if wanted."""
        with speaking_of(None):
            if not isinstance(configuration, tuple) or not 2 <= len(configuration) <= 3:
                message = f"{self!r} is launched as [grid, block] or [grid, block, stream]"
                hint = "give the primal's launch shape; dynamic shared memory is not supported"
                raise ArgumentError(message, hint=hint)
            _check_launch(configuration)

        def launch(*args: Any) -> None:
            with speaking_of(None):
                self._launch(configuration, args)

        return launch

    def __call__(self, *args: Any) -> None:
        with speaking_of(None):
            hint = f"write {self._mode}({self._fun.__name__})[grid, block](...)"
            raise CallError(f"{self!r} is called without a launch shape", hint=hint)

    # ---- what was generated

    @property
    def source(self) -> str:
        """The module of the last launch; before the first, for arrays of float64 as the kernel indexes them."""
        if self._last is not None:
            return self._last.made.source
        return self.made(guessed(self._fun), None).source

    def source_for(self, *args: Any) -> str:
        """The module for the types of these arguments (the kernel's own), in launches along the axes that it uses."""
        return self.made_for(*args).source

    def made_for(self, *args: Any) -> kernel_program.Made:
        """The same with what is known of it: the kernel's name and the arrays that it takes beside the bars."""
        return self.made(self.specs(args), None)

    # ---- launching

    def _launch(self, configuration: tuple[Any, ...], args: Sequence[Any]) -> None:
        count = len(self._signature.parameters)
        own, extra = list(map(native.given, args[:count])), list(map(native.given, args[count:]))
        specs = self.specs(own)
        self._check_extra(own, extra, specs)
        grid = native.dimensions(configuration)
        variant = self._variant(specs, varying(grid))
        made = variant.made
        _check_apart(self._named(own, extra, made.written))
        lazy.cuda.require_gpu()
        captured = [c.read() for c in made.captured]
        lefts, counts = self._extremes(variant, configuration, own, captured)
        wons = [native.equal(own[k], left, np.int64) for k, left in zip(made.extremes, lefts, strict=True)]
        works = self._works(variant, configuration, grid, own, [*captured, *lefts, *counts, *wons])
        places = self._extreme_extras(own, made)
        if self._mode == "tangent":
            self._share(own, extra, lefts, counts, places)
        self._run(variant, made.main, configuration, own, [*extra, *captured, *lefts, *counts, *wons, *works])
        self._check_won(made, counts, wons)
        if self._mode == "adjoint":
            self._share(own, extra, lefts, counts, places)
        else:
            for place, left in zip(made.extremes, lefts, strict=True):
                native.assign(own[place], left)

    def _run(
        self, variant: Variant, launch: kernel_program.Launch, configuration: Any, own: Sequence[Any], more: list[Any]
    ) -> None:
        """Launch a kernel; arguments that it writes into and must not change are copied."""
        given = [native.copied(a) if k in launch.scratch else a for k, a in enumerate(own)]
        variant.kernels[launch.name][configuration](*given, *more)

    def _extremes(
        self, variant: Variant, configuration: Any, own: list[Any], captured: list[Any]
    ) -> tuple[list[Any], list[Any]]:
        """What atomic maxima and minima leave, and how many candidates are equal to it: what was there before, too."""
        made = variant.made
        if made.left is None or made.ties is None:
            return [], []
        after = [native.copied(a) if k in made.left.scratch else a for k, a in enumerate(own)]
        variant.kernels[made.left.name][configuration](*after, *captured)
        lefts = [after[k] for k in made.extremes]
        counts = [native.equal(own[k], left, own[k].dtype) for k, left in zip(made.extremes, lefts, strict=True)]
        self._run(variant, made.ties, configuration, own, [*captured, *lefts, *counts])
        if any(map(native.any_zero, counts)):
            message = "what an atomic maximum or minimum leaves is equal to nothing that it was given: is there a NaN?"
            hint = "look at what the kernel compares; what another kernel rounds differently is not equal, either"
            raise SrcgradError(message, hint=hint)
        return lefts, counts

    def _check_won(self, made: kernel_program.Made, counts: Sequence[Any], wons: Sequence[Any]) -> None:
        """Refuse what the derivative has made of extremes where it found other winners than the launches before."""
        names = list(self._signature.parameters)
        for place, count, won in zip(made.extremes, counts, wons, strict=True):
            if native.any_different(count, won):
                message = f"what `{names[place]}` is compared with is rounded in one way by the kernel, in another here"
                hint = "write it into an array first, and reduce that array in a kernel of its own"
                raise SrcgradError(message, hint=hint)

    def _extreme_extras(self, own: Sequence[Any], made: kernel_program.Made) -> list[tuple[int, int]]:
        """(place of the argument, place of its bar or dot) of what holds extremes."""
        floats = [k for k, a in enumerate(own) if native.is_array(a) and np.dtype(a.dtype).kind == "f"]
        return [(k, floats.index(k)) for k in made.extremes]

    def _share(
        self,
        own: Sequence[Any],
        extra: Sequence[Any],
        lefts: Sequence[Any],
        counts: Sequence[Any],
        places: Sequence[tuple[int, int]],
    ) -> None:
        """What was there before has its part where it is what is left."""
        for (k, at), left, count in zip(places, lefts, counts, strict=True):
            native.share(own[k], left, count, extra[at])

    def specs(self, args: Sequence[Any]) -> dict[str, Spec]:
        """The types of the kernel's own arguments, by name."""
        names = list(self._signature.parameters)
        if len(args) != len(names):
            raise CallError(
                f"`{self._fun.__name__}` takes {len(names)} arguments, {len(args)} are given",
                hint=f"they are {wording.joined(names)}, then a {PREFIX[self._mode]} for each array of floats",
            )
        return {name: _spec(name, value) for name, value in zip(names, args, strict=True)}

    def _float_arrays(self, specs: Mapping[str, Spec]) -> list[str]:
        return [n for n, s in specs.items() if isinstance(s, Leaf) and s.type.ref and s.type.is_float]

    def _check_extra(self, own: Sequence[Any], extra: Sequence[Any], specs: Mapping[str, Spec]) -> None:
        word, floats = PREFIX[self._mode], self._float_arrays(specs)
        if len(extra) != len(floats):
            hint = (
                f"after the kernel's own arguments give {wording.joined([f'{n}_{word}' for n in floats]) or 'nothing'}"
            )
            raise CallError(f"{len(floats)} {word}s are needed, {len(extra)} are given", hint=hint)
        values = dict(zip(specs, own, strict=True))
        for name, value in zip(floats, extra, strict=True):
            like = values[name]
            fits = native.is_array(value) and value.shape == like.shape and value.dtype == like.dtype
            if not fits:
                hint = f"give an array of {like.dtype} with the shape {tuple(like.shape)}"
                raise ArgumentError(f"`{name}_{word}` has not the shape and dtype of `{name}`", hint=hint)

    def _named(self, own: Sequence[Any], extra: Sequence[Any], written: Sequence[int]) -> list[tuple[str, Any, bool]]:
        """(name, array, whether it is written). written: the places of the kernel's own arguments that are."""
        arrays = [(n, a, k in written) for k, (n, a) in enumerate(zip(self._signature.parameters, own, strict=True))]
        arrays = [part for part in arrays if native.is_array(part[1])]
        floats = [n for n, a, _ in arrays if np.dtype(a.dtype).kind == "f"]
        return [*arrays, *((f"{n}_{PREFIX[self._mode]}", a, True) for n, a in zip(floats, extra, strict=True))]

    # ---- making

    def _variant(self, specs: Mapping[str, Spec], varying: frozenset[Coordinate]) -> Variant:
        key = (tuple(specs.values()), varying)
        found = self._variants.get(key)
        if found is None or not all(use.holds() for use in found.made.statics):
            made = self.made(specs, varying)
            name = hashlib.sha256(made.source.encode()).hexdigest()[:16]
            path = cache.temporary() / f"{self.__name__}_{name}.py"
            cache.write(path, made.source.encode())
            launches = [launch.name for launch in (made.left, made.ties, made.rows, made.main) if launch is not None]
            found = self._variants[key] = Variant(made, native.load(path, launches))
        self._last = found
        return found

    def made(self, specs: Mapping[str, Spec], varying: frozenset[Coordinate] | None) -> kernel_program.Made:
        """What is generated for arguments of these types, in launches in which these coordinates differ (None: those
        along the axes that the kernel uses)."""
        return kernel_program.derive(self._fun, self._mode, specs, varying)

    def _works(
        self, variant: Variant, configuration: Any, grid: native.Grid, own: Sequence[Any], more: Sequence[Any]
    ) -> list[Any]:
        """The arrays for what threads keep, as long as the longest thread needs; those of the launch before, if they
        are long enough."""
        made = variant.made
        sizes = {}
        if made.rows is not None:
            rows = native.zeros(len(made.counted))
            self._run(variant, made.rows, configuration, own, [*more, rows])
            sizes = dict(zip(made.counted, native.fetched(rows), strict=True))
        threads = int(np.prod([n for part in grid for n in part]))
        shapes = [(*(_length(n, sizes) for n in work.shape), threads) for work in made.works]
        found = variant.buffers.get(configuration[2:], [])
        if len(found) != len(shapes) or not all(map(_fits, found, shapes)):
            found = [native.scratch(shape, work.dtype) for shape, work in zip(shapes, made.works, strict=True)]
            variant.buffers[configuration[2:]] = found
        return found


def _fits(array: Any, shape: Sequence[int]) -> bool:
    """Whether an array is long enough, for as many threads."""
    there = tuple(array.shape)
    return there[-1] == shape[-1] and all(a >= b for a, b in zip(there, shape, strict=True))


def _length(length: Any, sizes: Mapping[Any, int]) -> int:
    return int(length.value.real) if isinstance(length, Const) else max(sizes[length], 1)


def _spec(name: str, value: Any) -> Spec:
    if native.is_array(value):
        dtype = np.dtype(value.dtype)
        if dtype.kind not in "fiub" or dtype.str[1:] == "f2":
            message = f"`{name}` is an array of {dtype}"
            raise ArgumentError(message, hint="use float64, float32, integers or booleans", about=name)
        return Leaf(Type(dtype.str[1:], len(value.shape), ref=True))
    spec = describe(value)
    if not isinstance(spec, Leaf) or spec.type.ref or spec.type.is_complex:
        message = f"`{name}` is {wording.of_object(value)}"
        raise ArgumentError(message, hint="a kernel takes numbers and arrays", about=name)
    return spec


def _check_launch(configuration: tuple[Any, ...]) -> None:
    """Refuse numbers of blocks or threads that nothing can be launched with."""
    for word, part in zip(("blocks", "threads in a block"), configuration[:2], strict=True):
        numbers = part if isinstance(part, (tuple, list)) else (part,)
        if not 1 <= len(numbers) <= 3 or not all(isinstance(n, (int, np.integer)) and n > 0 for n in numbers):
            hint = "give a positive integer, or a tuple of up to three"
            raise ArgumentError(f"the number of {word} is {part!r}", hint=hint)


def varying(grid: native.Grid) -> frozenset[Coordinate]:
    """The coordinates that differ between the threads of such a launch."""
    blocks, threads = grid
    parts = (("blockIdx", blocks), ("threadIdx", threads))
    return frozenset((of, axis) for of, numbers in parts for axis, n in enumerate(numbers) if n > 1)


def _check_apart(arrays: Sequence[tuple[str, Any, bool]]) -> None:
    """Refuse arrays that share memory, of which one is written."""
    places = [(name, native.place(array), writes) for name, array, writes in arrays]
    for k, (name, one, writes) in enumerate(places):
        for other, two, also in places[k + 1 :]:
            if one and two and (writes or also) and one[0] < two[1] and two[0] < one[1]:
                raise ArgumentError(f"`{name}` and `{other}` share memory", hint=f"give `{other}` an array of its own")
