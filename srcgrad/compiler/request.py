"""What is asked of a function: which derivative, with respect to which parameters, and the structure that it has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any, NamedTuple

from srcgrad.core.types import Type
from srcgrad.errors import ArgumentError
from srcgrad.frontend.source.structure import Leaf, Node, Spec, Static, leaf_types

# kinds that take more parameters than the primal, and how many of them an active parameter or the result has
EXTRAS = {"forward": "_dot", "jvp": "_dot", "hvp": "_vector", "reverse": "_bar", "pullback": "_bar"}


def state(made: Any) -> list[Any]:
    """What a pickle of such a dataclass holds."""
    return [getattr(made, f.name) for f in fields(made)]


def take_state(made: Any, given: Sequence[Any]) -> None:
    """Older versions had fewer fields: what their pickles do not say is as it is by default."""
    known = fields(made)
    for f, value in zip(known, given, strict=False):
        object.__setattr__(made, f.name, value)
    for f in known[len(given) :]:
        object.__setattr__(made, f.name, f.default if f.default_factory is MISSING else f.default_factory())


@dataclass(frozen=True, slots=True)
class Positional:
    """The argument that a call gives at this place, where a star parameter collects those from `star` on.

    behind: the parameters that a call gives by place behind those: what a derivative takes beside its function's.
    """

    number: int
    star: int
    behind: tuple[int, ...] = ()

    __getstate__, __setstate__ = state, take_state

    def found(self, specs: Sequence[Spec]) -> tuple[int, int | None]:
        """The parameter, and the item of the star's tuple if it is that."""
        star = specs[self.star]
        collected = self.star + len(star.children if isinstance(star, Node) else ())
        count = collected + len(self.behind)
        if not -count <= self.number < count:
            raise ArgumentError(
                f"argnums={self.number} is out of range: the call gives {count} arguments by place",
                hint="argnums counts the arguments from 0",
            )
        place = self.number % count
        if place >= collected:
            return self.behind[place - collected], None
        return (place, None) if place < self.star else (self.star, place - self.star)


class Limit(NamedTuple):
    """How much a reverse sweep keeps of a loop: so many snapshots, or, if that is 0, so many bytes. strict: whether a
    loop is refused that cannot be run again from snapshots."""

    snapshots: int
    bytes: int
    strict: bool = True


Long = bool | tuple[tuple[int, tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True)
class Recipe:
    """One transformation: its kind, the places of the parameters, and whether a lone one stands bare in the result.

    axes: for `vmap`, the mapped axis of each parameter. shapes: for a kernel, the shape of each leaf of an item, which
    it is made for; None where it is for any.
    leaves: for `jvp` and `pullback`, the places of the active leaves, where not all of the parameters' are.
    long: made for arrays of which no axis has length 1, but for those that are named: (leaf, its axes).
    last: what is made of it is not differentiated again.
    checkpoint: how much of a loop is kept, if not what the plan keeps.
    """

    kind: str
    argnums: tuple[int | Positional, ...] = (0,)
    single: bool = True
    has_aux: bool = False
    mode: str = "reverse"
    leaves: tuple[int, ...] | None = None
    axes: tuple[int | None, ...] = ()
    shapes: tuple[tuple[int, ...] | None, ...] = ()
    long: Long = False
    last: bool = False
    checkpoint: Limit | None = None

    __getstate__, __setstate__ = state, take_state

    def active(self, specs: Sequence[Spec]) -> tuple[int, ...]:
        """The places of the active leaves among those of all parameters, in the order of `argnums`."""
        if self.leaves is not None:
            return self.leaves
        return tuple(
            start + k
            for _, start, spec in self.chosen(specs)
            for k, type in enumerate(leaf_types(spec))
            if type.is_float
        )

    def chosen(self, specs: Sequence[Spec]) -> list[tuple[int, int, Spec]]:
        """Of each of `argnums` the parameter, the place of its first leaf, and its structure."""
        out = []
        for argnum in self.argnums:
            place, item = argnum.found(specs) if isinstance(argnum, Positional) else (argnum, None)
            start, spec = _leaves(specs[:place]), specs[place]
            if item is not None and isinstance(spec, Node):
                start, spec = start + _leaves(spec.children[:item]), spec.children[item]
            out.append((place, start, spec))
        if len({start for _, start, _ in out}) != len(out) and any(isinstance(a, Positional) for a in self.argnums):
            raise ArgumentError("argnums names an argument twice", hint="name each once")
        return out

    def changed(self, specs: Sequence[Spec], change: Callable[[Spec], Spec]) -> list[Spec]:
        """The parameters' structures with those of `argnums` changed that are numbers or arrays."""
        out = list(specs)
        for argnum in self.argnums if self.leaves is None else ():
            place, item = argnum.found(specs) if isinstance(argnum, Positional) else (argnum, None)
            spec = out[place]
            if isinstance(spec, Leaf):
                out[place] = change(spec)
            elif item is not None and isinstance(spec, Node) and isinstance(spec.children[item], Leaf):
                children = (change(c) if k == item else c for k, c in enumerate(spec.children))
                out[place] = Node(spec.kind, spec.keys, tuple(children))
        return out

    def per_argument(self, specs: Sequence[Spec], change: Callable[[Spec], Spec]) -> Spec:
        """The structure of something that there is one of for each differentiated parameter."""
        made = [change(spec) for _, _, spec in self.chosen(specs)]
        return made[0] if self.single else tuple_of(made)

    def models(self, specs: Sequence[Spec], count: int) -> Sequence[Spec]:
        """What each of the parameters that the derivative takes beside those of the primal is a tangent of."""
        if self.kind == "hvp":
            return [self.per_argument(specs, lambda spec: spec)]
        if self.kind == "forward":
            return [spec for _, _, spec in self.chosen(specs)]
        return [Static(None)] * count


VALUE = Recipe("value", (), leaves=())  # the function itself


def _leaves(specs: Sequence[Spec]) -> int:
    return sum(1 for spec in specs for _ in leaf_types(spec))


def tuple_of(specs: Sequence[Spec]) -> Node:
    return Node(tuple, tuple(map(str, range(len(specs)))), tuple(specs))


def map_leaves(spec: Spec, change: Callable[[Type], Spec]) -> Spec:
    """The structure with each float leaf changed, and None in the place of all others."""
    if isinstance(spec, Leaf):
        return change(spec.type) if spec.type.is_float else Static(None)
    if isinstance(spec, Node):
        return Node(spec.kind, spec.keys, tuple(map_leaves(child, change) for child in spec.children))
    return Static(None)


def gradient_spec(spec: Spec) -> Spec:
    """The structure of a gradient with respect to an argument; of a tangent, too."""
    return map_leaves(spec, Leaf)


def jacobian_spec(output: Spec, inputs: Callable[[Callable[[Spec], Spec]], Spec]) -> Spec:
    """The structure of a Jacobian: that of the output, each leaf being the inputs' structure with the axes of both."""

    def block(out: Type) -> Spec:
        return inputs(lambda spec: map_leaves(spec, lambda kind: Leaf(_joined(out, kind))))

    return map_leaves(output, block)


def _joined(out: Type, kind: Type) -> Type:
    rank = out.rank + kind.rank
    return Type(kind.dtype, rank, ref=rank > 0)


def float_leaves(specs: Sequence[Spec]) -> Iterator[int]:
    """The places of the float leaves."""
    places = (type for spec in specs for type in leaf_types(spec))
    return (k for k, type in enumerate(places) if type.is_float)
