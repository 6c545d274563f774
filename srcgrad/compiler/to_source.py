"""From the core program of a derivative to the text of a module, for the CPU and for a GPU's threads."""

from __future__ import annotations

import linecache
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from string import Formatter
from typing import Any

from srcgrad.compiler.deep_expressions import deep
from srcgrad.compiler.program import run_pass, tidy
from srcgrad.core import ir, walk
from srcgrad.core.build import Builder
from srcgrad.core.inline import inline
from srcgrad.core.ir import Atom, Fun, Program, Type, Var
from srcgrad.errors import Problem, SrcgradError, UnsupportedError
from srcgrad.frontend.lowering.function import Lowered
from srcgrad.frontend.source import wording
from srcgrad.frontend.source.error_places import placed
from srcgrad.gpu.arrays import legalise
from srcgrad.printer import render
from srcgrad.printer.kernel_modules import Module
from srcgrad.rules.language import registry
from srcgrad.rules.scalar.arithmetic import multiply
from srcgrad.rules.scalar.compare import (
    equal,
    greater,
    greater_equal,
    is_nonzero,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    where,
)
from srcgrad.schedule.buffers_in_front import buffers_in_front
from srcgrad.schedule.index_forms import with_unsigned_places
from srcgrad.schedule.longest_buffers import longest_buffers
from srcgrad.schedule.parallel_nests import parallel_nests
from srcgrad.schedule.pipeline import schedule
from srcgrad.schedule.results_in_place import results_in_place
from srcgrad.schedule.shared_buffers import share_buffers
from srcgrad.schedule.whole_arrays import whole_arrays
from srcgrad.simplify.loops.parallel import parallelise
from srcgrad.simplify.memory.reuse import reuse
from srcgrad.simplify.memory.values_are_memory import read_values_from_memory
from srcgrad.simplify.pipeline import simplify_fun
from srcgrad.transform.given_back import keep_what_is_given
from srcgrad.transform.mutual_recursion import merged
from srcgrad.transform.random_draws import check_none
from srcgrad.transform.sweeps.program import in_sweeps


def decides_by_floats(program: Program) -> bool:
    """Whether something that is not a float is computed of floats: computed again under fast-math flags, a branch or a
    trip count could come out another way than the first time. Whether a tangent is 0 decides nothing about values."""
    program = inline(program)
    return any(_decisions(fun) for fun in (program.main, *program.callees.values()))


def decides_anew(program: Program) -> bool:
    """Whether such a decision may be made more than once: all do not that are comparisons of the user's lines, each of
    which stands once in the program, and decides branches and loops alone."""
    if program.callees or inline(program).main is not program.main:
        return decides_by_floats(program)
    users: dict[Atom, list[ir.Stmt]] = {}
    for stmt in walk.walk(program.main.body):
        for atom in (*walk.used(stmt), *walk.used_inside(stmt)):
            users.setdefault(atom, []).append(stmt)
    makers = {v: stmt for stmt in walk.walk(program.main.body) for v in walk.defined(stmt)}
    decisions = [
        let
        for let in _decisions(program.main)
        if not _of_adjoint(let, makers) and not _keeps_zero(let, users[let.target], makers)
    ]
    places = {(let.op, let.span and replace(let.span, back=False)) for let in decisions}
    if len(places) < len(decisions):
        return True
    return not all(let.span is not None and let.op in ORDERS and _branches(let.target, users) for let in decisions)


ORDERS = (less, less_equal, greater, greater_equal)


def _of_adjoint(let: ir.Let, makers: Mapping[Var, ir.Stmt]) -> bool:
    """Whether it asks whether an adjoint is 0, which decides nothing about values."""
    made = makers.get(let.args[0]) if _asks_for_zero(let) and isinstance(let.args[0], Var) else None
    return made is not None and made.span is not None and made.span.back


def _keeps_zero(let: ir.Let, users: Sequence[ir.Stmt], makers: Mapping[Var, ir.Stmt]) -> bool:
    """Whether it is the reverse sweep's, and leaves 0 times something at 0: either way comes to about the same."""

    def product(user: ir.Stmt) -> bool:
        if not isinstance(user, ir.Let) or user.op is not where or user.args[:1] != (let.target,):
            return False
        made = makers.get(user.args[2]) if isinstance(user.args[2], Var) else None
        return _is_zero(user.args[1]) and isinstance(made, ir.Let) and made.op is multiply and let.args[0] in made.args

    return _asks_for_zero(let) and let.span is not None and let.span.back and all(map(product, users))


def _asks_for_zero(let: ir.Let) -> bool:
    return let.op is equal and _is_zero(let.args[1])


def _is_zero(atom: Atom) -> bool:
    return atom == ir.Const(0.0, atom.type)


def _branches(truth: Var, users: Mapping[Atom, Sequence[ir.Stmt]]) -> bool:
    """Whether a truth value decides which way branches and loops go, and nothing else."""
    for user in users.get(truth, ()):
        match user:
            case ir.If():
                passed = [o.target for o in user.outs if truth in (o.then, o.orelse)]
            case ir.For() | ir.While():
                passed = [v for c in user.carry if truth in (c.init, c.next) for v in (c.inner, c.out)]
            case ir.Let(op=op) if op in (logical_and, logical_or, logical_not):
                passed = [user.target]
            case _:
                return False
        if passed and (not isinstance(user, (ir.Let, ir.If)) or not all(_branches(v, users) for v in passed)):
            return False
    return True


