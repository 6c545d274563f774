"""Starting points that are structures of numbers and arrays: solvers work on one vector, which holds the numbers first
and then the arrays' elements; the user's function is given the structure.

What compiled code is to read is plain Python, put together from closures, one for each part of the structure.
"""

# mypy: disallow-untyped-defs=False
from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from srcgrad.compiler import lazy
from srcgrad.core.types import B1, F4, F8, I8, Type
from srcgrad.derivatives.arguments import Parameters, spec_of
from srcgrad.errors import ArgumentError
from srcgrad.frontend.source import hooks, wording
from srcgrad.frontend.source.error_places import speaking_of
from srcgrad.frontend.source.functions import signature_of
from srcgrad.frontend.source.structure import Leaf, Node, Spec, Static, assemble, describe, leaf_types, leaves
from srcgrad.optimize.batches import Axes, axes_of, in_front, one_of
from srcgrad.optimize.result import OptimizeHistory, OptimizeResult

Part = Callable[..., Any]
Result = OptimizeResult | OptimizeHistory
Places = tuple[tuple[int, tuple[int, ...]], ...]  # of the arrays: where each begins in the vector, and its shape


def structured(x0: Any) -> bool:
    """Whether a starting point is a structure. A list is one if there is more in it than numbers: else it is SciPy's
    way to write an array."""
    if isinstance(x0, (np.ndarray, float, int, np.generic)) or not isinstance(spec := describe(x0), Node):
        return False
    return not (spec.kind is list and _only_numbers(spec))


def _only_numbers(spec: Spec) -> bool:
    if isinstance(spec, Node):
        return spec.kind is list and all(map(_only_numbers, spec.children))
    return isinstance(spec, Leaf) and not spec.type.ref


def checked(spec: Spec) -> Spec:
    """The structure, if it is of numbers and arrays that can be solved for."""
    kinds = list(leaf_types(spec))
    wrong = [t for t in kinds if t.is_complex or t.dtype == B1.dtype or t.dtype[0] not in "fiu"]
    if wrong or not kinds:
        what = wording.of_spec(Leaf(wrong[0])) if wrong else "nothing to solve for"
        raise ArgumentError(f"x0 holds {what}", hint="start from a structure of floats and arrays of floats")
    return spec


class Structure:
    """A starting point taken apart."""

    def __init__(self, x0: Any, axis: int | None) -> None:
        """axis: of a batch, the one that counts the problems in each array."""
        batch = axis is not None
        moved = in_front(x0, axis, "x0") if axis is not None else x0
        self.spec = checked(describe(one_of(x0, (), (axis,))[0]))
        parts = list(map(np.asarray, leaves(moved, describe(moved))))
        self._lead = parts[0].shape[:1] if batch else ()
        if batch and any(p.shape[:1] != self._lead for p in parts):
            raise ArgumentError("the arrays of x0 hold different numbers of problems", hint="give each the same number")
        self._kinds = list(leaf_types(self.spec))
        self._dtypes = [p.dtype if p.dtype.kind == "f" else np.dtype(np.float64) for p in parts]
        arrays = [p for p, kind in zip(parts, self._kinds, strict=True) if kind.ref]
        self.places = _places([p.shape[len(self._lead) :] for p in arrays], len(parts) - len(arrays))
        numbers = [p[..., None] for p, kind in zip(parts, self._kinds, strict=True) if not kind.ref]
        flat = [a.reshape(*self._lead, -1) for a in arrays]
        self.vector = np.concatenate([*numbers, *flat], axis=-1).astype(np.result_type(*self._dtypes), copy=False)

    def back(self, vector: Any) -> Any:
        """The structure that a vector (or a batch of them) holds."""
        lead = vector.shape[:-1]
        return assemble(self.spec, self._parts(vector, lead))

    def _parts(self, vector: Any, lead: tuple[int, ...]) -> Iterator[Any]:
        number, places = 0, iter(self.places)
        for kind, dtype in zip(self._kinds, self._dtypes, strict=True):
            if kind.ref:
                at, shape = next(places)
                size = int(np.prod(shape))
                yield vector[..., at : at + size].reshape(*lead, *shape).astype(dtype)
            else:
                part = vector[..., number].astype(dtype)[()]
                yield part if lead or kind == F4 else float(part)
                number += 1


