"""Clocks: what they show is read once, where it stands, and carries no derivative."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.core.traits import Traits
from srcgrad.rules.language import registry
from srcgrad.rules.language.values import Val


def _clock(name: str) -> ir.Primitive:
    function: Callable[[], float] = getattr(time, name)
    source = f"def _{name}():\n    with objmode(now='float64'):\n        now = time.{name}()\n    return now\n"

    def template(types: Sequence[ir.Type], params: dict[str, Any]) -> tuple[str, dict[str, str]]:
        return f"_{name}()", {f"_{name}": source}

    return ir.Primitive(
        f"time.{name}",
        lambda types, params: (ir.F8,),
        lambda *args, rank: function(),
        template,
        traits=Traits("draw"),
    )


def _read(name: str) -> None:
    op = _clock(name)

    @registry.adaptor(getattr(time, name))
    def call(builder: Builder) -> Val:
        return Val(builder, builder.draw(op, rank=0))


for _name in ("time", "perf_counter", "monotonic", "process_time"):
    _read(_name)
