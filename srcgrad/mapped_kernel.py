"""From a function to the module of a kernel that maps it: one item a thread."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from srcgrad import pipeline
from srcgrad.core import ir, walk
from srcgrad.core.ir import Const, Fun, Program, Stmt, Type, Var
from srcgrad.core.shapes import fixed
from srcgrad.errors import UnsupportedError
from srcgrad.failures import Raised
from srcgrad.mapping import item_spec, mapped_spec
from srcgrad.recipe import Recipe
from srcgrad.syntax.lower import Lowered
from srcgrad.syntax.mapped_kernel import Argument, Mapped, kernel_name, literals, mapped_kernel
from srcgrad.syntax.names import ANONYMOUS
from srcgrad.syntax.places import placed
from srcgrad.syntax.structure import Spec, leaf_types
from srcgrad.transform.device import Out
from srcgrad.transform.refuse import unsupported

Shape = tuple[int, ...]
FAILED = "failed"


@dataclass(frozen=True, eq=False, slots=True)
class Kernel:
    """The function of one item, as a thread runs it.

    function: its program. lowered: with the parameters of one that maps it, and the structure of all items' results.
    name: of the kernel. outs: the shape of each result of an item. raised: what threads may meet, by codes from 1.
    """

    function: Program
    lowered: Lowered
    name: str
    outs: tuple[Shape, ...]
    raised: tuple[Raised, ...]


def derive(fun: Any, recipe: Recipe, specs: Sequence[Spec]) -> Kernel:
    """The kernel's function for arguments of these structures, which are mapped; recipe.shapes: of each leaf's item."""
    names = pipeline.parameters_of(fun)
    items = [item_spec(s, axis, n) for s, axis, n in zip(specs, recipe.axes, names, strict=True)]
    base = pipeline.derive(fun, Recipe("value", leaves=()), items)
    main = pipeline.tidy(Program(fixed(base.program.main, recipe.shapes))).main
    made, legal = pipeline.with_arrays(replace(base, program=Program(main, base.program.callees)), fun)
    outs = _shapes(main, legal.outs, fun)
    function, raised = recording(made.program.main)
    main = replace(made.program.main, params=main.params)
    lowered = replace(made, program=Program(main), result=mapped_spec(base.result))
    return Kernel(Program(function, made.program.callees), lowered, kernel_name(function.name), outs, raised)


def _shapes(main: Fun, arrays: Sequence[Out], fun: Any) -> tuple[Shape, ...]:
    """The shape of each result of an item."""
    found: dict[int, Shape] = {}
    for out in arrays:
        lengths = tuple(n for n in out.dims if n is not None)
        if len(lengths) < len(out.dims):
            hint = 'return arrays whose lengths follow from the shapes of the arguments, or use target="cpu"'
            raise placed(UnsupportedError("the length of an array that is returned depends on values", hint=hint), fun)
        found[out.place] = lengths
    return tuple(found.get(k, ()) for k in range(len(main.results)))


# ---- what is raised


def recording(main: Fun) -> tuple[Fun, tuple[Raised, ...]]:
    """The function with a code put into its last parameter, and an end, where it would raise: what a thread raises is
    lost."""
    failed = Var(FAILED, Type("i8", 1, ref=True))
    leave = ir.Effect(f"return {', '.join(_nothing(r.type) for r in main.results if not r.type.rank)}".strip())
    raised: list[Raised] = []

    def block(stmts: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
        out: list[Stmt] = []
        for stmt in stmts:
            found = _raised(stmt) if isinstance(stmt, ir.Effect) else None
            if found is None or not isinstance(stmt, ir.Effect):
                out.append(walk.rebuild(stmt, lambda a: a, lambda v: v, block))
                continue
            if found not in raised:
                raised.append(found)
            code = Const(raised.index(found) + 1, ir.I8)
            steps = ir.Store(failed, (Const(0, ir.I8),), code, span=stmt.span), replace(leave, span=stmt.span)
            asserts = stmt.code.startswith("assert") and stmt.args
            out += [ir.If(stmt.args[0], (), steps, span=stmt.span)] if asserts else steps
        return tuple(out)

    body = block(main.body)
    if not raised:
        return main, ()
    return replace(main, params=(*main.params, failed), body=body), tuple(raised)


def _nothing(type: Type) -> str:
    """A number of this type, which nobody reads."""
    return {"b1": "False", "i8": "0", "f8": "0.0", "f4": "np.float32(0.0)", "c16": "0j", "c8": "np.complex64(0j)"}[
        type.dtype
    ]


def _raised(stmt: ir.Effect) -> Raised | None:
    """The exception that an effect may raise."""
    found = re.match(r"(?:raise (\w+)|assert \w+,? ?)(.*)", stmt.code, re.DOTALL)
    if found is None:
        return None
    asserts = found[1] is None
    args = literals(f"({found[2]})" if asserts else found[2] or "()")
    if args is None:
        hint = "write a message of fixed text"
        raise unsupported(stmt.span, "an exception with values in it cannot come from the GPU", hint)
    module, name = stmt.home or ("builtins", found[1] or "AssertionError")
    return Raised(module, name, args)


# ---- to source


def text(made: Kernel, recipe: Recipe, specs: Sequence[Spec], options: str) -> str:
    """The module: the device function and the kernel that calls it for each item."""
    program = made.function
    functions = pipeline.device_text(program, options)
    pairs = zip(specs, recipe.axes, strict=True)
    args = [Argument(t.rank, None if axis is None else axis % t.rank) for s, axis in pairs for t in leaf_types(s)]
    args += [Argument(0, None)] * len(made.lowered.captured)
    numbers = iter(program.main.results)
    outs = ["" if shape else _wish(next(numbers)) for shape in made.outs]
    return f"{functions}\n\n{mapped_kernel(Mapped(functions, program.main.name, args, outs))}"


def _wish(result: ir.Atom) -> str:
    """A name for the array of a result."""
    return result.name if isinstance(result, Var) and result.name != ANONYMOUS else "out"
