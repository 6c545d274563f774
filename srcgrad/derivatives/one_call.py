"""One call of a derivative: how Python's values become what compiled code takes, and its results what the user sees."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from srcgrad.compiler import find_or_make
from srcgrad.compiler.find_or_make import Bound
from srcgrad.compiler.request import Long, Recipe
from srcgrad.compiler.runtime_errors import Dense, sized, telling
from srcgrad.core.types import F4, Type
from srcgrad.derivatives import arguments
from srcgrad.derivatives.much_memory import Kept
from srcgrad.errors import ArgumentError
from srcgrad.frontend.source import wording
from srcgrad.frontend.source.error_places import speaking_of
from srcgrad.frontend.source.structure import Leaf, Node, Spec, assemble, leaf_types

DENSE = ("hessian", "jacfwd", "jacrev")


UNITS = 4  # kinds of calls with axes of length 1 that code is made for


class Owner(NamedTuple):
    """The derivative that is called. names: of its parameters, those of the primal (`own` of them) first.
    look: looks at the results of each call, if it is asked for (see `nonfinite.check`)."""

    primal: Any
    recipe: Recipe
    names: tuple[str, ...]
    own: int
    entries: Callable[[Sequence[Any]], int]  # how many the value has, for these arguments
    look: Callable[..., None] | None = None


class Call:
    """A derivative for one list of argument structures."""

    def __init__(self, owner: Owner, specs: tuple[Spec, ...], bound: Bound) -> None:
        self.primal, self.kind, self.specs, self.bound = owner.primal, owner.recipe.kind, specs, bound
        self.recipe, self.look = owner.recipe, owner.look
        self.long: Long = bound.unit.meta.facts.no_unit_axes and (bound.unit.meta.facts.unit_axes or True)
        self._own = sum(1 for spec in specs[: owner.own] for _ in leaf_types(spec))
        unit = bound.unit
        self.function, self.meta = telling(unit.call, unit.meta.failures, unit.meta.formats), unit.meta
        self.names = [p for n, s in zip(owner.names, specs, strict=True) for p in arguments.paths(n, s)]
        self.names += [place.name for place in self.meta.captured]
        if owner.recipe.kind in DENSE:
            self.function = sized(self.function, functools.partial(self._dense, owner), owner.primal)
        self.converters = [arguments.converter(t) for t in self.meta.types]
        with speaking_of(owner.primal):
            self.lengths = list(_pairs(owner, specs))
            self.seeds = list(_seeds(owner, specs, self.meta.result))
        self.hint = _order_hint(owner)
        self.mapped = list(_mapped(owner, specs))
        self.result = _assembler(self.meta.result)
        self.ordered = [k for k in self.meta.overwritten if self.meta.facts.ordered]
        self.apart = list(_apart(owner, specs, self.meta))
        self.kept = Kept(self.meta.facts.kept, getattr(owner.primal, "__name__", "f"))

    def repeats(self, values: Sequence[Any]) -> bool:
        """Whether an array has an axis of length 1, which operations may repeat, or one that may come to that."""
        items = [*arguments.flat(values, self.specs), *(read() for read in self.bound.read)]
        facts = self.meta.facts
        if any(1 in np.shape(item) for item, t in zip(items, self.meta.types, strict=True) if t.ref):
            if not facts.unit_axes or self.unit_axes(values) != facts.unit_axes:
                return True
        if any(n < m for k, axes in facts.least for n, m in zip(np.shape(items[k]), axes, strict=True)):
            return True
        return any(np.shape(items[a])[i] < n * np.shape(items[b])[k] + by for a, i, n, b, k, by in facts.longer)

    def units_for(self, values: Sequence[Any], calls: Iterable[tuple[Any, Long]]) -> Long:
        """The axes of length 1 that code is made for; of many kinds of calls, it is made for the first ones."""
        units = self.unit_axes(values) if self.kind != "vmap" else False
        known = [long for specs, long in calls if specs == self.specs and isinstance(long, tuple)]
        return units if units in known or len(known) < UNITS else False

    def unit_axes(self, values: Sequence[Any]) -> Long:
        """The axes of length 1 of the function's own arguments, by their leaves, if those alone have such."""
        items = [*arguments.flat(values, self.specs), *(read() for read in self.bound.read)]
        found = []
        for place, (item, type) in enumerate(zip(items, self.meta.types, strict=True)):
            axes = tuple(k for k, n in enumerate(np.shape(item)) if n == 1) if type.ref else ()
            if axes and place >= len(items) - len(self.bound.read):
                return False
            if axes and place < self._own:
                found.append((place, axes))
        return tuple(found)

    def _dense(self, owner: Owner, items: Sequence[Any]) -> Dense:
        """What the matrix would have been."""
        active = [items[k] for k in owner.recipe.active(self.specs)]
        columns = sum(np.size(item) for item in active)
        given = iter(items)
        values = [assemble(spec, given) for spec in self.specs]
        rows = columns if owner.recipe.kind == "hessian" else owner.entries(values)
        width = max(np.asarray(item).itemsize for item in active)
        return "Hessian" if owner.recipe.kind == "hessian" else "Jacobian", rows, columns, rows * columns * width

    def leaves(self, values: Sequence[Any]) -> list[Any]:
        """What the compiled code takes: the leaves of the arguments, then what is captured."""
        items = list(arguments.flat(values, self.specs))
        read = [read() for read in self.bound.read]
        with speaking_of(self.primal):
            if self.meta.facts.changed:
                arguments.check_objects(values)
            self._check(items, read)
            items += read
            return [convert(item) for convert, item in zip(self.converters, items, strict=True)]

    def alike(self, values: Sequence[Any]) -> list[Any]:
        """Arguments of the compiled code that have the shapes of these, and take no memory."""
        items = [*arguments.flat(values, self.specs), *(read() for read in self.bound.read)]
        return [np.broadcast_to(np.zeros((), v.dtype), v.shape) if isinstance(v, np.ndarray) else v for v in items]

    def _check(self, items: Sequence[Any], read: Sequence[Any]) -> None:
        """Refuse leaves that do not go together."""
        for k, model in self.lengths:
            what = f"`{self.names[k]}`, the direction"
            arguments.check_like(items[k], items[model], self.names[model], what, self.hint)
        lengths = [f"{items[k].shape[axis]} of `{self.names[k]}`" for k, axis in self.mapped]
        if len({items[k].shape[axis] for k, axis in self.mapped}) > 1:
            message = f"the mapped axes have different lengths: {wording.joined(lengths)}"
            raise ArgumentError(message, hint="give None in in_axes for what is the same for all items")
        items = [*items, *read]
        for k in self.ordered:
            arguments.check_order(items[k], self.names[k])
        arguments.check_sharing(items, self.apart, self.names)

    def run(self, values: Sequence[Any]) -> Any:
        items = self.leaves(values)
        self.kept.look(items)
        with speaking_of(self.primal):
            out = self.function(*items)
            if self.look is not None:
                self.look(self.primal, self.recipe, self.specs, items, out)
        for place, seed in self.seeds:
            with speaking_of(self.primal):
                arguments.check_like(items[seed], out[place], "the value", f"`{self.names[seed]}`, the cotangent")
        return self.result(out)


