"""Where no kernel can be launched: sources can be read all the same, and a call says what is missing."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.backend import cuda as native
from srcgrad.backend import launch, numba_cuda
from srcgrad.core.types import Type

pytestmark = pytest.mark.skipif(native.missing() is None, reason="kernels can be launched here")


def f(x):
    return x * math.sin(x)


def test_a_call_says_what_to_install():
    mapped = sg.vmap(sg.grad(f), target="cuda")
    with pytest.raises(native.CudaError) as error:
        mapped(np.ones(3))
    told = str(error.value)
    assert 'target="cuda" needs a GPU: ' in told and 'pip install "srcgrad[cuda]"' in told
    assert "NUMBA_ENABLE_CUDASIM=1" in told and "test_without_gpu.py" in told
    with pytest.raises(native.CudaError, match="needs a GPU"):
        sg.newton(f, np.ones(3), batch=True, target="cuda")


def test_the_source_needs_no_gpu():
    assert "def f_grad_kernel(x, x_bar):" in sg.vmap(sg.grad(f), target="cuda").source_for(np.ones(3))


def test_each_reason(monkeypatch):
    fake = SimpleNamespace(is_available=lambda: False, cuda_error=lambda: "\nno driver.\nmore", gpus=[])
    monkeypatch.setattr(native, "cuda", fake)
    assert native.missing() == "no driver"
    fake.cuda_error = lambda: None
    assert native.missing() == "there is no GPU"
    fake.gpus = [object()]
    assert native.missing() == "the CUDA toolkit's compiler (NVVM) is not found"
    monkeypatch.setattr(native, "cuda", None)
    assert native.missing() == "this Numba has no CUDA target"


class OnDevice:
    """What CuPy and PyTorch hand over."""

    def __init__(self, stream=None, **more):
        self.shape = (3,)
        self.__cuda_array_interface__ = {"shape": (3,), "typestr": "<f4", "data": (64, False), "version": 3, **more}
        if stream is not None:
            self.__cuda_array_interface__["stream"] = stream


class WithDlpack:
    def __init__(self, kind):
        self.__dlpack_device__ = lambda: (kind, 0)


def test_what_is_on_a_device():
    assert launch.on_device(OnDevice()) and launch.on_device(WithDlpack(2)) and launch.on_device(WithDlpack(13))
    assert not any(map(launch.on_device, (np.ones(2), 1.0, np.float32(1.0), WithDlpack(1), [1.0], None)))
    assert launch.dtype(OnDevice()) == np.float32


def test_the_stream_of_what_comes_in(monkeypatch):
    named = {f"{kind}_default_stream": lambda kind=kind: kind for kind in ("legacy", "per_thread")}
    monkeypatch.setattr(native, "cuda", SimpleNamespace(external_stream=lambda n: f"external {n}", **named))
    assert launch.stream_of([1.0, np.ones(2), OnDevice()]) == 0
    assert launch.stream_of([OnDevice(), OnDevice(1), OnDevice(2)]) == "legacy"
    assert launch.stream_of([OnDevice(2)]) == "per_thread"
    assert launch.stream_of([OnDevice(4711)]) == "external 4711"


def test_memory_that_dlpack_shares(monkeypatch):
    view = SimpleNamespace(ptr=64, shape=(2, 3), strides=(6, 2), dtype=np.dtype("f4"), readonly=False)
    asked = []
    reader = SimpleNamespace(from_dlpack=lambda a, stream_ptr: asked.append(a) or view)
    monkeypatch.setitem(vars(numba_cuda), "views", SimpleNamespace(StridedMemoryView=reader))
    owner = WithDlpack(2)
    shared = launch.Shared(owner).__cuda_array_interface__
    assert shared["data"] == (64, False) and shared["strides"] == (24, 8) and shared["typestr"] == "<f4"
    assert asked == [owner] and launch.dtype(owner) == np.float32


def test_dlpack_without_its_package(monkeypatch):
    monkeypatch.setitem(numba_cuda.MODULES, "views", "no_such_package")
    with pytest.raises(sg.UnsupportedError, match=r"cuda.core"):
        launch.Shared(WithDlpack(2))


def test_what_lies_on_another_stream_is_waited_for(monkeypatch):
    waits = []
    fake = SimpleNamespace(as_cuda_array=lambda a, sync: waits.append(sync))
    monkeypatch.setattr(native, "cuda", fake)
    for array in (OnDevice(7), OnDevice(8), OnDevice()):
        launch.to_device(array, Type("f4", 1, ref=True), 7)
    assert waits == [False, True, True]
