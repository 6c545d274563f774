"""What is asked of a function: which derivative, with respect to which parameters, and the structure that it has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from srcgrad.core.types import Type
from srcgrad.syntax.structure import Leaf, Node, Spec, Static, leaf_types

# kinds that take more parameters than the primal, and how many of them an active parameter or the result has
EXTRAS = {"forward": "_dot", "jvp": "_dot", "hvp": "_vector", "reverse": "_bar", "pullback": "_bar"}


@dataclass(frozen=True, slots=True)
class Recipe:
    """One transformation: its kind, the places of the parameters, and whether a lone one stands bare in the result.

    axes: for `vmap`, the mapped axis of each parameter. shapes: for a kernel, the shape of each leaf of an item, which
    it is made for; None where it is for any.
    leaves: for `jvp` and `pullback`, the places of the active leaves, where not all of the parameters' are.
    """

    kind: str
    argnums: tuple[int, ...] = (0,)
    single: bool = True
    has_aux: bool = False
    mode: str = "reverse"
    leaves: tuple[int, ...] | None = None
    axes: tuple[int | None, ...] = ()
    shapes: tuple[tuple[int, ...] | None, ...] = ()

    def active(self, specs: Sequence[Spec]) -> tuple[int, ...]:
        """The places of the active leaves among those of all parameters, in the order of `argnums`."""
        if self.leaves is not None:
            return self.leaves
        starts, count = [], 0
        for spec in specs:
            starts.append(count)
            count += sum(1 for _ in leaf_types(spec))
        return tuple(
            starts[place] + k
            for place in self.argnums
            for k, type in enumerate(leaf_types(specs[place]))
            if type.is_float
        )

    def per_argument(self, specs: Sequence[Spec], change: Callable[[Spec], Spec]) -> Spec:
        """The structure of something that there is one of for each differentiated parameter."""
        made = [change(specs[place]) for place in self.argnums]
        return made[0] if self.single else tuple_of(made)


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
