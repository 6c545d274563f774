"""Which Python function runs when something is called, and what its parameters are. What a decorator has copied onto a
function says neither: `functools.wraps` copies every attribute, Numba's `py_func` and `__signature__` too."""

from __future__ import annotations

import functools
import inspect
import sys
from types import FunctionType, MethodType
from typing import Any

from srcgrad.frontend.source.classes import ALLOWED


def behind(fun: Any) -> Any:
    """The Python function of a Numba dispatcher, or of what `@vectorize` gave; anything else as it is."""
    return fun.py_func if is_jitted(fun) else elementwise(fun) or fun


def elementwise(fun: Any) -> FunctionType | None:
    """The Python function of what Numba's `@vectorize` gave; None of anything else."""
    if type(fun).__name__ != "DUFunc" or not type(fun).__module__.startswith("numba"):
        return None
    inner = getattr(getattr(fun, "_dispatcher", None), "py_func", None)
    return inner if isinstance(inner, FunctionType) else None


def is_jitted(fun: Any) -> bool:
    return type(fun).__module__.startswith("numba") and isinstance(getattr(fun, "py_func", None), FunctionType)


def signature_of(fun: Any) -> inspect.Signature:
    """The parameters of the function that runs, not of one that it wraps."""
    if isinstance(fun, functools.partial):
        return inspect.signature(functools.partial(_bare(fun.func), *fun.args, **fun.keywords))
    if isinstance(fun, MethodType):
        return inspect.signature(MethodType(_bare(fun.__func__), fun.__self__))
    return inspect.signature(_bare(fun))


def _bare(fun: Any) -> Any:
    """A Python function without attributes."""
    fun = behind(fun)
    if not isinstance(fun, FunctionType) or not vars(fun):
        return fun
    made = FunctionType(fun.__code__, fun.__globals__, fun.__name__, fun.__defaults__, fun.__closure__)
    made.__kwdefaults__, made.__annotations__ = fun.__kwdefaults__, fun.__annotations__
    return made


def module_of(fun: FunctionType) -> str:
    """The module in which a function was written."""
    return str(fun.__globals__.get("__name__"))


def of_user_code(fun: Any) -> bool:
    """Whether this is a Python function of the user's, not one of a library that the language knows."""
    return isinstance(fun, FunctionType) and module_of(fun).split(".")[0] not in ALLOWED


def of_python(fun: FunctionType) -> bool:
    """Whether the function is from Python's own library."""
    return module_of(fun).split(".")[0] in sys.stdlib_module_names - {"__main__"}
