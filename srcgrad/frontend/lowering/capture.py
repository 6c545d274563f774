"""Names that a function takes from around it: numbers and arrays become parameters, read afresh at each call; the rest
is seen when the function is transformed, and compared at each call."""

from __future__ import annotations

import builtins
import enum
import math
import types
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np

from srcgrad.core import ir
from srcgrad.core.ir import Atom, Const, Var
from srcgrad.errors import UnboundError, UnsupportedError
from srcgrad.frontend.lowering.values import Known, Struct, Value
from srcgrad.frontend.source import wording
from srcgrad.frontend.source.classes import ALLOWED, STAND_INS, of_user
from srcgrad.frontend.source.origins import Origin as Origin
from srcgrad.frontend.source.origins import default_of, unchanged
from srcgrad.frontend.source.structure import Leaf, Records, as_array, is_table, parts
from srcgrad.frontend.source.structure import describe as describe_value

_CONSTANTS = (math.pi, math.e, math.tau, math.inf, math.nan, np.pi, np.e, np.inf, np.nan, np.euler_gamma)


@dataclass(frozen=True, eq=False, slots=True)
class Local:
    """Where a function that stands inside another one finds what it takes from that. owner: what that one captures."""

    owner: Captures
    atom: Atom
    name: str

    @property
    def key(self) -> tuple[Any, ...]:
        return "@local", id(self.owner), id(self.atom)

    def read(self) -> NoReturn:
        raise UnsupportedError(f"`{self.name}` is a variable of another function", hint="pass it as an argument")


@dataclass(frozen=True, eq=False)
class Captured:
    """A number or an array that is read afresh at each call, and the parameter that takes it."""

    param: Var
    origin: Origin | Local

    @property
    def name(self) -> str:
        return self.param.name

    @property
    def spec(self) -> Leaf:
        return Leaf(self.param.type)

    def read(self) -> Any:
        return self.origin.read()


@dataclass(frozen=True, eq=False)
class StaticUse:
    """A value that the transformation has seen: if it reads otherwise now, the transformation is out of date."""

    origin: Origin
    value: Any
    shape: tuple[type | None, tuple[str, ...]] | None = None  # of a container only its structure was seen

    def holds(self) -> bool:
        now = self.origin.read()
        if self.shape is not None:
            return parts(now)[:2] == self.shape
        return unchanged(now, self.value)