def through_vector(
    public: Part, minimises: bool, fun: Part, x0: Any, args: tuple[Any, ...], batch: Any, called: Any,
    options: dict[str, Any],
) -> Result:  # fmt: skip
    """A solve from a structure by one from the vector that holds what is in it. called: callback and callback_every."""
    callback, every = called
    axes = axes_of(batch, args)
    whole = Structure(x0, None if axes is None else axes[0])
    residual = None if minimises else _residual(fun, whole, args, axes)
    fixed = whole.places if options["target"] == "cuda" else None
    on_vector = on_vectors(fun, whole.spec, residual, fixed)
    within = axes and (axes[0] if axes[0] is None else 0, None, *axes[1:])
    watch = None if callback is None else lambda x, value, nit: callback(whole.back(x), value, nit)
    options |= {"batch": within or False, "callback": watch, "callback_every": every}
    result: Result = public(on_vector, whole.vector, (() if fixed else whole.places, *args), **options)
    return result._replace(x=whole.back(result.x))


def _residual(fun: Part, start: Structure, args: tuple[Any, ...], axes: Axes | None) -> Spec | None:
    """The structure of the residual, where it is no array."""
    one = args if axes is None else one_of(0.0, args, (None, *axes[1:]))[1]
    with speaking_of(fun):
        parameters = Parameters(signature_of(fun))
        values = parameters.bind((None, *one), {})
        specs = [spec_of(v, n) for v, n in zip(values[1:], parameters.names[1:], strict=True)]
        result = _result_of(fun, (start.spec, *specs))
    return result if isinstance(result, Node) else None


@functools.lru_cache(maxsize=256)
def _result_of(fun: Part, specs: tuple[Spec, ...]) -> Spec:
    result: Spec = lazy.program.lowered(fun, specs).result
    return result


def _places(shapes: list[tuple[int, ...]], at: int) -> Places:
    found = []
    for shape in shapes:
        found.append((at, tuple(map(int, shape))))
        at += int(np.prod(shape))
    return tuple(found)


@functools.lru_cache(maxsize=256)
def on_vectors(fun: Part, spec: Spec, residual: Spec | None, fixed: Places | None = None) -> Part:
    """The function as one of `(vector, places, *args)`. residual: the structure that it gives, if it gives one. fixed:
    the places, if code is made for them alone, as a GPU's thread has to know the lengths of its arrays."""
    take = taking(spec, fixed)
    if residual is None:

        def call(x, places, *args):
            return fun(take(x, places), *args)

        return hooks.put_around(call, fun)
    put = putting(residual)

    def residuals(x, places, *args):
        return put(fun(take(x, places), *args))

    return hooks.put_around(residuals, fun)


def taking(spec: Spec, fixed: Places | None = None) -> Part:
    """`(vector, places) -> structure`."""
    numbers = map(_number, itertools.count())
    arrays = map(_array, itertools.count()) if fixed is None else map(_fixed_array, fixed)
    return _taking(spec, numbers, arrays)


def _taking(spec: Spec, numbers: Iterator[Part], arrays: Iterator[Part]) -> Part:
    if isinstance(spec, Node):
        return _node(spec, tuple([_taking(child, numbers, arrays) for child in spec.children]))
    if isinstance(spec, Leaf):
        return next(arrays if spec.type.ref else numbers)
    value = spec.value
    return lambda x, places: value


def _number(k: int) -> Part:
    return lambda x, places: x[k]


def _array(k: int) -> Part:
    def take(x, places):
        at, shape = places[k]
        size = 1
        for length in shape:
            size *= length
        return x[at : at + size].reshape(shape)

    return take


def _fixed_array(place: tuple[int, tuple[int, ...]]) -> Part:
    """The lengths are those of tuples, which are known where code is made."""
    at, shape = place
    before, within = (None,) * at, (None,) * math.prod(shape)
    lengths = tuple([(None,) * n for n in shape])

    def take(x, places):
        return x[len(before) : len(before) + len(within)].reshape(tuple([len(n) for n in lengths]))

    return take


