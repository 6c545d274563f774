"""Functions that come with some of their arguments: bound methods, partials, objects that can be called."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from srcgrad.compiler import lazy
from srcgrad.errors import ArgumentError
from srcgrad.frontend.source import hooks
from srcgrad.frontend.source.functions import behind, signature_of
from srcgrad.frontend.source.origins import Origin
from srcgrad.frontend.source.structure import Spec


class Adapted:
    """A function of which some parameters are fixed; what they hold is read afresh at each call.

    cells: for each fixed parameter the cell that holds its object.
    """

    def __init__(self, original: Any, function: Callable[..., Any], fixed: Mapping[str, Any]) -> None:
        self.original, self.function = original, function
        self.cells = {name: types.CellType(value) for name, value in fixed.items()}
        functools.update_wrapper(self, function, updated=())
        inner = signature_of(function)
        bound = isinstance(original, types.MethodType)
        own = [p for p in inner.parameters.values() if p.name not in fixed or p.kind is p.VAR_POSITIONAL]
        self.__signature__ = inspect.Signature(own) if bound else signature_of(original)
        if list(self.__signature__.parameters) != [name for name in inner.parameters if name not in fixed]:
            hint = "wrap it in a def"
            raise ArgumentError(f"the parameters of {original!r} are not those of its function", hint=hint)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.original(*args, **kwargs)

    def _key(self) -> tuple[Any, ...]:
        return self.function, tuple((name, id(cell.cell_contents)) for name, cell in self.cells.items())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Adapted) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __reduce__(self) -> tuple[Any, ...]:
        return adapted, (self.original,)

    def __srcgrad_core__(self, specs: Sequence[Spec]) -> Any:
        origins = {name: Origin(cell, name) for name, cell in self.cells.items()}
        return lazy.program.lowered_with(self.function, tuple(self.__signature__.parameters), specs, origins)

    def __srcgrad_parts__(self) -> tuple[Any, ...]:
        return self.function, *self.cells.items()


def adapted(fun: Any) -> Any:
    """A function as it is; what comes with arguments of its own as an `Adapted`."""
    if isinstance(fun, types.MethodType):
        first = next(iter(signature_of(fun.__func__).parameters))
        return Adapted(fun, fun.__func__, {first: fun.__self__})
    if isinstance(fun, functools.partial):
        inner = adapted(fun.func)
        if isinstance(inner, Adapted):
            raise ArgumentError(f"{fun!r} fixes arguments of what has some of its own", hint="wrap it in a def")
        names = list(signature_of(inner).parameters)
        return Adapted(fun, inner, dict(zip(names, fun.args, strict=False)))
    ours = hooks.gives_core(fun) or behind(fun) is not fun
    own = ours or isinstance(fun, (types.FunctionType, type))
    call = None if own else inspect.getattr_static(type(fun), "__call__", None)
    if isinstance(call, types.FunctionType):
        return adapted(types.MethodType(call, fun))
    return fun


def written(fun: Any) -> list[types.FunctionType]:
    """The Python function behind what a derivative is made of; none where that is a derivative, too."""
    fun = fun.function if isinstance(fun, Adapted) else fun
    fun = behind(fun)
    return [fun] if isinstance(fun, types.FunctionType) else []
