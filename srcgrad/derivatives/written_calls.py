"""Python that takes the arguments of a call apart and puts its result together, written for one list of structures.

What is written makes no structure of its own and walks over none: it compares classes, keys and lengths with those that
it was written for, and returns `_other` where they differ. It runs no code of the classes.
"""

from __future__ import annotations

import keyword
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from srcgrad.core.types import B1, C8, C16, F4, F8, I8, Type
from srcgrad.derivatives import arguments
from srcgrad.frontend.source import classes
from srcgrad.frontend.source.structure import Leaf, Node, Spec, Static, make, parts

SIMPLE = {
    float: F8,
    np.float64: F8,
    int: I8,
    bool: B1,
    np.float32: F4,
    complex: C16,
    np.complex128: C16,
    np.complex64: C8,
}
NARROW = (np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32)  # integers that 64 bits surely hold


class Unwritten(Exception):
    """Such a call is not written out: it goes the general way."""


class Other:
    """What a written call returns for arguments that it was not written for."""

    def __repr__(self) -> str:
        return "OTHER"


OTHER = Other()


def exact(value: Any, type: Type) -> bool:
    """Whether the compiled code takes this value as it is."""
    kind = value.__class__
    return kind is np.ndarray if type.ref else SIMPLE.get(kind) == type


