"""Which primitive stands for which of the user's functions and methods."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from srcgrad.core import ir
from srcgrad.rules.language.of_scipy import Functions

F = TypeVar("F", bound=Callable[..., Any])

PRIMITIVES: dict[str, ir.Primitive] = {}
FUNCTIONS = Functions()
METHODS: dict[str, Callable[..., Any]] = {}
# what to write instead of a function without a rule
INSTEAD: dict[Any, str] = {
    map: "use a comprehension",
    filter: "use a comprehension with an if",
    input: "read it outside the function, and pass it as an argument",
    open: "read the file outside the function, and pass what is in it as an argument",
    set: "use a tuple or an array",
    complex: "write a + 1j * b",
}
# An adaptor (builder, *args, **kwargs) -> Val | tuple | ... runs at lowering. Args are builder values (`Val`, of memory
# too) and static Python objects (None, str, dtype, tuple ...); it emits what the call means.


def register(primitive: ir.Primitive) -> ir.Primitive:
    if primitive.name in PRIMITIVES:
        raise ValueError(f"two primitives are called {primitive.name}")
    PRIMITIVES[primitive.name] = primitive
    return primitive


def adaptor(*functions: Any, methods: tuple[str, ...] = ()) -> Callable[[F], F]:
    """Decorator: this adaptor stands for these functions (np.sum, math.sin, ...) and array methods."""

    def put(call: F) -> F:
        FUNCTIONS.update(dict.fromkeys(functions, call))
        METHODS.update(dict.fromkeys(methods, call))
        return call

    return put
