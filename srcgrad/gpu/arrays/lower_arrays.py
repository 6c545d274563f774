"""A function's statements with array operations as loops over elements, as a thread of a GPU runs them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property

from srcgrad.core import ir, walk
from srcgrad.core.ir import Atom, Const, Fun, FunFacts, Program, Span, Stmt, Var
from srcgrad.core.rewrite import Rewritten, rewrite_block
from srcgrad.core.shapes import fixed
from srcgrad.errors import SrcgradError
from srcgrad.frontend.lowering.function import lower
from srcgrad.frontend.source.structure import Leaf
from srcgrad.gpu.arrays import small_matrices
from srcgrad.gpu.arrays.carried import Carried
from srcgrad.gpu.arrays.template_as_function import as_function
from srcgrad.rules.language import registry
from srcgrad.rules.shapes.shape import dim, size
from srcgrad.schedule.broadcasting import at_broadcast
from srcgrad.schedule.elements import (
    FEW,
    LARGEST,
    LOOP,
    REMEDY,
    UNKNOWN_LENGTH,
    Elements,
    Operand,
    Writer,
    fits,
    size_of,
    static,
)
from srcgrad.schedule.literals import folded
from srcgrad.schedule.lowering import Lowering, is_natural
from srcgrad.schedule.memory import Memory, elements_of
from srcgrad.transform.refuse import unsupported

Tidy = Callable[[Program], Program]
UNKNOWN = Var("unknown", ir.I8)  # the length of memory that grows: nothing may ask for it
SMALL = 64  # results of up to so many elements are put together in a local array, which may lie in registers


class Loops(Lowering):
    """Memory is local, or given by the caller; what no expansion computes is lowered from the text of its helper."""

    def __init__(self, fun: Fun, tidy: Tidy, writer: Writer | None = None) -> None:
        super().__init__(fun, writer or Writer())
        self.tidy = tidy
        self.results = () if writer else fun.results  # of a function whose body is put in place, nobody is the caller
        self.top = set(fun.body)  # what is run once, and surely
        self.given: dict[Var, Var] = {}  # results of the function that are made where the caller wants them
        self.made: set[Var] = set()  # arrays that the function makes
        self.worked: set[Var] = set()  # those among them that the caller gives, which may be longer

    def parameter(self, param: Var) -> Var:
        """A parameter of the new function; an array's lengths are asked for at its head."""
        if not param.type.rank:
            self.atoms[param] = param
            return param
        known = self.fun.facts.lengths.get(param)
        same = next((self.memory.get(other) for made, other in self.fun.facts.same_shapes if made is param), None)
        if known is not None:
            dims: tuple[Atom, ...] = tuple(Const(n, ir.I8) for n in known)
        else:
            dims = tuple(self.length(param, k) for k in range(param.type.rank)) if same is None else same.dims
        self.memory[param] = Memory(param, dims, self.classes.of(param))
        return param

    def length(self, param: Var, axis: int) -> Var:
        n = Var("n", ir.I8)
        self.head.append(ir.Let((n,), registry.PRIMITIVES["dim"], (param,), {"axis": axis}))
        return n

    def atom(self, atom: Atom) -> Atom:
        """A scalar of the new function; of a reference, the variable that holds the array."""
        if isinstance(atom, Const):
            return atom
        if atom.type.ref:
            memory = self.memory[atom]
            if memory.where is not None or memory.source is not None:
                message = "a view is chosen or carried at run time, which is not supported on the GPU"
                raise unsupported(self.writer.builder.span, message, "copy it: x[...].copy()")
            return memory.root
        return self.atoms[atom]

    def facts(self) -> FunFacts:
        return replace(self.fun.facts, same_shapes=())

    @cached_property
    def carried(self) -> Carried:
        return Carried(self.fun)

    def once(self, var: Var, uses: int) -> None:
        """Hold a value that is used several times and costs something."""
        value = self.values[var]
        if uses < 2 or value.cost <= FEW:
            return
        if static(value.dims) or value.cost >= LOOP:
            self.values[var] = self.writer.held(value, var.name)

    def scalar(self, atom: Atom) -> Atom:
        if atom.type.rank:
            raise unsupported(self.writer.builder.span, "an array is printed or raised on the GPU", "use its elements")
        return self.atom(atom)

    def other(self, stmt: Stmt) -> None:
        message = "a list of arrays cannot be kept on the GPU"
        raise unsupported(stmt.span, message, "write into one array that is made in front of the loop")

    def alloc(self, stmt: ir.Alloc) -> None:
        value = None if isinstance(stmt.init, ir.Init) else self.operand(stmt.init)
        own = tuple(None if n is None else self.atom(n) for n in stmt.shape)
        dims = value.dims if isinstance(value, Elements) else own
        root = self.root(stmt, dims)
        known = tuple(UNKNOWN if n is None else n for n in dims)
        exact = UNKNOWN in known or root not in self.worked
        self.memory[stmt.target] = Memory(root, known, self.classes.of(stmt.target), exact=exact)
        start = self.writer.zero(ir.Type(stmt.target.type.dtype)) if stmt.init is ir.Init.ZEROS else value
        if start is not None and UNKNOWN not in known:
            self.writer.nest(
                known, lambda p: self.writer.builder.store(root, p, at_broadcast(self.writer, start, p, known))
            )

    def root(self, stmt: ir.Alloc, dims: Sequence[Atom | None]) -> Var:
        """What holds new memory: a small or local array; a large result of the function, where the caller wants it;
        else an allocation of its own, for which the caller will give an array."""
        target = stmt.target
        known = tuple(n for n in dims if n is not None)
        size = size_of(known) if len(known) == len(dims) else None
        if size is not None and size <= (SMALL if target in self.results else LARGEST):
            root = self.writer.local(target.type.dtype, known, target.name)
            self.made.add(root)
            return root
        if not self.classes.simple(target) and None in dims:
            raise unsupported(stmt.span, UNKNOWN_LENGTH, REMEDY)
        root = Var(target.name, target.type)
        self.made.add(root)
        if target in self.results and stmt in self.top and len(known) == len(dims):
            self.given[target] = root
        else:
            self.worked.add(root)
            self.writer.builder.put(replace(stmt, target=root, shape=tuple(dims), init=ir.Init.EMPTY))
        return root

    def loop(self, stmt: ir.For | ir.While) -> None:
        moves = self.carried.anew(stmt)
        for c in stmt.carry:
            if c.inner.type.ref:
                if c in moves:
                    self.memory[c.inner] = self.memory[c.out] = self.started(stmt, c)
                    continue
                for var in (c.inner, c.out):
                    self.memory[var] = self.chosen(var, self.memory[c.init].dims)
        if isinstance(stmt, ir.For) and is_natural(stmt):
            self.writer.natural.add(stmt.index)
        names = [stmt.index.name] if isinstance(stmt, ir.For) else []

        def block(stmts: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
            made = self.region(stmts)
            return (*made, *self.handed_on(stmt, moves)) if stmts is stmt.body else made

        self.writer.scope += names
        kept = replace(stmt, carry=tuple(c for c in stmt.carry if c not in moves))
        made = walk.rebuild(kept, self.atom, self.bind, block)
        del self.writer.scope[len(self.writer.scope) - len(names) :]
        self.writer.builder.put(made)
        for c in kept.carry:
            if c.inner.type.ref:
                self.same_lengths(stmt, c)

    def chosen(self, var: Var, dims: tuple[Atom, ...]) -> Memory:
        """What a reference stands for that a branch or an iteration chooses: an array that may be longer, for all we
        know."""
        return Memory(var, dims, self.classes.of(var), exact=False)

    def same_lengths(self, stmt: Stmt, carry: ir.Carry) -> None:
        """Refuse memory that has other lengths in the next iteration."""
        if self.memory[carry.next].dims != self.memory[carry.inner].dims:
            message = "memory of another length is carried to the next iteration, which is not supported on the GPU"
            raise unsupported(stmt.span, message, "make one array in front of the loop and write into it")

    def started(self, stmt: ir.For | ir.While, carry: ir.Carry) -> Memory:
        """The memory that iterations hand on by copying into it, with what the first one starts with."""
        start = self.memory[carry.init]
        plain = start.where is None and start.source is None and start.root in self.made
        if plain and self.carried.alone(stmt, carry):
            return start
        writes = None if self.carried.alone(stmt, carry) else self.carried.written(stmt, carry)
        if writes is not None:
            message = f"`{carry.inner.name}` is made anew in each iteration, and written to while it has other names"
            raise unsupported(writes.span or stmt.span, message, "copy it first: x = x.copy()")
        if UNKNOWN in start.dims:
            raise unsupported(stmt.span, UNKNOWN_LENGTH, REMEDY)
        value = elements_of(self.writer, start)
        root = self.writer.local(value.dtype, start.dims, carry.inner.name)
        self.writer.fill(root, value)
        self.made.add(root)
        return Memory(root, start.dims, self.classes.of(carry.inner), exact=fits(start.dims))

    def stays(self, carry: ir.Carry) -> bool:
        """Whether an iteration hands on what lies in the right place already."""
        after = self.memory[carry.next]
        return after.where is None and after.root is self.memory[carry.inner].root

    def handed_on(self, stmt: ir.For | ir.While, moves: Sequence[ir.Carry]) -> tuple[Stmt, ...]:
        """The copies at the end of an iteration, such that none is overwritten before it is read."""
        left = [c for c in moves if not self.stays(c)]
        values = {}
        for c in left:
            self.same_lengths(stmt, c)
            values[c] = elements_of(self.writer, self.memory[c.next])

        def reads(c: ir.Carry, other: ir.Carry) -> bool:
            source, into = self.memory[c.next], self.memory[other.inner]
            moved = c is not other or source.where is not None
            return moved and (source.root is into.root or source.root not in self.made)

        with self.writer.builder.block() as out:
            while left:
                free = (c for c in left if not any(reads(other, c) for other in left))
                chosen = next(free, left[0])
                for c in left:
                    if reads(c, chosen):
                        values[c] = self.writer.held(values[c], c.inner.name)
                made = self.carried.facts.makes.get(chosen.next) if isinstance(chosen.next, Var) else None
                with self.writer.builder.at(made.span if made else stmt.span):
                    self.writer.fill(self.memory[chosen.inner].root, values[chosen])
                left.remove(chosen)
        return tuple(out)

    def branch(self, stmt: ir.If) -> None:
        cond = self.atom(stmt.cond)
        if isinstance(cond, Const):
            return self.taken(stmt, bool(cond.value))
        then, orelse = self.region(stmt.then), self.region(stmt.orelse)
        outs = []
        for out in stmt.outs:
            if out.target.type.ref:
                dims = self.memory[out.then].dims
                if dims != self.memory[out.orelse].dims:
                    message = "arrays of different lengths come out of a branch, which is not supported on the GPU"
                    raise unsupported(stmt.span, message, "give both sides the same length")
                self.memory[out.target] = self.chosen(out.target, dims)
            self.atoms[out.target] = out.target
            outs.append(ir.Out(out.target, self.atom(out.then), self.atom(out.orelse)))
        self.writer.builder.put(replace(stmt, cond=cond, then=then, orelse=orelse, outs=tuple(outs)))

    def taken(self, stmt: ir.If, then: bool) -> None:
        """A branch of which is known which side is run."""
        block = stmt.then if then else stmt.orelse
        sides = [(out.target, out.then if then else out.orelse) for out in stmt.outs]
        self.results = (*self.results, *(side for target, side in sides if target in self.results))
        if stmt in self.top:
            self.top.update(block)
        self.run(block)
        for target, side in sides:
            if not target.type.ref:
                self.atoms[target] = self.atom(side)
                continue
            self.memory[target] = self.memory[side]
            if isinstance(side, Var) and side in self.given:
                self.given[target] = self.given[side]

    def let(self, stmt: ir.Let) -> None:
        if not any(a.type.rank for a in (*stmt.args, *stmt.targets)):
            known = folded(replace(stmt, args=tuple(map(self.atom, stmt.args))))
            if known is not None:
                self.atoms[stmt.target] = known
                return
        elif stmt.op not in (dim, size) and any(a.type.dtype == "u8" for a in (*stmt.args, *stmt.targets)):
            message = "arrays of uint64 are not computed with on the GPU, where an element is a signed integer"
            raise unsupported(stmt.span, message, "use .astype(np.int64) on the CPU before")
        super().let(stmt)

    def by_template(self, stmt: ir.Let, args: Sequence[Operand]) -> list[Operand]:
        """The results of a primitive, by reading the function that computes it on the CPU like a user's."""
        kinds = tuple(a.type.memory() if a.type.rank else a.type for a in stmt.args)
        try:
            function = small_matrices.FUNCTIONS.get(stmt.op.name)
            python = function(kinds, stmt.params) if function else as_function(stmt.op, kinds, stmt.params)
            main = lower(python, [Leaf(k) for k in kinds]).program.main
        except SrcgradError as error:
            raise self.refused(stmt) from error
        if any(isinstance(s, ir.Let) and s.op is stmt.op for s in walk.walk(main.body)):
            raise self.refused(stmt)
        lengths = [
            tuple(int(n.value.real) for n in a.dims if isinstance(n, Const))
            if isinstance(a, Elements) and static(a.dims)
            else None
            for a in args
        ]
        main = replace(main, body=_plain(main.body, stmt.span))
        return self.inlined(self.tidy(Program(fixed(main, lengths))).main, args)

    def refused(self, stmt: ir.Let) -> SrcgradError:
        return unsupported(
            stmt.span, f"`{stmt.op.name}` of arrays cannot run on the GPU", 'use target="cpu", or write it as loops'
        )

    def inlined(self, main: Fun, args: Sequence[Operand]) -> list[Operand]:
        """A function's body in place, for these arguments."""
        body, results = walk.instantiate(main, fresh := [Var(p.name, p.type) for p in main.params])
        inner = Loops(replace(main, params=tuple(fresh), body=body, results=results), self.tidy, self.writer)
        for param, arg in zip(fresh, args, strict=True):
            if isinstance(arg, Elements):
                source = self.writer.cheap(arg)
                inner.memory[param] = Memory(param, arg.dims, inner.classes.of(param), None, source)
            else:
                inner.atoms[param] = arg
        inner.run(body)
        return [inner.operand(r) for r in results]


def _plain(stmts: tuple[Stmt, ...], span: Span | None) -> tuple[Stmt, ...]:
    """Statements of a function of ours, whose indices are in range, as if they stood at this line of the user's."""

    def there(stmt: Stmt) -> Rewritten:
        return () if isinstance(stmt, ir.Raise) and stmt.failure is not None else walk.changed(stmt, span=span)

    return rewrite_block(stmts, there)
