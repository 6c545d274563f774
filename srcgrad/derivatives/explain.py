"""`Derivative.explain`: what is active, what is kept and why, how many bytes, and the cost beside the primal's."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from srcgrad.backend import cache, cpu
from srcgrad.compiler import find_or_make, to_source
from srcgrad.compiler import program as pipeline
from srcgrad.compiler.request import VALUE, Recipe
from srcgrad.core import ir, walk
from srcgrad.core.build import Builder
from srcgrad.core.ir import Alloc, Fun, NewList, Program, Var
from srcgrad.core.rewrite import Rewritten, rewrite
from srcgrad.derivatives.explain_checkpoints import told
from srcgrad.derivatives.quantities import duration, memory
from srcgrad.frontend.source.structure import Spec, leaf_types
from srcgrad.rules.language import registry

FURTHER = {"dot": "tangent", "bar": "adjoint"}
Named = tuple[str, ir.Type]  # an array or a list in the generated code
SECONDS = 0.05  # how long each of the two functions is timed


@dataclass(frozen=True)
class Subject:
    """A derivative for one list of argument structures, and a call of it.

    names: the parameters, those of the primal (`own` of them) first.   leaves: what the compiled code takes.
    """

    primal: Any
    recipe: Recipe
    options: find_or_make.Options
    names: Sequence[str]
    own: int
    specs: Sequence[Spec]
    captured: Sequence[str]
    compiled: Callable[..., Any]
    leaves: Sequence[Any]


def explain(subject: Subject) -> str:
    """The text, for these arguments."""
    made = pipeline.derive(subject.primal, subject.recipe, subject.specs)
    name = getattr(subject.primal, "__name__", "f")
    lines = [f"{subject.recipe.kind} of {name}", *_parameters(subject, made.program.main)]
    if subject.recipe.kind != "value" or any(why for _, why in _reasons(made.program.main)):
        lines += _kept(made.program, subject.leaves)
    if subject.recipe.checkpoint is not None:
        lines += _checkpoints(made.program, subject.leaves)
    lines += _loops(made.program, find_or_make.is_parallel(subject.primal, subject.recipe, subject.options))
    return "\n".join([*lines, *_cost(subject)])


def _cost(subject: Subject) -> list[str]:
    """The time of a call, beside that of what it was made from."""
    ours = _time(subject.compiled, subject.leaves)
    if subject.recipe.kind == "value":
        return ["cost:", f"    a call         {duration(ours)}"]
    specs = tuple(subject.specs[: subject.own])
    mapped = subject.recipe.kind == "vmap"
    plain = (subject.recipe, replace(subject.options, parallel=False)) if mapped else (VALUE, subject.options)
    primal = find_or_make.bound(subject.primal, plain[0], specs, plain[1])
    items = [*subject.leaves[: find_or_make.leaf_count(specs)], *(read() for read in primal.read)]
    theirs = _time(primal.unit.function, items)
    return [
        "cost:",
        f"    {'one by one    ' if mapped else 'the function  '} {duration(theirs)}",
        f"    {'in parallel   ' if mapped else 'the derivative'} {duration(ours)}, {ours / theirs:.1f} times as long",
    ]


def _parameters(subject: Subject, main: Fun) -> Iterator[str]:
    """Each leaf of the parameters, with its part in the derivative; a value has none, but it copies what is changed."""
    yield "parameters:"
    specs = subject.specs[: subject.own]
    active = set(subject.recipe.active(specs))
    value = subject.recipe.kind == "value"
    place, own = 0, find_or_make.leaf_count(specs)
    for name, spec in zip(subject.names, subject.specs, strict=True):
        for kind in leaf_types(spec):
            why = "active" if place in active else "given" if place >= own else _why(kind)
            if value:
                why = "copied, since the function writes into it" if _overwritten(main, place) else ""
            yield f"    {name}: {kind.dtype_name}{f', {kind.rank}-D' if kind.rank else ''}{f': {why}' if why else ''}"
            place += 1
    for name in subject.captured:
        yield f"    {name}: read from around the function at each call{'' if value else ', inactive'}"


def _overwritten(main: Fun, place: int) -> bool:
    return main.params[place].name in main.facts.overwritten


def _why(kind: ir.Type) -> str:
    return "inactive, not in argnums" if kind.is_float else "inactive, no float"


def _array(var: Var) -> str:
    return f"{var.name}: {var.type.dtype_name}, {var.type.rank}-D"


class Held(NamedTuple):
    """Memory that holds what the reverse sweep needs. size: bytes; None where it is not known, or made in a loop."""

    name: str
    what: str
    size: int | None
    reason: str


def held(program: Program, leaves: Sequence[Any] | None) -> list[Held]:
    """What is kept, with its size for these arguments, if there are any, and the plan's reason."""
    main = program.main
    reasons = {stmt: why for stmt, why in _reasons(main) if why}
    kept = [s for s in reasons if isinstance(s, Alloc)]
    lists = [s for s in main.body if isinstance(s, NewList) and s in reasons]
    top = [s for s in main.body if isinstance(s, Alloc) and s in reasons]
    sizes = {} if leaves is None else _sizes(program, top, leaves)
    found = [Held(s.target.name, _array(s.target), sizes.get(s), reasons[s]) for s in kept]
    many = [None] * len(lists) if leaves is None else _held(program, lists, leaves)
    for made, size in zip(lists, many, strict=True):
        of = f"{made.target.name}: a list of {made.target.type.rank}-D arrays of {made.target.type.dtype_name}"
        found.append(Held(made.target.name, of, size, reasons[made]))
    return found


