"""A call's arguments: bound to parameters, described, checked, and taken apart into what compiled code takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from srcgrad.compiler import find_or_make
from srcgrad.compiler.request import EXTRAS, Positional, Recipe
from srcgrad.core.types import F8, I8, Type
from srcgrad.errors import ArgumentError, CallError
from srcgrad.frontend.source import classes, hooks, wording
from srcgrad.frontend.source.functions import signature_of
from srcgrad.frontend.source.structure import Leaf, Node, Spec, Static, describe, leaves, of_arrays, parts

Parameter = inspect.Parameter


@dataclass(frozen=True, eq=False)
class Parameters:
    """The parameters of a function, in the order of its signature."""

    signature: inspect.Signature
    own: Callable[..., Sequence[Any]] | None = None  # how the function itself sorts out its arguments, if it does
    behind: tuple[int, ...] = ()  # what a call gives by place behind what a star parameter collects

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.signature.parameters)

    @property
    def star(self) -> int | None:
        """The place of the star parameter."""
        kinds = [p.kind for p in self.signature.parameters.values()]
        return kinds.index(Parameter.VAR_POSITIONAL) if Parameter.VAR_POSITIONAL in kinds else None

    def by_place(self, count: int) -> list[str]:
        """The names of so many arguments given by place; what a star parameter collects is counted."""
        star = self.star
        if star is None:
            return list(self.names[:count])
        return [*self.names[: min(star, count)], *(f"{self.names[star]}[{k}]" for k in range(count - star))]

    def each(self, values: Sequence[Any]) -> tuple[int | Positional, ...]:
        """Every argument of a call, with these values of the parameters."""
        star, kinds = self.star, [p.kind for p in self.signature.parameters.values()]
        empty = [k for k, kind in enumerate(kinds) if kind is Parameter.VAR_KEYWORD and not values[k]]
        places = [k for k in range(len(values)) if k not in empty]
        if star is None:
            return tuple(places)
        collected = (Positional(star + k, star) for k in range(len(values[star])))
        return (*range(star), *collected, *places[star + 1 :])

    def bind(self, args: Sequence[Any], kwargs: dict[str, Any], shown: Sequence[str] = ()) -> list[Any]:
        """One value a parameter, defaults filled in. shown: the names to tell of where the call does not fit."""
        if self.own is not None:
            return list(self.own(args, kwargs))
        try:
            call = self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise self._unfit(len(args), kwargs, str(error), shown or self.names) from None
        call.apply_defaults()
        return list(call.arguments.values())

    def _unfit(self, count: int, kwargs: dict[str, Any], message: str, names: Sequence[str]) -> CallError:
        """The error for a call that does not fit the signature."""
        unknown = next((name for name in kwargs if name not in names), None)
        if unknown is not None:
            return CallError(f"there is no parameter `{unknown}`", hint=wording.meant(unknown, names, takes(names)))
        if message.startswith("too many"):
            message = f"too many arguments are given by place: {count} to a function of {len(self.names)}"
        return CallError(message.replace("'", "`"), hint=takes(names))

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

    def place(self, argnum: Any) -> int | Positional:
        """The place of a parameter given by place or name; with a star parameter, perhaps known at the call only."""
        names = self.names
        if isinstance(argnum, Positional):
            return argnum
        if isinstance(argnum, str):
            if argnum not in names:
                hint = wording.meant(argnum, names, f"the parameters are {', '.join(names)}")
                raise ArgumentError(f"argnums names `{argnum}`, which is not a parameter", hint=hint)
            return names.index(argnum)
        if isinstance(argnum, bool) or not isinstance(argnum, (int, np.integer)):
            hint = "give an int, a parameter's name, or a tuple of those"
            raise ArgumentError(f"argnums={argnum!r} is neither a place nor a name", hint=hint)
        star = self.star
        if star is not None and not 0 <= argnum < star:
            return Positional(int(argnum), star, self.behind)
        if not -len(names) <= argnum < len(names):
            hint = f"the parameters are {', '.join(f'{k}: {n}' for k, n in enumerate(names))}"
            if not names:
                hint = "give the function the parameter that it is to be differentiated by"
            raise ArgumentError(f"argnums={argnum} is out of range", hint=hint)
        return int(argnum) % len(names)

    def places(self, argnums: Any) -> tuple[tuple[int | Positional, ...], bool]:
        """The places that `argnums` names, and whether it is a single one."""
        if isinstance(argnums, (tuple, list)):
            places = tuple(self.place(a) for a in argnums)
            if len(set(places)) != len(places):
                raise ArgumentError(f"argnums={argnums!r} names a parameter twice", hint="name each once")
            return places, False
        return (self.place(argnums),), True


def parameters_of(fun: Any) -> Parameters:
    own = fun.__srcgrad_arguments__ if hooks.takes_arguments(fun) else None
    return Parameters(signature_of(fun), own, fun.__srcgrad_behind__() if hooks.is_made(fun) else ())


def with_extras(signature: inspect.Signature, recipe: Recipe) -> inspect.Signature:
    """The primal's signature with the parameters that the derivative has beside them."""
    params = list(signature.parameters.values())
    suffix = EXTRAS.get(recipe.kind)
    if suffix is None:
        return signature.replace(return_annotation=inspect.Signature.empty)
    active = [params[k if isinstance(k, int) else k.star].name for k in recipe.argnums]
    names = [name + suffix for name in active] if recipe.kind == "forward" else ["value" + suffix]
    if recipe.kind == "hvp":
        names = ["vector"]
    taken = set(signature.parameters)
    for name in names:
        while name in taken:
            name += "_"
        taken.add(name)
        params.append(Parameter(name, Parameter.POSITIONAL_OR_KEYWORD))
    if _in_order(params):
        return inspect.Signature(params)
    extras = [p.replace(kind=Parameter.KEYWORD_ONLY) for p in params[len(signature.parameters) :]]
    last = [p for p in params[: len(signature.parameters)] if p.kind is p.VAR_KEYWORD]
    own = [p for p in params[: len(signature.parameters)] if p.kind is not p.VAR_KEYWORD]
    return inspect.Signature([*own, *extras, *last])


