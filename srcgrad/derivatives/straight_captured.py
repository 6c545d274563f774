"""What a written call does about what a function captures: it reads numbers and arrays, and compares what the
transformation has seen, each where the function would find it."""

from __future__ import annotations

import keyword
from collections.abc import Container, Sequence
from typing import Any

from srcgrad.compiler.find_or_make import Place
from srcgrad.derivatives.one_call import Call
from srcgrad.derivatives.written_calls import Unwritten, Writer
from srcgrad.frontend.source.origins import unchanged
from srcgrad.frontend.source.structure import Node, parts


def read(out: Writer, call: Call, fixed: Container[int], sized: bool) -> list[str]:
    """Compare what was seen, and read what is captured; gives the names of the latter. fixed: ids of what never
    changes; sized: whether arrays hold about as much as now."""
    bound, meta, reads = call.bound, call.meta, _Reads(out, call.bound.spaces)
    each = zip(meta.seen, bound.checks, strict=True)
    for seen, check in sorted(each, key=lambda pair: len(pair[0].place.path)):  # what holds others first
        if id(bound.spaces[seen.place.space]) in fixed:
            continue
        if not (reads.container(seen.place) if seen.container else reads.value(seen.place)):
            out.unless(f"{out.hold(check, 'unchanged')}()")
            out.beside.append(bound.spaces[seen.place.space])
    names = []
    types = meta.types[len(meta.types) - len(bound.read) :]
    for place, reader, type in zip(meta.captured, bound.read, types, strict=True):
        names.append(out.name(place.name))
        where = reads.found(place)
        if where is None:
            where = f"{out.hold(reader, 'read')}()"
            out.beside.append(bound.spaces[place.space])
        out.lines.append(f"{names[-1]} = {where}")
        out.leaf(names[-1], reader(), type)
        if sized and type.ref:
            out.unless(f"{names[-1]}.size <= {out.hold(2 * reader().size, 'most')}")
    return names


class _Reads:
    """Where things are, as expressions; what others lie in has a name of its own."""

    def __init__(self, out: Writer, spaces: Sequence[Any]) -> None:
        self._out, self._spaces = out, spaces
        self._names: dict[Place, str] = {}

    def value(self, place: Place) -> bool:
        """Compare an object; False if it is not within reach."""
        now = self.found(place)
        if now is None:
            return False
        value = place.reader(self._spaces)()
        then, alike = self._out.hold(value, "seen"), self._out.hold(unchanged, "unchanged")
        self._out.lines.append(f"if {now} is not {then} and not {alike}({now}, {then}): return _other")
        return True

    def container(self, place: Place) -> bool:
        """Compare the class and the keys of a container; False if it is not within reach, or of a class of which they
        are asked otherwise."""
        value = place.reader(self._spaces)()
        kind, keys, _ = parts(value)
        if kind is None or self.found(place) is None:
            return False
        given, lines = self._named(place), len(self._out.lines)
        try:
            names, _ = self._out.children(given, value, Node(kind, keys, ()))
        except Unwritten:
            del self._out.lines[lines:]
            return False
        if kind in (tuple, list, dict):
            for key, name in zip(keys, names, strict=True):
                self._names[Place(place.space, place.name, (*place.path, ("[", key)))] = name
        return True

    def found(self, place: Place) -> str | None:
        """The expression of what is there; None if it is not within reach."""
        if place in self._names:
            return self._names[place]
        if not place.path:
            return self._in_space(place)
        *path, (how, step) = place.path
        outer = Place(place.space, place.name, tuple(path))
        plain = how == "." and step.isidentifier() and step.isascii() and not keyword.iskeyword(step)
        return f"{self._named(outer)}.{step}" if plain and self.found(outer) is not None else None

    def _named(self, place: Place) -> str:
        if place not in self._names:
            name = self._out.name(place.name)
            self._out.lines.append(f"{name} = {self.found(place)}")
            self._names[place] = name
        return self._names[place]

    def _in_space(self, place: Place) -> str | None:
        space = self._spaces[place.space]
        if not place.at_hand(self._spaces):
            return None
        if isinstance(space, dict):
            return f"{self._out.hold(space, 'globals')}[{place.name!r}]"
        return f"{self._out.hold(space, 'cell')}.cell_contents"
