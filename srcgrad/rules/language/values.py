"""Builder values: what the lambdas of a rule work on. `x * y` on them emits a statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from srcgrad.core import ir
from srcgrad.core.build import Builder, const
from srcgrad.errors import UnsupportedError
from srcgrad.rules.language import registry


@dataclass(frozen=True, slots=True)
class Val:
    """An atom with the builder that it belongs to. `operators` is filled by `rules.arithmetic`."""

    builder: Builder
    atom: ir.Atom
    operators: ClassVar[dict[str, ir.Primitive]] = {}

    @property
    def type(self) -> ir.Type:
        return self.atom.type

    def lift(self, other: Any) -> Val:
        """A Python number becomes a literal of this value's precision (NEP 50); a Val stays."""
        if isinstance(other, Val):
            return other
        single = self.type.dtype in ("f4", "c8")
        kind = {float: ir.F4, complex: ir.C8}.get(type(other)) if single else None
        return Val(self.builder, const(other, kind))

    def _binary(self, name: str, left: Any, right: Any) -> Val:
        return emit(self.operators[name], self.lift(left), self.lift(right))

    def __add__(self, other: Any) -> Val:
        return self._binary("add", self, other)

    def __radd__(self, other: Any) -> Val:
        return self._binary("add", other, self)

    def __sub__(self, other: Any) -> Val:
        return self._binary("subtract", self, other)

    def __rsub__(self, other: Any) -> Val:
        return self._binary("subtract", other, self)

    def __mul__(self, other: Any) -> Val:
        return self._binary("multiply", self, other)

    def __rmul__(self, other: Any) -> Val:
        return self._binary("multiply", other, self)

    def __truediv__(self, other: Any) -> Val:
        return self._binary("divide", self, other)

    def __rtruediv__(self, other: Any) -> Val:
        return self._binary("divide", other, self)

    def __pow__(self, other: Any) -> Val:
        return self._binary("power", self, other)

    def __neg__(self) -> Val:
        return emit(self.operators["negative"], self)

    def __lt__(self, other: Any) -> Val:
        return self._binary("less", self, other)

    def __le__(self, other: Any) -> Val:
        return self._binary("less_equal", self, other)

    def __gt__(self, other: Any) -> Val:
        return self._binary("greater", self, other)

    def __ge__(self, other: Any) -> Val:
        return self._binary("greater_equal", self, other)


def emit(op: ir.Primitive, *args: Val, name: str = "t", **params: Any) -> Val:
    """op, a primitive of one result, applied to builder values."""
    builder = _builder_for(op, args)
    return Val(builder, builder.let(op, *(a.atom for a in args), name=name, **params))


def emit_many(op: ir.Primitive, *args: Val, name: str = "t", **params: Any) -> tuple[Val, ...]:
    """op applied to builder values: all of its results."""
    builder = _builder_for(op, args)
    return tuple(Val(builder, out) for out in builder.let_many(op, *(a.atom for a in args), name=name, **params))


def _builder_for(op: ir.Primitive, args: Sequence[Val]) -> Builder:
    if any(a.type.is_complex for a in args) and not op.traits.takes_complex:
        raise UnsupportedError(f"`{op.name}` of complex numbers has no rule", hint="take real and imaginary parts")
    return args[0].builder


def value_of(function: Any, builder: Builder, *args: Any, **options: Any) -> Val:
    """What a call of `function` (np.take, math.hypot, ...) means by its rule, if that is one value."""
    value: Val = registry.FUNCTIONS[function](builder, *args, **options)
    return value


def contents(value: Val) -> Val:
    """What memory holds now, as a value; anything else as it is."""
    if isinstance(value.atom, ir.Var) and value.type.ref:
        return Val(value.builder, value.builder.load(value.atom))
    return value
