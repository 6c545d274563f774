"""How many bytes a derivative keeps for its reverse sweep, told of its arguments before it is called."""

from __future__ import annotations

import numpy as np

from srcgrad.compiler import program as pipeline
from srcgrad.compiler import to_source
from srcgrad.core import ir, walk
from srcgrad.core.build import Builder, const
from srcgrad.core.ir import Alloc, Atom, Program
from srcgrad.rules.language import registry
from srcgrad.transform.program_edits import reachable, without_effects

RUN = (ir.For, ir.While, ir.Call, ir.Custom, ir.Draw)  # what takes time, or cannot be repeated


def kept(program: Program) -> list[Alloc]:
    """The arrays that the function makes, once a call, for what it keeps."""
    main = program.main
    said = {(thing.name, thing.type) for thing in main.facts.plan if not thing.shadow}
    return [s for s in main.body if isinstance(s, Alloc) and (s.target.name, s.target.type) in said]


def text_of(program: Program) -> str:
    """A function `kept_bytes` of what the derivative takes, as Python's text; "" if it keeps nothing, or so much as is
    only known once it has run."""
    arrays = kept(program)
    if not arrays:
        return ""
    dims, body = to_source.with_shapes(program.main.body, [s.target for s in arrays])
    builder = Builder()
    multiply, add = registry.PRIMITIVES["multiply"], registry.PRIMITIVES["add"]
    total: Atom = const(0)
    for stmt, row in zip(arrays, dims, strict=True):
        size: Atom = const(int(np.dtype(stmt.target.type.dtype).itemsize))
        for n in row:
            size = builder.let(multiply, size, n, name="size")
        total = builder.let(add, total, size, name="total")
    fun = ir.Fun("kept_bytes", program.main.params, (*body, *builder.out), (total,))
    made = pipeline.tidy(reachable(Program(without_effects(fun), program.callees)))
    if any(isinstance(s, RUN) for s in walk.walk(made.main.body)):
        return ""
    return to_source.text(made, None)
