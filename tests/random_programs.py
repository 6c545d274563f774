"""Random core programs, for tests of passes: loops, branches, memory, views, swaps and choices of references.

All memory has `LENGTH` elements and all loops at most that many turns, so that every index is in range.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import Builder, const, whole
from srcgrad.core.ir import Atom, Program, Var
from srcgrad.rules.scalar.arithmetic import add, multiply, negative, subtract
from srcgrad.rules.scalar.elementwise import cos, sin

LENGTH = 4
VECTOR = ir.Type("f8", 1, ref=True)


def _bool(types: tuple[ir.Type, ...], params: dict[str, object]) -> tuple[ir.Type, ...]:
    return (ir.B1,)


positive = ir.Primitive("test_positive", _bool, lambda x: bool(x > 0), "_0 > 0")
UNARY, BINARY = (sin, cos, negative), (add, subtract, multiply)


@dataclass
class Scope:
    """What can be used here; array values stay in their region."""

    floats: list[Atom]
    ints: list[Atom]
    refs: list[Var]
    writable: list[Var]
    values: list[Var] = field(default_factory=list)

    def inner(self) -> Scope:
        return Scope(list(self.floats), list(self.ints), list(self.refs), list(self.writable))


class Generator:
    def __init__(self, seed: int, size: int = 12) -> None:
        self.random = random.Random(seed)
        self.size = size
        self.builder = Builder()

    def program(self) -> Program:
        x, y, a, b = Var("x", ir.F8), Var("y", ir.F8), Var("a", VECTOR), Var("b", VECTOR)
        own = self.builder.alloc("f8", (), self.builder.load(a), "own")
        scope = Scope([x, y, const(0.5)], [const(0), const(3)], [a, b, own], [own])
        self.statements(scope, self.size, 3)
        results = (self.choose(scope.floats), self.choose(scope.writable), self.choose(scope.floats))
        return Program(ir.Fun("f", (x, y, a, b), tuple(self.builder.out), results))

    def choose(self, items: list[Atom]) -> Atom:
        """One of them, more likely a late one."""
        return items[max(self.random.randrange(len(items)), self.random.randrange(len(items)))]

    def statements(self, scope: Scope, count: int, depth: int) -> None:
        makers = [self.scalar, self.scalar, self.load, self.store, self.store, self.accumulate, self.alloc, self.view]
        makers += [self.value, self.value, self.store_value]
        if depth:
            makers += [self.loop, self.loop, self.branch, self.branch, self.loop_until]
        for _ in range(count):
            maker = self.random.choice(makers)
            maker(scope, depth)

    # ---- straight code

    def scalar(self, scope: Scope, depth: int) -> None:
        if self.random.random() < 0.4:
            scope.floats.append(self.builder.let(self.random.choice(UNARY), self.choose(scope.floats)))
        else:
            args = self.choose(scope.floats), self.choose(scope.floats)
            scope.floats.append(self.builder.let(self.random.choice(BINARY), *args))

    def place(self, scope: Scope) -> ir.Index:
        return (self.choose(scope.ints),)

    def load(self, scope: Scope, depth: int) -> None:
        scope.floats.append(self.builder.load(self.choose(scope.refs), self.place(scope)))

    def store(self, scope: Scope, depth: int) -> None:
        self.builder.store(self.choose(scope.writable), self.place(scope), self.choose(scope.floats))

    def accumulate(self, scope: Scope, depth: int) -> None:
        if self.random.random() < 0.3 and scope.values:
            self.builder.accumulate(self.choose(scope.writable), None, self.choose(scope.values))
        else:
            self.builder.accumulate(self.choose(scope.writable), self.place(scope), self.choose(scope.floats))

    def alloc(self, scope: Scope, depth: int) -> None:
        kind = self.random.randrange(3)
        if kind == 0 and scope.values:
            new = self.builder.alloc("f8", (), self.choose(scope.values))
        elif kind == 1:
            new = self.builder.alloc("f8", (const(LENGTH),), self.choose(scope.floats))
        else:
            new = self.builder.alloc("f8", (const(LENGTH),))
        scope.refs.append(new)
        scope.writable.append(new)

    def view(self, scope: Scope, depth: int) -> None:
        if self.random.random() < 0.4:
            base = self.choose(scope.writable)
            scope.writable.append(self.builder.view(base, (ir.Slice(step=const(-1)),)))
            scope.refs.append(scope.writable[-1])

    def value(self, scope: Scope, depth: int) -> None:
        if not scope.values or self.random.random() < 0.4:
            scope.values.append(self.builder.load(self.choose(scope.refs)))
        elif self.random.random() < 0.5:
            scope.values.append(self.builder.let(self.random.choice(UNARY), self.choose(scope.values)))
        else:
            other = self.choose(scope.values if self.random.random() < 0.6 else scope.floats)
            scope.values.append(self.builder.let(self.random.choice(BINARY), self.choose(scope.values), other))

    def store_value(self, scope: Scope, depth: int) -> None:
        if scope.values:
            ref = self.choose(scope.writable)
            self.builder.store(ref, whole(ref), self.choose(scope.values))

    # ---- loops and branches

    def carried(self, scope: Scope) -> list[Atom]:
        floats = [self.choose(scope.floats) for _ in range(self.random.randrange(3))]
        refs = [self.choose(scope.writable) for _ in range(self.random.choice([0, 0, 0, 2]))]
        return [*floats, *refs]

    def carry(self, scope: Scope, inits: list[Atom], body: Scope, inners: list[Var]) -> tuple[ir.Carry, ...]:
        refs = [v for v in inners if v.type.ref]
        nexts = [self.choose(body.floats) for v in inners if not v.type.ref]
        nexts += self.random.choice([refs[::-1], refs, [self.choose(body.writable) for _ in refs]])
        out = tuple(
            ir.Carry(inner, init, next_, Var(inner.name, inner.type))
            for inner, init, next_ in zip(inners, inits, nexts, strict=True)
        )
        self.bind(scope, [c.out for c in out])
        return out

    def bind(self, scope: Scope, vars: list[Var]) -> None:
        for var in vars:
            if var.type.ref:
                scope.refs.append(var)
                scope.writable.append(var)
            else:
                scope.floats.append(var)

    def body_of(self, scope: Scope, depth: int, inners: list[Var]) -> tuple[Scope, list[ir.Stmt]]:
        inner = scope.inner()
        self.bind(inner, inners)
        with self.builder.block() as body:
            self.statements(inner, self.random.randrange(1, 6), depth - 1)
        return inner, body

    def loop(self, scope: Scope, depth: int) -> None:
        index = Var("i", ir.I8)
        inits = self.carried(scope)
        inners = [Var("c", a.type) for a in inits]
        seen = scope.inner()
        seen.ints.append(index)
        inner, body = self.body_of(seen, depth, inners)
        leave = None
        if self.random.random() < 0.3:
            with self.builder.block() as tail:
                leave = self.builder.let(positive, self.choose(inner.floats))
            body += tail
        bounds = self.random.choice([(0, LENGTH, 1), (LENGTH - 1, -1, -1), (1, 3, 1), (2, 2, 1), (0, 1, 1)])
        carry = self.carry(scope, inits, inner, inners)
        self.builder.put(ir.For(index, *map(const, bounds), carry, tuple(body), leave))

    def loop_until(self, scope: Scope, depth: int) -> None:
        """At most LENGTH turns: a count is carried beside the rest."""
        count, total = Var("k", ir.I8), Var("k", ir.I8)
        less = ir.Primitive("test_less", _bool, lambda a, b: bool(a < b), "_0 < _1")
        inits = self.carried(scope)
        inners = [Var("c", a.type) for a in inits]
        with self.builder.block() as test:
            cond = self.builder.let(less, count, const(self.random.randrange(LENGTH)))
        seen = scope.inner()
        seen.ints.append(count)
        inner, body = self.body_of(seen, depth, inners)
        with self.builder.block() as tail:
            following = self.builder.let(add, count, const(1))
        carry = self.carry(scope, inits, inner, inners)
        counter = ir.Carry(count, const(0), following, total)
        self.builder.put(ir.While(tuple(test), cond, (counter, *carry), (*body, *tail)))

    def branch(self, scope: Scope, depth: int) -> None:
        cond = self.builder.let(positive, self.choose(scope.floats))
        a, then = self.body_of(scope, depth, [])
        b, orelse = self.body_of(scope, depth, [])
        outs = [ir.Out(Var("o", ir.F8), self.choose(a.floats), self.choose(b.floats)) for _ in range(2)]
        if self.random.random() < 0.3:
            outs.append(ir.Out(Var("r", VECTOR), self.choose(a.writable), self.choose(b.writable)))
        if self.random.random() < 0.2:
            cond = const(self.random.random() < 0.5)
        self.builder.put(ir.If(cond, tuple(then), tuple(orelse), tuple(outs)))
        self.bind(scope, [out.target for out in outs])


def arguments(seed: int) -> tuple[object, ...]:
    rng = np.random.default_rng(seed)
    return (np.float64(rng.normal()), np.float64(rng.normal()), rng.normal(size=LENGTH), rng.normal(size=LENGTH))
