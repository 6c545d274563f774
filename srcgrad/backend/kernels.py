"""Kernels on the device, or in Numba's simulator: loading them, launching them, and the memory that they are given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numba import cuda
from numba.core import config

from srcgrad.backend import cpu, shim

Grid = tuple[tuple[int, int, int], tuple[int, int, int]]


def load(path: Path, names: Sequence[str]) -> dict[str, Any]:
    """The kernels of a generated module, by name."""
    namespace = cpu.load_module(path)
    if config.ENABLE_CUDASIM:
        namespace["math"] = shim.math_shim()
    return {name: namespace[name] for name in names}


def is_array(value: Any) -> bool:
    return hasattr(value, "shape") and hasattr(value, "dtype") and getattr(value, "ndim", len(value.shape)) > 0


def on_device(value: Any) -> bool:
    return hasattr(value, "__cuda_array_interface__") or type(value).__name__ == "FakeCUDAArray"


def given(value: Any) -> Any:
    """An argument as kernels take it: what only brings the interface of device arrays is wrapped."""
    foreign = hasattr(value, "__cuda_array_interface__") and not hasattr(value, "copy_to_host")
    return cuda.as_cuda_array(value) if foreign else value


def copied(value: Any) -> Any:
    """A copy of an array where it lies."""
    if not on_device(value):
        return np.array(value)
    if config.ENABLE_CUDASIM:
        return cuda.to_device(value.copy_to_host())
    new = cuda.device_array_like(value)
    new.copy_to_device(value)
    return new


def zeros(count: int) -> Any:
    """Device memory of integers that are 0."""
    return cuda.to_device(np.zeros(count, np.int64))


def fetched(array: Any) -> list[int]:
    return [int(n) for n in array.copy_to_host()]


def scratch(shape: tuple[int, ...], dtype: str) -> Any:
    """Device memory that nobody has written to."""
    return cuda.device_array(shape, np.dtype(dtype))


def place(value: Any) -> tuple[int, int] | None:
    """The addresses that an array lies in, from and to; None where that cannot be told."""
    item = getattr(value, "_ary", value)
    interface = getattr(item, "__cuda_array_interface__", None) or getattr(item, "__array_interface__", None)
    if interface is None or not int(np.prod(interface["shape"])):
        return None
    shape, strides = interface["shape"], interface.get("strides")
    size = np.dtype(interface["typestr"]).itemsize
    if strides is None:
        strides = [size * int(np.prod(shape[k + 1 :])) for k in range(len(shape))]
    reach = [(n - 1) * s for n, s in zip(shape, strides, strict=True)]
    start = interface["data"][0]
    return start + sum(min(r, 0) for r in reach), start + sum(max(r, 0) for r in reach) + size


def dimensions(configuration: Sequence[Any]) -> Grid:
    """The numbers of blocks and of threads in a block, along three axes each."""
    blocks, threads = (_three(part) for part in configuration[:2])
    return blocks, threads


def _three(part: Any) -> tuple[int, int, int]:
    numbers = tuple(int(n) for n in part) if isinstance(part, (tuple, list)) else (int(part),)
    a, b, c = (*numbers, 1, 1, 1)[:3]
    return a, b, c


@cuda.jit
def _equal(before, after, same):  # type: ignore[no-untyped-def]
    for i in range(cuda.grid(1), before.shape[0], cuda.gridsize(1)):
        same[i] = before[i] == after[i]


@cuda.jit
def _share(before, after, count, bar):  # type: ignore[no-untyped-def]
    for i in range(cuda.grid(1), before.shape[0], cuda.gridsize(1)):
        if before[i] == after[i]:
            bar[i] /= count[i]
        else:
            bar[i] = 0.0


def equal(before: Any, after: Any, dtype: Any) -> Any:
    """An array of 1 where the two are equal, else 0."""
    if not on_device(before):
        return (before == after).astype(dtype)
    same = cuda.device_array(before.shape, dtype)
    _equal[_launch(before)](*map(_flat, (before, after, same)))
    return same


def any_zero(count: Any) -> bool:
    return not bool(np.all(_on_host(count)))


def any_different(one: Any, other: Any) -> bool:
    return bool(np.any(_on_host(one) != _on_host(other)))


def _on_host(array: Any) -> Any:
    return array.copy_to_host() if on_device(array) else array


def share(before: Any, after: Any, count: Any, bar: Any) -> None:
    """Divide bar by count where before and after are equal, and set it to 0 elsewhere, in place."""
    if on_device(before) or on_device(bar):
        _share[_launch(before)](*map(_flat, (before, after, count, bar)))
    else:
        bar[...] = np.where(before == after, bar / np.maximum(count, 1), 0.0)


def assign(target: Any, value: Any) -> None:
    """target[...] = value, of arrays that lie in one place."""
    if on_device(target):
        target.copy_to_device(value)
    else:
        target[...] = value


def _launch(array: Any) -> tuple[int, int]:
    """So many blocks and threads for a loop over the elements."""
    threads = max(1, min(128, array.size))
    return min(64, -(-array.size // threads) or 1), threads


def _flat(array: Any) -> Any:
    return array if array.ndim == 1 else array.reshape(array.size)


def kernel_function(kernel: Any) -> Callable[..., Any]:
    """The Python function of a kernel."""
    return getattr(kernel, "py_func", kernel)  # type: ignore[no-any-return]