def _kept(program: Program, leaves: Sequence[Any]) -> Iterator[str]:
    found = held(program, leaves)
    yield "kept for the reverse sweep:" if found else "kept for the reverse sweep: nothing"
    for each in found:
        size = "in a loop, anew in each iteration" if each.size is None else memory(each.size)
        yield f"    {each.what}, {size}: {each.reason}"
    if found:
        yield f"bytes a call: {memory(sum(each.size or 0 for each in found))}"


def _reasons(main: Fun) -> Iterator[tuple[Alloc | NewList, str | None]]:
    """All memory that is made, with what the plan says if it is made to keep a value of the function."""
    said: dict[Named, list[str]] = {}
    for thing in (thing for thing in main.facts.plan if not thing.shadow):
        said.setdefault((thing.name, thing.type), []).append(thing.reason)
    why = {named: "; ".join(dict.fromkeys(reasons)) for named, reasons in said.items()}
    for stmt in walk.walk(main.body):
        if isinstance(stmt, (Alloc, NewList)):
            yield stmt, _reason((stmt.target.name, stmt.target.type), why)


def _reason(named: Named, why: Mapping[Named, str]) -> str | None:
    """The plan's; a derivative of this one has tangents and adjoints of what is kept, too."""
    if named in why:
        return why[named]
    base, _, suffix = named[0].rpartition("_")
    return f"the {FURTHER[suffix]} of {base}" if suffix in FURTHER and _reason((base, named[1]), why) else None


def _loops(program: Program, parallel: bool) -> list[str]:
    """How the loops over prange, and those made of them, are run."""
    said = to_source.scheduled(program, parallel).main.facts.parallel
    return ["loops over prange:", *(f"    {verdict}" for verdict in said)] if said else []


def _checkpoints(program: Program, leaves: Sequence[Any]) -> list[str]:
    """What is run again, and from how many snapshots."""

    def run(counting: Program) -> tuple[int, ...]:
        out = _run(counting, leaves)
        return out if isinstance(out, tuple) else (out,)

    said = list(told(program, run))
    return ["checkpoints:", *said] if said else []


def _sizes(program: Program, allocs: Sequence[Alloc], leaves: Sequence[Any]) -> dict[Alloc, int]:
    """Bytes of each array: the program is cut down to their shapes, and run."""
    dims, body = to_source.with_shapes(program.main.body, [s.target for s in allocs])
    results = tuple(d for row in dims for d in row)
    if not results:
        return {}
    out = _run(Program(replace(program.main, body=body, results=results), program.callees), leaves)
    numbers = iter(out if isinstance(out, tuple) else (out,))
    return {
        stmt: int(np.dtype(stmt.target.type.dtype).itemsize * np.prod([next(numbers) for _ in row], dtype=np.int64))
        for stmt, row in zip(allocs, dims, strict=True)
    }


def _held(program: Program, lists: Sequence[NewList], leaves: Sequence[Any]) -> list[int]:
    """Bytes of the arrays that go into each list: the program is cut down to what counts them, and run."""
    if not lists:
        return []
    builder = Builder()
    counts = builder.alloc("i8", (ir.Const(len(lists), ir.I8),), name="counts")
    places = {made.target: ir.Const(k, ir.I8) for k, made in enumerate(lists)}

    def counted(stmt: ir.Stmt) -> Rewritten:
        if not isinstance(stmt, ir.Append) or stmt.refs not in places:
            return stmt
        with builder.block() as before:
            number = builder.let(registry.PRIMITIVES["size"], stmt.ref, name="n")
            builder.accumulate(counts, (places[stmt.refs],), number)
        return (*before, stmt)

    body = (*builder.out, *rewrite(program.main, counted).body)
    numbers = _run(Program(replace(program.main, body=body, results=(counts,)), program.callees), leaves)
    return [int(n) * np.dtype(made.target.type.dtype).itemsize for n, made in zip(numbers, lists, strict=True)]


def _run(program: Program, leaves: Sequence[Any]) -> Any:
    """What a program gives for these arguments, run by Python."""
    program = pipeline.tidy(program)
    path = cache.temporary() / f"{program.main.name}_shapes_{id(program)}.py"
    cache.write(path, to_source.text(program, None).encode())
    return cpu.load(path, program.main.name, (), jit=False)(*leaves)


def _time(function: Callable[..., Any], args: Sequence[Any]) -> float:
    """The shortest time of a call, after one that compiles."""
    function(*args)
    best, end = float("inf"), time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        start = time.perf_counter()
        function(*args)
        best = min(best, time.perf_counter() - start)
    return best
