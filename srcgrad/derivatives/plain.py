"""What may be differentiated: functions, and what stands for one."""

from __future__ import annotations

import types
from typing import Any

from srcgrad.derivatives.bound_arguments import adapted
from srcgrad.errors import ArgumentError
from srcgrad.frontend.source import hooks, wording
from srcgrad.frontend.source.functions import behind


def plain(fun: Any) -> Any:
    """The function; what comes with arguments of its own (a bound method, a partial) without those."""
    if not callable(fun):
        raise ArgumentError(f"{fun!r} is not a function", hint="give the function itself: grad(f)(x), not grad(f(x))")
    made = adapted(fun)
    if not hooks.gives_core(made) and not isinstance(behind(made), types.FunctionType):
        raise ArgumentError(f"{_called(fun)} is not a Python function", hint=_instead(fun))
    return made


def _called(fun: Any) -> str:
    name = getattr(fun, "__name__", None)
    return wording.of_object(fun) if isinstance(fun, type) or not isinstance(name, str) else f"`{name}`"


def _instead(fun: Any) -> str:
    """What to give in the place of something that can be called but is no Python function."""
    if hasattr(fun, "__wrapped__"):
        return "give the function that the decorator wraps: its attribute `__wrapped__`"
    if isinstance(fun, type) or not hasattr(fun, "__name__"):
        return "wrap what it computes in a function: lambda x: ..."
    return f"wrap it: lambda x: {_spelled(fun)}(x)"


def _spelled(fun: Any) -> str:
    """A function of a library as it is usually written."""
    home = getattr(fun, "__module__", None) or type(fun).__module__
    home = {"builtins": "", "numpy": "np"}.get(home.split(".")[0], home)
    return f"{home}.{fun.__name__}" if home else str(fun.__name__)
