"""What names stand for while a function is lowered, and how the values of two paths become one."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Union

import numpy as np

from srcgrad.core import ir
from srcgrad.core.ir import Atom, Const, Var
from srcgrad.syntax.liveness import Liveness
from srcgrad.syntax.read import Source
from srcgrad.syntax.structure import Leaf, Node, Spec, Static

TRUE, FALSE = Const(True, ir.B1), Const(False, ir.B1)
RETURNED, BROKEN, CONTINUED, ENDED, RAISED = "@ret", "@brk", "@cont", "@end", "@raise"
FLAGS = (RETURNED, BROKEN, CONTINUED, ENDED)
RESULT, VALUE = "@result", "@value"


@dataclass(frozen=True, eq=False, slots=True)
class Struct:
    """A tuple, list, dict, NamedTuple or dataclass, taken apart."""

    kind: type
    keys: tuple[str, ...]
    items: tuple[Value, ...]

    def get(self, key: str) -> Value | None:
        return self.items[self.keys.index(key)] if key in self.keys else None


@dataclass(frozen=True, eq=False, slots=True)
class Known:
    """A Python object that is seen (a function, a module, a string, None, a dtype), and where it was found."""

    value: Any
    origin: Any = None


@dataclass(frozen=True, eq=False, slots=True)
class Closure:
    """A nested function or lambda. Free names are looked up in the frame where it was made, when it runs."""

    node: ast.FunctionDef | ast.Lambda
    frame: Frame
    defaults: tuple[Value, ...] = ()
    kw_defaults: tuple[Value | None, ...] = ()


@dataclass(frozen=True, eq=False, slots=True)
class Method:
    """An attribute of a value that only makes sense when called: `x.sum`."""

    owner: Value
    name: str


@dataclass(frozen=True, eq=False, slots=True)
class Maybe:
    """A scalar of a name that is bound on some paths only."""

    value: Atom
    bound: Atom


@dataclass(frozen=True, eq=False, slots=True)
class Poison:
    """A name that cannot be read here, and why."""

    message: str
    hint: str = ""


Value = Union[Var, Const, Struct, Known, Closure, Method, Maybe, Poison]
Env = dict[str, Value]
ANY = (Var, Const, Struct, Known, Closure, Method, Maybe, Poison)


@dataclass(eq=False)
class Frame:
    """One function being lowered: its text, its names, and where free names are found."""

    source: Source
    name: str
    env: Env
    locals: frozenset[str]
    live: Liveness
    path: tuple[int, ...]
    outer: Frame | None = None
    loops: list[frozenset[str]] = field(default_factory=list)  # what each open loop hands on

    @property
    def kept(self) -> frozenset[str]:
        return frozenset().union(*self.loops)


# ---- values as leaves and a shape


def leaves(value: Value) -> Iterator[Atom]:
    match value:
        case Var() | Const():
            yield value
        case Maybe():
            yield from (value.value, value.bound)
        case Struct():
            for item in value.items:
                yield from leaves(item)


def refill(value: Value, atoms: Iterator[Atom]) -> Value:
    """A value of this shape with other leaves."""
    match value:
        case Var() | Const():
            return next(atoms)
        case Maybe():
            return Maybe(next(atoms), next(atoms))
        case Struct():
            return Struct(value.kind, value.keys, tuple(refill(item, atoms) for item in value.items))
    return value


def map_leaves(value: Value, f: Callable[[Atom], Atom]) -> Value:
    return refill(value, iter([f(atom) for atom in leaves(value)]))


def spec_of(value: Value) -> Spec:
    match value:
        case Var() | Const():
            return Leaf(value.type)
        case Struct():
            return Node(value.kind, value.keys, tuple(map(spec_of, value.items)))
        case Known():
            return Static(value.value)
    return Static(value)


def describe(value: Value | None) -> str:
    """What a value is, in words."""
    match value:
        case Var() | Const():
            if value.type.is_scalar:
                return {"f": "a float", "i": "an integer", "b": "a bool"}.get(value.type.dtype[0], "a number")
            return f"a {value.type.rank}-dimensional array of {value.type.dtype}"
        case Struct():
            return f"a {value.kind.__name__} of {len(value.items)}"
        case Known(value=None):
            return "None"
        case Known():
            return f"{getattr(value.value, '__name__', repr(value.value))}"
        case Closure() | Method():
            return "a function"
    return "nothing"


# ---- joining


class Mismatch(Exception):
    """Two paths give a name values that cannot be one."""


def join_type(a: ir.Type, b: ir.Type, weak_a: bool = False, weak_b: bool = False) -> ir.Type:
    """The type of a name that is a on one path and b on another; a literal gives way to the other side's precision."""
    if a == b:
        return a
    if not (a.is_scalar and b.is_scalar):
        raise Mismatch
    if a.is_complex or b.is_complex:
        return ir.Type(np.result_type(np.dtype(a.dtype), np.dtype(b.dtype)).str[1:])
    order = ["b1", "i8", "f4", "f8"]
    if a.dtype not in order or b.dtype not in order:
        raise Mismatch
    pair = {a.dtype, b.dtype}
    if pair == {"f4", "f8"} and (weak_a if a.dtype == "f8" else weak_b):
        return ir.F4
    return ir.Type(max(pair, key=order.index))


