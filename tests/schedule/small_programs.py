"""Random programs with small arrays: branches, loops, swaps, arrays made anew, views, and results that are arrays."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from srcgrad.core import ir
from srcgrad.core.build import Builder, const
from srcgrad.core.ir import B1, F8, I8, Atom, Fun, Type, Var
from srcgrad.rules.language import registry

ONE_AXIS = Type("f8", 1, ref=True)
SHAPES = ((2,), (3,), (2,), (2, 2))


class Writer:
    """Emits statements at random; `arrays` are the references in sight, each with its lengths."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.b = Builder()
        self.x, self.y, self.n = Var("x", F8), Var("y", F8), Var("n", I8)
        self.given = Var("given", ONE_AXIS)
        self.numbers: list[Atom] = [self.x, self.y]
        self.arrays: list[tuple[Var, tuple[int, ...]]] = []
        self.indices: list[tuple[Var, int]] = []  # of loops around, with their trips
        self.frozen = {self.given}  # what must not be written: the parameter, and its views

    def program(self) -> Fun:
        length = self.op("dim", self.given, axis=0)
        bad = self.op("not_equal", length, const(3))
        self.b.put(ir.If(bad, (ir.Raise("builtins", "ValueError", ("three",)),), ()))
        self.arrays.append((self.given, (3,)))
        self.alloc()
        self.alloc()
        self.statements(self.random.randint(5, 12), 0)
        results: list[Atom] = [self.random.choice(self.numbers)]
        for ref, _ in self.random.sample(self.arrays, min(2, len(self.arrays))):
            if self.random.random() < 0.4 and ref not in results:
                results.append(ref)
            else:
                results.append(self.load(ref))
        return Fun("f", (self.x, self.y, self.n, self.given), tuple(self.b.out), tuple(results))

    def op(self, name: str, *args: Atom, **params: Any) -> Atom:
        return self.b.let(registry.PRIMITIVES[name], *args, **params)

    @contextmanager
    def inside(self) -> Iterator[list[ir.Stmt]]:
        """A block: what is bound inside is not in sight behind it."""
        kept = list(self.numbers), list(self.arrays), list(self.indices)
        with self.b.block() as block:
            yield block
        self.numbers, self.arrays, self.indices = kept

    # ---- statements

    def statements(self, count: int, depth: int) -> None:
        kinds = [self.alloc, self.store, self.store, self.add, self.compute, self.compute, self.view]
        for _ in range(count):
            if depth < 3 and self.random.random() < 0.25:
                self.random.choice([self.branch, self.loop, self.loop, self.while_loop])(depth)
            else:
                self.random.choice(kinds)()

    def alloc(self) -> None:
        shape = self.random.choice(SHAPES)
        init = self.random.choice([ir.Init.ZEROS, self.random.choice(self.numbers)])
        self.arrays.append((self.b.alloc("f8", [const(n) for n in shape], init, "a"), shape))

    def index(self, shape: tuple[int, ...]) -> ir.Index:
        return tuple(map(self.item, shape))

    def item(self, length: int) -> Atom:
        near = [i for i, trips in self.indices if trips <= length]
        if near and self.random.random() < 0.6:
            return self.random.choice(near)
        return const(self.random.randint(-length, length - 1))

    def load(self, ref: Var) -> Atom:
        shape = next(shape for known, shape in self.arrays if known is ref)
        value = self.b.load(ref, self.index(shape))
        self.numbers.append(value)
        return value

    def target(self) -> tuple[Var, ir.Index] | None:
        own = [(ref, shape) for ref, shape in self.arrays if ref not in self.frozen]
        if not own:
            return None
        ref, shape = self.random.choice(own)
        return ref, self.index(shape)

    def store(self) -> None:
        found = self.target()
        if found is not None:
            self.b.store(*found, self.random.choice(self.numbers))

    def add(self) -> None:
        found = self.target()
        if found is not None:
            self.b.accumulate(*found, self.random.choice(self.numbers))

    def compute(self) -> None:
        a = self.load(self.random.choice(self.arrays)[0])
        b = self.random.choice(self.numbers)
        self.numbers.append(self.op("multiply", self.op(self.random.choice(["add", "subtract"]), a, b), const(0.5)))

    def view(self) -> None:
        ref, shape = self.random.choice(self.arrays)
        kind = self.random.randrange(3)
        how: ir.Index | ir.Transpose
        new: tuple[int, ...]
        if len(shape) == 2:
            how, new = ((self.item(shape[0]), ir.Slice()), shape[1:]) if kind else (ir.Transpose((1, 0)), shape)
        else:
            how, new = ((ir.Slice(const(1)),), (shape[0] - 1,)) if kind else ((ir.Slice(step=const(-1)),), shape)
        view = self.b.view(ref, how)
        if min(new) > 0:
            self.arrays.append((view, new))
            if ref in self.frozen:
                self.frozen.add(view)

    # ---- blocks

    def number(self) -> Atom:
        return self.random.choice(self.numbers)

    def picked(self, shape: tuple[int, ...]) -> Var:
        """An array of this shape, a new one as a rule."""
        known = [ref for ref, other in self.arrays if other == shape and ref not in self.frozen]
        if known and self.random.random() < 0.6:
            return self.random.choice(known)
        made = self.b.alloc("f8", [const(n) for n in shape], self.number(), "m")
        self.arrays.append((made, shape))
        return made

    def branch(self, depth: int) -> None:
        cond = self.op("less", self.number(), self.number())
        shape = self.random.choice(SHAPES)
        arrays, ends, blocks = self.random.random() < 0.4, [], []
        for _ in range(2):
            with self.inside() as block:
                self.statements(self.random.randint(0, 3), depth + 1)
                ends.append((self.number(), self.picked(shape) if arrays else None))
            blocks.append(tuple(block))
        outs = [ir.Out(Var("t", F8), ends[0][0], ends[1][0])]
        if arrays:
            then, orelse = ends[0][1], ends[1][1]
            assert then is not None and orelse is not None
            outs.append(ir.Out(Var("m", then.type), then, orelse))
            self.arrays.append((outs[1].target, shape))
        self.b.put(ir.If(cond, blocks[0], blocks[1], tuple(outs)))
        self.numbers.append(outs[0].target)

    def heads(self) -> tuple[list[Var], list[Atom], list[tuple[int, ...] | None]]:
        """What a loop carries: a number, and no array, one, or two of one shape, that may change places."""
        shape = self.random.choice(SHAPES)
        arrays = [self.picked(shape) for _ in range(self.random.choice([0, 1, 2, 2]))]
        inits: list[Atom] = [self.number(), *arrays]
        inners = [Var("c", a.type) for a in inits]
        return inners, inits, [None, *(shape for _ in arrays)]

    def body(self, inners: list[Var], shapes: list[tuple[int, ...] | None], depth: int) -> list[Atom]:
        """Statements; what is carried next."""
        self.numbers.append(inners[0])
        own = [(v, shape) for v, shape in zip(inners, shapes, strict=True) if shape is not None]
        self.arrays += own
        self.statements(self.random.randint(1, 4), depth + 1)
        nexts = [v for v, _ in own]
        if self.random.random() < 0.6:
            nexts.reverse()
        elif own and own[0][1] is not None:
            nexts[-1] = self.picked(own[0][1])
        return [self.number(), *nexts]

    def loop(self, depth: int) -> None:
        inners, inits, shapes = self.heads()
        index, short = Var("i", I8), self.random.random() < 0.5
        stop = const(self.random.choice([0, 2, 2, 2, 3])) if short else self.n
        with self.inside() as block:
            if short:
                self.indices.append((index, int(stop.value.real) if isinstance(stop, ir.Const) else 9))
            nexts = self.body(inners, shapes, depth)
        self.put_loop(ir.For(index, const(0), stop, const(1), self.carry(inners, inits, nexts), tuple(block)), shapes)

    def while_loop(self, depth: int) -> None:
        inners, inits, shapes = self.heads()
        k = Var("k", I8)
        with self.inside() as test:
            self.numbers.append(inners[0])
            self.arrays += [(v, s) for v, s in zip(inners, shapes, strict=True) if s is not None]
            for _ in range(self.random.randint(0, 2)):
                self.random.choice([self.compute, self.alloc])()
            less = self.op("less", k, self.n)
            seen = self.op("less", self.number(), const(9.0))
            cond = self.op("logical_and", less, seen)
        with self.inside() as block:
            nexts = self.body(inners, shapes, depth)
            after = self.op("add", k, const(1))
        carry = (*self.carry(inners, inits, nexts), ir.Carry(k, const(0), after, Var("k", I8)))
        self.put_loop(ir.While(tuple(test), cond, carry, tuple(block)), shapes)

    def carry(self, inners: list[Var], inits: list[Atom], nexts: list[Atom]) -> tuple[ir.Carry, ...]:
        outs = [Var(v.name, v.type) for v in inners]
        return tuple(map(ir.Carry, inners, inits, nexts, outs))

    def put_loop(self, loop: ir.For | ir.While, shapes: list[tuple[int, ...] | None]) -> None:
        self.b.put(loop)
        assert loop.carry[0].out.type != B1
        self.numbers.append(loop.carry[0].out)
        for c, shape in zip(loop.carry, shapes, strict=False):
            if shape is not None:
                self.arrays.append((c.out, shape))


def program(seed: int) -> Fun:
    """The program of this number."""
    return Writer(seed).program()
