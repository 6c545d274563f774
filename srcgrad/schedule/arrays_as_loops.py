"""A function's array statements as loops, for the CPU: the first pass of the schedule.

An array value is not computed where it is bound but where it is used, inside the loop that uses it; it lies in memory
if it is used several times and costs something, if what it reads is overwritten before, or if an operation that is no
loop (a *kernel*: products of matrices, LAPACK, sorting) needs it whole. Views are arithmetic on indices, but for those
that somebody else sees.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from srcgrad.core import ir, walk
from srcgrad.core.affine import Poly
from srcgrad.core.build import FULL, const
from srcgrad.core.ir import Atom, Const, Fun, Stmt, Var
from srcgrad.printer.names import ANONYMOUS
from srcgrad.rules.raises import raises
from srcgrad.rules.shapes.shape import dim, size
from srcgrad.schedule.broadcasting import at_broadcast, dims_of
from srcgrad.schedule.cpu_expansions import IN_ORDER, as_loops, lying, product_as_loops
from srcgrad.schedule.cpu_writer import CpuWriter
from srcgrad.schedule.elements import FEW, ONE, ZERO, Elements, Operand
from srcgrad.schedule.escapes import seen_whole
from srcgrad.schedule.known_lengths import Learner
from srcgrad.schedule.lengths import UNKNOWN, Lengths
from srcgrad.schedule.lowering import Lowering, is_natural
from srcgrad.schedule.memory import Memory, Part, Selection, select, view
from srcgrad.schedule.named_values import GENERIC, renamed
from srcgrad.schedule.rearrangements import same_axes
from srcgrad.schedule.small_systems import SmallSystems

MakeArray = Callable[[], Atom]


class ArraysAsLoops(Lowering):
    """reals: the views that stay references."""

    writer: CpuWriter

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
        self.asked_whole = {a for s in walk.walk(fun.body) if _is_call(s) for a in walk.used(s)}
        self.changing = {self.classes.of(ref) for ref in _changed(fun)}
        self.owned: set[Var] = set()  # memory that is some value's
        self.wishes: dict[Var, str] = {}  # better names
        # of what it is asked whether it raises, what is asked must be what is done
        foreseen = {s.params["asked"] for s in walk.walk(fun.body) if isinstance(s, ir.Let) and s.op is raises}
        self.systems = SmallSystems(foreseen)

    def whole(self) -> Fun:
        for param in self.fun.params:
            self.parameter(param)
        self.run(self.fun.body)
        results = tuple(map(self.result, self.fun.results))
        body = (*self.head, *self.writer.builder.out)
        made = replace(self.fun, body=body, results=results, facts=replace(self.fun.facts, same_shapes=()))
        return renamed(made, self.wishes) if self.wishes else made

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
        return self.lengths.settled((self.atoms[atom],))[0]

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

    @contextmanager
    def inner(self, facts: Sequence[Poly]) -> Iterator[list[Stmt]]:
        """For a block: what is learned in it holds in it alone, as these facts do."""
        region, learned, tested = self.lengths.region(facts), self.learner.region(), self.writer.region()
        with region, learned, tested, self.writer.builder.block() as out:
            yield out

    def region(self, stmts: Sequence[Stmt], facts: Sequence[Poly] = ()) -> tuple[Stmt, ...]:
        with self.inner(facts) as out:
            self.run(stmts)
        return tuple(out)

    def once(self, var: Var, uses: int) -> None:
        value = self.values[var]
        if uses > 1 and (value.cost > FEW or (var in self.asked_whole and not _given(value))):
            self.hold(var)

    def hold(self, var: Var) -> None:
        dims = self.values[var].dims
        super().hold(var)
        self.values[var] = replace(self.values[var], dims=dims)
        self.own(self.values[var].home)

    # ---- statements

    def statement(self, stmt: Stmt) -> None:
        if isinstance(stmt, ir.Let) and stmt.op.traits.demands:
            self.agree(stmt)
        if not walk.blocks(stmt):
            self.lengths.note(stmt)
        super().statement(stmt)
        self.learner.note(stmt)

    def agree(self, stmt: ir.Let) -> None:
        """Test the lengths that an operation demands to be equal."""
        demands = stmt.op.traits.demands
        for a, b in demands([dims_of(self.operand(a)) for a in stmt.args], stmt.params) if demands else ():
            self.writer.demand(a, b)

    def let(self, stmt: ir.Let) -> None:
        if not any(a.type.rank for a in (*stmt.args, *stmt.targets)):
            return super().let(stmt)
        if any(isinstance(a, Var) and (a.type.many or (a.type.ref and self.grows(a))) for a in stmt.args):
            return self.other(stmt)
        args = [self.operand(a) for a in stmt.args]
        special = IN_ORDER.get(stmt.op.name) or self.systems.written_out(stmt.op.name, args)
        made = special(self.writer, stmt, args) if special else None
        if made is not None:
            return self.assign(stmt.target, made)
        if (
            as_loops(stmt.op.name)
            or product_as_loops(stmt, args)
            or stmt.op.traits.elementwise
            or stmt.op in (dim, size)
        ):
            return super().let(stmt)
        for target, value in zip(stmt.targets, self.by_template(stmt, args), strict=True):
            self.assign(target, value)

    def assign(self, target: Var, value: Operand) -> None:
        if isinstance(value, Elements):
            # what an operand lies in is the operand's, if the operation has left it as it is
            home = None if value.home in self.owned else value.home
            self.own(home)
            if home is not None:
                self.call(home, target.name)
            at = value.at if target.name == ANONYMOUS else self.writer.called(target.name, value.at)
            self.values[target] = replace(value, dims=self.lengths.of(target, value.dims), at=at, home=home)
        else:
            super().assign(target, value)
            if isinstance(value, Var):
                self.call(value, target.name)

    def call(self, made: Var, name: str) -> None:
        """Name what a statement made after what its line assigns."""
        if name != ANONYMOUS and made.name in GENERIC and made not in self.atoms:
            self.wishes.setdefault(made, name)

    def own(self, home: Var | None) -> None:
        """The memory is that of one value from now on."""
        if home is not None:
            self.owned.add(home)

    def by_template(self, stmt: ir.Let, args: Sequence[Operand]) -> list[Operand]:
        turns = _turns(stmt, args)
        params = {**stmt.params, **{name: not stmt.params[name] for name in turns.values()}}
        atoms = [
            given.turned()
            if k in turns and isinstance(given, Elements) and given.turned
            else self.kernel_argument(a, given)
            for k, (a, given) in enumerate(zip(stmt.args, args, strict=True))
        ]
        targets = tuple(Var(t.name, t.type) for t in stmt.targets)
        self.writer.builder.put(replace(stmt, targets=targets, args=tuple(atoms), params=params))
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

    def selected(self, ref: Var, index: ir.Index, memory: Memory) -> Selection:
        """Slices and indices of which it is known that they lie within the axis are looked at no more."""
        items: list[Any] = []
        natural: set[Atom] = set()
        for axis, item in enumerate(index):
            given = self.item(item)
            if isinstance(item, ir.Slice) and self.lengths.holds(item, ref, axis):
                stop = memory.dims[axis] if given.stop is None else given.stop
                extent = self.lengths.extent(item) or self.writer.minus(stop, given.start or ZERO)
                given = Part(given.start or ZERO, ONE, extent)
            elif isinstance(given, Var) and isinstance(item, Var) and self.lengths.natural(item):
                natural.add(given)
            items.append(given)
        natural -= self.writer.natural
        self.writer.natural |= natural
        chosen = select(self.writer, items, memory)
        self.writer.natural -= natural
        return chosen

    def load(self, stmt: ir.Load) -> None:
        if not stmt.target.type.rank:
            return super().load(stmt)
        if self.grows(stmt.ref):
            return self.other(stmt)
        super().load(stmt)
        value, memory = self.values[stmt.target], self.memory[stmt.ref]
        again, turned = None, None
        if all(item == FULL for item in stmt.index) and memory.where is not None:
            again, turned = memory.whole, memory.turned
        elif memory.where is None and memory.source is None:
            index = tuple(self.item(i) for i in stmt.index)

            def again() -> Atom:
                items = tuple(i if isinstance(i, ir.Slice) else self.value_of(i) for i in index)
                return self.writer.builder.load(memory.root, items, stmt.target.name)

        dims = self.lengths.of(stmt.target, value.dims)
        self.values[stmt.target] = replace(value, dims=dims, value=again, turned=turned)

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
        if isinstance(value, Elements) and self.unchanged(target):
            home = value.home
        if home is not None and home.type == target.type:
            self.memory[target] = Memory(home, dims, self.classes.of(target))
            return
        self.memory[target] = Memory(target, dims, self.classes.of(target))
        if isinstance(value, Elements):
            builder.put(replace(stmt, shape=dims, init=ir.Init.EMPTY))
            self.writer.nest(dims, lambda p: builder.store(target, p, at_broadcast(self.writer, value, p, dims)))
        else:
            builder.put(replace(stmt, shape=dims, init=stmt.init if value is None else value))

    def unchanged(self, ref: Var) -> bool:
        """Whether nothing writes into the memory, by any name, once it is made, and it stays inside of the function."""
        return self.classes.of(ref) not in self.changing

    def view(self, stmt: ir.View) -> None:
        if isinstance(stmt.how, ir.Reshape) and stmt.target not in self.reals:
            return self.reshape(stmt)
        if stmt.target not in self.reals:
            base = self.memory[stmt.base]
            super().view(stmt)
            memory = self.memory[stmt.target]
            whole, turned = self.as_arrays(stmt, base)
            own = self.lengths.of(stmt.target, memory.dims)
            self.memory[stmt.target] = replace(memory, dims=own, whole=whole, turned=turned)
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
                dims = list(self.selected(stmt.base, index, base).dims)
        self.memory[stmt.target] = Memory(stmt.target, self.lengths.of(stmt.target, dims), self.classes.of(stmt.target))

    def reshape(self, stmt: ir.View) -> None:
        """A view that has more axes of length 1, as far as one sees: if it is more, it stays a reference."""
        assert isinstance(stmt.how, ir.Reshape)
        base = self.memory[stmt.base]
        base = replace(base, dims=self.lengths.settled(base.dims))
        dims = self.reshaped(stmt.how, base)
        if same_axes(dims, base.dims) or base.where is not None or base.source is not None:
            made = view(self.writer, base, dims)
        else:
            self.writer.builder.put(replace(stmt, base=base.root, how=walk.map_how(stmt.how, self.atom)))
            made = Memory(stmt.target, tuple(dims), self.classes.of(stmt.target))
        self.memory[stmt.target] = replace(made, dims=self.lengths.of(stmt.target, made.dims))

    def as_arrays(self, view: ir.View, base: Memory) -> tuple[MakeArray | None, MakeArray | None]:
        """What emits the contents of a view as one array, and as its transpose: for one row, and for a transpose, of
        memory that lies as it is."""
        if base.where is not None or base.source is not None:
            return None, None
        builder, root = self.writer.builder, base.root
        if isinstance(view.how, ir.Transpose):
            return None, (lambda: builder.load(root)) if view.how.axes == (1, 0) else None
        if isinstance(view.how, ir.Reshape):
            return None, None
        if any(isinstance(item, ir.Slice) and item != FULL for item in view.how) or not _is_row(view.how):
            return None, None
        index = tuple(item if isinstance(item, ir.Slice) else self.atom(item) for item in view.how)
        return (lambda: builder.load(root, index)), None

    # ---- regions within

    def loop(self, stmt: ir.For | ir.While) -> None:
        names = [stmt.index.name] if isinstance(stmt, ir.For) else []
        if isinstance(stmt, ir.For) and is_natural(stmt):
            self.writer.natural.add(stmt.index)
        refs = [c for c in stmt.carry if c.inner.type.ref]

        def block(stmts: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
            with self.inner(self.lengths.inside(stmt)) as out:
                self.lengths.enter(stmt)
                self.learner.enter(stmt)
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
        sides = self.lengths.ranges.sides(stmt.cond)
        then, orelse = self.region(stmt.then, sides[0]), self.region(stmt.orelse, sides[1])
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


def _is_call(stmt: Stmt) -> bool:
    """Whether it needs its operands as arrays."""
    if isinstance(stmt, ir.Let):
        return not (as_loops(stmt.op.name) or stmt.op.traits.elementwise or stmt.op in (dim, size))
    return isinstance(stmt, (ir.Call, ir.Custom, ir.Append))


def _changed(fun: Fun) -> Iterator[Var]:
    """References that something is stored to, perhaps, or that leave the function or the region that makes them."""
    yield from (a for a in fun.results if isinstance(a, Var) and a.type.ref)
    for stmt in walk.walk(fun.body):
        if isinstance(stmt, (ir.Store, ir.Accumulate)):
            yield stmt.ref
        elif not isinstance(stmt, (ir.Let, ir.Load, ir.View, ir.Alloc)):
            yield from (a for a in _own_operands(stmt) if isinstance(a, Var) and a.type.ref)


def _own_operands(stmt: Stmt) -> Iterator[Atom]:
    """What a statement reads itself, not what stands in its blocks, with what it carries out of them."""
    for c in stmt.carry if isinstance(stmt, (ir.For, ir.While)) else ():
        yield from (c.init, c.next, c.inner, c.out)
    for o in stmt.outs if isinstance(stmt, ir.If) else ():
        yield from (o.target, o.then, o.orelse)
    if not walk.blocks(stmt):
        yield from (*walk.used(stmt), *walk.defined(stmt))


def _is_row(index: ir.Index) -> bool:
    """Whether all slices stand behind all integers."""
    slices = [isinstance(item, ir.Slice) for item in index]
    return slices == sorted(slices)


def _turns(stmt: ir.Let, args: Sequence[Operand]) -> dict[int, str]:
    """The matrices of a product that lie transposed, by their places, with the parameter that says so."""
    if stmt.op.name != "matmul":
        return {}
    lying = [isinstance(a, Elements) and a.value is None and a.turned is not None for a in args]
    return {k: name for k, name in enumerate(("ta", "tb")) if lying[k]}


def _given(value: Elements) -> bool:
    """Whether it lies in memory, as it is or transposed."""
    return value.value is not None or value.turned is not None


def _refs(stmt: Stmt) -> tuple[Var, ...]:
    return tuple(a for a in walk.used(stmt) if isinstance(a, Var) and a.type.rank)
