"""What an object may give so that srcgrad takes it for more than a Python function: seven hooks, each a protocol.

===========================  ==========================================  =============================================
hook                         given by                                    asked for by
===========================  ==========================================  =============================================
`__srcgrad_core__`           derivatives, functions with a rule of       lowering, where it is called (`calls`) or
                             their own, solvers, methods and partials    differentiated (`compiler.program`); `api`
`__srcgrad_arguments__`      derivatives                                 lowering and `derivatives`, for a call's values
`__srcgrad_inside__`         the public solvers and transformers         lowering, where one is called
`__srcgrad_made__`           derivatives                                 the choice between threads and one thread
`__srcgrad_parts__`          all that give a core program                fingerprints of what a program is made of
`__srcgrad_of__`             functions that this package puts around     errors, which name the user's function
                             one of the user's
`__srcgrad_stands_at__`      functions that stand inside another         errors, which are shown where that calls them
===========================  ==========================================  =============================================

Each is looked up without an object's `__getattr__`. What `functools.wraps` copies onto a function is no hook of it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import FunctionType
from typing import Any, Protocol, TypeGuard, TypeVar

from srcgrad.frontend.source.structure import Spec


class GivesCore(Protocol):
    """What brings its own core program."""

    def __srcgrad_core__(self, specs: Sequence[Spec]) -> Any:
        """The program for arguments of these structures, a `frontend.lowering.function.Lowered`."""


class TakesArguments(Protocol):
    """What sorts out by itself the arguments of a call."""

    def __srcgrad_arguments__(self, args: Sequence[Any], kwargs: dict[str, Any]) -> Sequence[Any]:
        """A value for each parameter."""


class GivesParts(Protocol):
    """What is known by what it is made of, for fingerprints."""

    def __srcgrad_parts__(self) -> tuple[Any, ...]:
        """Texts, functions and objects that its program depends on."""


class Made(Protocol):
    """What is made from a function."""

    def __srcgrad_made__(self) -> tuple[Any, Any, Any]:
        """The function, the `compiler.request.Recipe` and the `compiler.find_or_make.Options`."""

    def __srcgrad_behind__(self) -> tuple[int, ...]:
        """The places of the parameters beside those of the function."""


# of a lowering, and the arguments of a call by place and by name: what the call gives
Inside = Callable[[Any, Sequence[Any], dict[str, Any]], Any]


@dataclass(frozen=True, slots=True)
class Bound:
    """What a function carries as `__srcgrad_inside__`: another that carries it too has copied it."""

    function: FunctionType
    inside: Inside


F = TypeVar("F", bound=Callable[..., Any])


def gives_core(value: Any) -> TypeGuard[GivesCore]:
    return _of_class(value, "__srcgrad_core__")


def takes_arguments(value: Any) -> TypeGuard[TakesArguments]:
    return _of_class(value, "__srcgrad_arguments__")


def gives_parts(value: Any) -> TypeGuard[GivesParts]:
    return _of_class(value, "__srcgrad_parts__")


def is_made(value: Any) -> TypeGuard[Made]:
    return _of_class(value, "__srcgrad_made__")


def _of_class(value: Any, name: str) -> bool:
    return any(name in vars(base) for base in type(value).__mro__)


def stands_inside(value: Any) -> bool:
    """Whether it is a function that stands inside another, which is being read."""
    return _of_class(value, "__srcgrad_stands_at__")


def replace_calls(function: Any, inside: Inside) -> None:
    """Say what a call of this function gives inside of a function that is read."""
    function.__srcgrad_inside__ = Bound(function, inside)


# of a library's package, and a name in it: said here, so that the library need not be loaded
_OF_LIBRARIES: dict[tuple[str, str], Inside] = {}


def replace_library_calls(package: str, name: str, inside: Inside) -> None:
    """Say what a call of a library's function gives inside of a function that is read."""
    _OF_LIBRARIES[package, name] = inside


def inside(value: Any) -> Inside | None:
    """What gives the value of a call of this function inside of another, if that is said."""
    found = _attributes(value).get("__srcgrad_inside__")
    if isinstance(found, Bound) and found.function is value:
        return found.inside
    package, name = named_in(value)
    return _OF_LIBRARIES.get((package, name))


def named_in(value: Any) -> tuple[str, str]:
    """The public package of a library, with two names, in which a function or a class is found by its own name, and
    that; else empty texts."""
    if not isinstance(value, (FunctionType, type)):
        return "", ""
    package, name = ".".join(str(value.__module__).split(".")[:2]), value.__name__
    return (package, name) if getattr(sys.modules.get(package), name, None) is value else ("", "")


def put_around(function: F, inner: Any) -> F:
    """Say that a function of this package stands for one of the user's."""
    vars(function)["__srcgrad_of__"] = inner
    return function


def inside_of(value: Any) -> Any | None:
    """The user's function that a function of this package stands for."""
    return _attributes(value).get("__srcgrad_of__")


def _attributes(value: Any) -> Mapping[str, Any]:
    return vars(value) if isinstance(value, FunctionType) else {}