@dataclass(eq=False)
class Writer:
    """The lines of one function, and what stands for its names.

    lines: what looks at the arguments; after: what looks at the result `out`; containers: names of the lists, dicts and
    objects that were taken apart; beside: where functions look that the lines call.
    """

    space: dict[str, Any] = field(default_factory=lambda: {"_other": OTHER, "_ndarray": np.ndarray})
    lines: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    containers: list[str] = field(default_factory=list)
    beside: list[Any] = field(default_factory=list)
    _count: int = 0

    def name(self, like: str = "v") -> str:
        """A new name of a local."""
        self._count += 1
        like = like if like.isidentifier() and like.isascii() and not keyword.iskeyword(like) else "v"
        return f"{like}_{self._count}"

    def hold(self, value: Any, like: str) -> str:
        """A name for an object, the same for the same object."""
        known = next((name for name, held in self.space.items() if held is value and name != "_other"), None)
        if known is None:
            self._count += 1
            known = f"_{like}_{self._count}"
            self.space[known] = value
        return known

    def unless(self, *conditions: str) -> None:
        """Go the other way where one of these does not hold."""
        self.lines.append(f"if not ({' and '.join(conditions)}): return _other")

    # ---- arguments

    def take(self, given: str, value: Any, spec: Spec) -> list[str]:
        """Take something of this structure apart. given: the name of it; gives the names of its leaves."""
        if isinstance(spec, Leaf):
            self.leaf(given, value, spec.type)
            return [given]
        if isinstance(spec, Static):
            self._static(given, value)
            return []
        names, children = self.children(given, value, spec)
        each = zip(names, children, spec.children, strict=True)
        return [leaf for name, child, inner in each for leaf in self.take(name, child, inner)]

    def children(self, given: str, value: Any, spec: Node) -> tuple[list[str], tuple[Any, ...]]:
        """Open a container: the names of what it holds, and what that is now."""
        kind, keys, children = parts(value)
        names = [self.name(str(key)) for key in keys]
        if kind is not spec.kind or keys != spec.keys or type(value) is not kind:
            raise Unwritten
        self.unless(f"type({given}) is {self._class(spec.kind)}")
        if not issubclass(spec.kind, tuple):
            self.containers.append(given)
        self._open(given, value, spec, names)
        return names, children

    def _class(self, kind: type) -> str:
        return kind.__name__ if kind in (tuple, list, dict) else self.hold(kind, "class")

    def _base(self, kind: type[Any]) -> str:
        base: type[Any] = classes.builtin_base(kind)  # type: ignore[arg-type]
        return self._class(base)

    def leaf(self, given: str, value: Any, type: Type) -> None:
        """A number or an array, converted where it has to be. Compiled code looks at types itself, but takes arrays of
        all subclasses, and numbers of a kind that is given, only."""
        if type.ref:
            if value.__class__ is not np.ndarray:
                raise Unwritten
            self.lines.append(f"if type({given}) is not _ndarray: return _other")
            if not arguments.as_compiled(value):
                self.unless(f"{given}.dtype.str[1:] == {type.dtype!r}", f"{given}.ndim == {type.rank}")
                self.lines.append(f"{given} = {self.hold(arguments.converter(type), 'converted')}({given})")
        elif value.__class__ is np.ndarray:
            self.unless(f"type({given}) is _ndarray", f"{given}.dtype.str == {value.dtype.str!r}", f"{given}.ndim == 0")
            self.lines.append(f"{given} = {self.hold(arguments.converter(type), 'converted')}({given})")
        elif not exact(value, type):
            if isinstance(value, np.ndarray) or (type == I8 and value.__class__ not in NARROW):
                raise Unwritten
            self.unless(f"type({given}) is {self.hold(value.__class__, 'class')}")
            self.lines.append(f"{given} = {self.hold(arguments.converter(type), 'converted')}({given})")

    def _static(self, given: str, value: Any) -> None:
        if value.__class__ is str:
            self.unless(f"type({given}) is str", f"{given} == {value!r}")
        else:
            self.unless(f"{given} is {self.hold(value, 'static')}")

    def _open(self, given: str, value: Any, spec: Node, names: Sequence[str]) -> None:
        """Bind these names to what the container holds."""
        kind, several = spec.kind, "".join(f"{name}, " for name in names)
        base = self._base(kind)
        if kind in (tuple, list):
            self.unless(f"len({given}) == {len(names)}")
            self.lines += [f"{several}= {given}"] if names else []
        elif issubclass(kind, dict):
            held = given if kind is dict else f"{base}.keys({given})"
            self.unless(f"tuple({held}) == {self.hold(spec.keys, 'keys')}")
            self.lines += [f"{several}= {base}.values({given})"] if names else []
        elif issubclass(kind, (tuple, list)):
            if hasattr(kind, "_fields"):
                self.unless(f"{self.hold(kind, 'class')}._fields is {self.hold(kind._fields, 'fields')}")
            self.lines.append(f"[{several}] = {base}.__iter__({given})")
        else:
            self._open_object(given, value, spec, names)

    def _open_object(self, given: str, value: Any, spec: Node, names: Sequence[str]) -> None:
        """A dataclass: what lies in slots, and what in its `__dict__`, which must hold nothing else."""
        if spec.keys != classes.fields_of(spec.kind):
            raise Unwritten
        slots = [classes.slot(spec.kind, key) for key in spec.keys]
        inside = self.name("inside")
        if classes.has_dict(spec.kind):
            held = tuple(object.__getattribute__(value, "__dict__"))
            self.lines.append(f"{inside} = {self.hold(object.__getattribute__, 'get')}({given}, '__dict__')")
            more = len(held) != slots.count(None)
            self.unless(f"tuple({inside}) == {held!r}" if more else f"len({inside}) == {len(held)}")
        for name, key, slot in zip(names, spec.keys, slots, strict=True):
            got = f"{inside}[{key!r}]" if slot is None else f"{self.hold(slot.__get__, 'slot')}({given})"
            self.lines.append(f"{name} = {got}")

    # ---- results

    def build(self, spec: Spec, leaves: Iterator[str], lines: list[str]) -> str:
        """An expression for something of this structure; lines: what goes before."""
        if isinstance(spec, Leaf):
            found = next(leaves)
            return f"{self.hold(np.float32, 'float32')}({found})" if spec.type == F4 else found
        if isinstance(spec, Static):
            return "None" if spec.value is None else self.hold(spec.value, "static")
        inner = [self.build(child, leaves, lines) for child in spec.children]
        together = ", ".join(inner)
        if spec.kind is tuple:
            return f"({together}{',' if len(inner) == 1 else ''})"
        if spec.kind is list:
            return f"[{together}]"
        if spec.kind is dict:
            return f"{{{', '.join(f'{key!r}: {item}' for key, item in zip(spec.keys, inner, strict=True))}}}"
        kind = self.hold(spec.kind, "class")
        if issubclass(spec.kind, tuple):
            base = self._base(spec.kind)
            return f"{base}.__new__({kind}, ({''.join(f'{item}, ' for item in inner)}))"
        plain = hasattr(spec.kind, "__dataclass_fields__") and not issubclass(spec.kind, (dict, list))
        if not plain or any(classes.slot(spec.kind, key) is not None for key in spec.keys):
            return f"{self.hold(make, 'make')}({kind}, {self.hold(spec.keys, 'keys')}, [{together}])"
        made, inside = self.name("made"), self.name("inside")
        lines.append(f"{made} = {self._base(spec.kind)}.__new__({kind})")
        lines.append(f"{inside} = {self.hold(object.__getattribute__, 'get')}({made}, '__dict__')")
        lines += [f"{inside}[{key!r}] = {item}" for key, item in zip(spec.keys, inner, strict=True)]
        return made
