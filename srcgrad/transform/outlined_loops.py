"""A loop as a thing of its own: the state that goes round it, what it reads, and its iterations wherever they are
wanted.

The state is what the loop can be run again from: the numbers and arrays that it carries, and the memory
from outside that it writes into.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.core.ir import Atom, Carry, Fun, Stmt, Var
from srcgrad.core.rewrite import Rewriter, Rewritten, rewrite
from srcgrad.core.walk import instantiate, map_how
from srcgrad.rules.scalar.arithmetic import add, multiply, subtract
from srcgrad.transform.iterations import INT_ONE, INT_ZERO, Loop, counted, step_of
from srcgrad.transform.program_edits import without_effects

Env = Mapping[Var, Atom]
# What is emitted at the head of an iteration: (its number, what its names stand for, integers that go round) -> the
# integers that go on.
Integers = Sequence[
    tuple[str, Atom]
]  # numbers that go round a loop beside its own: their names, and what they are first
Head = Callable[[Atom, Env, Sequence[Atom]], Sequence[Atom]]


OPERATION = "a loop"  # the name of a loop that has become an operation, which no function of a user has


class _WithoutOperations(Rewriter):
    """Puts loops that have become operations in their place again."""

    def one(self, stmt: Stmt) -> Rewritten:
        if not isinstance(stmt, ir.Custom) or stmt.primal.name != OPERATION:
            return self.inside(stmt)
        body, results = instantiate(stmt.primal, map(self.atom, stmt.args))
        self.env.update(zip(stmt.targets, results, strict=True))
        return body


def _quiet_operation(stmt: Stmt) -> Rewritten:
    if not isinstance(stmt, ir.Custom) or stmt.primal.name != OPERATION or stmt.fwd is None:
        return stmt
    return replace(stmt, primal=without_effects(stmt.primal), fwd=without_effects(stmt.fwd))


def nothing(turn: Atom, env: Env, integers: Sequence[Atom]) -> Sequence[Atom]:
    """The head of iterations that have none."""
    return integers


@dataclass(frozen=True, eq=False)
class Outlined:
    """numbers: the scalars that go round.   references: the arrays.   roots: memory from outside that the loop writes
    into.   views: those of it that are made outside.   given: what it only reads.   unsure: of the references, those
    whose shape may change."""

    loop: Loop
    numbers: tuple[Carry, ...]
    references: tuple[Carry, ...]
    roots: tuple[Var, ...]
    views: tuple[ir.View, ...]
    given: tuple[Var, ...]
    unsure: tuple[Carry, ...] = ()

    @property
    def state(self) -> tuple[Var, ...]:
        """The state, numbers first, as it is named when it enters an iteration."""
        return (*(c.inner for c in self.carried), *self.roots)

    @property
    def inits(self) -> tuple[Atom, ...]:
        """The state in front of the loop."""
        return (*(c.init for c in self.carried), *self.roots)

    @property
    def carried(self) -> tuple[Carry, ...]:
        return (*self.numbers, *self.references)

    @property
    def counts(self) -> bool:
        """Whether the number of an iteration is a count that the loop carries: it is not told by its index."""
        return counted(self.loop) or step_of(self.loop) != 1

    @property
    def numbered(self) -> str:
        """A name for the number of an iteration."""
        loop = self.loop
        by_index = isinstance(loop, ir.For) and step_of(loop) == 1 and loop.start == INT_ZERO
        return loop.index.name if by_index else "turn"  # type: ignore[union-attr]

    # ---- its parts as functions

    @cached_property
    def _entering(self) -> tuple[Var, ...]:
        index = (self.loop.index,) if isinstance(self.loop, ir.For) else ()
        return (*index, *self.state, *(v.target for v in self.views), *self.given)

    @cached_property
    def _reversible(self) -> Fun:
        exit = () if self.loop.exit is None else (self.loop.exit,)
        return Fun("body", self._entering, self.loop.body, (*(c.next for c in self.carried), *exit))

    @cached_property
    def _body(self) -> Fun:
        return _WithoutOperations().fun(self._reversible)

    @cached_property
    def _quiet_body(self) -> Fun:
        return without_effects(self._body)

    @cached_property
    def _quiet_reversible(self) -> Fun:
        return rewrite(without_effects(self._reversible), _quiet_operation)

    def _emit(self, b: Builder, part: Fun, env: Env) -> tuple[Atom, ...]:
        stmts, results = instantiate(part, [env[v] for v in self._entering])
        for stmt in stmts:
            b.put(stmt)
        return results

    def with_views(self, b: Builder, env: Env) -> dict[Var, Atom]:
        """env with the views of the memory that it has for the roots."""
        out = dict(env)
        for view in self.views:
            base = out[view.base]
            assert isinstance(base, Var)
            how = map_how(view.how, lambda a: out.get(a, a) if isinstance(a, Var) else a)
            out[view.target] = b.view(base, how, view.target.name)
        return out

    # ---- its iterations

    def first_run(
        self, b: Builder, env: Env, integers: Integers = (), head: Head = nothing
    ) -> tuple[list[Var], list[Var]]:
        """The loop itself, with a head in each iteration; what it leaves, and the integers.

        If it counts its iterations, that count is the first of them.
        """
        loop, env = self.loop, self.with_views(b, env)
        integers = ((("turn", INT_ZERO),) if self.counts else ()) + tuple(integers)
        inner, entering, going = self._enter(env, integers)
        index = Var(loop.index.name, ir.I8) if isinstance(loop, ir.For) else None
        with b.block() as body:
            if isinstance(loop, ir.For) and index is not None:
                inner[loop.index] = index
            turn = going[0] if self.counts else self._turn(b, index, env)
            if self.counts:
                following: Atom = b.let(add, turn, INT_ONE, name="turn")
                on = [following, *head(turn, inner, going[1:])]
            else:
                on = list(head(turn, inner, going))
            results = self._emit(b, self._body, inner)
        carries, left, ends = self._leave(entering, env, going, integers, results, on)
        exit = None if loop.exit is None else results[-1]
        if isinstance(loop, ir.For):
            assert index is not None
            start, stop, step = (env[a] if isinstance(a, Var) else a for a in (loop.start, loop.stop, loop.step))
            b.put(ir.For(index, start, stop, step, carries, tuple(body), exit, span=loop.span))
        else:
            with b.block() as test:
                (cond,) = self._emit(b, Fun("test", self._entering, loop.test, (loop.cond,)), inner)
            b.put(ir.While(tuple(test), cond, carries, tuple(body), exit, span=loop.span))
        return left, ends

    def run(
        self,
        b: Builder,
        first: Atom,
        last: Atom,
        env: Env,
        integers: Integers = (),
        head: Head = nothing,
        reversible: bool = False,
    ) -> tuple[list[Var], list[Var]]:
        """Emit the iterations of the numbers from first up to last, which are known to be made; what they leave, and
        the integers. reversible: loops inside stay operations that can be differentiated."""
        loop, env = self.loop, self.with_views(b, env)
        inner, entering, going = self._enter(env, integers)
        by_index = isinstance(loop, ir.For) and step_of(loop) == 1
        index = Var(loop.index.name if by_index else "turn", ir.I8)  # type: ignore[union-attr]
        if by_index:
            first, last = (b.let(add, self._start(env), n, name="i") for n in (first, last))
        with b.block() as body:
            turn = self._turn(b, index, env) if by_index else index
            self._bind_index(b, index, inner)
            on = list(head(turn, inner, going))
            results = self._emit(b, self._quiet_reversible if reversible else self._quiet_body, inner)
        carries, left, ends = self._leave(entering, env, going, integers, results, on)
        b.put(ir.For(index, first, last, INT_ONE, carries, tuple(body)))
        return left, ends

    def one(self, b: Builder, turn: Atom, env: Env) -> list[Atom]:
        """Emit the iteration of this number, in a way that can be differentiated; what it leaves."""
        inner = self.with_views(b, env)
        if isinstance(self.loop, ir.For) and step_of(self.loop) == 1:
            inner[self.loop.index] = b.let(add, self._start(env), turn, name=self.loop.index.name)
        else:
            self._bind_index(b, turn, inner)
        return list(self._emit(b, self._quiet_reversible, inner)[: len(self.carried)])

    def _bind_index(self, b: Builder, index: Atom, inner: dict[Var, Atom]) -> None:
        """Tell the primal's index, of the printed one: the index itself, or the number of the iteration."""
        loop = self.loop
        if not isinstance(loop, ir.For):
            return
        if step_of(loop) == 1:
            inner[loop.index] = index
            return
        step = inner.get(loop.step, loop.step) if isinstance(loop.step, Var) else loop.step
        offset = b.let(multiply, index, step, name=loop.index.name)
        inner[loop.index] = b.let(add, self._start(inner), offset, name=loop.index.name)

    def _start(self, env: Env) -> Atom:
        assert isinstance(self.loop, ir.For)
        start = self.loop.start
        return env[start] if isinstance(start, Var) else start

    def _turn(self, b: Builder, index: Atom | None, env: Env) -> Atom:
        """The number of the iteration at this index of a loop whose step is 1."""
        assert index is not None
        start = self._start(env)
        if start == INT_ZERO:
            return index
        turn: Atom = b.let(subtract, index, start, name="turn")
        return turn

    def _enter(self, env: Env, integers: Integers) -> tuple[dict[Var, Atom], list[Var], list[Var]]:
        """What the names stand for inside: what is carried, and the integers."""
        entering = [Var(c.inner.name, c.inner.type) for c in self.carried]
        going = [Var(name, ir.I8) for name, _ in integers]
        inner = dict(env)
        inner.update(zip((c.inner for c in self.carried), entering, strict=True))
        return inner, entering, going

    def _leave(
        self,
        entering: Sequence[Var],
        env: Env,
        going: Sequence[Var],
        integers: Integers,
        results: Sequence[Atom],
        on: Sequence[Atom],
    ) -> tuple[tuple[Carry, ...], list[Var], list[Var]]:
        left = [Var(c.out.name, c.out.type) for c in self.carried]
        ends = [Var(v.name, ir.I8) for v in going]
        heads = [(v, env[c.inner]) for v, c in zip(entering, self.carried, strict=True)]
        rows = zip(
            (*heads, *zip(going, (a for _, a in integers), strict=True)),
            (*results[: len(left)], *on),
            (*left, *ends),
            strict=True,
        )
        return tuple(Carry(inner, init, following, out) for (inner, init), following, out in rows), left, ends