def join_atoms(a: Atom, b: Atom) -> ir.Type:
    return join_type(a.type, b.type, isinstance(a, Const), isinstance(b, Const))


def same_shape(a: Value, b: Value) -> bool:
    """Whether two values have the same structure, so that their leaves correspond."""
    match a, b:
        case ((Var() | Const()), (Var() | Const())):
            return True
        case Maybe(), Maybe():
            return True
        case Struct(), Struct():
            return a.kind is b.kind and a.keys == b.keys and all(map(same_shape, a.items, b.items))
        case Known(), Known():
            return same_object(a.value, b.value)
    return a is b


def same_object(a: Any, b: Any) -> bool:
    return a is b or (type(a) is type(b) and isinstance(a, (str, int, float, bool, tuple, type(None))) and a == b)


def align(a: Value | None, b: Value | None, name: str) -> tuple[Value, Value] | Poison:
    """The two values in one structure, or why there is none. A name bound on one side only becomes a `Maybe`."""
    if isinstance(a, Poison):
        return a
    if isinstance(b, Poison):
        return b
    if a is None or b is None or isinstance(a, Maybe) != isinstance(b, Maybe):
        a, b = maybe(a, b), maybe(b, a)
    if a is None or b is None:
        return Poison(f"`{name}` may be unbound here", "assign it before the branch or the loop")
    if not same_shape(a, b) or not all(map(joinable, leaves(a), leaves(b))):
        return Poison(f"`{name}` is {describe(a)} on one path and {describe(b)} on another", "use two names")
    return a, b


def joinable(a: Atom, b: Atom) -> bool:
    try:
        join_atoms(a, b)
    except Mismatch:
        return False
    return True


def maybe(value: Value | None, other: Value | None) -> Maybe | None:
    """value as a `Maybe`, if it and the other are scalars."""
    match value:
        case Maybe():
            return value
        case Var() | Const() if value.type.is_scalar:
            return Maybe(value, TRUE)
        case None:
            scalar = other.value if isinstance(other, Maybe) else other
            if isinstance(scalar, (Var, Const)) and scalar.type.is_scalar:
                return Maybe(placeholder(scalar.type), FALSE)
    return None


def placeholder(type: ir.Type) -> Const:
    return Const({"f": 0.0, "c": 0j, "i": 0, "b": False}[type.dtype[0]], type)


def identical(a: Value | None, b: Value | None) -> bool:
    """Whether both are the very same, so that nothing is to be joined."""
    if a is b:
        return True
    if isinstance(a, Const) and isinstance(b, Const):
        return a.type == b.type and repr(a.value) == repr(b.value)
    if isinstance(a, Struct) and isinstance(b, Struct) and same_shape(a, b):
        return all(identical(x, y) for x, y in zip(leaves(a), leaves(b), strict=True))
    return isinstance(a, Known) and isinstance(b, Known) and same_object(a.value, b.value)


def struct(items: Sequence[Value], kind: type = tuple) -> Struct:
    return Struct(kind, tuple(map(str, range(len(items)))), tuple(items))
