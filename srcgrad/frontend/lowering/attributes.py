"""Attributes: of objects in Python's order (properties, what the object holds, what its class has), of arrays."""

from __future__ import annotations

import ast
import functools
import operator
import types
from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np

from srcgrad.core import ir
from srcgrad.core.ir import Const, Var
from srcgrad.frontend.lowering import cuda_names, of_numba, values
from srcgrad.frontend.lowering.expressions import binary, dimension
from srcgrad.frontend.lowering.objects import hold, item_of, plain_method, set_item_of
from srcgrad.frontend.lowering.paths import Lowering
from srcgrad.frontend.lowering.special_methods import CONTAINERS, invoke, kind_of, own
from srcgrad.frontend.lowering.values import Known, Method, Struct, Value
from srcgrad.frontend.source import classes, wording
from srcgrad.frontend.source.classes import Found
from srcgrad.rules.language import registry

Args = Sequence[Value]
Named = dict[str, Value]


class Super:
    """The kind of what `super()` gives."""


def attribute_access(low: Lowering, node: ast.Attribute) -> Value:
    return attribute(low, low.ex(node.value), node.attr)


def attribute(low: Lowering, value: Value, name: str) -> Value:
    match value:
        case Known() if cuda_names.of_threads(value.value):
            return cuda_names.attribute(low, value.value, name)
        case Known():
            return of_numba.attribute(low, value, name) or low.captures.attribute(value, name)
        case Struct(kind=kind) if kind is Super:
            return _super_attribute(low, value, name)
        case Struct():
            return _object_attribute(low, value, name)
        case Var() | Const() if name in ("real", "imag"):
            return low.apply(getattr(np, name), value)
        case Var() if value.type.rank:
            return _array_attribute(low, value, name)
        case Var() | Const() if name == "T":
            return value
        case Var() | Const() if not hasattr(np.float64, name):
            _no_attribute(low, value, name)
    return Method(value, name)


def _object_attribute(low: Lowering, value: Struct, name: str) -> Value:
    """A field, or what its class has under this name."""
    kind = value.kind
    if classes.written(kind, "__getattribute__") is not None:
        low.refuse(f"`{kind.__name__}` has a `__getattribute__` of its own", "use a property")
    found = classes.found(kind, name)
    if found is not None and isinstance(found.value, property):
        if found.value.fget is None:
            low.refuse(f"the property `{name}` cannot be read", "give it a function that reads it")
        return low.constructs.call(Known(found.value.fget), [value])
    item = value.get(name) if not issubclass(kind, (dict, list)) else None
    if item is not None:
        return item
    if name == "__class__":
        return Known(kind)
    if kind is values.Frozen:
        return Method(value, name)
    if kind in (values.Keyed, values.KeyedSet):
        return Method(value, name)
    if found is None:
        return _missing(low, value, name)
    if callable(found.value) or isinstance(found.value, (staticmethod, classmethod)):
        return Method(value, name)
    if name == "__dict__":
        low.refuse("the `__dict__` of an object is outside the language", "read and set its attributes")
    if hasattr(type(found.value), "__get__"):
        what = type(found.value).__name__
        low.refuse(f"the attribute `{name}` of `{kind.__name__}` is computed by a {what}", "use a property")
    return low.captures.of_class(kind, name)


def _missing(low: Lowering, value: Struct, name: str) -> Value:
    """An attribute that neither the object nor its class has."""
    kind = value.kind
    getter = own(low, value, "__getattr__")
    if getter is not None and complete(kind):
        return invoke(low, getter, value, "__getattr__", [Known(name)])
    if classes.is_named_tuple(kind):
        other = f"its fields are {wording.joined(value.keys)}"
        low.refuse(f"a {kind.__name__} has no field `{name}`", wording.meant(name, value.keys, other))
    if issubclass(kind, CONTAINERS):
        return Method(value, name)
    low.may_raise(AttributeError, lambda: values.TRUE)
    other = "assign it first" if complete(kind) else "make it a field"
    return low.refuse(f"the object has no attribute `{name}` here", wording.meant(name, value.keys, other))