def _decisions(fun: ir.Fun) -> list[ir.Let]:
    """What is computed of floats, and is none."""
    return [
        stmt
        for stmt in walk.walk(fun.body)
        if isinstance(stmt, ir.Let)
        and stmt.op is not is_nonzero
        and any(not t.type.is_float for t in stmt.targets)
        and any(_float_value(a.type) for a in stmt.args)
    ]


def _float_value(type: Type) -> bool:
    return type.is_float and not type.ref


def scheduled(program: Program, parallel: bool) -> Program:
    """The program with those loops marked that run in parallel; its `facts.parallel` says of each why, or why not."""
    program = run_pass("sweeps", in_sweeps, program, simplify_fun)
    return run_pass("parallel", parallelise, tidy(inline(program)), parallel)


def text(program: Program, options: str | None, parallel: bool = False, loops: bool = False) -> str:
    """The text of `module`."""
    return module(program, options, parallel, loops).text


@deep
def module(program: Program, options: str | None, parallel: bool = False, loops: bool = False) -> Module:
    """The module of a program, which is not differentiated further. loops: it is in loops over elements, which code
    that is compiled always is."""
    program = scheduled(program, parallel)
    program = program if options is None else run_pass("mutual", merged, program)
    in_front = reuse
    if options is not None or loops:
        program, in_front = tidy(run_pass("schedule", schedule, program)), memory_in_front
        program = replace(program, main=parallel_nests(program.main)) if parallel and options is not None else program
    try:
        program = keep_what_is_given(program)
        last = in_front if options is None else lambda fun: with_unsigned_places(in_front(fun))
        callees = {name: last(read_values_from_memory(fun)) for name, fun in program.callees.items()}
        made = render.module(Program(last(read_values_from_memory(program.main)), callees), jit_options=options)
        return made._replace(failures=failures(program))
    except (SrcgradError, RecursionError):
        raise
    except Exception as error:
        raise SrcgradError(f"internal error in the pass `render`: {type(error).__name__}: {error}") from error


def memory_in_front(fun: Fun) -> Fun:
    """The function with scratch memory in front of its loops, that of changing lengths too, once for both sweeps."""
    return whole_arrays(share_buffers(buffers_in_front(longest_buffers(results_in_place(fun)))))


@deep
def on_device(made: Lowered, fun: Any) -> Lowered:
    """The program as a thread of a user's kernel can run it, which cannot be given arrays."""
    lowered, legal = with_arrays(made, fun)
    if legal.outs:
        message = f"the result is {wording.of_spec(made.result)}, and a kernel cannot make arrays"
        raise placed(UnsupportedError(message, hint=legalise.HINT), fun)
    if legal.works:
        message = f"`{legal.works[0].name}` is long, or of a length that only the run tells: a kernel cannot make it"
        raise placed(UnsupportedError(message, hint=legalise.KEEP_HINT), fun)
    return lowered


def with_arrays(made: Lowered, fun: Any) -> tuple[Lowered, legalise.Legal]:
    """The program as a GPU's thread can run it, with what is known of the arrays that the caller gives."""
    found: list[legalise.Legal] = []

    def to_device(program: Program) -> Program:
        found.append(legalise.legal(tidy(parallelise(inline(program), False)), tidy))
        return found[0].program

    try:
        check_none(made.program, "code for a GPU", "draw on the host, and pass the numbers as an argument")
        return replace(made, program=run_pass("device", to_device, made.program)), found[0]
    except SrcgradError as error:
        raise placed(error, fun) from error.__cause__


@deep
def device_text(program: Program, options: str) -> str:
    """The module of a program of device functions."""
    callees = {name: read_values_from_memory(fun) for name, fun in program.callees.items()}
    made = Program(read_values_from_memory(program.main), callees)
    return render.render(made, jit_options=options, decorator="cuda.jit")


def failures(program: Program) -> dict[str, tuple[str, Problem]]:
    """By message, the checks that the program makes: the error that each raises, and what is to be told of it."""
    found = (raising.failure for raising in _raised(program) if raising.failure is not None)
    return {failure.text: (failure.error, _problem(failure)) for failure in found}


def formats(program: Program) -> dict[str, int]:
    """The f-strings that the program raises, with the number of values that each takes."""
    found = (raising.format for raising in _raised(program) if raising.format is not None)
    return {text: sum(name is not None for _, name, _, _ in Formatter().parse(text)) for text in found}


def _raised(program: Program) -> Iterator[ir.Raise]:
    for fun in (program.main, *program.callees.values()):
        yield from (stmt for stmt in walk.walk(fun.body) if isinstance(stmt, ir.Raise))


def _problem(failure: ir.Failure) -> Problem:
    span = failure.where
    if span is None:
        return Problem(failure.message, failure.hint)
    source = linecache.getline(span.file, span.line)
    return Problem(failure.message, failure.hint, span.file, span.line, span.column, source)


def with_shapes(body: Sequence[ir.Stmt], arrays: Sequence[Var]) -> tuple[list[list[Atom]], tuple[ir.Stmt, ...]]:
    """The lengths of these arrays, and the body with what computes them."""
    builder = Builder()
    dim = registry.PRIMITIVES["dim"]
    dims = [[builder.let(dim, a, name="n", axis=axis) for axis in range(a.type.rank)] for a in arrays]
    return dims, (*body, *builder.out)