@dataclass(eq=False)
class Captures:
    """What one core function has captured so far."""

    entries: dict[Any, Captured] = field(default_factory=dict)
    statics: dict[Any, StaticUse] = field(default_factory=dict)
    arrays: set[Var] = field(default_factory=set)  # the parameters that take arrays
    recorded: set[tuple[int, str]] = field(default_factory=set)  # names of modules that the function changes
    foreign: set[Var] = field(default_factory=set)  # those that take other libraries' arrays
    weak: set[Var] = field(default_factory=set)  # those that take Python's own floats

    def record(self, fun: types.FunctionType, name: str) -> None:
        """What is recorded into must not be read."""
        self.recorded.add((id(fun.__globals__), name))
        if any(key[:2] == (id(fun.__globals__), name) for key in (*self.entries, *self.statics)):
            raise UnsupportedError(
                f"`{name}` is changed, and read in the same function", hint="return the value instead"
            )

    def name(self, fun: types.FunctionType, name: str) -> Value:
        if (id(fun.__globals__), name) in self.recorded and name not in fun.__code__.co_freevars:
            raise UnsupportedError(
                f"`{name}` is changed, and read in the same function", hint="return the value instead"
            )
        if name in fun.__code__.co_freevars:
            cell = (fun.__closure__ or ())[fun.__code__.co_freevars.index(name)]
            origin = Origin(cell, name)
        elif name in fun.__globals__:
            origin = Origin(fun.__globals__, name)
        elif hasattr(builtins, name):
            return Known(getattr(builtins, name))
        else:
            known = {*fun.__globals__, *fun.__code__.co_varnames, *fun.__code__.co_freevars, *vars(builtins)}
            hint = wording.meant(name, known - {name}, "define it before the function is called")
            raise UnboundError(f"the name `{name}` is not defined", hint=hint)
        try:
            value = origin.read()
        except ValueError:
            hint = "give it one before the derivative is called"
            raise UnboundError(f"the name `{name}` has no value yet", hint=hint) from None
        if isinstance(value, float) and str(fun.__module__).startswith(STAND_INS):
            return Const(value, ir.F8)
        return self.object(value, origin)

    def attribute(self, known: Known, name: str) -> Value:
        """An attribute of an object that is seen."""
        if not hasattr(known.value, name):
            owner = known.value
            what = f"`{owner.__name__}`" if hasattr(owner, "__name__") else wording.of_object(owner)
            hint = wording.meant(name, dir(owner), "look up how it is called")
            raise UnsupportedError(f"{what} has no attribute `{name}`", hint=hint)
        value = getattr(known.value, name)
        if isinstance(known.value, types.ModuleType) and known.value.__name__.split(".")[0] in ALLOWED:
            return Const(float(value), ir.F8) if isinstance(value, float) else Known(value)
        origin = known.origin
        if isinstance(known.value, type) and of_user(known.value):
            return self.of_class(known.value, name)
        if origin is None:
            if of_user(known.value) and not isinstance(known.value, enum.Enum) and not callable(value):
                raise UnsupportedError(f"`{name}` is read from an object", hint="pass it as an argument")
            if isinstance(value, (float, np.floating, np.ndarray)):
                raise UnsupportedError(f"`{name}` is read from an object", hint="pass the number as an argument")
            return self.plain(value)
        return self.object(value, origin.then(".", name))

    def of_class(self, kind: type, name: str) -> Value:
        """An attribute of a class, read through one of its objects."""
        return self.object(getattr(kind, name), Origin(kind, name))

    def object(self, value: Any, origin: Origin) -> Value:
        if isinstance(value, (float, np.floating)) and not isinstance(value, np.longdouble):
            if any(value is constant for constant in _CONSTANTS):
                self._static(value, origin)
                return Const(float(value), ir.F8)
            return self._entry(value, origin)
        if isinstance(value, np.ndarray) and not (value.dtype.names and value.ndim):
            if value.dtype.kind not in "fciub" or value.ndim == 0:
                message = f"`{origin}` is a {value.ndim}-D array of {value.dtype}"
                raise UnsupportedError(message, hint="use arrays of numbers")
            return self._entry(value, origin)
        kind, keys, children = parts(value)
        if kind is not None:
            how = "[" if issubclass(kind, (dict, tuple, list, Records)) else "."
            places = map(str, range(len(keys))) if isinstance(value, tuple) else keys
            steps = [origin.then(how, place) for place in places]
            items = [self.object(child, step) for child, step in zip(children, steps, strict=True)]
            self.statics[origin.key] = StaticUse(origin, value, shape=(kind, keys))
            locked = f"`{origin}` is not the function's own; pass it as an argument, or copy it"
            return Struct(kind, keys, tuple(items), locked=locked)
        array = as_array(value)
        if array is not None:
            return self._entry(array, origin.then("()", "array"))
        if not isinstance(value, types.ModuleType) and not is_table(value):
            self._static(value, origin)
        return self.plain(value, origin)

    def array(self, known: Known) -> Value:
        """What np.asarray makes of another library's array or table."""
        made = np.asarray(known.value)
        if made.dtype.kind not in "fciub" or not made.ndim or known.origin is None:
            hint = "give each column as an array of numbers"
            raise UnsupportedError(f"{wording.of_object(known.value)} is no array of numbers", hint=hint)
        return self._entry(made, known.origin.then("()", "array"))

    def column(self, known: Known, name: str) -> Value:
        """A column of a table, by its name."""
        if known.origin is None or name not in known.value:
            hint = "give the column: table[name].to_numpy()"
            raise UnsupportedError(f"`{name}` is read from {wording.of_object(known.value)}", hint=hint)
        return self.object(known.value[name], known.origin.then("[", name))

    def given(self, value: Any, cell: types.CellType | None, name: str) -> Value:
        """An object that stands as an argument: what is read of it is read, or compared, at each call."""
        return self.plain(value, None if cell is None else Origin(cell, name))

    def plain(self, value: Any, origin: Origin | None = None) -> Value:
        """An object whose value is part of the program."""
        if isinstance(value, (bool, np.bool_)):
            return Const(bool(value), ir.B1)
        if isinstance(value, (int, np.integer)):
            return Const(int(value), ir.I8)
        if isinstance(value, (complex, np.complexfloating)):
            return Const(complex(value), ir.C8 if isinstance(value, np.complex64) else ir.C16)
        return Known(value, origin)

    def default(self, fun: types.FunctionType, name: str) -> Value:
        """A parameter's default: a number is a literal."""
        value = default_of(fun, name)
        if isinstance(value, float):
            return Const(float(value), ir.F8)
        return self.object(value, Origin(fun, name))

    def adopt(self, captured: Captured) -> Atom:
        """What another function has captured: a variable of this one, or a parameter of this one for it."""
        if isinstance(captured.origin, Local) and captured.origin.owner is self:
            return captured.origin.atom
        if captured.origin.key not in self.entries:
            self.entries[captured.origin.key] = Captured(Var(captured.name, captured.param.type), captured.origin)
        return self.entries[captured.origin.key].param

    def _entry(self, value: Any, origin: Origin) -> Var:
        if origin.key not in self.entries:
            spec = describe_value(value)
            assert isinstance(spec, Leaf)
            name = "_".join([origin.name, *(step for how, step in origin.path if how != "()")])
            self.entries[origin.key] = Captured(Var(name, spec.type), origin)
            if spec.type.ref:
                self.arrays.add(self.entries[origin.key].param)
            if origin.path and origin.path[-1][0] == "()":
                self.foreign.add(self.entries[origin.key].param)
            if type(value) is float:
                self.weak.add(self.entries[origin.key].param)
        return self.entries[origin.key].param

    def _static(self, value: Any, origin: Origin) -> None:
        self.statics[origin.key] = StaticUse(origin, value)
