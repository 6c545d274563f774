"""Objects made inside the function: a class is called as Python calls it, its `__init__` read in place."""

from __future__ import annotations

import collections
import dataclasses
import inspect
import types
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.ir import Const
from srcgrad.errors import NotDifferentiableError
from srcgrad.frontend.lowering import of_numba, of_scipy_hints
from srcgrad.frontend.lowering.attributes import set_attribute, store
from srcgrad.frontend.lowering.paths import Lowering
from srcgrad.frontend.lowering.special_methods import special
from srcgrad.frontend.lowering.values import Known, Struct, Value, changeable
from srcgrad.frontend.source import classes, wording
from srcgrad.frontend.source.classes import Found
from srcgrad.frontend.source.structure import parts

Args = Sequence[Value]
Named = dict[str, Value]
FROZEN = "such an object cannot be changed"
OTHERWISE: dict[type, str] = {collections.deque: "use a list: append, and pop(0) where len(items) > maxlen"}


def construct(low: Lowering, kind: type, args: Args, named: Named, node: Any) -> Value:
    """A NamedTuple, a dataclass, or an object of another class of the user's."""
    made_of = of_numba.jit_class(kind)
    kind = kind if made_of is None else of_numba.plain_class(made_of)
    if classes.is_named_tuple(kind):
        return _named_tuple(low, kind, args, named)
    init = classes.found(kind, "__init__")
    if str(kind.__module__).split(".")[0] in classes.ALLOWED:
        message = f"there is no rule for `{kind.__module__}.{kind.__name__}`"
        hint = of_scipy_hints.instead(kind) or "make it outside the function, or use arrays and tuples"
        raise NotDifferentiableError(message, hint=hint)
    if classes.builtin_base(kind) is not object or init is None:
        message = f"there is no rule for `{kind.__name__}`"
        raise NotDifferentiableError(message, hint=OTHERWISE.get(kind, "use a tuple, a NamedTuple or a dataclass"))
    _refuse_odd(low, kind)
    made = Struct(kind, (), (), value=False)
    made.locked = ""  # a frozen one may be changed while it is made
    if init.owner is object:
        if args or named:
            low.refuse(f"`{kind.__name__}` has no `__init__` that takes arguments", "give it one")
    elif isinstance(init.value, types.FunctionType):
        _initialise(low, init, made, args, named, node)
    else:
        low.refuse(f"the `__init__` of `{kind.__name__}` is not a function that can be read", "write it as a method")
    if not changeable(kind):
        made.value, made.locked = True, FROZEN
    return made


def _refuse_odd(low: Lowering, kind: type) -> None:
    """A class whose objects are made in another way, or that must not be made."""
    name = kind.__name__
    for where, method in ((kind, "__new__"), (type(kind), "__call__"), (kind, "__del__")):
        if classes.written(where, method) is not None:
            whose = name if where is kind else where.__name__
            low.refuse(f"`{whose}` has a `{method}` of its own", f"make the {name} outside, or without it")
    abstract = sorted(getattr(kind, "__abstractmethods__", ()))
    if abstract:
        low.refuse(f"`{name}` is abstract", f"define {wording.joined(abstract)} in a class of it")


def _named_tuple(low: Lowering, kind: type, args: Args, named: Named) -> Value:
    for method in ("__new__", "__init__"):
        found = classes.written(kind, method)
        if found is not None and not found.generated:
            low.refuse(f"`{kind.__name__}` has a `{method}` of its own", "use a dataclass with a __post_init__")
    names = tuple(kind._fields)  # type: ignore[attr-defined]
    given = _given(low, kind, names, len(names), args, named)
    for name, default in getattr(kind, "_field_defaults", {}).items():
        if name not in given:
            given[name] = literal(low, default)
    _complete(low, kind, names, given)
    return Struct(kind, names, tuple(given[name] for name in names))


