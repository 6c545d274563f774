"""What a function is made of, as a hash: its code, the functions it reaches, and the values it takes from around it.

Numbers and arrays that a compiled derivative reads afresh at each call count by their type only; all else by value.
"""

from __future__ import annotations

import hashlib
import math
import sys
import types
from collections.abc import Iterable
from dataclasses import MISSING, dataclass, field
from typing import Any

import numpy as np

from srcgrad.frontend.source.functions import is_jitted, module_of
from srcgrad.frontend.source.structure import Leaf, Node, Spec, parts

LIBRARIES = (
    *("math", "numpy", "operator", "builtins", "scipy", "cmath", "numba", "functools", "itertools", "srcgrad"),
    *("copy", "dataclasses"),
)
DIFFERENTIATED = "srcgrad.optimize."  # the solvers, which are read and compiled like functions of users
CONSTANTS = (math.pi, math.e, math.tau, math.inf, float(np.euler_gamma))
PLAIN = (int, bool, str, bytes, complex, type(None), type(Ellipsis))


@dataclass(eq=False)
class Fingerprint:
    """The hash being made, and on the way: the places where values were found.

    spaces: dicts of globals and cells, in a fixed order; seen: (id of a space, name) of what was looked at, '' for all;
    portable: whether another process can come to the same hash; shapes: whether those of arrays count.
    exact: whether all numbers and arrays count by value; functions: those of the user's that were met, in fixed order.
    """

    spaces: list[Any] = field(default_factory=list)
    seen: set[tuple[int, str]] = field(default_factory=set)
    portable: bool = True
    _hash: Any = field(default_factory=lambda: hashlib.blake2b(digest_size=20))
    _visited: dict[int, int] = field(default_factory=dict)
    _alive: list[Any] = field(default_factory=list)
    shapes: bool = False
    exact: bool = False
    functions: list[types.FunctionType] = field(default_factory=list)

    def hexdigest(self) -> str:
        return str(self._hash.hexdigest())

    def copy(self) -> Fingerprint:
        return Fingerprint(
            list(self.spaces),
            set(self.seen),
            self.portable,
            self._hash.copy(),
            dict(self._visited),
            list(self._alive),
            self.shapes,
            self.exact,
            list(self.functions),
        )

    def text(self, *words: Any) -> None:
        self._hash.update(repr(words).encode())

    def value(self, value: Any, by_type: bool = False) -> None:
        """Take in any object; with `by_type`, floats and arrays count by their type only."""
        by_type = by_type and not self.exact
        if isinstance(value, (float, np.floating)):
            exact = not by_type or value in CONSTANTS or value != value
            self.text(type(value).__name__, float(value).hex() if exact else "")
        elif isinstance(value, PLAIN) or isinstance(value, (np.integer, np.bool_)):
            self.text(type(value).__name__, value)
        elif isinstance(value, np.ndarray):
            self.text("array", value.dtype.str, value.shape if self.shapes else value.ndim)
            if not by_type:
                self.text(value.shape, hashlib.blake2b(np.ascontiguousarray(value).tobytes()).digest())
        elif self._first_visit(value):
            self._object(value, by_type)

    def _first_visit(self, value: Any) -> bool:
        number = self._visited.setdefault(id(value), len(self._visited))
        if number != len(self._visited) - 1 or number != len(self._alive):
            self.text("again", number)
            return False
        self._alive.append(value)
        return True

    def _object(self, value: Any, by_type: bool) -> None:
        inner = getattr(type(value), "__srcgrad_parts__", None)
        if inner is not None:
            self.text(type(value).__name__)
            self._all(inner(value), by_type=False)
        elif isinstance(value, types.FunctionType):
            self._function(value)
        elif is_jitted(value):
            self.text("jitted")
            self.value(value.py_func)
        elif isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], types.CellType):
            self._place(value[1], value[0], _contents(value[1]), ())
        elif isinstance(value, types.MethodType):
            self.value(value.__func__)
            self.value(value.__self__, by_type)
        elif isinstance(value, types.ModuleType):
            self.text("module", value.__name__)  # its own `__getattr__` is asked for nothing
        elif isinstance(value, (types.BuiltinFunctionType, np.ufunc, np.dtype)):
            self.text(type(value).__name__, getattr(value, "__name__", str(value)), getattr(value, "__module__", ""))
        elif isinstance(value, type):
            self._class(value)
        else:
            self._container(value, by_type)

    def _container(self, value: Any, by_type: bool) -> None:
        kind, keys, children = parts(value)
        if kind is None and isinstance(value, (set, frozenset)):
            return self.text("set", sorted(map(repr, value)))
        if kind is None and of_user(value):
            kind, keys, children = type(value), tuple(vars(value)), tuple(vars(value).values())
        if kind is None:
            self.portable = False
            return self.text("object", type(value).__qualname__, id(value))
        self.text(keys)
        self.value(kind)
        self._all(children, by_type)

    def _all(self, values: Iterable[Any], by_type: bool) -> None:
        for value in values:
            self.value(value, by_type)
        self.text("end")

    def _class(self, kind: type) -> None:
        self.text("class", kind.__module__, kind.__qualname__, getattr(kind, "_fields", ()))
        meta: Any = type(kind)
        for base in (*kind.__mro__, *meta.__mro__):
            if base.__module__.split(".")[0] in LIBRARIES or (base is not kind and _installed(base.__module__)):
                self.text(base.__module__, base.__qualname__, _version(base.__module__))
                continue
            for name, value in vars(base).items():
                self.text(name)
                self._all(_functions(value), by_type=False)
            for member in vars(base).get("__dataclass_fields__", {}).values():
                self.text(member.name, member.init, member.compare, member.kw_only)
                self._all([v for v in (member.default, member.default_factory) if v is not MISSING], by_type=False)
            self._all(getattr(base, "_field_defaults", {}).values(), by_type=False)

    def _function(self, fun: types.FunctionType) -> None:
        self.text("function", fun.__module__, fun.__qualname__)
        if of_library(fun) and not module_of(fun).startswith(DIFFERENTIATED):
            return
        if not of_library(fun):
            self.functions.append(fun)
        names = dict.fromkeys(self._code(fun.__code__))
        self._all(fun.__defaults__ or (), by_type=False)
        self._all((fun.__kwdefaults__ or {}).values(), by_type=False)
        for name, cell in zip(fun.__code__.co_freevars, fun.__closure__ or (), strict=True):
            self._place(cell, name, _contents(cell), names)
        for name in names:
            if name in fun.__globals__:
                self._place(fun.__globals__, name, fun.__globals__[name], names)

    def _place(self, space: Any, name: str, value: Any, names: Iterable[str]) -> None:
        """What a name stands for in a dict of globals or a cell, with those of its attributes that the code names."""
        if not any(space is known for known in self.spaces):
            self.spaces.append(space)
        self.seen.add((id(space), name))
        self.text(name)
        self.value(value, by_type=True)
        if isinstance(value, types.ModuleType) and value.__name__.split(".")[0] not in LIBRARIES:
            for attribute in names:
                if attribute in vars(value):
                    self.text(attribute)
                    self.value(vars(value)[attribute], by_type=True)

    def _code(self, code: types.CodeType) -> Iterable[str]:
        """Take in a code object and those inside it; gives the names that it looks up."""
        self.text(code.co_code, code.co_varnames, code.co_names, code.co_freevars, code.co_flags, code.co_argcount)
        self.text(code.co_kwonlyargcount, code.co_posonlyargcount, getattr(code, "co_exceptiontable", b""))
        yield from code.co_names
        for const in code.co_consts:
            if isinstance(const, types.CodeType):
                yield from self._code(const)
            else:
                self.text(type(const).__name__, const)

    def spec(self, spec: Spec) -> None:
        """Take in the description of an argument."""
        if isinstance(spec, Leaf):
            self.text(spec.type.dtype, spec.type.rank, spec.type.ref)
        elif isinstance(spec, Node):
            self.text("node", spec.keys)
            self.value(spec.kind)
            for child in spec.children:
                self.spec(child)
            self.text("end")
        else:
            self.text("static")
            self.value(spec.value, by_type=spec.cell is not None)
            if spec.cell is not None:
                self.spaces.append(spec.cell)
                self.seen.add((id(spec.cell), ""))


