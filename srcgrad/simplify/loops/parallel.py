"""Which loops are run in parallel: the last pass before a program is printed, after all differentiation.

A loop that is marked (`For.parallel`: the user's `prange`, its tangent, its way back, the loop of a `vmap`) is looked
at as it stands now, so that nothing rests on how it came to be. It stays marked if its iterations may run at once, if
need be in another form: sums get one statement at its end, memory that iterations add to is split up among shares of
the iterations. Else it becomes a plain loop, which is always right, and why is noted.
"""

from __future__ import annotations

from dataclasses import replace

from srcgrad.analysis.effects import Facts
from srcgrad.analysis.kept_shapes import lengths
from srcgrad.core import ir
from srcgrad.core.build import Builder, const
from srcgrad.core.ir import Atom, Const, Fun, Program, Stmt, Var, Verdict
from srcgrad.core.rewrite import Rewriter, Rewritten, rewrite, rewrite_block
from srcgrad.core.walk import changed, substitute, used, used_inside, walk
from srcgrad.printer.parallel_iterations import guarded
from srcgrad.rules.scalar.arithmetic import add, multiply, subtract
from srcgrad.simplify.loops.carried_sums import summed
from srcgrad.simplify.loops.errors_in_front import checks_first
from srcgrad.simplify.loops.shared_by_iterations import Serial, check_quiet, check_repeatable, shared_sums
from srcgrad.simplify.loops.shares_of_iterations import Shares, minus, upward
from srcgrad.simplify.loops.stencil_blocks import in_blocks, reach
from srcgrad.simplify.values.dce import dce

ZERO, ONE = const(0), const(1)


def parallelise(program: Program, enabled: bool) -> Program:
    """The program with those loops marked that are to run in parallel; in its `facts.parallel`, what was decided."""
    callees = {name: rewrite(fun, serial) for name, fun in program.callees.items()}
    if not enabled:
        return Program(rewrite(program.main, serial), callees)
    return Program(_Parallel(program.main).whole(), callees)


def serial(stmt: Stmt) -> Stmt:
    """The loop without its mark."""
    return changed(stmt, parallel=False) if isinstance(stmt, ir.For) else stmt


class _Parallel(Rewriter):
    def __init__(self, fun: Fun) -> None:
        super().__init__()
        self._fun, self._facts = fun, Facts(fun)
        self._unsure = lengths(fun).shapes.unsure
        self._lists = any(isinstance(s, (ir.NewList, ir.Append)) for s in walk(fun.body))
        self._said: list[Verdict] = []

    def whole(self) -> Fun:
        body = self.block(self._fun.body)
        facts = replace(self._fun.facts, parallel=tuple(self._said))
        return dce(replace(self._fun, body=body, facts=facts))

    def one(self, stmt: Stmt) -> Rewritten:
        if not isinstance(stmt, ir.For) or not stmt.parallel:
            return self.inside(stmt)
        try:
            if self._lists:  # beside parallel loops Numba drops stores that are only seen through a list
                raise Serial("the function has lists of arrays")
            if self._unsure:  # there Numba takes arrays that meet for equally long: a thread's wrong result goes unseen
                raise Serial("arrays meet of which one may have to be repeated")
            made, how = self.loop(stmt)
        except Serial as why:
            self.say(stmt, f"one iteration after another: {why}")
            return serial(self.inside(stmt))
        self.say(stmt, how)
        return made

    def say(self, loop: ir.For, how: str) -> None:
        self._said.append(Verdict(loop.index.name, 0 if loop.span is None else loop.span.line, how))

    def length(self, b: Builder, loop: ir.For, start: Atom, stop: Atom) -> Atom:
        """How many iterations there are."""
        if not isinstance(start, Const):
            return b.let(subtract, stop, start, name="n")
        first = int(start.value.real)
        if loop.step == ONE:
            return minus(self._facts, b, stop, first)
        return minus(self._facts, b, loop.start, first - 1)

    def quiet(self, loop: ir.For) -> tuple[tuple[Stmt, ...], ir.For]:
        """What goes before the loop, and a loop whose iterations raise nothing, or can be made again where one does."""
        try:
            checks, rest = checks_first(self._facts, loop)
            check_quiet(rest)
        except Serial:
            check_repeatable(self._facts, loop)
            return (), loop
        return checks, rest

    def loop(self, loop: ir.For) -> tuple[list[Stmt], str]:
        if loop.exit is not None:
            raise Serial("it may be left before its end")
        if loop.step not in (ONE, const(-1)):
            raise Serial("its step is not 1")
        checks, quiet = self.quiet(loop)
        shared = shared_sums(self._facts, loop)
        sums = summed(replace(quiet, body=rewrite_block(quiet.body, serial)))
        builder = Builder()
        builder.out.extend(checks)
        start, stop = upward(self._facts, builder, loop)
        if not shared:
            made = replace(sums, start=start, stop=stop, step=ONE, parallel=True)
            again = "; if an iteration fails, all are made again in order" if guarded(made) else ""
            return [*builder.out, _with_signed_index(made)], f"in parallel{again}"
        turns = self.length(builder, loop, start, stop)
        sums = replace(sums, start=start, stop=stop, step=ONE)
        near = reach(self._facts, loop, shared)
        if near is not None:
            return [*builder.out, *in_blocks(sums, turns, near)], "in parallel, every other block of iterations at once"
        split = Shares(self._facts, self._facts.region[loop, "body"], sums, turns, shared).stmts()
        names = ", ".join(f"`{ref.name}`" for ref in shared)
        return [*builder.out, *split], f"in parallel, in shares with their own part of {names}"


# Numba's index of a prange from 0 is unsigned: -i would be huge.
signed = ir.Primitive("signed", lambda types, params: (ir.I8,), int, "np.int64(_0)")


def _with_signed_index(loop: ir.For) -> ir.For:
    """The loop with a signed copy of its index, where that is more than a place or a part of a sum with others."""
    if loop.start != ZERO or _only_places(loop):
        return loop
    turn, index = Var("turn", ir.I8), loop.index
    first = ir.Let((Var(index.name, ir.I8),), signed, (turn,))
    return replace(loop, index=turn, body=(first, *substitute(loop.body, {index: first.target})))


def _only_places(loop: ir.For) -> bool:
    index = loop.index
    for stmt in walk(loop.body):
        match stmt:
            case ir.Load():
                fine = index not in _slice_parts(stmt.index)
            case ir.Store() | ir.Accumulate():
                fine = index not in _slice_parts(stmt.index) and stmt.value is not index
            case ir.View(how=tuple() as items):
                fine = index not in _slice_parts(items)
            case ir.Let(op=op, args=args) if op in (add, subtract, multiply):
                fine = sum(a is index for a in args) < 2
            case _:
                fine = not any(a is index for a in used(stmt))
        if not fine or any(a is index for a in used_inside(stmt)):
            return False
    return True


def _slice_parts(items: ir.Index) -> list[Atom | None]:
    return [part for i in items if isinstance(i, ir.Slice) for part in (i.start, i.stop, i.step)]
