"""From a Python function and the structure of its arguments to a core program."""

from __future__ import annotations

import ast
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from srcgrad.bounds.insert_checks import checked
from srcgrad.core import ir, walk
from srcgrad.core.aliases import Aliases, written
from srcgrad.core.ir import Atom, Var
from srcgrad.core.layouts import LAYOUT, Doubt
from srcgrad.core.shapes import Shapes
from srcgrad.errors import CallError, SrcgradError, UnsupportedError
from srcgrad.frontend.lowering import calls, edges, kernel_fence, values, view_conflicts
from srcgrad.frontend.lowering.builtins import known_length
from srcgrad.frontend.lowering.called_helpers import Helpers, helpers_of_function
from srcgrad.frontend.lowering.language import lowering
from srcgrad.frontend.lowering.new_function import NewFunction
from srcgrad.frontend.lowering.paths import Lowering
from srcgrad.frontend.lowering.program_parts import Lowered as Lowered
from srcgrad.frontend.lowering.program_parts import mark_effectful_calls
from srcgrad.frontend.lowering.recursion import Recursions, check_apart, emit_call
from srcgrad.frontend.lowering.retry import KeyedSites, Retry
from srcgrad.frontend.lowering.state import Reported, Unresolved
from srcgrad.frontend.lowering.values import Struct, Value
from srcgrad.frontend.source import fence, wording
from srcgrad.frontend.source.origins import Origin
from srcgrad.frontend.source.read import Source, python_function, read
from srcgrad.frontend.source.structure import Spec, leaf_types

Doubts = Sequence[Doubt]


def parameters(fun: Callable[..., Any]) -> tuple[str, ...]:
    """The names of the parameters, in the order of the signature."""
    arguments = read(fun).node.args
    stars = [arguments.vararg] if arguments.vararg else []
    last = [arguments.kwarg] if arguments.kwarg else []
    return tuple(a.arg for a in (*arguments.posonlyargs, *arguments.args, *stars, *arguments.kwonlyargs, *last))


Long = bool | tuple[tuple[int, tuple[int, ...]], ...]  # the axes of parameters, by place, that have length 1


class Repeats(Exception):
    """Lengths that meet must not be taken for equal in this function."""


def lower(fun: Callable[..., Any], specs: Sequence[Spec], long: Long = False, again: bool = False) -> Lowered:
    """The core program of a Python function for arguments of these structures, one for each parameter; if `long`, for
    arrays of which no axis has length 1, but for these (in the facts of the program: those of which it matters). again:
    where it finds on its way that something is repeated after all, the caller runs another program in its place."""
    fun = python_function(fun)
    names = parameters(fun)
    if len(names) != len(specs):
        hint = f"its parameters are {wording.joined(names) or 'none'}"
        raise CallError(f"`{fun.__name__}` takes {len(names)} arguments, not {len(specs)}", hint=hint)
    return lower_with(fun, dict(zip(names, specs, strict=True)), {}, long, again)


def lower_with(
    fun: types.FunctionType,
    specs: Mapping[str, Spec],
    fixed: Mapping[str, Origin],
    long: Long = False,
    again: bool = False,
) -> Lowered:
    """The core program of a function of which some parameters are fixed: they are read like what it captures."""
    source = read(fun)
    fence.check(source)
    keyed, assuming = KeyedSites(), bool(long) and again
    while True:
        try:
            return _lowered(fun, source, specs, fixed, long, keyed, assuming)
        except Repeats:
            assuming = False
        except SrcgradError:
            if not keyed.more():
                if not assuming:
                    raise
                assuming = False  # what is refused is refused by what the function says, not by what was tried


