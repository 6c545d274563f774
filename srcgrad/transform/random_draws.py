"""Random numbers: a derivative is that of the function with the numbers that it drew.

Where a derivative needs several runs (a Jacobian, direction by direction), the first draws and the others are handed
what it drew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from srcgrad.analysis.activity import varied
from srcgrad.core import ir, walk
from srcgrad.core.aliases import aliases_of
from srcgrad.core.build import Builder, const
from srcgrad.core.ir import Atom, Fun, Program, Stmt, Type, Var
from srcgrad.rules.language.values import Val, emit
from srcgrad.rules.scalar.arithmetic import add, multiply
from srcgrad.rules.shapes.shape import reshape
from srcgrad.transform.program_edits import reachable, rename, without_effects
from srcgrad.transform.refuse import unsupported


def draws(stmts: Iterable[Stmt]) -> Iterator[ir.Draw]:
    """The draws among the statements and inside them, but for those of other functions."""
    return (stmt for stmt in walk.walk(stmts) if isinstance(stmt, ir.Draw))


def check_fixed(stmt: ir.Draw, varies: Callable[[Atom], bool]) -> None:
    """Refuse a draw whose distribution depends on what is differentiated by."""
    if any(map(varies, stmt.args)):
        raise unsupported(
            stmt.span,
            f"the distribution of np.random.{stmt.op.name} depends on what is differentiated by",
            "make it a function of numbers whose distribution is fixed (uniform, standard_normal), or fix its "
            "parameters with stop_gradient",
        )


def check_single(program: Program) -> None:
    """Refuse draws in functions that a derivative runs again: recursive ones, and those with a rule of their own."""
    inner = [fun for fun in program.callees.values()]
    for fun in (program.main, *program.callees.values()):
        for stmt in walk.walk(fun.body):
            if isinstance(stmt, ir.Custom):
                inner += [f for f in (stmt.primal, stmt.jvp, stmt.fwd, stmt.bwd) if f is not None]
    for fun in inner:
        for stmt in draws(fun.body):
            raise unsupported(
                stmt.span,
                "random numbers are drawn in a recursive function, a solver, or a function with its own rule",
                "draw them in front of the call, and pass them as an argument",
            )


def check_none(program: Program, what: str, hint: str) -> None:
    """Refuse draws altogether."""
    for stmt in draws(program.main.body):
        raise unsupported(stmt.span, f"random numbers are drawn in {what}", hint)


# ---- several runs


def once(program: Program, leaves: Sequence[int], make: Callable[[Program], Program]) -> Program:
    """make(program), differentiated by these leaves, which may run the program several times: a run in front draws for
    all of them."""
    found = list(draws(program.main.body))
    if not found:
        return make(program)
    reached = varied(program.main, aliases_of(program.main), [program.main.params[k] for k in leaves])
    for stmt in found:
        check_fixed(stmt, reached.has)
    first, again = _Split(program.main, record=True).fun(), _Split(program.main, record=False).fun()
    made = make(reachable(Program(without_effects(again), program.callees)))
    params, extra = program.main.params, made.main.params[len(again.params) :]
    drawing, handed = walk.instantiate(first, params)
    body, results = walk.instantiate(made.main, (*params, *handed, *extra))
    return replace(made, main=replace(made.main, params=(*params, *extra), body=(*drawing, *body), results=results))


class _Split:
    """The function that records what it draws and returns only that; or the one that is handed it.

    What is drawn at the function's top is handed over itself, as scalars and arrays. What is drawn in loops and
    branches goes on a tape of its dtype, an array that grows, with a count of what it holds.
    """

    def __init__(self, fun: Fun, record: bool) -> None:
        self.source, self.record = fun, record
        self.builder = Builder(fun)
        self.handed: list[Var] = []
        top = {stmt for stmt in fun.body if isinstance(stmt, ir.Draw)}
        kinds = sorted({stmt.target.type.dtype for stmt in draws(fun.body) if stmt not in top})
        self.tape = {kind: Var("drawn", Type(kind, 1, ref=True)) for kind in kinds}
        self.count: dict[str, Atom] = dict.fromkeys(kinds, const(0))

    def fun(self) -> Fun:
        fun = self.source
        for tape in self.tape.values() if self.record else ():
            self.builder.put(ir.Alloc(tape, (None,), ir.Init.EMPTY))
        for stmt in fun.body:
            with self.builder.at(stmt.span):
                if isinstance(stmt, ir.Draw):
                    self.at_top(stmt)
                else:
                    self.one(stmt)
        body, handed = tuple(self.builder.out), (*self.handed, *self.tape.values())
        if self.record:
            return replace(rename(fun, f"{fun.name}_drawn"), body=body, results=handed)
        return replace(fun, params=(*fun.params, *handed), body=body)

    def at_top(self, stmt: ir.Draw) -> None:
        builder, target = self.builder, stmt.target
        handed = Var(target.name, target.type.memory()) if target.type.rank else target
        if self.record:
            builder.put(stmt)
            handed = builder.alloc(target.type.dtype, (), target, target.name) if target.type.rank else target
        elif target.type.rank:
            builder.put(ir.Load(target, handed, (ir.Slice(),) * target.type.rank, span=stmt.span))
        self.handed.append(handed)

    # ---- loops and branches

    def block(self, stmts: Sequence[Stmt]) -> tuple[Stmt, ...]:
        with self.builder.block() as out:
            for stmt in stmts:
                with self.builder.at(stmt.span):
                    self.one(stmt)
        return tuple(out)

    def one(self, stmt: Stmt) -> None:
        if isinstance(stmt, ir.Draw):
            self.inside(stmt)
        elif isinstance(stmt, ir.If) and self.kinds(stmt):
            self.branch(stmt)
        elif isinstance(stmt, (ir.For, ir.While)) and self.kinds(stmt):
            self.loop(stmt)
        else:
            self.builder.put(stmt)

    def kinds(self, stmt: Stmt) -> list[str]:
        return sorted({draw.target.type.dtype for draw in draws((stmt,))})

    def inside(self, stmt: ir.Draw) -> None:
        kind, target = stmt.target.type.dtype, stmt.target
        at, tape, builder = self.count[kind], self.tape[kind], self.builder
        size = self.size(stmt)
        end: Atom = builder.let(add, at, size, name="count")
        if self.record:
            builder.put(stmt)
            self.write(target, tape, at, size)
        elif not target.type.rank:
            builder.put(ir.Load(target, tape, (at,), span=stmt.span))
        else:
            row = builder.load(tape, (ir.Slice(at, end),), target.name)
            lengths = stmt.args[-target.type.rank :]
            made = emit(reshape, *(Val(builder, a) for a in (row, *lengths))).atom
            last = builder.out.pop()
            assert isinstance(last, ir.Let) and last.target is made
            builder.put(replace(last, targets=(target,)))
        self.count[kind] = end

    def size(self, stmt: ir.Draw) -> Atom:
        """How many numbers are drawn."""
        rank = stmt.target.type.rank
        if rank != stmt.params["rank"]:
            raise unsupported(
                stmt.span, "several numbers are drawn at once in a loop or branch", "draw them in front of the loop"
            )
        size: Atom = const(1)
        for length in stmt.args[len(stmt.args) - rank :]:
            size = self.builder.let(multiply, size, length, name="size")
        return size

    def write(self, target: Var, tape: Var, at: Atom, size: Atom) -> None:
        builder = self.builder
        if not target.type.rank:
            builder.store(tape, (at,), target)
            return
        whole = builder.alloc(target.type.dtype, (), target, target.name)
        flat = builder.view(whole, ir.Reshape((size,))) if target.type.rank > 1 else whole
        index = Var("k", ir.I8)
        with builder.block() as body:
            builder.store(tape, (builder.let(add, at, index, name="at"),), builder.load(flat, (index,), "number"))
        builder.put(ir.For(index, const(0), size, const(1), (), tuple(body)))

    def branch(self, stmt: ir.If) -> None:
        before, sides, ends = dict(self.count), [], []
        for block in (stmt.then, stmt.orelse):
            self.count = dict(before)
            sides.append(self.block(block))
            ends.append(self.count)
        outs = list(stmt.outs)
        self.count = before
        for kind in self.kinds(stmt):
            self.count[kind] = out = Var("count", ir.I8)
            outs.append(ir.Out(out, ends[0][kind], ends[1][kind]))
        self.builder.put(replace(stmt, then=sides[0], orelse=sides[1], outs=tuple(outs)))

    def loop(self, stmt: ir.For | ir.While) -> None:
        for draw in draws(stmt.test) if isinstance(stmt, ir.While) else ():
            raise unsupported(
                draw.span,
                "the condition of a while loop draws random numbers",
                "draw in the body: `while True` and `break`",
            )
        before, kinds = dict(self.count), self.kinds(stmt)
        entering = {kind: Var("count", ir.I8) for kind in kinds}
        self.count.update(entering)
        body = self.block(stmt.body)
        outs = {kind: Var("count", ir.I8) for kind in kinds}
        carry = tuple(ir.Carry(entering[k], before[k], self.count[k], outs[k]) for k in kinds)
        self.count = {**before, **outs}
        self.builder.put(replace(stmt, body=body, carry=(*stmt.carry, *carry)))
