"""Functions of ours that compiled code can call, each call being resolved when it is compiled."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numba
from numba import types
from numba.extending import overload

from srcgrad.backend.callable import spec_of
from srcgrad.frontend.source.structure import Spec, Static

# the description of each parameter -> (what is called instead, expressions for its arguments, what makes the result of
# what that gives)
Resolve = Callable[[dict[str, Spec]], tuple[Any, Sequence[str], Callable[..., Any]]]


def allow(function: Callable[..., Any], resolve: Resolve) -> None:
    """Let compiled code call this function, by place and by keyword."""
    parameters = inspect.signature(function).parameters
    namespace: dict[str, Any] = {f"_default_{n}": p.default for n, p in parameters.items()}
    empty = inspect.Parameter.empty
    head = ", ".join(n if p.default is empty else f"{n}=_default_{n}" for n, p in parameters.items())

    def choose(kinds: dict[str, Any]) -> Any:
        call, items, finish = resolve({name: described(kind, name) for name, kind in kinds.items()})
        called = {**namespace, "_call": call, "_finish": numba.njit(nogil=True)(finish)}
        return _function(f"def solve({head}):\n    return _finish(_call({', '.join(items)}))\n", called)

    kinds = ", ".join(f"'{n}': {n}" for n in parameters)
    chooser = _function(f"def solve({head}):\n    return _choose({{{kinds}}})\n", {**namespace, "_choose": choose})
    # inlined, the address of a function that is handed over is used nowhere: with one in it, code is not cached
    overload(function, jit_options={"forceinline": True}, prefer_literal=True, strict=False)(chooser)


def _function(source: str, namespace: dict[str, Any]) -> Any:
    exec(compile(source, "<srcgrad solver>", "exec"), namespace)
    return namespace["solve"]


def described(kind: Any, name: str) -> Spec:
    """The description of an argument; what is written as a literal or left out is static."""
    if isinstance(kind, types.Omitted):
        kind = kind.value
    if not isinstance(kind, types.Type):
        return spec_of(numba.typeof(kind), name) if kind == () else Static(kind)
    if isinstance(kind, types.Literal):
        return Static(kind.literal_value)
    return spec_of(kind, name)
