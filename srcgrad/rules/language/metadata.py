"""What a declaration says beyond the primitive itself: its samples, its edges, what has no meaning for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Params = dict[str, Any]
Samples = Sequence[tuple[Any, ...]]  # argument tuples at which the rule tests itself


class At(tuple[Any, ...]):
    """A sample that comes with its own params instead of each of the rule's."""

    params: Params

    def __new__(cls, *args: Any, **params: Any) -> At:
        made = super().__new__(cls, args)
        made.params = params
        return made


@dataclass(frozen=True, slots=True)
class Literal:
    """In a sample: a number that stands in the program as a literal, which a rule may take for static."""

    value: float | int | bool


@dataclass(frozen=True, slots=True)
class Edge:
    """What the derivatives are where a function has a corner, a tie, a pole or an end: one for each float argument.

    They are those of the sum of the results. second: the derivatives of these along (1, 1, ...); None: not defined.
    """

    args: tuple[Any, ...]
    partials: tuple[Any, ...]
    second: tuple[Any, ...] | None = None
    params: Params = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Info:
    """What a declaration says beyond the primitive, for tests and pages: passes see `Traits`, and nothing of this.

    edges: the derivatives at singular points. without: what has no meaning for it, and why: the name of a column of
    the self-test's matrix ('3-D', 'empty', 'float32' ...) and a reason.
    """

    functions: tuple[Any, ...]
    samples: Samples
    params: Sequence[dict[str, Any]] = ({},)
    domain: str = ""
    ties: str = ""
    edges: Sequence[Edge] = ()
    without: Mapping[str, str] = field(default_factory=dict)
    symmetric: Sequence[int] = ()  # matrices that are symmetric, of which one triangle is read: directions are too
    held: str = ""  # why no derivative goes through although the value changes with the argument
    scalars: bool = False  # whether arrays never come to it: the user's function takes scalars only


def only_ranks(*ranks: int) -> dict[str, str]:
    """For `without`: the rule takes arrays of these ranks and no others."""
    names = {0: "scalars", 1: "vectors", 2: "matrices", 3: "arrays of three axes"}
    why = "it takes " + " and ".join(names[rank] for rank in ranks)
    return {f"{rank}-D" if rank else "scalar": why for rank in names if rank not in ranks}