def _initialise(low: Lowering, init: Found, made: Struct, args: Args, named: Named, node: Any) -> None:
    """init(made, *args, **named), by a user's function or by what `@dataclass` writes."""
    if init.generated and "__dataclass_fields__" in vars(init.owner):
        return _set_fields(low, init, made, args, named)
    low.constructs.inline(init.value, [made, *args], named, node)


def generated_init(target: Any, args: Args) -> Found | None:
    """The `__init__` that `@dataclass` wrote, if `target(*args)` calls that of a class above the object's."""
    if not args or not isinstance(args[0], Struct) or getattr(target, "__name__", "") != "__init__":
        return None
    bases = (base for base in args[0].kind.__mro__ if vars(base).get("__init__") is target)
    found = next((Found(base, target) for base in bases), None)
    return found if found is not None and found.generated else None


def initialise(low: Lowering, init: Found, args: Args, named: Named) -> Value:
    """Base.__init__(self, ...), where `@dataclass` wrote it."""
    made, *rest = args
    assert isinstance(made, Struct)
    _set_fields(low, init, made, rest, named)
    return Known(None)


def _set_fields(low: Lowering, init: Found, made: Struct, args: Args, named: Named) -> None:
    """What the `__init__` of a dataclass does: set the fields, then call `__post_init__`."""
    base = init.owner
    parameters = dict(inspect.signature(init.value).parameters)
    parameters.pop(next(iter(parameters)))
    by_place = [name for name, p in parameters.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
    given = _given(low, base, tuple(parameters), len(by_place), args, named)
    factories = {f.name: f.default_factory for f in dataclasses.fields(base) if callable(f.default_factory)}
    for name, parameter in parameters.items():
        if name not in given and name in factories:
            given[name] = _made(low, factories[name], name)
        elif name not in given and parameter.default is not parameter.empty:
            given[name] = literal(low, parameter.default)
    _complete(low, base, tuple(parameters), given)
    for field in dataclasses.fields(base):
        if not field.init and field.name in factories:
            given[field.name] = _made(low, factories[field.name], field.name)
        elif not field.init and field.default is not dataclasses.MISSING:
            given[field.name] = literal(low, field.default)
        if field.name in given:
            _put(low, made, field.name, given[field.name])
    if classes.found(base, "__post_init__") is not None:
        own = classes.fields_of(base)
        extra = [name for name in base.__dataclass_fields__ if name in parameters and name not in own]  # type: ignore[attr-defined]
        special(low, made, "__post_init__", *(given[name] for name in extra))


def _put(low: Lowering, made: Struct, name: str, value: Value) -> None:
    setter = classes.written(made.kind, "__setattr__")
    (store if setter is None or setter.generated else set_attribute)(low, made, name, value)


def _made(low: Lowering, factory: Callable[[], Any], name: str) -> Value:
    return low.settle(low.constructs.call(Known(factory), []), name)


def _given(low: Lowering, kind: type, names: tuple[str, ...], by_place: int, args: Args, named: Named) -> Named:
    """The arguments by the names of the parameters."""
    given = dict(zip(names, args, strict=False))
    if len(args) > by_place or set(named) - set(names) or set(given) & set(named):
        low.refuse(f"the arguments do not fit `{kind.__name__}`", f"its fields are {wording.joined(names)}")
    return {name: low.settle(value, name) for name, value in {**given, **named}.items()}


def _complete(low: Lowering, kind: type, names: tuple[str, ...], given: Named) -> None:
    for name in names:
        if name not in given:
            low.refuse(
                f"missing argument `{name}` in the call of `{kind.__name__}`", f"its fields are {wording.joined(names)}"
            )


def literal(low: Lowering, value: Any) -> Value:
    """A Python object that cannot change: a number is a literal."""
    if isinstance(value, np.ndarray):
        low.refuse("an array is bound to a function", "pass it as an argument")
    kind, keys, children = parts(value)
    if kind is not None:
        locked = f"a {kind.__name__} that the class holds for all"
        return Struct(kind, keys, tuple(literal(low, child) for child in children), locked=locked)
    return Const(value, ir.F8) if isinstance(value, float) else low.captures.plain(value)
