"""A function's array statements as loops, for the CPU: the first pass of the schedule.

An array value is not computed where it is bound but where it is used, inside the loop that uses it; it lies in memory
if it is used several times and costs something, if what it reads is overwritten before, or if an operation that is no
loop (a *kernel*: products of matrices, LAPACK, sorting) needs it whole. Views are arithmetic on indices, but for those
that somebody else sees.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from srcgrad.core import ir, walk
from srcgrad.core.build import const
from srcgrad.core.ir import Atom, Const, Fun, Stmt, Var
from srcgrad.rules.shapes.shape import dim, size
from srcgrad.schedule.cpu_expansions import IN_ORDER, as_loops, lying, small_product
from srcgrad.schedule.elements import FEW, ONE, ZERO, Elements, Operand, Writer
from srcgrad.schedule.escapes import seen_whole
from srcgrad.schedule.expansions import at_broadcast
from srcgrad.schedule.known_lengths import Learner
from srcgrad.schedule.lengths import UNKNOWN, Lengths
from srcgrad.schedule.lowering import Lowering, is_natural
from srcgrad.schedule.memory import Memory, Selection, select


class CpuWriter(Writer):
    """Emits loops whose arrays lie in memory that the function makes."""

    def local(self, dtype: str, dims: Sequence[Atom], name: str) -> Var:
        return self.builder.alloc(dtype, dims, ir.Init.EMPTY, name)

    def held(self, value: Elements, name: str = "t") -> Elements:
        ref = self.local(value.dtype, value.dims, name)
        self.fill(ref, value)
        return lying(self, ref, value.dims)

    def repeated(self, own: Atom, index: Atom) -> Atom:
        """By a step of 0 or 1: of a choice for each element, compiled code would have a copy of the loop for each
        side, and of several choices for each combination."""
        return self.times(index, self.op("where", self.op("equal", own, ONE), ZERO, ONE, called="step"))

    def cheap(self, value: Elements, repeated: bool = True) -> Elements:
        return self.held(value) if repeated and value.cost > FEW else value


class ArraysAsLoops(Lowering):
    """reals: the views that stay references."""

    def __init__(self, fun: Fun) -> None:
        super().__init__(fun, CpuWriter())
        self.lengths = Lengths(fun)
        self.learner = Learner(self.lengths.shapes)
        allocs = [s for s in walk.walk(fun.body) if isinstance(s, ir.Alloc)]
        self.growing = {self.classes.of(s.target) for s in allocs if None in s.shape}
        self.uses = Counter(a for s in walk.walk(fun.body) for a in walk.used(s)) + Counter(fun.results)
        # the names of memory that takes over a value's
        self.names = {s.init: s.target.name for s in allocs if isinstance(s.init, Var)}
        self.reals = seen_whole(fun, self.grows)

    def whole(self) -> Fun:
        for param in self.fun.params:
            self.parameter(param)
        self.run(self.fun.body)
        results = tuple(map(self.result, self.fun.results))
        body = (*self.head, *self.writer.builder.out)
        return replace(self.fun, body=body, results=results, facts=replace(self.fun.facts, same_shapes=()))

    # ---- what variables stand for

    def parameter(self, param: Var) -> None:
        if not param.type.ref:
            self.atoms[param] = param
            return
        known = self.fun.facts.lengths.get(param)
        dims = [const(n) for n in known] if known else [self.length(param, k) for k in range(param.type.rank)]
        self.memory[param] = Memory(param, self.lengths.of(param, dims), self.classes.of(param))

    def length(self, param: Var, axis: int) -> Atom:
        found = self.lengths.known(param, axis)
        if found is not None:
            return found
        n = Var("n", ir.I8)
        self.head.append(ir.Let((n,), dim, (param,), {"axis": axis}))
        return n

    def reference(self, var: Var) -> Memory:
        """Memory behind a variable of the new function."""
        dims = []
        for axis in range(var.type.rank):
            n = self.lengths.known(var, axis)
            dims.append(self.writer.op("dim", var, called="n", axis=axis) if n is None else n)
        made = Memory(var, self.lengths.of(var, dims), self.classes.of(var))
        self.memory[var] = made
        return made

    def grows(self, ref: Var) -> bool:
        return self.classes.of(ref) in self.growing

    def atom(self, atom: Atom) -> Atom:
        if isinstance(atom, Const) or atom.type.many:
            return atom
        if atom.type.ref:
            memory = self.memory[atom]
            assert memory.where is None and memory.source is None
            return memory.root
        if atom.type.rank:
            return self.value_of(self.values[atom])
        return self.atoms[atom]

    def scalar(self, atom: Atom) -> Atom:
        if isinstance(atom, Var) and atom.type.rank:
            return self.value_of(self.array(atom))
        return self.atom(atom)

    def operand(self, atom: Atom) -> Operand:
        found = super().operand(atom)
        return replace(found, dims=self.lengths.settled(found.dims)) if isinstance(found, Elements) else found

    def value_of(self, operand: Operand) -> Atom:
        """The array value, for an operation that is no loop."""
        if not isinstance(operand, Elements):
            return operand
        if operand.value is None:
            operand = self.writer.held(operand)
        assert operand.value is not None
        return operand.value()

    def result(self, atom: Atom) -> Atom:
        if isinstance(atom, Var) and atom.type.is_array_value:
            value = self.values[atom]
            if value.home is not None and self.uses[atom] == 1:
                return value.home
            ref = self.writer.local(value.dtype, value.dims, atom.name)
            self.writer.fill(ref, value)
            return ref
        return self.atom(atom)

    # ---- regions

    def region(self, stmts: Sequence[Stmt]) -> tuple[Stmt, ...]:
        with self.lengths.region(), self.writer.builder.block() as out:
            self.run(stmts)
        return tuple(out)

    def once(self, var: Var, uses: int) -> None:
        value = self.values[var]
        if uses > 1 and value.cost > FEW:
            self.values[var] = replace(self.writer.held(value, var.name), dims=value.dims)

    # ---- statements

    def statement(self, stmt: Stmt) -> None:
        if not walk.blocks(stmt):
            self.lengths.note(stmt)
        super().statement(stmt)
        self.learner.note(stmt)

    def let(self, stmt: ir.Let) -> None:
        if not any(a.type.rank for a in (*stmt.args, *stmt.targets)):
            return super().let(stmt)
        if any(isinstance(a, Var) and (a.type.many or (a.type.ref and self.grows(a))) for a in stmt.args):
            return self.other(stmt)
        args = [self.operand(a) for a in stmt.args]
        special = IN_ORDER.get(stmt.op.name)
        made = special(self.writer, stmt, args) if special else None
        if made is not None:
            return self.assign(stmt.target, made)
        if as_loops(stmt.op.name) or small_product(stmt, args) or stmt.op.traits.elementwise or stmt.op in (dim, size):
            return super().let(stmt)
        for target, value in zip(stmt.targets, self.by_template(stmt, args), strict=True):
            self.assign(target, value)

    def assign(self, target: Var, value: Operand) -> None:
        if isinstance(value, Elements):
            self.values[target] = replace(value, dims=self.lengths.of(target, value.dims))
        else:
            super().assign(target, value)

    def by_template(self, stmt: ir.Let, args: Sequence[Operand]) -> list[Operand]:
        atoms = [self.kernel_argument(a, given) for a, given in zip(stmt.args, args, strict=True)]
        targets = tuple(Var(t.name, t.type) for t in stmt.targets)
        self.writer.builder.put(replace(stmt, targets=targets, args=tuple(atoms)))
        return [self.made(old, new) for old, new in zip(stmt.targets, targets, strict=True)]

    def kernel_argument(self, atom: Atom, given: Operand) -> Atom:
        """What is passed to a kernel; of a reference, it reads the shape alone."""
        if isinstance(atom, Var) and atom.type.ref and self.memory[atom].where is None:
            return self.atom(atom)
        return self.value_of(given)

    def made(self, old: Var, new: Var) -> Operand:
        """What a kernel has made, in memory of its own."""
        if not new.type.rank:
            return new
        ref = self.writer.builder.alloc(new.type.dtype, (), new, self.names.get(old, old.name))
        dims = []
        for axis in range(new.type.rank):
            n = self.lengths.known(old, axis)
            dims.append(self.writer.op("dim", ref, called="n", axis=axis) if n is None else n)
        return lying(self.writer, ref, self.lengths.of(old, dims))

    def load(self, stmt: ir.Load) -> None:
        if not stmt.target.type.rank:
            return super().load(stmt)
        if self.grows(stmt.ref):
            return self.other(stmt)
        super().load(stmt)
        value, memory = self.values[stmt.target], self.memory[stmt.ref]
        again = None
        if memory.where is None and memory.source is None:
            index = tuple(self.item(i) for i in stmt.index)

            def again() -> Atom:
                items = tuple(i if isinstance(i, ir.Slice) else self.value_of(i) for i in index)
                return self.writer.builder.load(memory.root, items, stmt.target.name)

        self.values[stmt.target] = replace(value, dims=self.lengths.of(stmt.target, value.dims), value=again)

    def store(self, stmt: ir.Store | ir.Accumulate) -> None:
        if self.grows(stmt.ref):
            return self.other(stmt)
        super().store(stmt)

    def places(self, stmt: ir.Store | ir.Accumulate, chosen: Selection) -> Selection:
        return replace(chosen, dims=self.lengths.sliced(stmt.ref, stmt.index, chosen.dims))

    def alloc(self, stmt: ir.Alloc) -> None:
        target, builder = stmt.target, self.writer.builder
        if None in stmt.shape:
            self.memory[target] = Memory(target, (UNKNOWN,) * target.type.rank, self.classes.of(target))
            builder.put(walk.rebuild(stmt, self.scalar, lambda v: v, lambda block: block))
            return
        value = None if isinstance(stmt.init, ir.Init) else self.operand(stmt.init)
        own = value.dims if isinstance(value, Elements) else tuple(self.atom(n) for n in stmt.shape if n is not None)
        dims = self.lengths.of(target, own)
        alone = not isinstance(stmt.init, ir.Init) and self.uses[stmt.init] == 1
        home = value.home if isinstance(value, Elements) and alone else None
        if home is not None and home.type == target.type:
            self.memory[target] = Memory(home, dims, self.classes.of(target))
            return
        self.memory[target] = Memory(target, dims, self.classes.of(target))
        if isinstance(value, Elements):
            builder.put(replace(stmt, shape=dims, init=ir.Init.EMPTY))
            self.writer.nest(dims, lambda p: builder.store(target, p, at_broadcast(self.writer, value, p, dims)))
        else:
            builder.put(replace(stmt, shape=dims, init=stmt.init if value is None else value))

    def view(self, stmt: ir.View) -> None:
        if stmt.target not in self.reals:
            super().view(stmt)
            memory = self.memory[stmt.target]
            self.memory[stmt.target] = replace(memory, dims=self.lengths.of(stmt.target, memory.dims))
            return
        base = self.memory[stmt.base]
        assert base.where is None
        how = walk.map_how(stmt.how, self.atom)
        self.writer.builder.put(replace(stmt, base=base.root, how=how))
        match stmt.how:
            case _ if self.grows(stmt.base):
                self.reference(stmt.target)
                return
            case ir.Transpose(axes):
                dims = [base.dims[k] for k in axes]
            case ir.Reshape():
                dims = self.reshaped(stmt.how, base)
            case index:
                dims = list(select(self.writer, [self.item(i) for i in index], base).dims)
        self.memory[stmt.target] = Memory(stmt.target, self.lengths.of(stmt.target, dims), self.classes.of(stmt.target))

    # ---- regions within

    def loop(self, stmt: ir.For | ir.While) -> None:
        names = [stmt.index.name] if isinstance(stmt, ir.For) else []
        if isinstance(stmt, ir.For) and is_natural(stmt):
            self.writer.natural.add(stmt.index)
        refs = [c for c in stmt.carry if c.inner.type.ref]

        def block(stmts: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
            with self.lengths.region(), self.writer.builder.block() as out:
                self.lengths.enter(stmt)
                for c in refs:
                    self.reference(c.inner)
                self.run(stmts)
            return tuple(out)

        self.writer.scope += names
        made = walk.rebuild(stmt, self.atom, self.bind_any, block)
        del self.writer.scope[len(self.writer.scope) - len(names) :]
        self.writer.builder.put(made)
        self.lengths.note(stmt)
        for c in refs:
            self.reference(c.out)

    def bind_any(self, var: Var) -> Var:
        return self.bind(var) if not var.type.rank else var

    def branch(self, stmt: ir.If) -> None:
        cond = self.atom(stmt.cond)
        then, orelse = self.region(stmt.then), self.region(stmt.orelse)
        outs = tuple(ir.Out(self.bind_any(o.target), self.atom(o.then), self.atom(o.orelse)) for o in stmt.outs)
        self.writer.builder.put(replace(stmt, cond=cond, then=then, orelse=orelse, outs=outs))
        self.lengths.note(stmt)
        for out in stmt.outs:
            if out.target.type.ref:
                self.reference(out.target)

    def other(self, stmt: Stmt) -> None:
        """What stays as it is, with arrays as operands."""
        renamed: dict[Var, Var] = {}

        def bind(var: Var) -> Var:
            if var.type.is_array_value:
                renamed[var] = Var(var.name, var.type)
                return renamed[var]
            return self.bind_any(var)

        self.writer.builder.put(walk.rebuild(stmt, self.scalar_or_reference, bind, lambda block: block))
        for var in walk.defined(stmt):
            if var in renamed:
                self.assign(var, self.made(var, renamed[var]))
            elif var.type.ref and not var.type.many:
                self.reference(var)

    def scalar_or_reference(self, atom: Atom) -> Atom:
        return self.atom(atom) if atom.type.ref or atom.type.many else self.scalar(atom)


def arrays_as_loops(fun: Fun) -> Fun:
    """The function with loops in the place of array statements; the same function if it has none."""
    if not any(v.type.rank for stmt in walk.walk(fun.body) for v in (*walk.defined(stmt), *_refs(stmt))):
        return fun
    return ArraysAsLoops(fun).whole()


def _refs(stmt: Stmt) -> tuple[Var, ...]:
    return tuple(a for a in walk.used(stmt) if isinstance(a, Var) and a.type.rank)
