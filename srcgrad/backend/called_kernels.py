"""Kernels are called, not linked in: what calls one names its machine code, which is loaded before the caller's.

Numba links whatever a function calls into that function's module, which LLVM then optimises and compiles as a whole,
again and again. Of a kernel it gets an empty module with one global variable, a mark. The name of a mark is that of an
environment, and Numba keeps with compiled code the environments that are named in it, whoever calls it through however
many functions: a later process first unpickles these, which loads the kernel.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from typing import Any

from llvmlite import binding
from numba.core import environment, types

MARK = "_ZN08NumbaEnv_srcgrad_kernel_"
LIVE: dict[str, Mark] = {}  # Numba holds environments weakly


class Mark(environment.Environment):  # type: ignore[misc]
    """What stands for the machine code of a kernel; pickled, it is the order to load that."""

    __slots__ = ("load",)
    load: tuple[str, str, str, tuple[Any, ...]]

    def can_cache(self) -> bool:
        return True

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return loaded, self.load


def loaded(module: str, function: str, symbol: str, args: tuple[Any, ...]) -> Mark:
    """The mark of a kernel whose machine code is known to LLVM under this name from now on.

    It is compiled, if it is not in Numba's cache. A module that is not here is an OSError, for which Numba compiles the
    caller again.
    """
    if MARK + symbol not in LIVE:
        dispatcher = pkgutil.resolve_name(f"{module}:{function}")
        dispatcher.compile(args)
        made = dispatcher.overloads[args]
        if made.fndesc.llvm_func_name != symbol:  # a number in it counts what a process has compiled
            binding.add_symbol(symbol, made.library.get_pointer_to_function(made.fndesc.llvm_func_name))
            _mark(module, function, symbol, args)
    return LIVE.get(MARK + symbol) or _mark(module, function, symbol, args)


def _mark(module: str, function: str, symbol: str, args: tuple[Any, ...]) -> Mark:
    mark = Mark({"__name__": module})
    mark.env_name, mark.load = MARK + symbol, (module, function, symbol, args)
    LIVE[mark.env_name] = environment.Environment._memo[mark.env_name] = mark
    return mark


def call_only(made: Any, module: str) -> None:
    """Let callers of what was compiled or loaded of a kernel, which lies in this module, not link it in. Functions of
    numbers alone are inlined as before."""
    if not any(map(_of_arrays, (*made.signature.args, made.signature.return_type))):
        return
    symbol = made.fndesc.llvm_func_name
    mark = _mark(module, made.fndesc.qualname, symbol, tuple(made.signature.args))
    made.library._shared_module = binding.parse_assembly(f'@"{mark.env_name}" = common global i64 0\n')


def _of_arrays(kind: Any) -> bool:
    held = getattr(kind, "types", ())  # of a tuple
    return isinstance(kind, types.Array) or any(map(_of_arrays, held))