def _in_order(params: Sequence[inspect.Parameter]) -> bool:
    """Whether these can stand one after another in a def."""
    kinds = [p.kind for p in params]
    return kinds == sorted(kinds) and all(p.default is p.empty for p in params)


def unknown_types(names: Sequence[str]) -> tuple[str, str]:
    """What is said, with a hint, where the code depends on types that only a call tells."""
    which = wording.joined([f"`{name}`" for name in names])
    message = f"the types of {which} are not known before the first call, and floats do not fit"
    ways = f"call it first, annotate its parameters ({names[0]}: np.ndarray), or give arguments"
    return message, f"{ways}: source_for({', '.join(names)}), save(path, {', '.join(names)})"


def takes(names: Sequence[str]) -> str:
    return f"it takes {wording.joined([f'`{name}`' for name in names]) or 'no arguments'}"


def spec_of(value: Any, name: str) -> Spec:
    """The description of an argument, refused where no program could take it."""
    try:
        spec = describe(value)
    except RecursionError:
        raise ArgumentError(f"`{name}` holds itself", hint="pass a structure without a circle", about=name) from None
    odd = next((type(a) for a in leaves(value, spec) if isinstance(a, (np.ma.MaskedArray, np.matrix))), None)
    if odd is not None:
        message = f"`{name}` is a {odd.__name__}, which computes in its own way"
        raise ArgumentError(message, hint=f"pass a plain array: np.asarray({name})", about=name)
    return _checked(spec, name, name)


def _checked(spec: Spec, path: str, name: str) -> Spec:
    """path: where in the argument `name` this stands."""
    if isinstance(spec, Node):
        if issubclass(spec.kind, dict) and not all(isinstance(k, str) for k in spec.keys):
            hint = "use strings as keys, or a tuple or a list"
            raise ArgumentError(f"`{path}` is a dict with keys that are not strings", hint=hint, about=name)
        computed = classes.computed_field(spec.kind) if hasattr(spec.kind, "__dataclass_fields__") else ""
        if computed:
            message = f"the field `{computed}` of `{path}` is computed by a function"
            raise ArgumentError(message, hint="give the field another name than the property", about=name)
        children = [_checked(c, step(path, spec.kind, k), name) for k, c in zip(spec.keys, spec.children, strict=True)]
        return Node(spec.kind, spec.keys, tuple(children))
    if isinstance(spec, Static):
        try:
            hash(spec.value)
        except TypeError:
            hint = "pass numbers, arrays, and tuples, lists, dicts, NamedTuples and dataclasses of them"
            if of_arrays(spec.value):
                hint = "pass NumPy arrays: .to_numpy() of it, or of its columns"
            if type(spec.value).__module__.startswith("numba.typed"):
                hint = "pass an array of its numbers: np.array(...)"
            raise ArgumentError(f"`{path}` is {wording.of_spec(spec)}", hint=hint, about=name) from None
        return spec
    kind = spec.type.dtype
    if spec.type.ref and (kind[0] not in "fciub" or kind in ("f2", "f16", "c32")):
        hint = ODD_DTYPES.get(kind[0], "pass an array of float64 or float32")
        raise ArgumentError(f"`{path}` is an array of {wording.of_dtype(kind)}", hint=hint, about=name)
    if spec.type.ref and not spec.type.rank:
        return Leaf(Type("i8" if kind[0] in "iu" else kind))
    return spec


