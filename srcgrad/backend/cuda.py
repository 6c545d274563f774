"""Generated modules on the GPU: loaded from their files as device functions; in Numba's simulator as plain Python.

Loaded only when `target="cuda"` is asked for (`srcgrad.compiler.lazy`): nothing else needs Numba's CUDA target.
"""

from __future__ import annotations

import contextlib
import functools
import types
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numba import errors
from numba.core import config
from numba.core import types as kinds

from srcgrad.backend import callable as native
from srcgrad.backend import cpu, numba_cuda, shim
from srcgrad.core.types import Type
from srcgrad.errors import SrcgradError
from srcgrad.frontend.source.functions import behind

try:
    from numba import cuda as cuda
except ImportError:  # a Numba without its CUDA target: `missing` says so
    cuda = None

INSTALL = 'pip install "srcgrad[cuda]" on a machine with an NVIDIA GPU, or set NUMBA_ENABLE_CUDASIM=1 for the simulator'


class CudaError(SrcgradError):
    """There is no CUDA toolkit or no GPU where one is needed."""


def simulated() -> bool:
    """Whether Numba's simulator stands in for a GPU."""
    return bool(config.ENABLE_CUDASIM)


def versions() -> str:
    """What generated modules depend on, as a text."""
    return f"{numba.__version__} {np.__version__} {getattr(cuda, '__version__', '')}"


def missing() -> str | None:
    """Why no kernel can be launched; None if one can."""
    if cuda is None:
        return "this Numba has no CUDA target"
    if simulated() or cuda.is_available():
        return None
    error = cuda.cuda_error()
    if error is not None:
        return str(error).strip().splitlines()[0].rstrip(".")
    return "the CUDA toolkit's compiler (NVVM) is not found" if len(cuda.gpus) else "there is no GPU"


def require_gpu() -> None:
    """Refuse to go on where kernels cannot be launched."""
    reason = missing()
    if reason is not None:
        raise CudaError(f'target="cuda" needs a GPU: {reason}', hint=INSTALL)


def options(fastmath: bool | Sequence[str] | None) -> str:
    """The keywords of `@cuda.jit` above a generated device function."""
    return "device=True, fastmath=True" if fastmath else "device=True"


def load(path: Path, name: str, text: str | None = None) -> Callable[..., Any]:
    """The device function of a generated module: what Numba compiles into a kernel that calls it."""
    namespace = cpu.load_module(path, text)
    return simulation(namespace, name) if simulated() else namespace[name]


def simulation(namespace: dict[str, Any], name: str) -> Callable[..., Any]:
    """The function as the simulator's threads run it: on NumPy's scalars, with local arrays of its own. (What the
    simulator makes of `@cuda.jit` exchanges the module `cuda` of its globals in each call, all threads at once.)"""
    for key, value in list(namespace.items()):
        if hasattr(value, "py_func"):
            namespace[key] = value.py_func
    namespace["math"] = shim.math_shim()
    local = types.SimpleNamespace(array=lambda shape, dtype: np.empty(shape, dtype))
    namespace["cuda"] = types.SimpleNamespace(local=local)
    return shim.scalars(namespace[name])


@functools.cache
def allow_in_kernels() -> None:
    """Let kernels call objects of ours."""
    if not simulated():
        native.allow_in_kernels(numba_cuda.cudaimpl.lower_constant, numba_cuda.models.register_model)


def device(function: Callable[..., Any]) -> Any:
    """A Python function as a device function."""
    return cuda.jit(device=True)(function)


def in_kernel() -> bool:
    """Whether a simulated kernel is running."""
    return simulated() and _context() is not None


def _context() -> Any:
    return cuda.simulator.kernel._get_kernel_context()


def plain(value: Any) -> Any:
    """A value as it comes in a simulated kernel: an array that the simulator has wrapped, as the array."""
    if type(value) in (tuple, list):
        return type(value)(map(plain, value))
    if isinstance(value, tuple):
        return type(value)(*map(plain, value))
    item = getattr(value, "_item", value)
    return getattr(item, "_ary", item)


@contextlib.contextmanager
def compiling_for(capability: tuple[int, int]) -> Iterator[None]:
    """Compile device functions for GPUs of this compute capability, also where there is none."""
    device = types.SimpleNamespace(compute_capability=capability)
    modules = [numba_cuda.dispatcher, numba_cuda.compiler]
    kept = [module.get_current_device for module in modules]
    for module in modules:
        module.get_current_device = lambda: device
    try:
        yield
    finally:
        for module, before in zip(modules, kept, strict=True):
            module.get_current_device = before


def ptx(
    function: Callable[..., Any], types: Sequence[Any], kernel: bool = False, capability: tuple[int, int] = (8, 0)
) -> str:
    """The PTX of a device function (or of a kernel) for arguments of these types, ours or Numba's. It needs Numba's
    CUDA compiler but no GPU."""
    signature = tuple(numba_type(type) if isinstance(type, Type) else type for type in types)
    try:
        with compiling_for(capability):
            python = behind(function)
            text, _ = cuda.compile_ptx(python, signature, device=not kernel, cc=capability)
    except errors.NumbaError as error:
        raise SrcgradError(f"Numba does not compile this for CUDA: {error}") from error
    except (OSError, RuntimeError, ImportError) as error:
        raise CudaError(f"there is no CUDA compiler: {error}", hint='pip install "srcgrad[cuda]"') from error
    return str(text)


def numba_type(type: Type) -> Any:
    """Numba's type for a leaf: arrays in C order."""
    names = {"f8": "float64", "f4": "float32", "i8": "int64", "b1": "boolean", "c16": "complex128", "c8": "complex64"}
    if type.ref:
        return kinds.Array(numba.from_dtype(np.dtype(type.dtype)), type.rank, "C")
    return getattr(kinds, names[type.dtype])
