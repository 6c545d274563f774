"""Programs that a thread of a GPU can run: arrays in local memory of fixed length, array operations as loops."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache

from srcgrad.core import ir, walk
from srcgrad.core.ir import Const, Fun, Primitive, Program, Stmt, Var
from srcgrad.core.rewrite import rewrite
from srcgrad.core.shapes import fixed
from srcgrad.gpu.arrays.lower_arrays import UNKNOWN, Loops
from srcgrad.gpu.arrays.workspace_lengths import Work, allocations, counting, given
from srcgrad.printer import gpu_expressions as templates
from srcgrad.rules.shapes.shape import dim, size
from srcgrad.schedule.elements import REMEDY, UNKNOWN_LENGTH, Elements
from srcgrad.transform.refuse import unsupported

HINT = 'return a tuple of numbers, or map the function over arrays: vmap(..., target="cuda")'

KEEP_HINT = (
    'give the loop a number of iterations that stands in the program, use mode="forward", or map the derivative over'
    ' arrays on the host: vmap(..., target="cuda")'
)
Tidy = Callable[[Program], Program]


@dataclass(frozen=True, slots=True)
class Out:
    """An array result, which the caller gives: its place among the results, and its lengths where they are known."""

    place: int
    dims: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Legal:
    """A program of scalars, local arrays and arrays that the caller gives.

    Its parameters are those of the program it was made of, then one array for each of its array results, in the order
    of `outs`, then one for each of `works`. Its results are the scalars among those of the program it was made of.
    count: takes the parameters of the program it was made of, and gives the lengths of all works, axis after axis.
    """

    program: Program
    outs: tuple[Out, ...] = ()
    works: tuple[Work, ...] = ()
    count: Program | None = None


def legal(program: Program, tidy: Tidy, shapes: Mapping[int, tuple[int, ...]] | None = None) -> Legal:
    """shapes: the lengths of parameters that are known, by place."""
    if program.callees:
        raise unsupported(None, "a function that calls itself cannot run on the GPU", "write the recursion as a loop")
    if shapes:
        lengths = [shapes.get(k) for k in range(len(program.main.params))]
        program = tidy(Program(fixed(program.main, lengths)))
    main, outs = _expanded(program.main, tidy)
    asks = next((s for s in walk.walk(main.body) if UNKNOWN in (*walk.used(s), *walk.used_inside(s))), None)
    if asks is not None:
        raise unsupported(asks.span, UNKNOWN_LENGTH, REMEDY)
    main = tidy(Program(main)).main
    count = _counting(main, len(program.main.params), tidy)
    main, works = given(replace(main, results=main.results[: len(main.results) - len(outs)]))
    return Legal(Program(on_device(main)), outs, works, count)


def _counting(main: Fun, own: int, tidy: Tidy) -> Program | None:
    """The program that tells how long the work arrays must be, from the parameters but for those the caller makes."""
    made = allocations(main)
    if not made:
        return None
    count = tidy(Program(counting(replace(main, params=main.params[:own])))).main
    rest = allocations(count)
    if rest:
        raise unsupported(rest[0].span or made[0].span, UNKNOWN_LENGTH, REMEDY)
    return Program(on_device(count))


# ---- arrays


def _expanded(fun: Fun, tidy: Tidy) -> tuple[Fun, tuple[Out, ...]]:
    """The function with array operations as loops, and what its array results became."""
    if all(not v.type.rank for stmt in walk.walk(fun.body) for v in walk.defined(stmt)) and not any(
        p.type.rank for p in fun.params
    ):
        return fun, ()
    loops = Loops(fun, tidy)
    params = [loops.parameter(p) for p in fun.params]
    loops.run(fun.body)
    outs, arrays, scalars = [], [], []
    for place, result in enumerate(fun.results):
        if not result.type.rank:
            scalars.append(loops.atom(result))
            continue
        assert isinstance(result, Var)
        root = loops.given.get(result)
        if root is None or root in arrays:
            root = _copied(loops, loops.array(result), result)
        arrays.append(root)
        dims = tuple(int(n.value.real) if isinstance(n, Const) else None for n in loops.dims_of_result(result))
        outs.append(Out(place, dims))
    body = (*loops.head, *loops.writer.builder.out)
    # what the caller gives is among the results as long as passes look at it: else nobody would need what is stored
    results = (*scalars, *arrays)
    made = replace(fun, params=(*params, *arrays), body=body, results=results, facts=loops.facts())
    return made, tuple(outs)


def _copied(loops: Loops, value: Elements, result: Var) -> Var:
    """The caller's array with the value in it."""
    out = Var(f"{result.name}_out", ir.Type(result.type.dtype, result.type.rank, ref=True))
    loops.writer.nest(value.dims, lambda place: loops.writer.builder.store(out, place, value.at(place)))
    return out


# ---- scalars


def on_device(fun: Fun) -> Fun:
    """The function with primitives as they are printed for the GPU."""
    return rewrite(fun, _scalar)


def _scalar(stmt: Stmt) -> Stmt:
    if not isinstance(stmt, ir.Let) or stmt.op in (dim, size):
        return stmt
    made = device_primitive(stmt.op)
    assert callable(made.template)
    try:
        made.template(tuple(a.type for a in stmt.args), dict(stmt.params))
    except templates.NotOnDevice as error:
        message = f"`{stmt.op.name}` cannot run on the GPU: there is no {error} there"
        raise unsupported(stmt.span, message, 'use target="cpu", or write it with functions of `math`') from None
    return replace(stmt, op=made)


@cache
def device_primitive(op: Primitive) -> Primitive:
    """The primitive with its template for the GPU."""
    return replace(op, template=templates.template(op))
