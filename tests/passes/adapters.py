"""Passes that want more than a program, or give something else than one: called so that each takes a program, and
gives one or a text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from srcgrad.analysis.effects import Facts
from srcgrad.analysis.threads import Threads, asked
from srcgrad.core import ir
from srcgrad.core.ir import Fun, Program, Stmt
from srcgrad.core.walk import walk
from srcgrad.gpu.arrays import legalise
from srcgrad.gpu.arrays.carried import Carried
from srcgrad.gpu.kernels import refuse_races, reverse_kernel, workspace
from srcgrad.gpu.kernels.atomic_extremes import extremes
from srcgrad.gpu.kernels.tiles import tiled
from srcgrad.simplify.cuda.atomics import remove_atomics
from srcgrad.simplify.loops.carried_sums import summed
from srcgrad.simplify.loops.errors_in_front import checks_first
from srcgrad.simplify.loops.shared_by_iterations import Serial, shared_sums
from srcgrad.simplify.loops.shares_of_iterations import Shares
from srcgrad.simplify.loops.stencil_blocks import in_blocks, reach
from srcgrad.simplify.pipeline import simplify
from srcgrad.transform.custom_sharing import check_shared
from srcgrad.transform.plan import Plan

Pass = Callable[[Program], Program | str]
OfLoop = Callable[[Facts, ir.For], Sequence[Stmt]]


def leaves(program: Program) -> list[int]:
    """The places of the parameters that a program is differentiated by: all floats."""
    return [k for k, param in enumerate(program.main.params) if param.type.is_float]


def of_functions(pass_: Callable[[Fun], Fun]) -> Pass:
    return lambda program: replace(program, main=pass_(program.main))


# ---- of loops


def of_loops(pass_: OfLoop) -> Pass:
    """Of each loop at the function's top; or why there is one that must be run one iteration after another."""

    def call(program: Program) -> Program | str:
        facts = Facts(program.main)
        try:
            parts = (pass_(facts, s) if isinstance(s, ir.For) else (s,) for s in program.main.body)
            body = tuple(stmt for part in parts for stmt in part)
        except Serial as why:
            return f"one iteration after another: {why}\n"
        return replace(program, main=replace(program.main, body=body))

    return call


def summed_loop(facts: Facts, loop: ir.For) -> Sequence[Stmt]:
    return (summed(loop),)


def checked_loop(facts: Facts, loop: ir.For) -> Sequence[Stmt]:
    before, rest = checks_first(facts, loop)
    return (*before, rest)


def loop_in_blocks(facts: Facts, loop: ir.For) -> Sequence[Stmt]:
    """The loop must start at 0."""
    near = reach(facts, loop, shared_sums(facts, loop))
    if near is None:
        raise Serial("how far apart iterations are that meet is not known")
    return in_blocks(summed(loop), loop.stop, near)


def loop_in_shares(facts: Facts, loop: ir.For) -> Sequence[Stmt]:
    """The loop must start at 0."""
    return Shares(facts, facts.region[loop, "body"], summed(loop), loop.stop, shared_sums(facts, loop)).stmts()


def shared_memory(program: Program) -> str:
    facts, said = Facts(program.main), []
    for loop in (s for s in program.main.body if isinstance(s, ir.For)):
        try:
            names = [ref.name for ref in shared_sums(facts, loop)]
            said.append(f"iterations add to {', '.join(names)}" if names else "iterations share nothing")
        except Serial as why:
            said.append(str(why))
    return _lines(said)


# ---- what a transformation decides


def planned(program: Program) -> str:
    return _lines(map(str, Plan(Facts(program.main)).describe())) or "nothing is kept\n"


def carried_memory(program: Program) -> str:
    """Of the references that each loop makes anew: whether another name asks for the first of them, and is written."""
    found = Carried(program.main)
    loops = [s for s in walk(program.main.body) if isinstance(s, (ir.For, ir.While))]
    said = []
    for loop in loops:
        for carry in found.anew(loop):
            alone, written = found.alone(loop, carry), found.written(loop, carry)
            copied = "a copy would be something else" if written else "it may be copied"
            others = "no other name asks for it" if alone else "other names ask for it"
            said.append(f"{carry.inner.name}: made anew; {others}; {copied}")
    return _lines(said) or "no loop makes anew what it carries\n"


def custom_rules(program: Program) -> str:
    facts = Facts(program.main)
    for stmt in program.main.body:
        if isinstance(stmt, ir.Custom):
            check_shared(stmt, facts)
    return "fine\n"


def _lines(said: Iterator[str] | Sequence[str] | map[str]) -> str:
    return "".join(f"{line}\n" for line in said)


# ---- the GPU


def for_a_thread(program: Program) -> Program:
    """Arrays as loops over elements; the program that tells how long work arrays must be comes second.

    It writes into arrays that the caller gives, as a kernel does."""
    legal = legalise.legal(program, simplify)
    main = legal.program.main
    counts = {} if legal.count is None else {"lengths": replace(legal.count.main, name="lengths")}
    return Program(replace(main, facts=replace(main.facts, kernel=ir.KernelFacts())), counts)


def with_plain_additions(program: Program) -> Program:
    fun = program.main
    shared = [s.target for s in walk(fun.body) if isinstance(s, ir.Alloc) and s.space is ir.Space.SHARED]
    return Program(remove_atomics(fun, asked(fun), [*(p for p in fun.params if p.type.ref), *shared]))


def with_extremes(program: Program) -> Program | str:
    """The kernel that is differentiated, then the one that finds what is left and the one that counts winners."""
    found = extremes(program.main)
    if found is None:
        return "no extremes of floats\n"
    return Program(found.linear, {fun.name: fun for fun in (found.left, found.ties)})


def adjoint_of_kernel(program: Program) -> Program:
    return simplify(Program(reverse_kernel.adjoint(program.main, len(program.main.params)).fun))


def counted_rows(program: Program) -> Program:
    """Of all loops whose adjoint keeps something."""
    fun = program.main
    loops = list(reverse_kernel.adjoint(fun, len(fun.params)).rows.values())
    return simplify(Program(reverse_kernel.counting_kernel(fun, loops)))


def with_places(program: Program) -> Program:
    fun = program.main
    return Program(workspace.placed(fun, [p for p in fun.params if p.name == "rows"], 1)[0])


def races_of_threads(program: Program) -> str:
    refuse_races.check(program.main, asked(program.main))
    return "fine\n"


def tiles(program: Program) -> str:
    """Of each array that a block shares, the loop that fills it anew."""
    facts = Facts(program.main)
    threads, said = Threads(program.main, facts), []
    for alloc in (s for s in walk(program.main.body) if isinstance(s, ir.Alloc) and s.space is ir.Space.SHARED):
        loop = tiled(facts.classes.of(alloc.target), threads)
        index = loop.index.name if isinstance(loop, ir.For) else "while" if loop else ""
        said.append(f"{alloc.target.name}: " + (f"filled in each iteration over {index}" if loop else "no tile"))
    return _lines(said)
