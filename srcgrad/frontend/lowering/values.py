"""What names stand for while a function is lowered, and how the values of two paths become one."""

from __future__ import annotations

import ast
import functools
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Union

from srcgrad.core import ir
from srcgrad.core.ir import Atom, Const, Var
from srcgrad.errors import UnsupportedError
from srcgrad.frontend.source import wording
from srcgrad.frontend.source.liveness import Liveness
from srcgrad.frontend.source.read import Source
from srcgrad.frontend.source.structure import Leaf, Node, Spec, Static, static

TRUE, FALSE = Const(True, ir.B1), Const(False, ir.B1)
NOWHERE = Const(-1, ir.I8)
RESULT, VALUE = (
    "@result",
    "@value",
)  # what a function returns, and what an expression gives, among names that are joined


class Struct:
    """A tuple, list, dict, NamedTuple or object, taken apart.

    One that may be changed in place is an *object*: whoever holds it holds the same, so that a change through one name
    is seen through all; where paths meet, its content is joined, not what holds it. All others are values.

    rows: what a list of unknown length holds in the place of items, or why what it holds cannot be told.
    locked: why it must not be changed in place.   born: counts up, so that a region knows what is older than itself.
    site: of a dict, the node that made it.
    """

    __slots__ = ("born", "held", "keys", "kind", "label", "locked", "rows", "site", "value")

    def __init__(
        self,
        kind: type,
        keys: tuple[str, ...],
        items: tuple[Value, ...],
        rows: Rows | Poison | None = None,
        value: bool | None = None,
        locked: str = "",
    ) -> None:
        self.kind, self.keys, self.held, self.rows = kind, keys, items, rows
        self.value = not changeable(kind) if value is None else value
        self.locked = locked or ("" if changeable(kind) else "such an object cannot be changed")
        self.born, self.label, self.site = next(_BIRTHS), "", 0

    @property
    def items(self) -> tuple[Value, ...]:
        if isinstance(self.rows, Poison):
            raise UnsupportedError(self.rows.message, hint=self.rows.hint)
        if self.rows is not None:
            raise UnsupportedError(
                "the length of this list is not known here", hint="loop over it, index it, or make it an array"
            )
        return self.held

    def get(self, key: str) -> Value | None:
        return self.items[self.keys.index(key)] if key in self.keys else None

    @property
    def content(self) -> Content:
        return self.keys, self.held, self.rows

    @content.setter
    def content(self, content: Content) -> None:
        self.keys, self.held, self.rows = content

    def with_content(self, content: Content) -> Struct:
        """What it holds, as a value that can be joined with what it holds on another path."""
        return Struct(self.kind, *content, value=True, locked=self.locked)


_BIRTHS = itertools.count()


def spelling(name: str) -> str:
    """The part of a name of ours that a reader should see."""
    return name.strip("@").split("@")[0]


def now() -> int:
    """A moment: what is born later has a higher number."""
    return next(_BIRTHS)


class Frozen:
    """The kind of a distribution of SciPy's with its parameters, `norm(loc, scale)`."""


class Keyed:
    """The kind of a dict whose keys are computed: it holds a list of keys, and one of what stands under them."""


class KeyedSet:
    """The kind of a set whose items are computed: it holds a list of them."""


class KeyedItems:
    """The kind of what `items` of such a dict gives."""


class Record:
    """The kind of one record of a structured array."""


class Text:
    """The kind of a text that values are filled into: its one key is the template."""


class Generated:
    """The kind of what a call of a function that yields gives: its text, and its arguments."""


class Cell:
    """The kind of a box for a variable that a nested function writes."""


@functools.lru_cache(maxsize=512)
def changeable(kind: type) -> bool:
    """Whether objects of this class may be changed in place."""
    if issubclass(kind, tuple):
        return False
    params = getattr(kind, "__dataclass_params__", None)
    return not (params is not None and params.frozen)


@dataclass(frozen=True, eq=False, slots=True)
class Rows:
    """What a list of unknown length holds: its memory, one for each leaf of an item, and how many items there are.

    item: an item, of which only the structure and the types matter.   exact: the memory is not longer than the list.
    grows: the memory grows when it is stored to.   own: it is some list's, so that only the length can be joined.
    """

    item: Value
    memory: tuple[Var, ...]
    count: Atom
    exact: bool = True
    grows: bool = False
    own: bool = True


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


@dataclass(frozen=True, slots=True)
class Missing:
    """What a name is, in words, where it has no value, and what to do about it."""

    state: str
    hint: str


UNBOUND = Missing("not bound", "assign it on every path")
NONE = Missing("None", "ask `is None` first")