def _lowered(
    fun: types.FunctionType,
    source: Source,
    specs: Mapping[str, Spec],
    fixed: Mapping[str, Origin],
    long: Long,
    keyed: KeyedSites,
    assuming: bool,
) -> Lowered:
    copies, helpers = Copies(), helpers_of_function()

    def again(tried: tuple[Lowered, Doubts]) -> bool:
        nonlocal copies
        before, copies = copies, _wider(source, *tried, copies)
        return copies != before or (helpers is not None and helpers.more())

    def attempt() -> tuple[Lowered, Doubts]:
        return _attempt(fun, source, specs, copies, fixed, keyed, long, helpers=helpers, assuming=assuming)

    lowered, _ = Retry().until_stable(attempt, again)
    program = mark_effectful_calls(ir.Program(checked(lowered.program.main), lowered.program.callees))
    return replace(lowered, program=program)


@dataclass(frozen=True, slots=True)
class Copies:
    """The parameters, by position, that are copied at the head since the function writes into them, and those among
    them that must come in C order since the function also reshapes them."""

    overwritten: frozenset[int] = frozenset()
    ordered: frozenset[int] = frozenset()


def _wider(source: Source, lowered: Lowered, unsure: Doubts, copies: Copies) -> Copies:
    """What else must be copied; what the function must not write into is refused."""
    main = lowered.program.main
    positions = copies.overwritten | {main.params.index(p) for p in written(main)}
    own = len(main.params) - len(lowered.captured)
    foreign = [main.params[k].name for k in positions if k >= own]
    if foreign:
        message, hint = f"the function writes into `{foreign[0]}`, which is not its own", "pass it as an argument"
        raise UnsupportedError(message, problems=[source.problem(source.node, message, hint)])
    if positions != copies.overwritten:
        return Copies(positions, copies.ordered)
    conflict = view_conflicts.conflict(main, unsure)
    if conflict is None:
        return copies
    aliases, (stmt, doubt) = Aliases(main.body, given_back=True), conflict
    base = doubt.base
    positions |= {k for k, p in enumerate(main.params) if p.type.ref and aliases.of(p) is aliases.of(base)}
    if positions == copies.ordered or doubt.why is not LAYOUT or max(positions, default=-1) >= own:
        raise view_conflicts.refusal(source, stmt, doubt)
    return Copies(positions, positions)  # a copy in C order leaves no doubt


def lower_kernel(fun: types.FunctionType, specs: Mapping[str, Spec]) -> Lowered:
    """The core program of a kernel: one thread's, which writes into the memory that it is given."""
    source = read(fun)
    fence.check(source)
    lowered, _ = _attempt(fun, source, specs, Copies(), {}, None, threads=True)
    return replace(lowered, program=ir.Program(kernel_fence.checked(lowered.program.main, source)))


def _attempt(
    fun: types.FunctionType,
    source: Source,
    specs: Mapping[str, Spec],
    copies: Copies,
    fixed: Mapping[str, Origin],
    keyed: KeyedSites | None,
    long: Long = False,
    threads: bool = False,
    helpers: Helpers | None = None,
    assuming: bool = False,
) -> tuple[Lowered, Doubts]:
    """Lower, with copies of the parameters (by position) that are written into."""
    single = any(t.dtype in ("f4", "c8") for spec in specs.values() for t in leaf_types(spec))
    low = lowering(single, threads, keyed)
    low.calls.recursions, low.calls.helpers = Recursions(), helpers
    made = NewFunction(low)
    params = made.params
    arguments = {name: edges.argument(low, name, spec, params) for name, spec in specs.items()}
    if long:
        _take_for_long(low, params, long, assuming)
    made.copy_overwritten(copies.overwritten, copies.ordered)

    def inside(atom: Atom) -> Atom:
        return edges.number(low, made.copies.get(atom, atom))

    env = {name: edges.within(value, inside) for name, value in arguments.items()}
    env |= {name: low.captures.object(origin.read(), origin) for name, origin in fixed.items()}
    name = "lambda_" if isinstance(source.node, ast.Lambda) else fun.__name__
    key = (fun, tuple(values.spec_of(v) for v in env.values()))
    value = _body(made, source, name, env, key)
    itself = low.calls.recursions.find(key)
    if itself is not None and not copies.overwritten:
        low.b.out.clear()
        value = emit_call(low, itself, env)
    value = values.seen(_finished(low, source, value))
    shares, together = (
        edges.shares(low, value, params),
        Aliases(low.b.out, given_back=True).together(list(values.leaves(value))),
    )
    value = edges.whole(low, value, params)
    check_apart(low)
    facts = ir.FunFacts(
        overwritten=tuple(params[k].name for k in sorted(copies.overwritten)),
        ordered=tuple(params[k].name for k in sorted(copies.ordered)),
        captured=tuple(c.name for c in made.captured),
        shares=tuple(shares),
        together=together,
        changed=made.changes_older,
        **_of_lengths(low.b.shapes, params, long),
    )
    main = made.finished(name, tuple(values.leaves(value)), facts)
    if low.b.shapes.assumed and (low.b.shapes.single or low.calls.tried or not _may_be_left(main)):
        raise Repeats
    callees = {c.name: c.core for c in low.calls.recursions.callees if c.core is not None} | low.calls.callees
    statics = tuple(low.captures.statics.values())
    lowered = Lowered(ir.Program(main, callees), tuple(specs), values.spec_of(value), made.captured, statics)
    return lowered, low.b.layouts.doubts


