"""Kernels from the host's side: what can run them, arrays onto the device, the launch, results back."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from srcgrad.backend import cpu, numba_cuda, shim
from srcgrad.backend import cuda as native
from srcgrad.core.types import Type
from srcgrad.errors import UnsupportedError

Shape = tuple[int, ...]

THREADS = 128  # of a block: many enough to hide latency, few enough for kernels that take many registers
WORK_BYTES = 2**30  # of a launch's work arrays: beyond them a thread takes one item after another
SIMULATED_THREADS = 8  # each is a thread of Python's there
DEVICES = (2, 13)  # DLPack's kinds of memory that a kernel reaches: of the device, managed


# ---- arrays


def on_device(value: Any) -> bool:
    """Whether this is an array in the device's memory."""
    if isinstance(value, np.ndarray | np.generic):
        return False
    if hasattr(value, "__cuda_array_interface__") or getattr(value, "__cuda_ndarray__", False) is True:
        return True
    where = getattr(value, "__dlpack_device__", None)
    return where is not None and int(where()[0]) in DEVICES


def dtype(array: Any) -> np.dtype[Any]:
    """The dtype of an array on the device."""
    shared = getattr(array, "__cuda_array_interface__", None)
    if shared is None and not native.simulated():
        shared = Shared(array).__cuda_array_interface__
    kind: np.dtype[Any] = np.dtype(array.dtype if shared is None else shared["typestr"])
    return kind


def stream_of(values: Iterable[Any]) -> Any:
    """The stream that what comes in on the device was made on; the default stream where nothing says one."""
    for value in values:
        number = (getattr(value, "__cuda_array_interface__", None) or {}).get("stream")
        if number is not None:
            return _stream(number)
    return 0


def _stream(number: int) -> Any:
    """A stream by its number in the CUDA array interface."""
    if number == 1:
        return native.cuda.legacy_default_stream()
    return native.cuda.per_thread_default_stream() if number == 2 else native.cuda.external_stream(number)


class Shared:
    """The memory of an object that has DLPack alone."""

    def __init__(self, owner: Any) -> None:
        try:
            from_dlpack = numba_cuda.views.StridedMemoryView.from_dlpack
        except ImportError:
            hint = "`pip install 'srcgrad[cuda]'`, or pass an array of CuPy or Numba"
            raise UnsupportedError("DLPack needs the package cuda.core", hint=hint) from None
        view = from_dlpack(owner, stream_ptr=1)  # after what its owner's stream has queued
        size = view.dtype.itemsize
        self.owner = owner
        self.__cuda_array_interface__ = {
            "shape": tuple(view.shape),
            "typestr": view.dtype.str,
            "data": (view.ptr, bool(view.readonly)),
            "strides": None if view.strides is None else tuple(s * size for s in view.strides),
            "version": 3,
        }


def to_device(value: Any, type: Type, stream: Any) -> Any:
    """An argument as a kernel takes it: memory on the device as it is, other memory copied there, numbers as they
    are."""
    if not type.ref:
        return value
    if not on_device(value):
        return native.cuda.to_device(np.ascontiguousarray(value), stream=stream)
    if native.simulated():
        return value
    value = value if hasattr(value, "__cuda_array_interface__") else Shared(value)
    made_on = value.__cuda_array_interface__.get("stream")
    return native.cuda.as_cuda_array(value, sync=stream == 0 or made_on != int(stream))


def new(shape: Sequence[int], dtype: str, stream: Any) -> Any:
    return native.cuda.device_array(tuple(shape), np.dtype(dtype), stream=stream)


def to_host(arrays: Sequence[Any], stream: Any) -> list[Any]:
    out = [a.copy_to_host(stream=stream) for a in arrays]
    if stream != 0:
        stream.synchronize()
    return out


# ---- kernels


def load(path: Path, name: str, text: str | None = None) -> Any:
    """The kernel of a generated module; in the simulator it calls the device functions as plain Python."""
    namespace = cpu.load_module(path, text)
    if native.simulated():
        for key, value in namespace.items():
            if getattr(value, "_device", False):  # a kernel of the simulator, made to be called from another
                namespace[key] = _plain(value.py_func)
        namespace["math"] = shim.math_shim()
    return namespace[name]


def _plain(function: Any) -> Any:
    """The function on NumPy's scalars and arrays."""
    call = shim.scalars(function)
    return lambda *args: call(*map(native.plain, args))


def sibling(kernel: Any, name: str) -> Any:
    """Another kernel of the same module."""
    return kernel.py_func.__globals__[name]


def block_of(count: int) -> int:
    """How many threads a block has, of a launch for so many items."""
    return min(count, SIMULATED_THREADS) if native.simulated() else THREADS


def launch(kernel: Any, threads: int, args: Sequence[Any], stream: Any = 0) -> None:
    """Run a kernel with so many threads, or more that find nothing to do."""
    block = block_of(threads)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Grid size")  # that few items leave a GPU idle
        kernel[-(-threads // block), block, stream](*args)


def telling(kernel: Any, threads: int, args: Sequence[Any], stream: Any, count: int) -> list[int]:
    """Run a kernel that writes so many integers into one array more, which are 0 at first; they are waited for."""
    told = native.cuda.to_device(np.zeros(count, np.int64), stream=stream)
    launch(kernel, threads, [*args, told], stream)
    return [int(n) for n in to_host([told], stream)[0]]


# ---- work arrays


class Works:
    """The arrays in which threads keep what they have no memory for: `(*lengths, threads)`, those of the launch before
    where they are large enough. kinds: (dtype, rank) of each."""

    def __init__(self, kinds: Sequence[tuple[str, int]]) -> None:
        self.kinds = kinds
        self.held: dict[int, list[Any]] = {}  # by stream: launches on one wait for one another

    def shapes(self, sizes: Sequence[int]) -> list[Shape]:
        """What a thread needs of each. sizes: the lengths, axis after axis."""
        each = iter(sizes)
        return [tuple(max(next(each), 1) for _ in range(rank)) for _, rank in self.kinds]

    def threads(self, shapes: Sequence[Shape], items: int) -> int:
        """How many threads there are room for."""
        need = sum(np.dtype(dtype).itemsize * math.prod(s) for (dtype, _), s in zip(self.kinds, shapes, strict=True))
        block = block_of(items)
        return min(-(-items // block), max(WORK_BYTES // (need * block), 1)) * block

    def arrays(self, shapes: Sequence[Shape], threads: int, stream: Any) -> list[Any]:
        held = self.held.get(int(stream), [])
        wanted = [(*shape, threads) for shape in shapes]
        if len(held) < len(wanted) or any(
            n > m for array, shape in zip(held, wanted, strict=True) for n, m in zip(shape, array.shape, strict=True)
        ):
            held = [new(shape, dtype, stream) for shape, (dtype, _) in zip(wanted, self.kinds, strict=True)]
            self.held[int(stream)] = held
        return held