@dataclass(frozen=True, eq=False, slots=True)
class Maybe:
    """The value of a name that has one on some paths only, and whether it is there."""

    value: Value
    bound: Atom
    missing: Missing = UNBOUND


@dataclass(frozen=True, eq=False, slots=True)
class Absent:
    """What a name holds cannot be used on this path."""

    missing: Missing


@dataclass(frozen=True, eq=False, slots=True)
class Poison:
    """A name that cannot be read here, and why. pair: what it would be on either path."""

    message: str
    hint: str = ""
    pair: tuple[Value, Value] | None = None


LATER = Poison("bound by the turn before, in a turn that is looked at for the first time")
Value = Union[Var, Const, Struct, Known, Closure, Method, Maybe, Absent, Poison]
Content = tuple[tuple[str, ...], tuple[Value, ...], "Rows | Poison | None"]
Env = dict[str, Value]
ANY = (Var, Const, Struct, Known, Closure, Method, Maybe, Absent, Poison)


@dataclass(frozen=True, slots=True)
class Flags:
    """How a path has left the statements that it is in, as conditions, and what it returns if it has returned.

    ended: the test of a `while` that stands inside its body was false.   caught: something was raised that a `try`
    around catches (such a path counts as returned, too).   which: the number of its handler.   raised: nothing follows.
    """

    returned: Atom = FALSE
    broken: Atom = FALSE
    continued: Atom = FALSE
    ended: Atom = FALSE
    caught: Atom = FALSE
    which: Atom = NOWHERE
    raised: bool = False
    result: Value | None = None

    def get(self, name: str) -> Atom:
        return getattr(self, name)  # type: ignore[no-any-return]

    def but(self, **changed: Any) -> Flags:
        return replace(self, **changed)


# the conditions, and how they are spelled in generated source
JUMPS = {"returned": "ret", "broken": "brk", "continued": "cont", "ended": "end"}
CONDITIONS = {**JUMPS, "caught": "caught"}


@dataclass(eq=False)
class Frame:
    """One function being lowered: its text, its names, where free names are found, and what is being read."""

    source: Source
    name: str
    env: Env
    locals: frozenset[str]
    live: Liveness
    path: tuple[int, ...]
    node: ast.AST
    outer: Frame | None = None
    flags: Flags = Flags()
    loops: list[frozenset[str]] = field(default_factory=list)  # what each open loop hands on
    bound: set[Atom] = field(default_factory=set)  # what its names hold, or held
    stands_for: int = 0  # another frame's identity, for which it stands

    @property
    def kept(self) -> frozenset[str]:
        return frozenset().union(*self.loops)


# ---- keys of dicts


class Integer(str):
    """An integer that is the key of a dict, as a text that no string of the user's is."""

    __slots__ = ()


def key_of(value: Value) -> str | None:
    """The key that a value is; None if it is not known, or cannot be one."""
    match value:
        case Known(value=str() as text):
            return text
        case Const(value=number, type=ir.I8):
            return Integer(f"\0{int(number.real)}")
    return None


def of_key(key: str) -> Value:
    """A key as a value."""
    return Const(int(key[1:]), ir.I8) if isinstance(key, Integer) else Known(key)


def shown_key(key: str) -> str:
    return key[1:] if isinstance(key, Integer) else repr(key)


def integer_keys(value: Value) -> bool:
    """Whether there is a dict with integers as keys in it."""
    return isinstance(value, Struct) and (
        value.kind in (Keyed, KeyedItems, KeyedSet, set, frozenset)
        or any(isinstance(key, Integer) for key in value.keys)
        or any(map(integer_keys, value.held))
    )


# ---- values as leaves and a shape


def leaves(value: Value) -> Iterator[Atom]:
    """The atoms of a value; what an object holds is not among them (see `copied`)."""
    match value:
        case Var() | Const():
            yield value
        case Maybe():
            yield from leaves(value.value)
            yield value.bound
        case Struct(value=True, rows=Rows() as rows):
            yield from () if rows.own else rows.memory
            yield rows.count
        case Struct(value=True):
            for item in value.held:
                yield from leaves(item)


def spellings(value: Value, name: str) -> list[str]:
    """How the leaves of a name's value are spelled in generated source."""
    name = spelling(name)
    if isinstance(value, Maybe):
        return [*spellings(value.value, name), f"has_{name}"]
    return [name for _ in leaves(value)]


