"""The arguments at which a rule tests itself, made from the samples of its declaration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.ir import Type
from srcgrad.rules.language.declare import At, Literal

Values = tuple[Any, ...]


def type_of(value: Any) -> Type:
    """The type of a Python scalar or an array."""
    if np.ndim(value):
        return Type(value.dtype.str[1:], value.ndim)
    kind = np.asarray(value).dtype.kind
    if kind == "c":
        return ir.C8 if isinstance(value, np.complex64) else ir.C16
    return ir.B1 if kind == "b" else ir.I8 if kind in "iu" else ir.F4 if isinstance(value, np.float32) else ir.F8


@dataclass(frozen=True)
class Case:
    """A primitive at certain arguments: Python scalars, arrays, or literals of the program."""

    primitive: ir.Primitive
    args: Values
    params: dict[str, Any]

    @property
    def plain(self) -> Values:
        """The arguments as values."""
        return tuple(a.value if isinstance(a, Literal) else a for a in self.args)

    @property
    def given(self) -> Values:
        """The arguments that the program takes."""
        return tuple(a for a in self.args if not isinstance(a, Literal))

    def __str__(self) -> str:
        shapes = ", ".join(f"{np.asarray(a).dtype}{list(np.shape(a))}" if np.ndim(a) else repr(a) for a in self.plain)
        return f"{self.primitive.name}({shapes}{', ' if self.params else ''}{self.params or ''})"


def cases(primitive: ir.Primitive) -> Iterator[Case]:
    """The samples of a primitive; of an elementwise one also arrays of them, alike in shape and broadcast."""
    info = primitive.info
    plain = [args for args in info.samples if not isinstance(args, At)]
    for params in info.params:
        yield from (Case(primitive, args, dict(params)) for args in plain)
        if given_as_scalars(primitive) and not info.scalars:
            yield from (Case(primitive, args, dict(params)) for args in spread(info.samples))
    yield from (Case(primitive, tuple(args), args.params) for args in info.samples if isinstance(args, At))


def given_as_scalars(primitive: ir.Primitive) -> bool:
    """Whether its samples are scalars of which arrays can be made."""
    info = primitive.info
    return primitive.traits.elementwise and not any(np.ndim(a) for args in info.samples for a in args)


def spread(samples: Sequence[Values]) -> Iterator[Values]:
    """Arrays made of scalar samples."""
    kinds = list(map(type, samples[0]))
    alike = [args for args in samples if list(map(type, args)) == kinds and not isinstance(args, At)]
    line = tuple(_column(values, place, kinds) for place, values in enumerate(zip(*alike, strict=True)))
    yield line
    yield tuple(np.stack([c, c[::-1]]) if np.ndim(c) else c for c in line)
    if sum(np.ndim(c) for c in line) > 1:
        yield (line[0], *map(_first, line[1:]))
        yield (*map(_first, line[:-1]), line[-1])
        yield (line[0][:1, None], *line[1:])
        yield (*line[:-1], np.stack([line[-1]] * 2))


def _first(column: Any) -> Any:
    return np.ravel(column)[0].item()


def _column(values: Values, place: int, kinds: Sequence[type]) -> Any:
    """The arguments of one place, shifted a little so that no two places tie when they are combined anew.

    An integer after a float says how: it stays one scalar.
    """
    column = np.array(values)
    if column.dtype.kind == "i" and place and float in kinds:
        return _first(column)
    return column * (1 - place / 64) if column.dtype.kind == "f" else column
