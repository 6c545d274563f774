"""What is said of objects: what they are called, and what to write where they cannot be changed or kept."""

from __future__ import annotations

from srcgrad.errors import UnsupportedError
from srcgrad.frontend.lowering.values import EITHER, Generated, Keyed, KeyedSet, Record, Struct, Value
from srcgrad.frontend.source.structure import Records


def instead_of(struct: Struct) -> str:
    """What to write instead of changing an object that must not be changed."""
    if struct.locked == EITHER:
        return "make a copy first, or a new one instead"
    records = struct.kind is list and struct.locked.startswith("`")
    return "make a new one" + (", or let the list be a global name of the module, to record values" if records else "")


def class_name(struct: Struct) -> str:
    """The class of an object, in words."""
    ours: dict[type, str] = {
        Keyed: "dict with computed keys",
        KeyedSet: "set",
        Records: "structured array",
        Record: "record",
    }
    return f"a {ours.get(struct.kind, struct.kind.__name__)}"


def expect_no_generator(value: Value) -> None:
    """Refuse to keep what a function that yields gives."""
    if isinstance(value, Struct) and value.kind is Generated:
        hint = "loop over it where it is made, or make a list of it: list(...)"
        raise UnsupportedError("a generator is kept", hint=hint)