def _installed(module: str) -> bool:
    """Whether a module is the interpreter's, or was installed beside it: its version says what it is."""
    top = module.split(".")[0]
    file = str(getattr(sys.modules.get(module), "__file__", ""))
    return (top in sys.stdlib_module_names and top != "__main__") or "site-packages" in file or "dist-packages" in file


def _version(module: str) -> str:
    return str(getattr(sys.modules.get(module.split(".")[0]), "__version__", ""))


def _functions(value: Any) -> list[types.FunctionType]:
    """What an attribute of a class runs when it is used: the function of a method, those of a property."""
    inner = (value.fget, value.fset) if isinstance(value, property) else (getattr(value, "__func__", value),)
    return [f for f in inner if isinstance(f, types.FunctionType) and not f.__code__.co_filename.startswith("<string")]


def of_library(fun: types.FunctionType) -> bool:
    """Whether a library has written this function. Where it was written counts: a wrapper may bear another's name, and
    what a doctest defines stands in the namespace of the module that is tested."""
    typed = fun.__code__.co_filename.startswith(("<doctest", "<stdin", "<ipython"))
    return not typed and module_of(fun).split(".")[0] in LIBRARIES


def of_user(value: Any) -> bool:
    """Whether this is an object of a class that a user wrote, whose attributes say all of it."""
    kind = type(value)
    if kind.__module__.split(".")[0] in LIBRARIES or not hasattr(value, "__dict__"):
        return False
    odd = ("__slots__", "__getattr__", "__getattribute__")
    return not any(name in vars(base) for base in kind.__mro__[:-1] for name in odd)


def _contents(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return "<empty cell>"


def fingerprint(fun: Any, shapes: bool = False, exact: bool = False) -> Fingerprint:
    """The fingerprint of a function, to be copied and added to."""
    out = Fingerprint(shapes=shapes, exact=exact)
    out.value(fun)
    return out