ODD_DTYPES = {
    "O": "give its elements one numeric dtype: np.array(..., dtype=float)",
    "M": "pass numbers: (times - times[0]) / np.timedelta64(1, 's')",
    "m": "pass numbers: spans / np.timedelta64(1, 's')",
    "V": "pass each field as an array of its own",
}


def step(path: str, kind: type, key: str) -> str:
    """The path of an item: `p['w']`, `p[1]`, `p.w`"""
    if issubclass(kind, dict):
        return f"{path}[{key!r}]"
    plain = issubclass(kind, (tuple, list)) and not hasattr(kind, "_fields")
    return f"{path}[{key}]" if plain else f"{path}.{key}"


def paths(name: str, spec: Spec) -> Iterator[str]:
    """The path of each leaf of an argument."""
    if isinstance(spec, Leaf):
        yield name
    elif isinstance(spec, Node):
        for key, child in zip(spec.keys, spec.children, strict=True):
            yield from paths(step(name, spec.kind, key), child)


def as_float(spec: Spec) -> Spec:
    """A differentiated argument: Python integers count as floats."""
    if isinstance(spec, Leaf):
        return Leaf(F8) if spec.type == I8 else spec
    if isinstance(spec, Node):
        return Node(spec.kind, spec.keys, tuple(map(as_float, spec.children)))
    return spec


def direction(spec: Spec, like: Spec) -> Spec:
    """A tangent as it is given, of something of that structure: what stands where that holds no float has no part."""
    if isinstance(spec, Node) and isinstance(like, Node) and spec.kind is like.kind and spec.keys == like.keys:
        pairs = zip(spec.children, like.children, strict=True)
        return Node(spec.kind, spec.keys, tuple(direction(*pair) for pair in pairs))
    inactive = isinstance(like, Leaf) and not like.type.is_float
    if inactive and isinstance(spec, Leaf) and spec.type.dtype[0] in "iub":
        return Static(None)
    return as_float(spec)


def converter(type: Type) -> Callable[[Any], Any]:
    """What makes a leaf exactly of the type that compiled code takes; arrays contiguous and writable."""
    if type.ref:
        dtype = np.dtype(type.dtype)
        return lambda a: a if as_compiled(a) else np.array(a, dtype, order="C")
    scalars: dict[str, Callable[[Any], Any]] = {
        "f8": float,
        "f4": np.float32,
        "c16": complex,
        "c8": np.complex64,
        "i8": _integer,
        "b1": bool,
    }
    return scalars[type.dtype]


def as_compiled(array: Any) -> bool:
    """Whether this is an array as compiled code was made for: contiguous, writable, of native byte order."""
    return bool(array.flags.carray and array.dtype.isnative and array.__class__ is np.ndarray)


def _integer(value: Any) -> int:
    number = int(value)
    if not -(2**63) <= number < 2**63:
        raise ArgumentError(f"the integer {number} does not fit into 64 bits", hint="pass it as a float")
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
            message = f"`{names[k]}` is overwritten and shares memory with `{names[other]}`"
            raise ArgumentError(message, hint=f"pass a copy of one: {names[other]}.copy()", about=names[k])


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
        message = f"`{name}` is reshaped and written into, and is not in C order"
        raise ArgumentError(message, hint=f"pass np.ascontiguousarray({name})", about=name)


def check_like(item: Any, model: Any, name: str, what: str, hint: str = "") -> None:
    """Refuse a tangent or a cotangent of another shape than that of what it belongs to."""
    if np.shape(item) != np.shape(model):
        message = f"{what} of `{name}`, has the shape {np.shape(item)}, not {np.shape(model)}"
        raise ArgumentError(message, hint=hint or "give it the shape of what it belongs to", about=name)


def alike(primal: Parameters, recipe: Recipe, specs: Sequence[Spec]) -> list[tuple[int, int]]:
    """(leaf of a tangent or a vector, leaf of the argument that it must have the shape of)."""
    if recipe.kind not in ("forward", "jvp", "hvp"):
        return []
    own = specs[: len(primal.names)]
    extra = range(find_or_make.leaf_count(own), find_or_make.leaf_count(specs))
    return list(zip(extra, recipe.active(own), strict=False))