def refill(value: Value, atoms: Iterator[Atom]) -> Value:
    """A value of this shape with other leaves."""
    match value:
        case Var() | Const():
            return next(atoms)
        case Maybe():
            return Maybe(refill(value.value, atoms), next(atoms), value.missing)
        case Struct(value=True, rows=Rows() as rows):
            memory: Any = rows.memory if rows.own else tuple(next(atoms) for _ in rows.memory)
            new = replace(rows, memory=memory, count=next(atoms))
            return Struct(value.kind, (), (), new, value=True, locked=value.locked)
        case Struct(value=True):
            items = tuple(refill(item, atoms) for item in value.held)
            return Struct(value.kind, value.keys, items, value.rows, value=True, locked=value.locked)
    return value


def map_leaves(value: Value, f: Callable[[Atom], Atom]) -> Value:
    return refill(value, iter([f(atom) for atom in leaves(value)]))


def spec_of(value: Value) -> Spec:
    match value:
        case Var() | Const():
            return Leaf(value.type)
        case Struct(rows=Rows() as rows):
            return Node(value.kind, ("@rows",), (spec_of(rows.item), *(Leaf(m.type) for m in rows.memory)))
        case Struct():
            return Node(value.kind, value.keys, tuple(map(spec_of, value.items)))
        case Known():
            return static(value.value)
    return Static(value)


def describe(value: Value | None) -> str:
    """What a value is, in words."""
    match value:
        case Var() | Const():
            return wording.of_type(value.type)
        case Struct(kind=kind) if kind is Text:
            return "a text"
        case Struct(kind=kind) if kind is Keyed:
            return "a dict with computed keys"
        case Struct(kind=kind) if kind is KeyedSet or kind is set:
            return "a set"
        case Struct(rows=None):
            return wording.of_items(value.kind, value.keys, [describe(item) for item in value.held])
        case Struct():
            return f"a {value.kind.__name__} of unknown length"
        case Known(value=str()):
            return f"the string {value.value!r}"
        case Known():
            return wording.of_object(value.value)
        case Maybe():
            return describe(value.value)
        case Closure():
            return f"the function {value.node.name}" if isinstance(value.node, ast.FunctionDef) else "a lambda"
        case Method():
            return f"the method `{value.name}`"
    return "nothing"


# ---- joining


def same_shape(a: Value, b: Value) -> bool:
    """Whether two values have the same structure, so that their leaves correspond. An object is like itself only."""
    match a, b:
        case ((Var() | Const()), (Var() | Const())):
            return True
        case Maybe(), Maybe():
            return a.missing == b.missing and same_shape(a.value, b.value)
        case Struct(value=True), Struct(value=True) if a.kind is b.kind and a.keys == b.keys:
            if isinstance(a.rows, Rows) and isinstance(b.rows, Rows):
                return same_rows(a.rows, b.rows)
            return a.rows is b.rows and all(map(same_shape, a.held, b.held))
        case Known(), Known():
            return same_object(a.value, b.value)
    return a is b


def same_rows(a: Rows, b: Rows) -> bool:
    """Whether two lists hold their items alike: in the same memory, or, of different lists, in memory of one type."""
    if a.own or b.own:
        return a.memory == b.memory and a.own == b.own
    alike = [x.type for x in a.memory] == [y.type for y in b.memory] and not any(m.type.many for m in a.memory)
    return alike and a.exact and b.exact and same_shape(a.item, b.item)


def same_object(a: Any, b: Any) -> bool:
    return a is b or (type(a) is type(b) and isinstance(a, (str, int, float, bool, tuple, type(None))) and a == b)


View = Mapping[Struct, Content]
EITHER = "it may be one of several objects here"


def seen(value: Value) -> Value:
    """As `copied`, only to be looked at: the objects may still be changed."""
    return copied(value, lock=False)


def copied(value: Value, view: View = {}, locked: str = EITHER, lock: bool = True) -> Value:  # noqa: B006
    """The value with all objects replaced by what they hold."""
    if not isinstance(value, Struct):
        return value
    keys, held, rows = view.get(value, value.content)
    if lock:
        value.locked = value.locked or locked
    if isinstance(rows, Rows):
        rows = replace(rows, own=False)
    return Struct(value.kind, keys, tuple(copied(v, view, locked, lock) for v in held), rows, value=True, locked=locked)


def placeholder(type: ir.Type) -> Atom:
    """Anything of this type; of an array a name that stands for one (see `is_placeholder`)."""
    if type.ref:
        return Var(PLACEHOLDER, type)
    return Const({"f": 0.0, "c": 0j, "i": 0, "b": False}[type.dtype[0]], type)


PLACEHOLDER = "@none"


def is_placeholder(atom: Atom) -> bool:
    """Whether it stands for an array that is not there: one that nobody reads is to be made in its place."""
    return isinstance(atom, Var) and atom.name == PLACEHOLDER


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