def complete(kind: type) -> bool:
    """Whether all that an object of this class holds is seen: of a dataclass only the fields are, if it has more."""
    return not (hasattr(kind, "__dataclass_fields__") and classes.has_dict(kind))


def has(low: Lowering, owner: Value, name: str) -> bool:
    """hasattr(owner, name)"""
    if not isinstance(owner, Struct):
        return isinstance(owner, Known) and hasattr(owner.value, name)
    held = name in owner.keys and not issubclass(owner.kind, (list, dict))
    if held or classes.found(owner.kind, name) is not None:
        return True
    if own(low, owner, "__getattr__") is not None or not complete(owner.kind):
        low.refuse(f"whether the object has an attribute `{name}` is not known here", "make it a field, or None")
    return False


def _array_attribute(low: Lowering, value: Var, name: str) -> Value:
    match name:
        case "shape":
            return values.struct([dimension(low, value, axis) for axis in range(value.type.rank)])
        case "ndim":
            return Const(value.type.rank, ir.I8)
        case "size":
            size: Value = dimension(low, value, 0)
            for axis in range(1, value.type.rank):
                size = binary(low, operator.mul, size, dimension(low, value, axis))
            return size
        case "dtype":
            return Known(np.dtype(value.type.dtype))
        case "values" | "iloc" if value in low.captures.foreign:
            return value
        case "T":
            if value.type.rank == 1:
                return value
            ref = low.memory(value)
            assert isinstance(ref, Var)
            return low.b.view(ref, ir.Transpose(tuple(reversed(range(ref.type.rank)))))
    if not hasattr(np.ndarray, name) and not (name in ("to_numpy", "numpy") and value in low.captures.foreign):
        _no_attribute(low, value, name)
    return Method(value, name)


def _no_attribute(low: Lowering, value: Value, name: str) -> NoReturn:
    """An array or a number has no such attribute: NumPy may have a function of this name."""
    names = [*registry.METHODS, "shape", "ndim", "size", "dtype", "T", "real", "imag"]
    library = getattr(np, name, None)
    other = f"write np.{name}(...)" if callable(library) else "look up how NumPy calls it"
    low.refuse(f"{values.describe(value)} has no attribute `{name}`", wording.meant(name, names, other))


# ---- assigning


def set_attribute(low: Lowering, owner: Value, name: str, value: Value) -> None:
    """owner.name = value"""
    if not isinstance(owner, Struct) or issubclass(owner.kind, CONTAINERS):
        low.refuse(f"an attribute of {values.describe(owner)} is assigned to", "pass the object as an argument")
    if owner.locked:
        low.change(owner, owner.content)
    setter = classes.written(owner.kind, "__setattr__")
    if setter is None:
        return store(low, owner, name, value)
    if setter.generated:
        low.refuse(f"`{owner.kind.__name__}` is frozen", f"write object.__setattr__(self, {name!r}, ...)")
    invoke(low, setter, owner, "__setattr__", [Known(name), low.settle(value, name)])


def store(low: Lowering, owner: Struct, name: str, value: Value) -> None:
    """object.__setattr__(owner, name, value)"""
    found = classes.found(owner.kind, name)
    if found is not None and isinstance(found.value, property):
        if found.value.fset is None:
            low.refuse(f"the property `{name}` has no setter", "set what it is computed from")
        low.constructs.call(Known(found.value.fset), [owner, low.settle(value, name)])
        return
    slot = found is not None and isinstance(found.value, types.MemberDescriptorType)
    if found is not None and hasattr(type(found.value), "__set__") and not slot:
        low.refuse(f"the attribute `{name}` is set by a function", "set what it sets")
    if not slot and not classes.has_dict(owner.kind):
        names = wording.joined([f"`{s}`" for s in classes.slots_of(owner.kind)]) or "none"
        low.refuse(f"a {owner.kind.__name__} has no slot `{name}`", f"its slots are {names}")
    hold(low, owner, name, low.settle(of_numba.as_field(low, owner, name, value), name))


