"""Numba's own building blocks: functions of elements and of vectors, classes, lists and dicts."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Any

from srcgrad.core import ir
from srcgrad.core.ir import Const, Var
from srcgrad.frontend.lowering.paths import Lowering
from srcgrad.frontend.lowering.values import Known, Struct, Value, describe, struct
from srcgrad.frontend.source.functions import behind, elementwise
from srcgrad.numpy import functions

Args = Sequence[Value]
Called = tuple[Known, list[Value], dict[str, Value]]


def ufunc(low: Lowering, target: Any, args: Args, named: dict[str, Value]) -> Called | None:
    """The function to read in the place of a call of what `@vectorize` or `@guvectorize` gave."""
    inner = elementwise(target)
    if inner is not None:
        if named:
            low.refuse("a function of @vectorize is called with keywords", "call it by place")
        return Known(functions.vectorized), [Known(inner), *args], {}
    layout = getattr(target, "signature", None)
    if type(target).__name__ != "GUFunc" or not isinstance(layout, str):
        return None
    return _of_vectors(low, target, layout, args, named)


def _of_vectors(low: Lowering, target: Any, layout: str, args: Args, named: dict[str, Value]) -> Called:
    """A function of `@guvectorize` with one result: of each row of what has an axis more than it asks for."""
    ins, outs = (re.findall(r"\(([^)]*)\)", part) for part in layout.replace(" ", "").split("->"))
    cores = [tuple(filter(None, core.split(","))) for core in ins]
    hint = "write the loop in a function of your own"
    if len(outs) != 1 or named or len(args) != len(cores):
        low.refuse("a function of @guvectorize with several results, keywords or `out`", hint)
    more: list[Value] = []
    lengths: dict[str, Value] = {}
    count: Value | None = None
    for value, core in zip(args, cores, strict=True):
        rank = value.type.rank if isinstance(value, (Var, Const)) else -1
        if rank not in (len(core), len(core) + 1):
            low.refuse(f"{describe(value)} is given to a function of @guvectorize", hint)
        stacked = rank > len(core)
        more.append(Const(stacked, ir.B1))
        if isinstance(value, Var) and rank:
            axes = [low.length(value, axis) for axis in range(rank)]
            count = axes[0] if stacked and count is None else count
            lengths.update(zip(core, axes[stacked:], strict=True))
    names = tuple(filter(None, outs[0].split(",")))
    if not set(names) <= set(lengths):
        low.refuse("the result of a function of @guvectorize has an axis that no argument has", hint)
    shape = struct([lengths[name] for name in names] or [Const(1, ir.I8)])
    inner = Known(behind(target.gufunc_builder.py_func))
    if count is None:
        made: Any = functions.of_vector if names else functions.of_vector_to_number
        return Known(made), [inner, shape, *args], {}
    made = functions.of_rows if names else functions.of_rows_to_numbers
    return Known(made), [inner, count, shape, struct(more), *args], {}


# ---- classes of @jitclass


def jit_class(target: Any) -> Any:
    """What `@jitclass` has made a class of: of an object, or the class itself; None of anything else."""
    if type(target).__name__ == "JitClassType":
        return target.class_type
    kind = getattr(type(target), "_numba_type_", None)
    return getattr(kind, "class_type", None) if type(target).__module__.startswith("numba.experimental") else None


_PLAIN: dict[int, tuple[Any, type]] = {}


def plain_class(made: Any) -> type:
    """A class of Python's with the methods that were written."""
    if id(made) not in _PLAIN:
        body: dict[str, Any] = {name: behind(method) for name, method in made.jit_methods.items()}
        body |= {name: staticmethod(behind(method)) for name, method in made.jit_static_methods.items()}
        for name, parts in made.jit_props.items():
            body[name] = property(*(behind(parts[key]) if key in parts else None for key in ("get", "set")))
        body["__srcgrad_fields__"] = {name: str(kind) for name, kind in made.struct.items()}
        body["__module__"] = "__jitclass__"
        _PLAIN[id(made)] = made, type(made.class_name, (), body)
    return _PLAIN[id(made)][1]


def attribute(low: Lowering, value: Known, name: str) -> Value | None:
    """A method or property of an object of `@jitclass`, read from the class's source."""
    made = jit_class(value.value)
    if made is None or isinstance(value.value, type):
        return None
    found = vars(plain_class(made)).get(name)
    if isinstance(found, property):
        return low.constructs.call(Known(found.fget), [value])
    if isinstance(found, staticmethod):
        return Known(found.__func__)
    if found is None or name == "__srcgrad_fields__":
        return None
    given = ("@function", "0"), (Known(found), value)
    return Struct(functools.partial, *given, value=True, locked="it is a method")


def as_field(low: Lowering, owner: Struct, name: str, value: Value) -> Value:
    """What a field of a `@jitclass` holds when this is assigned to it: of the type that was declared."""
    kind = getattr(owner.kind, "__srcgrad_fields__", {}).get(name)
    if kind is None or not isinstance(value, (Var, Const)) or not value.type.is_scalar:
        return value
    if kind in ("float64", "float32") and value.type.dtype[0] in "ib":
        return low.converted(value, ir.F8)
    if kind.startswith(("int", "uint", "bool")) and value.type.dtype[0] == "f":
        low.refuse(f"a float is assigned to the field `{name}` of type {kind}, which cuts it off", "declare it float64")
    return value


# ---- lists and dicts


def container(target: Any) -> type | None:
    """list or dict, of a call that makes one of `numba.typed`."""
    owner = getattr(target, "__self__", target)
    if str(getattr(owner, "__module__", "")).split(".")[:2] != ["numba", "typed"]:
        return None
    if owner is not target and getattr(target, "__name__", "") not in ("empty", "empty_list"):
        return None
    return {"List": list, "Dict": dict}.get(getattr(owner, "__name__", ""))
