"""Integers about the snapshots of a loop that is run again from them, which the transformations emit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from srcgrad.core import ir
from srcgrad.numeric import checkpoints
from srcgrad.rules.language.declare import zero
from srcgrad.rules.language.runtime_text import sources


def _counting(function: Callable[..., int], *samples: tuple[int, ...]) -> ir.Primitive:
    """The function of integers as a primitive."""
    name = function.__name__
    places = ", ".join(f"_{k}" for k in range(len(samples[0])))

    def template(types: tuple[ir.Type, ...], params: dict[str, Any]) -> Any:
        return f"{name}({places})", sources(function)

    return zero(
        name,
        (),
        evaluate=lambda *values: function(*map(int, values)),
        infer=lambda types, params: (ir.I8,),
        template=template,
        elementwise=False,
        samples=list(samples),
    )


next_snapshot = _counting(checkpoints.next_snapshot, (0, 10, 1, 3), (4, 100, 4, 1), (0, 1000, 1, 5))
snapshot_distance = _counting(checkpoints.snapshot_distance, (1000, 10000, 8, 16), (10, 5, 100, 100))
snapshot_count = _counting(checkpoints.snapshot_count, (1000, 10000, 31, 8, 16), (10, 5, 1, 100, 100))
