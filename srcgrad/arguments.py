"""A call's arguments: bound to parameters, described, checked, and taken apart into what compiled code takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from srcgrad.core.types import F8, I8, Type
from srcgrad.errors import ArgumentError
from srcgrad.syntax.structure import Leaf, Node, Spec, Static, describe, leaves, parts

Parameter = inspect.Parameter


@dataclass(frozen=True, eq=False)
class Parameters:
    """The parameters of a function, in the order of its signature."""

    signature: inspect.Signature

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.signature.parameters)

    def bind(self, args: Sequence[Any], kwargs: dict[str, Any]) -> list[Any]:
        """One value a parameter, defaults filled in; raises TypeError as the function itself would."""
        call = self.signature.bind(*args, **kwargs)
        call.apply_defaults()
        return list(call.arguments.values())

    def tail(self, count: int) -> tuple[Any, ...] | None:
        """The defaults that complete `count` positional arguments; None if they cannot."""
        params = list(self.signature.parameters.values())
        plain = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
        if count > len(params) or any(p.kind not in plain for p in params[:count]):
            return None
        rest = params[count:]
        if any(p.default is Parameter.empty for p in rest):
            return None
        return tuple(p.default for p in rest)

    def place(self, argnum: Any) -> int:
        """The place of a parameter given by place or name."""
        names = self.names
        if isinstance(argnum, str):
            if argnum not in names:
                raise ArgumentError(f"there is no parameter `{argnum}`", hint=f"the parameters are {', '.join(names)}")
            return names.index(argnum)
        if isinstance(argnum, bool) or not isinstance(argnum, (int, np.integer)):
            raise ArgumentError(f"argnums={argnum!r} is neither a place nor a name", hint="give an int or a name")
        if not -len(names) <= argnum < len(names):
            hint = f"there are {len(names)} parameters: {', '.join(names)}"
            raise ArgumentError(f"argnums={argnum} is out of range", hint=hint)
        return int(argnum) % len(names)

    def places(self, argnums: Any) -> tuple[tuple[int, ...], bool]:
        """The places that `argnums` names, and whether it is a single one."""
        if isinstance(argnums, (tuple, list)):
            places = tuple(self.place(a) for a in argnums)
            if len(set(places)) != len(places):
                raise ArgumentError(f"argnums={argnums!r} names a parameter twice")
            return places, False
        return (self.place(argnums),), True


def spec_of(value: Any, name: str) -> Spec:
    """The description of an argument, refused where no program could take it."""
    spec = describe(value)
    odd = next((type(a) for a in leaves(value, spec) if isinstance(a, (np.ma.MaskedArray, np.matrix))), None)
    if odd is not None:
        raise ArgumentError(f"`{name}` is a {odd.__name__}, which computes in its own way", hint="pass a plain array")
    return _checked(spec, name)


def _checked(spec: Spec, name: str) -> Spec:
    if isinstance(spec, Node):
        children = (_checked(c, f"{name}[{k!r}]") for k, c in zip(spec.keys, spec.children, strict=True))
        if issubclass(spec.kind, dict) and not all(isinstance(k, str) for k in spec.keys):
            raise ArgumentError(f"`{name}` is a dict with keys that are not strings")
        return Node(spec.kind, spec.keys, tuple(children))
    if isinstance(spec, Static):
        try:
            hash(spec.value)
        except TypeError:
            raise ArgumentError(f"`{name}` is a {type(spec.value).__name__}: pass numbers and arrays") from None
        return spec
    kind = spec.type.dtype
    if spec.type.ref and (kind[0] not in "fciub" or kind in ("f2", "f16", "c32")):
        raise ArgumentError(f"`{name}` is an array of {kind}", hint="use arrays of numbers or bools")
    if spec.type.ref and not spec.type.rank:
        return Leaf(Type("i8" if kind[0] in "iu" else kind))
    return spec


def as_float(spec: Spec) -> Spec:
    """A differentiated argument: Python integers count as floats."""
    if isinstance(spec, Leaf):
        return Leaf(F8) if spec.type == I8 else spec
    if isinstance(spec, Node):
        return Node(spec.kind, spec.keys, tuple(map(as_float, spec.children)))
    return spec


def converter(type: Type) -> Callable[[Any], Any]:
    """What makes a leaf exactly of the type that compiled code takes; arrays contiguous and writable."""
    if type.ref:
        dtype = np.dtype(type.dtype)
        return lambda a: a if _as_compiled(a) else np.array(a, dtype, order="C")
    scalars: dict[str, Callable[[Any], Any]] = {
        "f8": float, "f4": np.float32, "c16": complex, "c8": np.complex64, "i8": _integer, "b1": bool
    }  # fmt: skip
    return scalars[type.dtype]


def _as_compiled(array: Any) -> bool:
    """Whether this is an array as compiled code was made for: contiguous, writable, of native byte order."""
    return bool(array.flags.carray and array.dtype.isnative and array.__class__ is np.ndarray)


def _integer(value: Any) -> int:
    number = int(value)
    if not -(2**63) <= number < 2**63:
        raise ArgumentError(f"{number} does not fit into 64 bits")
    return number


def flat(values: Iterable[Any], specs: Iterable[Spec]) -> Iterator[Any]:
    """The leaves of all arguments, in order."""
    for value, spec in zip(values, specs, strict=True):
        yield from leaves(value, spec)


def check_sharing(items: Sequence[Any], pairs: Iterable[tuple[int, int]], names: Sequence[str]) -> None:
    """Refuse arguments that share memory if the first of a pair is overwritten: the function would see its writes
    through the other."""
    for k, other in pairs:
        a, b = items[k], items[other]
        if not isinstance(a, np.ndarray) or not isinstance(b, np.ndarray):
            continue
        if np.may_share_memory(a, b) and np.shares_memory(a, b):
            raise ArgumentError(
                f"`{names[k]}` is overwritten and shares memory with `{names[other]}`", hint="pass a copy of one"
            )


def check_objects(values: Iterable[Any]) -> None:
    """Refuse arguments in which one list, dict or object stands twice, if the function changes such in place."""
    seen: set[int] = set()

    def visit(value: Any) -> None:
        kind, _, children = parts(value)
        if kind is not None and not issubclass(kind, tuple):
            if id(value) in seen:
                message = f"the same {kind.__name__} stands twice among the arguments, and is changed"
                raise ArgumentError(message, hint="pass a copy of one: copy.copy(...)")
            seen.add(id(value))
        for child in children:
            visit(child)

    for value in values:
        visit(value)


def check_order(item: Any, name: str) -> None:
    """Refuse an array that is not in C order, where the function reshapes it and writes into it: whether NumPy's
    reshape is a view depends on that."""
    if isinstance(item, np.ndarray) and not item.flags.c_contiguous:
        raise ArgumentError(
            f"`{name}` is reshaped and written into, and is not in C order", hint="pass np.ascontiguousarray of it"
        )


def check_like(item: Any, model: Any, name: str, what: str) -> None:
    """Refuse a tangent or a cotangent of another shape than that of what it belongs to."""
    if np.shape(item) != np.shape(model):
        raise ArgumentError(f"{what} of `{name}` has shape {np.shape(item)}, not {np.shape(model)}")