def _apart(owner: Owner, specs: Sequence[Spec], meta: find_or_make.Meta) -> Iterator[tuple[int, int]]:
    """(an array that is overwritten, another that the primal takes or captures): they must not share memory."""
    given = find_or_make.leaf_count(specs[: owner.own])
    captured = len(meta.types) - len(meta.captured)
    arrays = [k for k, t in enumerate(meta.types) if t.ref and (k < given or k >= captured)]
    return ((k, other) for k in meta.overwritten for other in arrays if other != k)


def _mapped(owner: Owner, specs: Sequence[Spec]) -> Iterator[tuple[int, int]]:
    """(leaf, axis) of what `vmap` maps over."""
    place = 0
    for spec, axis in zip(specs, owner.recipe.axes, strict=False):
        for _ in leaf_types(spec):
            if axis is not None:
                yield place, axis
            place += 1


def _seeds(owner: Owner, specs: Sequence[Spec], result: Spec) -> Iterator[tuple[int, int]]:
    """(array leaf of the value, leaf of its cotangent), of what `reverse` makes."""
    if owner.recipe.kind != "reverse":
        return
    assert isinstance(result, Node)
    seed = find_or_make.leaf_count(specs[: owner.own])
    given = [t for s in specs for t in leaf_types(s)][seed:]
    wanted = [t for t in leaf_types(result.children[0]) if t.is_float]
    if given != wanted:
        message = f"the cotangent is {_several(given)}, the value {_several(wanted)}"
        raise ArgumentError(message, hint="give it the structure, shape and dtype of the value")
    for place, kind in enumerate(leaf_types(result.children[0])):
        if kind.is_float:
            if kind.ref:
                yield place, seed
            seed += 1


def _pairs(owner: Owner, specs: Sequence[Spec]) -> Iterator[tuple[int, int]]:
    """The same, in a call from Python: of the same structure and dtypes too."""
    recipe = owner.recipe
    if recipe.kind not in ("forward", "jvp", "hvp"):
        return
    count = owner.own
    active = recipe.active(specs[:count])
    extra = [k for k in range(find_or_make.leaf_count(specs[:count]), find_or_make.leaf_count(specs))]
    kinds = [t for s in specs for t in leaf_types(s)]
    if len(active) != len(extra) or any(kinds[a] != kinds[e] for a, e in zip(active, extra, strict=True)):
        got, want = _several([kinds[e] for e in extra]), _several([kinds[a] for a in active])
        names = wording.joined([f"`{n}`" for n in owner.names[count:]])
        message = f"{names}, the direction, is {got}; what is differentiated by is {want}"
        hint = _order_hint(owner) or "give it the structure, shape and dtype of the argument"
        raise ArgumentError(message.replace("; ", ", "), hint=hint)
    yield from zip(extra, active, strict=True)


def _order_hint(owner: Owner) -> str:
    """What is told where a vector does not fit that may have been given in SciPy's order."""
    if owner.recipe.kind != "hvp" or owner.own < 2:
        return ""
    return "the vector comes last: hvp(f)(x, *args, vector); SciPy's hessp(x, p, *args) is scipy_derivatives(f).hessp"


def _several(types: Sequence[Type]) -> str:
    """Leaves in words."""
    return wording.joined([wording.of_type(t) for t in types]) or "nothing that has a derivative"


def same(value: Any) -> Any:
    return value


def _assembler(spec: Spec) -> Callable[[Any], Any]:
    """What turns the flat result of compiled code into the structure that the user sees."""
    kinds = list(leaf_types(spec))
    plain = not any(t == F4 for t in kinds)
    if isinstance(spec, Leaf):
        return same if plain else np.float32
    flat = isinstance(spec, Node) and spec.kind is tuple and all(isinstance(c, Leaf) for c in spec.children)
    if flat and plain and len(kinds) > 1:
        return same
    single = [t == F4 for t in kinds]

    def rebuild(value: Any) -> Any:
        items = value if len(single) > 1 else (value,) if single else ()
        return assemble(spec, iter([np.float32(v) if f else v for v, f in zip(items, single, strict=True)]))

    return rebuild
