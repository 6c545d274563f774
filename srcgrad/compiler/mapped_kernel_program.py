"""From a function to the module of a kernel that maps it: one item a thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from srcgrad.compiler import program, to_source
from srcgrad.compiler.request import Recipe
from srcgrad.compiler.runtime_errors import TOO_SHORT, Raised
from srcgrad.compiler.vmap_program import item_spec, mapped_spec
from srcgrad.core import ir, walk
from srcgrad.core.ir import Const, Fun, Program, Stmt, Type, Var
from srcgrad.core.rewrite import Rewritten, rewrite
from srcgrad.core.shapes import fixed
from srcgrad.errors import UnsupportedError
from srcgrad.frontend.lowering.function import Lowered
from srcgrad.frontend.source.error_places import placed
from srcgrad.frontend.source.structure import Spec, leaf_types
from srcgrad.gpu.arrays.legalise import Out
from srcgrad.gpu.arrays.workspace_lengths import Work
from srcgrad.printer.mapped_kernel import Argument, Mapped, counting_kernel, kernel_name, mapped_kernel
from srcgrad.printer.names import ANONYMOUS
from srcgrad.rules.language import registry
from srcgrad.transform.refuse import unsupported
from srcgrad.transform.reverse import keep_values

Shape = tuple[int, ...]
FAILED = "failed"


@dataclass(frozen=True, eq=False, slots=True)
class Kernel:
    """The function of one item, as a thread runs it.

    function: its program. lowered: with the parameters of one that maps it, and the structure of all items' results.
    name: of the kernel. outs: the shape of each result of an item. raised: what threads may meet, by codes from 1.
    works: the arrays in which threads keep what they have no memory for. count: the function of their lengths.
    captured: the shapes of what the function takes from around it, which the kernel is made for.
    """

    function: Program
    lowered: Lowered
    name: str
    outs: tuple[Shape, ...]
    raised: tuple[Raised, ...]
    works: tuple[Work, ...]
    count: Fun | None
    captured: tuple[Shape, ...]

    @property
    def launch(self) -> tuple[Any, ...]:
        """What a launch needs to know, in the order of `driver.LaunchFacts`."""
        count = None if self.count is None else kernel_name(self.count.name)
        works = tuple((work.dtype, work.rank) for work in self.works)
        return self.outs, self.raised, self.captured, works, count


@keep_values("none")
def derive(fun: Any, recipe: Recipe, specs: Sequence[Spec]) -> Kernel:
    """The kernel's function for arguments of these structures, which are mapped; recipe.shapes: of each leaf's item."""
    names = program.parameters_of(fun)
    items = [item_spec(s, axis, n) for s, axis, n in zip(specs, recipe.axes, names, strict=True)]
    base = program.derive(fun, Recipe("value", leaves=()), items)
    captured = tuple(np.shape(c.read()) for c in base.captured)
    main = program.tidy(Program(fixed(base.program.main, (*recipe.shapes, *captured)))).main
    made, legal = to_source.with_arrays(replace(base, program=Program(main, base.program.callees)), fun)
    outs = _shapes(main, legal.outs, fun)
    function = made.program.main
    if legal.count is not None and to_source.decides_by_floats(legal.count):
        function = bounded(function, function.params[len(function.params) - len(legal.works) :])
    function, raised = recording(function)
    main = replace(made.program.main, params=main.params)
    lowered = replace(made, program=Program(main), result=mapped_spec(base.result))
    count = None if legal.count is None else silent(legal.count.main)
    name = kernel_name(function.name)
    return Kernel(Program(function), lowered, name, outs, raised, legal.works, count, captured)


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


def bounded(main: Fun, works: Sequence[Var]) -> Fun:
    """The function with a look at the lengths of its work arrays before it stores there: where floats decide how many
    iterations a loop takes, rounding may have let the counting kernel take fewer: compilers fuse where they like."""
    literal = {s.index for s in walk.walk(main.body) if isinstance(s, ir.For) and isinstance(s.stop, Const)}
    short = ir.Raise(TOO_SHORT.module, TOO_SHORT.name, TOO_SHORT.args)

    def looks(stmt: ir.Store | ir.Accumulate) -> Iterator[Stmt]:
        for axis, place in enumerate(stmt.index):
            if isinstance(place, Var) and place not in literal:
                length, beyond = Var("n", ir.I8), Var("beyond", ir.B1)
                yield ir.Let((length,), registry.PRIMITIVES["dim"], (stmt.ref,), {"axis": axis}, span=stmt.span)
                yield ir.Let((beyond,), registry.PRIMITIVES["greater_equal"], (place, length), span=stmt.span)
                yield ir.If(beyond, (replace(short, span=stmt.span),), (), span=stmt.span)

    def looked(stmt: Stmt) -> Rewritten:
        if isinstance(stmt, (ir.Store, ir.Accumulate)) and stmt.ref in works:
            return (*looks(stmt), stmt)
        return stmt

    return rewrite(main, looked)


def recording(main: Fun) -> tuple[Fun, tuple[Raised, ...]]:
    """The function with a code put into its last parameter, and an end, where it would raise: what a thread raises is
    lost."""
    failed = Var(FAILED, Type("i8", 1, ref=True))
    raised: list[Raised] = []

    def told(found: Raised) -> tuple[Stmt, ...]:
        if found not in raised:
            raised.append(found)
        return (ir.Store(failed, (Const(0, ir.I8),), Const(raised.index(found) + 1, ir.I8)),)

    made = _leaving(main, told)
    return (replace(made, params=(*main.params, failed)), tuple(raised)) if raised else (main, ())


def silent(main: Fun) -> Fun:
    """The function with an end where it would raise: the one that is launched next tells of it."""
    return _leaving(main, lambda found: ())


def _leaving(main: Fun, told: Callable[[Raised], tuple[Stmt, ...]]) -> Fun:
    """The function with an end, and what is told before, where it would raise."""
    leave = ir.Return(tuple(Const(NOTHING[r.type.dtype], r.type) for r in main.results if not r.type.rank))

    def left(stmt: Stmt) -> Rewritten:
        if not isinstance(stmt, (ir.Raise, ir.Assert)):
            return stmt
        steps = tuple(replace(step, span=stmt.span) for step in (*told(_raised(stmt)), leave))
        match stmt:
            case ir.Assert(cond=Var() as cond):
                return ir.If(cond, (), steps, span=stmt.span)
        return steps

    return rewrite(main, left)


# by dtype, a number that nobody reads
NOTHING: dict[str, float | complex] = {"b1": False, "i8": 0, "f8": 0.0, "f4": 0.0, "c16": 0j, "c8": 0j}


def _raised(stmt: ir.Raise | ir.Assert) -> Raised:
    """The exception that the statement may raise."""
    if isinstance(stmt, ir.Assert):
        parts = () if stmt.message is None else (stmt.message,)
        return Raised("builtins", "AssertionError", _fixed(parts, stmt.span))
    first = () if stmt.format is None else (stmt.format,)
    return Raised(stmt.module, stmt.name, (*first, *_fixed(stmt.parts, stmt.span)))


def _fixed(parts: tuple[ir.Part, ...], span: ir.Span | None) -> tuple[Any, ...]:
    """The values of parts that are known."""

    def one(part: ir.Part) -> Any:
        match part:
            case str():
                return part
            case Const(value) | ir.Literal(value):
                return value
            case tuple():
                return tuple(map(one, part))
        hint = "write a message of fixed text"
        raise unsupported(span, "an exception with values in it cannot come from the GPU", hint)

    return tuple(map(one, parts))


# ---- to source


def text(made: Kernel, recipe: Recipe, specs: Sequence[Spec], options: str) -> str:
    """The module: the device function and the kernel that calls it for each item, after the same for what counts."""
    main, count = made.function.main, made.count
    functions = to_source.device_text(Program(main, {} if count is None else {count.name: count}), options)
    pairs = zip(specs, recipe.axes, strict=True)
    kinds = [(t, axis) for s, axis in pairs for t in leaf_types(s)]
    args = [Argument(t.rank, None if axis is None else axis % t.rank, t.is_narrow) for t, axis in kinds]
    args += [Argument(0, None)] * len(made.lowered.captured)
    numbers = iter(main.results)
    outs = ["" if shape else _wish(next(numbers)) for shape in made.outs]
    kernels = [mapped_kernel(Mapped(functions, main.name, args, outs, [work.rank for work in made.works]))]
    if count is not None:
        kernels.insert(0, counting_kernel(Mapped(functions, count.name, args), len(count.results)))
    if "import numpy as np\n" not in functions and any("np." in kernel for kernel in kernels):
        functions = f"import numpy as np\n{functions}"
    return "\n\n".join([functions, *kernels])


def _wish(result: ir.Atom) -> str:
    """A name for the array of a result."""
    return result.name if isinstance(result, Var) and result.name != ANONYMOUS else "out"