# ---- super, and the interpreter's own methods


def super_(low: Lowering, args: Args) -> Value:
    """super(), or super(kind, object)"""
    match args:
        case []:
            kind, owner = _here(low)
        case [Known(value=type() as kind), owner]:
            pass
        case _:
            low.refuse("`super` is called with something else", "write super()")
    return Struct(Super, ("kind", "object"), (Known(kind), owner), value=True, locked="it is super()")


def _here(low: Lowering) -> tuple[type, Value]:
    """The class whose method is being read, and its first argument."""
    source = low.frame.source
    code, cells = source.fun.__code__, source.fun.__closure__ or ()
    names = [a.arg for a in (*source.node.args.posonlyargs, *source.node.args.args)]
    if "__class__" not in code.co_freevars or not names:
        low.refuse("`super()` stands outside of a method", "write it in a method of a class")
    return cells[code.co_freevars.index("__class__")].cell_contents, low.lookup(names[0])


def _super_attribute(low: Lowering, value: Struct, name: str) -> Value:
    given, owner = value.items
    assert isinstance(given, Known)
    of_class = isinstance(owner, Known) and isinstance(owner.value, type)
    kind = owner.value if isinstance(owner, Known) and of_class else kind_of(owner)
    if kind is None or given.value not in kind.__mro__:
        low.refuse(f"`super()` of `{given.value.__name__}` is given another object", "give it one of its own")
    after = kind.__mro__[kind.__mro__.index(given.value) + 1 :]
    found = next((Found(base, vars(base)[name]) for base in after if name in vars(base)), None)
    if found is None:
        low.refuse(f"no class above `{given.value.__name__}` has `{name}`", "look up how it is called")
    method = found.value
    if isinstance(method, property):
        return low.constructs.call(Known(method.fget), [owner])
    if isinstance(method, staticmethod):
        return Known(method.__func__)
    if isinstance(method, classmethod):
        return _bound(method.__func__, Known(kind))
    if isinstance(method, (types.FunctionType, types.WrapperDescriptorType, types.MethodDescriptorType)):
        return Known(method) if of_class else _bound(method, owner)
    if callable(method) or hasattr(type(method), "__get__"):
        low.refuse(f"`{name}` of `{found.owner.__name__}` is not a method that can be read", "write it out")
    return low.captures.of_class(found.owner, name)


def _bound(method: Any, owner: Value) -> Struct:
    given = ("@function", "0"), (Known(method), owner)
    return Struct(functools.partial, *given, value=True, locked="it is a method")


def of_interpreter(low: Lowering, method: Any, args: Args, named: Named) -> Value | None:
    """object.__init__, dict.get, list.append, ...: called on an object, whatever its class says."""
    if not args or not isinstance(args[0], Struct):
        return None
    owner, *rest = args
    assert isinstance(owner, Struct)
    name, base = method.__name__, method.__objclass__
    if not issubclass(owner.kind, base) or named:
        return None
    match base, name, rest:
        case _, "__init__", [] if base is object:
            return Known(None)
        case _, "__setattr__", [Known(value=str() as key), value] if base is object:
            if owner.locked:
                low.change(owner, owner.content)
            store(low, owner, key, value)
            return Known(None)
        case _, "__getitem__", [key] if base in CONTAINERS:
            return item_of(low, owner, key)
        case _, "__setitem__", [key, value] if base in CONTAINERS:
            set_item_of(low, owner, key, value)
            return Known(None)
        case _, "__len__", [] if base in CONTAINERS and not isinstance(owner.rows, values.Rows):
            return Const(len(owner.items), ir.I8)
    return plain_method(low, owner, name, rest, {}) if base in CONTAINERS else None
