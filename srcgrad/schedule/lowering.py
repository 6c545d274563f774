"""Array statements as loops over elements, in order: what the CPU's schedule and the GPU's lowering share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from srcgrad.core import ir, walk
from srcgrad.core.aliases import Aliases
from srcgrad.core.build import FULL
from srcgrad.core.ir import Atom, Const, Fun, Stmt, Var
from srcgrad.rules.shapes.shape import dim, size
from srcgrad.schedule import rearrangements as rearrangements  # enters its expansions
from srcgrad.schedule.broadcasting import at_broadcast, product, repeats, same_size
from srcgrad.schedule.elements import Elements, Operand, Writer
from srcgrad.schedule.expansions import EXPANSIONS, elementwise
from srcgrad.schedule.memory import Memory, Selection, elements_of, select, view


class Lowering(ABC):
    """Goes through a function. New statements are in `writer.builder.out`, those for the function's head in `head`.

    A subclass says where new memory lies, what loops and branches do with references, and what becomes of operations
    that have no loops.
    """

    def __init__(self, fun: Fun, writer: Writer) -> None:
        self.fun, self.writer = fun, writer
        self.classes = Aliases(fun.body)
        self.atoms: dict[Var, Atom] = {}
        self.values: dict[Var, Elements] = {}
        self.memory: dict[Atom, Memory] = {}
        self.head: list[Stmt] = []

    # ---- what a subclass says

    @abstractmethod
    def atom(self, atom: Atom) -> Atom:
        """A scalar of the new function; of a reference, the variable that holds the array."""

    @abstractmethod
    def once(self, var: Var, uses: int) -> None:
        """Hold a value that is used several times and costs something."""

    def statement(self, stmt: Stmt) -> None:
        match stmt:
            case ir.Let():
                self.let(stmt)
            case ir.Load():
                self.load(stmt)
            case ir.Store() | ir.Accumulate():
                self.store(stmt)
            case ir.Alloc():
                self.alloc(stmt)
            case ir.View():
                self.view(stmt)
            case ir.For() | ir.While():
                self.loop(stmt)
            case ir.If():
                self.branch(stmt)
            case ir.Effect():
                self.writer.builder.put(walk.rebuild(stmt, self.scalar, lambda v: v, lambda block: block))
            case ir.Remark():
                self.writer.builder.put(stmt)
            case _:
                self.other(stmt)

    @abstractmethod
    def scalar(self, atom: Atom) -> Atom:
        """What an effect reads."""

    @abstractmethod
    def alloc(self, stmt: ir.Alloc) -> None:
        """New memory."""

    @abstractmethod
    def loop(self, stmt: ir.For | ir.While) -> None:
        """A loop, with what it carries."""

    @abstractmethod
    def branch(self, stmt: ir.If) -> None:
        """A branch, with what comes out of it."""

    @abstractmethod
    def other(self, stmt: Stmt) -> None:
        """Lists, calls, draws."""

    @abstractmethod
    def by_template(self, stmt: ir.Let, args: Sequence[Operand]) -> list[Operand]:
        """The results of a primitive that has no loops over elements."""

    # ---- what variables stand for

    def operand(self, atom: Atom) -> Operand:
        if isinstance(atom, Var) and atom.type.rank:
            return self.array(atom)
        return self.atom(atom)

    def array(self, var: Var) -> Elements:
        """What an array value, or memory, holds."""
        return elements_of(self.writer, self.memory[var]) if var.type.ref else self.values[var]

    def dims_of_result(self, var: Var) -> tuple[Atom, ...]:
        return self.memory[var].dims if var.type.ref else self.values[var].dims

    # ---- regions

    def region(self, stmts: Sequence[Stmt]) -> tuple[Stmt, ...]:
        with self.writer.builder.block() as out:
            self.run(stmts)
        return tuple(out)

    def run(self, stmts: Sequence[Stmt]) -> None:
        """Emit the statements of a region. Array values are not computed where they are bound but where they are used,
        unless that is more than once, or what they read is overwritten before."""
        uses: Counter[Var] = Counter()
        last: dict[Var, int] = {}
        for k, stmt in enumerate(stmts):
            for atom in walk.used(stmt):
                if isinstance(atom, Var) and atom.type.is_array_value:
                    uses[atom] += 1
                    last[atom] = k
        live: list[Var] = []
        for k, stmt in enumerate(stmts):
            with self.writer.builder.at(stmt.span):
                self.settle(stmt, [v for v in live if last.get(v, -1) >= k])
                self.statement(stmt)
                bound = [v for v in walk.defined(stmt) if v in self.values]
                for var in bound:
                    self.once(var, uses[var])
                live += bound

    def settle(self, stmt: Stmt, live: Sequence[Var]) -> None:
        """Hold the values that read memory which the statement overwrites."""
        written: set[Var] = set()
        for inner in walk.walk((stmt,)):
            if isinstance(inner, (ir.Store, ir.Accumulate)):
                written.add(self.classes.of(inner.ref))
            elif isinstance(inner, (ir.For, ir.While)):
                written.update(self.classes.of(c.inner) for c in inner.carry if c.inner.type.ref)
        for var in live if written else ():
            if self.values[var].reads & written:
                self.hold(var)

    def hold(self, var: Var) -> None:
        """Have the value in memory of its own from here on."""
        self.values[var] = self.writer.held(self.values[var], var.name)

    # ---- statements

    def let(self, stmt: ir.Let) -> None:
        types = [t.type for t in stmt.targets]
        if not any(a.type.rank for a in (*stmt.args, *stmt.targets)):
            targets = tuple(map(self.bind, stmt.targets))
            self.writer.builder.put(replace(stmt, targets=targets, args=tuple(map(self.atom, stmt.args))))
            return
        args = [self.operand(a) for a in stmt.args]
        first = args[0] if args else None
        if stmt.op is dim and isinstance(first, Elements):
            return self.assign(stmt.target, first.dims[stmt.params["axis"]])
        if stmt.op is size and isinstance(first, Elements):
            return self.assign(stmt.target, product(self.writer, first.dims))
        if stmt.op.traits.elementwise:
            return self.assign(stmt.target, elementwise(self.writer, stmt.op, args, stmt.params, types[0]))
        expansion = EXPANSIONS.get(stmt.op.name)
        made = expansion(self.writer, args, stmt.params, types) if expansion else self.by_template(stmt, args)
        made = made if isinstance(made, list) else [made]
        for target, value in zip(stmt.targets, made, strict=True):
            self.assign(target, value)

    def assign(self, target: Var, value: Operand) -> None:
        if isinstance(value, Elements):
            self.values[target] = value
        else:
            self.atoms[target] = self.writer.as_type(value, target.type)

    def bind(self, var: Var) -> Var:
        self.atoms[var] = var
        return var

    def load(self, stmt: ir.Load) -> None:
        memory = self.memory[stmt.ref]
        if not stmt.target.type.rank:
            index = self.selected(stmt.ref, stmt.index, memory).where(())
            if memory.source is not None:
                return self.assign(stmt.target, memory.read(self.writer, index))
            self.atoms[stmt.target] = stmt.target
            self.writer.builder.put(replace(stmt, ref=memory.root, index=memory.place(index)))
            return
        if all(i == FULL for i in stmt.index):
            self.values[stmt.target] = elements_of(self.writer, memory)
        else:
            chosen = self.selected(stmt.ref, stmt.index, memory)
            self.values[stmt.target] = elements_of(self.writer, memory, chosen)

    def selected(self, ref: Var, index: ir.Index, memory: Memory) -> Selection:
        """What an index of a reference, which stands for this memory, selects."""
        return select(self.writer, [self.item(i) for i in index], memory)

    def item(self, item: ir.Item) -> Any:
        if isinstance(item, ir.Slice):
            parts = (None if p is None else self.atom(p) for p in (item.start, item.stop, item.step))
            return ir.Slice(*parts)
        return self.operand(item)

    def store(self, stmt: ir.Store | ir.Accumulate) -> None:
        memory, value = self.memory[stmt.ref], self.operand(stmt.value)
        chosen = self.places(stmt, self.selected(stmt.ref, stmt.index, memory))
        if isinstance(value, Elements):
            repeats(self.writer, value.dims, chosen.dims)
            value = self.writer.cheap(value, tuple(value.dims) != tuple(chosen.dims))

        def put(place: tuple[Atom, ...]) -> None:
            item = at_broadcast(self.writer, value, place, chosen.dims)
            there = memory.place(chosen.where(place))
            self.writer.builder.put(replace(stmt, ref=memory.root, index=there, value=item))

        self.writer.nest(chosen.dims, put)

    def places(self, stmt: ir.Store | ir.Accumulate, chosen: Selection) -> Selection:
        """What the statement writes to."""
        return chosen

    def view(self, stmt: ir.View) -> None:
        base, how = self.memory[stmt.base], stmt.how
        if isinstance(how, ir.Transpose):
            made = view(self.writer, base, how)
        elif isinstance(how, ir.Reshape):
            made = view(self.writer, base, self.reshaped(how, base))
        else:
            made = view(self.writer, base, self.selected(stmt.base, how, base))
        self.memory[stmt.target] = made

    def reshaped(self, how: ir.Reshape, base: Memory) -> list[Atom]:
        """The lengths of a reshaped array, -1 filled in."""
        lengths = [self.atom(n) for n in how.shape]
        free = [k for k, n in enumerate(lengths) if isinstance(n, Const) and n.value.real < 0]
        for k in free:
            others = product(self.writer, [n for j, n in enumerate(lengths) if j != k])
            lengths[k] = self.writer.op("floor_divide", product(self.writer, base.dims), others)
        same_size(self.writer, base.dims, lengths)
        return lengths


def is_natural(stmt: ir.For) -> bool:
    """Whether the loop's index is never negative."""
    start, stop, step = stmt.start, stmt.stop, stmt.step
    if not isinstance(step, Const):
        return False
    if step.value.real > 0:
        return isinstance(start, Const) and start.value.real >= 0
    return isinstance(stop, Const) and stop.value.real >= -1
