"""A machine that runs generated kernels thread by thread and records who touches what: a detector of data races."""

from __future__ import annotations

import math
import sys
import threading
import types
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np

Three = tuple[int, int, int]


@dataclass
class Machine:
    """One launch: numbers of blocks and of threads in a block along three axes."""

    blocks: Three
    threads: Three
    here: Any = field(default_factory=threading.local)
    lock: Any = field(default_factory=threading.RLock)
    # by place: (block, thread, how many barriers it has passed, how)
    touched: dict[Any, set[Any]] = field(default_factory=lambda: defaultdict(set))
    shared: dict[Any, Tracked] = field(default_factory=dict)

    def note(self, array: Tracked, index: Any, how: str) -> None:
        here = self.here
        with self.lock:
            places = index if isinstance(index, tuple) else (index,)
            place = tuple(int(i) % n for i, n in zip(places, array.shape, strict=True))
            self.touched[array.name, (*array.row, *place)].add((here.block, here.thread, here.phase, how))

    def run(self, kernel: Any, args: Sequence[Any]) -> None:
        """Launch; every block in turn, its threads at the same time."""
        given = [Tracked(self, f"argument {k}", a) if isinstance(a, np.ndarray) else a for k, a in enumerate(args)]
        for block in np.ndindex(*self.blocks):
            self.shared.clear()
            barrier = threading.Barrier(math.prod(self.threads))
            errors: list[BaseException] = []
            workers = [
                threading.Thread(target=self.thread, args=(kernel, given, block, thread, barrier, errors))
                for thread in np.ndindex(*self.threads)
            ]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
            if errors:
                raise errors[0]

    def thread(self, kernel: Any, args: Any, block: Any, thread: Any, barrier: Any, errors: list[Any]) -> None:
        self.here.block, self.here.thread, self.here.phase, self.here.barrier = block, thread, 0, barrier
        try:
            with np.errstate(all="ignore"):
                kernel(*args)
        except BaseException as error:
            errors.append(error)
            barrier.abort()

    def races(self) -> Iterator[Any]:
        """The places that two threads touch, of which one writes, with nothing that keeps them apart."""
        for place, accesses in self.touched.items():
            writers = [a for a in accesses if a[3] != "read"]
            for one in writers:
                for other in accesses:
                    apart = one[0] == other[0] and (one[1] == other[1] or one[2] != other[2])
                    both_atomic = one[3] == other[3] == "atomic"
                    if not apart and not both_atomic:
                        yield place, one, other
                        break


class Tracked:
    """An array that tells the machine what is done to it."""

    def __init__(self, machine: Machine, name: Any, array: np.ndarray, row: tuple[int, ...] = ()) -> None:
        self.machine, self.name, self.array, self.row = machine, name, array, row
        self.shape, self.dtype = array.shape, array.dtype

    def __getitem__(self, index: Any) -> Any:
        places = index if isinstance(index, tuple) else (index,)
        if len(places) < self.array.ndim:
            return Tracked(self.machine, self.name, self.array[index], (*self.row, *places))
        self.machine.note(self, index, "read")
        return self.array[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        self.machine.note(self, index, "write")
        self.array[index] = value

    def update(self, index: Any, value: Any, function: Any) -> None:
        self.machine.note(self, index, "atomic")
        with self.machine.lock:
            self.array[index] = function(self.array[index], value)


def dtype_of(dtype: Any) -> Any:
    """Numba's types have names, as NumPy's dtypes do."""
    return np.dtype(getattr(dtype, "name", dtype))


def namespace(machine: Machine) -> Any:
    """What `cuda` stands for in a kernel that the machine runs."""
    here = machine.here
    coordinates = {
        "threadIdx": lambda: here.thread,
        "blockIdx": lambda: here.block,
        "blockDim": lambda: machine.threads,
        "gridDim": lambda: machine.blocks,
    }

    class Cuda:
        def __getattr__(self, name: str) -> Any:
            return SimpleNamespace(**dict(zip("xyz", coordinates[name](), strict=True)))

        def grid(self, ndim: int) -> Any:
            places = [t + b * n for t, b, n in zip(here.thread, here.block, machine.threads, strict=True)]
            return places[0] if ndim == 1 else tuple(places[:ndim])

        def gridsize(self, ndim: int) -> Any:
            sizes = [a * b for a, b in zip(machine.blocks, machine.threads, strict=True)]
            return sizes[0] if ndim == 1 else tuple(sizes[:ndim])

        def syncthreads(self) -> None:
            here.barrier.wait(timeout=20)
            here.phase += 1

        def jit(self, function: Any = None, **options: Any) -> Any:
            return function if function is not None else lambda f: f

    def shared(shape: Any, dtype: Any) -> Tracked:
        line = sys._getframe(1).f_lineno
        with machine.lock:
            if line not in machine.shared:
                name = f"shared, line {line}, block {here.block}"
                machine.shared[line] = Tracked(machine, name, np.full(shape, np.nan, dtype_of(dtype)))
            return machine.shared[line]

    made = Cuda()
    made.shared = SimpleNamespace(array=shared)  # type: ignore[attr-defined]
    made.local = SimpleNamespace(array=lambda shape, dtype: np.full(shape, 7, dtype_of(dtype)))  # type: ignore[attr-defined]
    made.atomic = SimpleNamespace(  # type: ignore[attr-defined]
        add=lambda a, i, v: a.update(i, v, lambda x, y: x + y),
        max=lambda a, i, v: a.update(i, v, max),
        min=lambda a, i, v: a.update(i, v, min),
    )
    return made


def kernels(source: str, machine: Machine) -> dict[str, Any]:
    """The functions of a generated module, for the machine."""
    names: dict[str, Any] = {"cuda": namespace(machine)}
    exec(compile(source.replace("from numba import cuda", ""), "<kernels>", "exec"), names)
    return names


def primal(kernel: Any, machine: Machine) -> Any:
    """A user's kernel, for the machine."""
    fake = namespace(machine)

    def swapped(function: Any) -> Any:
        inner = {name: swapped(v.py_func) for name, v in function.__globals__.items() if _is_called(v, name, function)}
        names = {**function.__globals__, **inner, "cuda": fake}
        return types.FunctionType(function.__code__, names, function.__name__, function.__defaults__)

    return swapped(kernel.py_func)


def _is_called(value: Any, name: str, function: Any) -> bool:
    return hasattr(value, "py_func") and name in function.__code__.co_names
