"""What a kernel takes of a GPU, without one: compiled by NVVM, assembled by nvJitLink, whose log is read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple

from numba.core import config

CAPABILITY = (8, 0)


class Resources(NamedTuple):
    """Of a kernel: 32-bit registers and bytes of local memory (stack and what is spilled) a thread, bytes of shared
    memory a block."""

    registers: int
    local: int
    shared: int


def missing() -> str:
    """Why no kernel can be compiled here; nothing if one can."""
    if config.ENABLE_CUDASIM:
        return "the simulator compiles nothing"
    try:
        from cuda.core import Linker  # noqa: F401
        from numba.cuda import dispatcher  # noqa: F401
    except ImportError as error:
        return f"{error} (pip install 'srcgrad[cuda]')"
    return ""


def compiled(kernel: Any, signature: Sequence[Any], capability: tuple[int, int] = CAPABILITY) -> str:
    """The PTX of a kernel, whether or not there is a GPU."""
    from numba import cuda
    from numba.cuda import compiler, dispatcher

    kept = [module.get_current_device for module in (compiler, dispatcher)]
    for module in (compiler, dispatcher):
        module.get_current_device = lambda: SimpleNamespace(compute_capability=capability)
    try:
        text, _ = cuda.compile_ptx(getattr(kernel, "py_func", kernel), tuple(signature), cc=capability)
    finally:
        compiler.get_current_device, dispatcher.get_current_device = kept
    return str(text)


def resources(ptx: str, capability: tuple[int, int] = CAPABILITY) -> Resources:
    """What the kernel in this PTX takes."""
    from cuda.core import Linker, LinkerOptions, ObjectCode

    options = LinkerOptions(arch=f"sm_{capability[0]}{capability[1]}", verbose=True)
    linker = Linker(ObjectCode.from_ptx(ptx.encode()), options=options)
    linker.link("cubin")
    return of_log(linker.get_info_log())


def of_log(log: str) -> Resources:
    """What the linker says of its one kernel."""
    (line,) = re.findall(r"used \d+ registers.*", log)
    found = {kind: int(number) for number, kind in re.findall(r"(\d+) (registers|stack|bytes smem|bytes lmem)", line)}
    return Resources(found["registers"], found["stack"] + found["bytes lmem"], found["bytes smem"])
