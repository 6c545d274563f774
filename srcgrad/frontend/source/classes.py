"""What a class says of its objects, found without running any of its code."""

from __future__ import annotations

import dataclasses
import functools
import sys
import types
from collections.abc import Hashable, Iterator
from typing import Any, NamedTuple

# libraries with arrays of their own
ARRAYS = frozenset({"pandas", "xarray", "torch", "jax", "jaxlib", "polars", "cupy", "tensorflow", "dask", "pyarrow"})
LIBRARIES = frozenset({"numpy", "scipy", "numba", "srcgrad"}) | ARRAYS
# what a function may call as it is
ALLOWED = ("math", "numpy", "operator", "builtins", "scipy", "cmath", "numba", "functools", "itertools")
# what is read in the place of a library's functions: its constants are literals
STAND_INS = ("srcgrad.scipy.", "srcgrad.numpy.", "srcgrad.python.")
MISSING = object()


def of_user(value: Any) -> bool:
    """Whether this is an object whose attributes may change: of a class that is no library's, or such a class."""
    if isinstance(value, types.MethodType):
        return of_user(value.__self__)
    kind = value if isinstance(value, type) else type(value)
    return not isinstance(value, types.FunctionType) and str(kind.__module__).split(".")[0] not in ALLOWED


class Found(NamedTuple):
    """What a class has under a name, as it stands there, and the class of its ancestry that brings it."""

    owner: type
    value: Any

    @property
    def builtin(self) -> bool:
        """Whether the interpreter brings it: a method of `object`, `list`, `dict`, ..."""
        return of_interpreter(self.owner)

    @property
    def generated(self) -> bool:
        """Whether `@dataclass` or `NamedTuple` wrote it."""
        code = getattr(getattr(self.value, "__wrapped__", self.value), "__code__", None)
        return code is not None and code.co_filename.startswith("<string")

    @property
    def foreign(self) -> bool:
        """Whether a library brings it, by a class or as a function that it put into the user's class (`enum`); what
        `functools.total_ordering` puts there is read."""
        code = getattr(self.value, "__globals__", {}).get("__name__", "")
        return not self.builtin and (_of_library(self.owner.__module__) or (_of_library(code) and code != "functools"))


def _of_library(module: str) -> bool:
    top = module.split(".")[0]
    return (
        (top in LIBRARIES or top in sys.stdlib_module_names) and top != "__main__" and not module.startswith(STAND_INS)
    )


_HEAP = 1 << 9  # Py_TPFLAGS_HEAPTYPE: of classes that a class statement made, and of some in C


def of_interpreter(kind: type) -> bool:
    """Whether this class is written in C."""
    return not kind.__flags__ & _HEAP or isinstance(vars(kind).get("__new__"), types.BuiltinFunctionType)


def found(kind: type, name: str) -> Found | None:
    """What objects of this class have under a name that is looked up in the class."""
    for base in kind.__mro__:
        if name in vars(base):
            return Found(base, vars(base)[name])
    return None


def written(kind: type, name: str) -> Found | None:
    """The same, if it is not the interpreter's own."""
    what = found(kind, name)
    return None if what is None or what.builtin else what


@functools.lru_cache(maxsize=512)
def builtin_base(kind: type) -> Any:
    """The interpreter's class whose memory objects of this class have: `object`, `dict`, `OrderedDict`, ..."""
    return next(base for base in kind.__mro__ if of_interpreter(base))


def is_named_tuple(kind: type) -> bool:
    return issubclass(kind, tuple) and isinstance(getattr(kind, "_fields", None), tuple)


@functools.lru_cache(maxsize=512)
def fields_of(kind: type) -> tuple[str, ...]:
    """The fields of a dataclass."""
    return tuple(f.name for f in dataclasses.fields(kind))


def computed_field(kind: type) -> str:
    """A field of a dataclass that is a property or another descriptor, which runs code when it is read; or ''."""
    for name in fields_of(kind):
        what = found(kind, name)
        if what is not None and hasattr(type(what.value), "__set__") and not _is_slot(what.value):
            return name
    return ""


def _is_slot(value: Any) -> bool:
    return isinstance(value, types.MemberDescriptorType)


def held(value: Any, name: str) -> Any:
    """What an object holds under a name: in a slot, its `__dict__`, or its class as a default; `MISSING` if nothing."""
    kind = type(value)
    where = slot(kind, name)
    if where is not None:
        try:
            return where.__get__(value, kind)
        except AttributeError:
            return MISSING
    default = found(kind, name)
    try:
        inside = object.__getattribute__(value, "__dict__")
    except AttributeError:
        inside = {}
    return inside.get(name, MISSING if default is None else default.value)


def slot(kind: type, name: str) -> types.MemberDescriptorType | None:
    """The slot in which objects of this class hold what bears a name; None where they hold it in their `__dict__`."""
    for base in kind.__mro__:
        where = vars(base).get(name)
        if isinstance(where, types.MemberDescriptorType):
            return where
    return None


def put(value: Any, name: str, item: Any) -> None:
    """Let an object hold something under a name, without its class's code."""
    where = slot(type(value), name)
    if where is not None:
        return where.__set__(value, item)
    object.__getattribute__(value, "__dict__")[name] = item


def shadowing(value: Any) -> Iterator[str]:
    """The names of what an object holds beside its fields, where its class has something else under the name."""
    try:
        inside = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return
    kind: Any = type(value)
    yield from (name for name in inside if name not in fields_of(kind) and found(kind, name) is not None)


def slots_of(kind: type) -> Iterator[str]:
    """The names of the slots of a class."""
    for base in kind.__mro__:
        yield from (name for name, what in vars(base).items() if isinstance(what, types.MemberDescriptorType))


def has_dict(kind: type) -> bool:
    """Whether objects of this class take any attribute."""
    return any("__dict__" in vars(base) for base in kind.__mro__)


def listed(target: Any) -> bool:
    """Whether this may stand in a table: its class has no code of its own that says what it is equal to."""
    own = (written(type(target), name) for name in ("__eq__", "__hash__"))
    return isinstance(target, Hashable) and not any(own)