def _node(spec: Node, parts: tuple[Part, ...]) -> Part:
    kind: Any = spec.kind
    if issubclass(kind, dict):
        pairs = tuple(zip(spec.keys, parts, strict=True))
        return lambda x, places: {key: part(x, places) for key, part in pairs}
    if issubclass(kind, tuple) and not hasattr(kind, "_fields"):
        return lambda x, places: tuple([part(x, places) for part in parts])
    if issubclass(kind, list):
        return lambda x, places: [part(x, places) for part in parts]
    return lambda x, places: kind(*[part(x, places) for part in parts])


# ---- from a structure to its vector, in compiled code


def reading(spec: Spec) -> tuple[list[Part], list[Part]]:
    """What reads the numbers of a structure, and what reads its arrays."""
    numbers: list[Part] = []
    arrays: list[Part] = []

    def visit(spec: Spec, get: Part) -> None:
        if isinstance(spec, Node):
            for k, (key, child) in enumerate(zip(spec.keys, spec.children, strict=True)):
                visit(child, _child(get, spec.kind, k, key))
        elif isinstance(spec, Leaf):
            (arrays if spec.type.ref else numbers).append(get)

    visit(spec, lambda value: value)
    return numbers, arrays


def _child(get: Part, kind: type, k: int, key: str) -> Part:
    if issubclass(kind, dict):
        return lambda value: get(value)[key]
    if issubclass(kind, (tuple, list)):
        return lambda value: get(value)[k]
    return lambda value: getattr(get(value), key)


def putting(spec: Spec) -> Part:
    """`structure -> vector`."""
    numbers, arrays = map(tuple, reading(spec))
    if not arrays:
        return lambda value: 1.0 * np.array([get(value) for get in numbers])
    if not numbers:
        return lambda value: 1.0 * np.concatenate([get(value).ravel() for get in arrays])

    def put(value):
        first = 1.0 * np.array([get(value) for get in numbers])
        return np.concatenate([first, *[get(value).ravel() for get in arrays]])

    return put


def placing(spec: Spec) -> Part:
    """`structure -> places`."""
    numbers, arrays = reading(spec)
    count = len(numbers)
    rest: Part = lambda value, at: ()  # noqa: E731
    for get in reversed(arrays):
        rest = _placed(get, rest)
    return lambda value: rest(value, count)


def _placed(get: Part, rest: Part) -> Part:
    def place(value, at):
        array = get(value)
        return (at, array.shape), *rest(value, at + array.size)

    return place


# ---- a solver called inside other code


def whole(start: Spec, vectors_only: bool) -> Spec | None:
    """What is known of a starting point that goes through a vector: a structure, or what is no vector where a method
    takes vectors only; None of another."""
    if isinstance(start, Node):
        return start
    if not vectors_only:
        return None
    if isinstance(start, Static):
        return Leaf(F8) if type(start.value) in (int, float) else None
    return None if start.type.rank == 1 else Leaf(F8) if start.type == I8 else start


def on_vector(specs: dict[str, Spec], minimises: bool, start: Spec | None) -> dict[str, Spec]:
    """What is known of a solver's arguments, with a vector as the starting point where that goes through one."""
    fun = specs["fun"]
    if start is None or not isinstance(fun, Static):
        return specs
    start = checked(start)
    residual = None if minimises else _result_of(fun.value, (start, *_each(specs["args"])))
    function = on_vectors(fun.value, start, residual if isinstance(residual, Node) else None)
    wide = any(t != F4 and t.dtype != "f4" for t in leaf_types(start))
    return {**specs, "fun": Static(function), "x0": Leaf(Type("f8" if wide else "f4", 1, ref=True))}


def _each(args: Spec) -> tuple[Spec, ...]:
    if isinstance(args, Node) and args.kind is tuple:
        return args.children
    return () if isinstance(args, Static) and args.value == () else (args,)


def around(solve: Part, start: Spec | None) -> Part:
    """The solve from what goes through a vector, with what solves from that in it."""
    if start is None:
        return solve
    put, place, take = putting(start), placing(start), taking(start)

    def solve_structure(x0, args, tol, maxiter, options):
        places = place(x0)
        result = solve(put(x0), (places, *args), tol, maxiter, options)
        _, *rest = result
        return OptimizeResult(take(result.x, places), *rest)

    return solve_structure