def _take_for_long(low: Lowering, params: Sequence[Var], long: Long, assuming: bool) -> None:
    """What is known of the arrays' lengths before anything is read."""
    shapes = low.b.shapes
    shapes.long = low.captures.arrays = {p for p in params if p.type.ref}
    shapes.asking = True
    for k, axes in long if isinstance(long, tuple) else ():
        shapes.has_unit_axes(params[k], axes)
    shapes.assuming = assuming and bool(shapes.long)


def _of_lengths(shapes: Shapes, params: Sequence[Var], long: Long) -> dict[str, Any]:
    """What the program takes for granted of lengths."""
    least, longer = shapes.demanded()
    units = {params[k]: axes for k, axes in long} if isinstance(long, tuple) else {}
    return {
        "no_unit_axes": frozenset(shapes.long) if shapes.met or least or units else frozenset(),
        "unit_axes": units,
        "least": least,
        "longer": longer,
        "equal_lengths": shapes.assuming,
        "may_be_left": bool(shapes.assumed),
    }


def _may_be_left(fun: ir.Fun) -> bool:
    """Whether another program may run in its place after it has been left anywhere: nothing was seen of it."""
    seen = (ir.Effect, ir.Draw, ir.Custom, ir.Call, ir.Barrier)
    return not fun.facts.changed and not any(
        (isinstance(s, seen) and not isinstance(s, (ir.Raise, ir.Assert))) or (isinstance(s, ir.For) and s.parallel)
        for s in walk.walk(fun.body)
    )


def _body(made: NewFunction, source: Source, name: str, env: dict[str, Value], key: Any) -> Value:
    """What the function's own statements return."""
    try:
        return made.run(lambda: calls.run(made.low, source, name, env, None, source.node, key))
    except Reported:
        raise UnsupportedError("this function cannot be read, and what stands in the way was lost") from None
    except Unresolved:
        message = "what the recursive functions return cannot be found"
        problem = source.problem(source.node, message, "return a float first")
        raise UnsupportedError(message, problems=[problem]) from None


def _finished(low: Lowering, source: Source, value: Value) -> Value:
    """What is returned, if the length of each list in it is known."""
    if values.integer_keys(value):
        message, hint = "the function returns a dict with integers as keys", "return a list, or use strings as keys"
        raise UnsupportedError(message, problems=[source.problem(source.node, message, hint)])
    if _holds_text(value):
        message, hint = "the function returns a text", "return numbers, and make the text outside"
        raise UnsupportedError(message, problems=[source.problem(source.node, message, hint)])
    try:
        return known_length(low, value)
    except UnsupportedError:
        message, hint = "the function returns a list of unknown length", "return an array: np.array(...)"
        raise UnsupportedError(message, problems=[source.problem(source.node, message, hint)]) from None


def _holds_text(value: Value) -> bool:
    return isinstance(value, Struct) and (value.kind is values.Text or any(map(_holds_text, value.held)))
