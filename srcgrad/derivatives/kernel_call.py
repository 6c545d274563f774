"""A derivative called from a kernel: where that may be, and how the simulator does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from srcgrad.backend import callable as native
from srcgrad.compiler import lazy
from srcgrad.compiler.find_or_make import Options
from srcgrad.errors import ArgumentError
from srcgrad.frontend.source.error_places import speaking_of


def chosen(name: str, options: Options, in_kernel: bool, apart: Sequence[Any]) -> tuple[Any, Sequence[Any]]:
    """What compiles the call, and which arrays it must find apart. A derivative for another target is refused."""
    if in_kernel is not options.on_device:
        target, place = ("cuda", "a kernel") if in_kernel else ("cpu", "compiled code on the CPU")
        raise ArgumentError(f"`{name}` is called in {place}", hint=f'make it with target="{target}"')
    return (lazy.cuda.device, ()) if in_kernel else (native.jitted, apart)


def simulated(derivative: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """A call of a derivative for the GPU from Python: of a kernel in the simulator."""
    if not lazy.cuda.in_kernel():
        with speaking_of(None):
            hint = 'call it inside a @cuda.jit kernel, or map it over arrays: vmap(..., target="cuda")'
            raise ArgumentError(f"`{derivative.__name__}` is a device function, called outside of a kernel", hint=hint)
    values = [lazy.cuda.plain(value) for value in derivative._bind(args, kwargs)]
    call = derivative._last = derivative._lookup_specs(derivative._specs(values))
    return call.run(values)
